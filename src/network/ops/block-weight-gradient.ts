import { apply, type Operator, sizeOf, type Tensor } from '../graph/tensor.ts'
import { blockOf } from './blocked-channels.ts'
import { contract } from './conv-weight-gradient.ts'
import { spaceToBlocks } from './space-to-blocks.ts'
import { sumOfProducts } from './sums.ts'
import { halvingWeightGradientByPlanes, piecesOfPlanes } from './weight-gradient-by-planes.ts'

const operator: Operator<undefined> = {
  name: 'blockWeightGradient',
  infer: ([coarse, fine]) => [
    { shape: [coarse.shape[1], fine.shape[1], ...fine.shape.slice(2).map(() => 2)], type: fine.type },
  ],
  lower: (emit, [coarse, fine], { inputs: [{ shape }, { shape: fineShape }], outputs: [output] }) => {
    const [n, c, ...spatial] = shape
    const block = blockOf(emit, c)
    if (block !== undefined && blockOf(emit, fineShape[1]) !== undefined) {
      const depths = spatial.length === 3 ? 2 : 1
      const [height, width] = spatial.slice(-2)
      const depth = depths === 2 ? spatial[0] : 1
      const sizes = { cases: n, inputs: fineShape[1], outputs: c, spatial: [depth, height, width], depths } as const
      const pieces = piecesOfPlanes(sizes, block)
      if (pieces !== undefined) return [halvingWeightGradientByPlanes(emit, [coarse, fine], sizes, block, pieces)]
    }
    const blocks = spaceToBlocks(emit, fine, [n, fineShape[1], ...spatial])
    const pixels = sizeOf(spatial)
    if (emit.target.device !== 'cpu') {
      const columns = fineShape[1] * 2 ** spatial.length
      const sum = sumOfProducts(emit, [coarse, blocks], [c, columns], [n, pixels])
      return emit.node('Reshape', [sum, emit.ints(output.shape)])
    }
    const [rows] = emit.node('Reshape', [coarse, emit.ints([n, c, pixels])])
    const product = contract(emit, rows, blocks)
    const [sum] = n === 1 ? [product] : emit.node('ReduceSum', [product, emit.ints([0])])
    return emit.node('Reshape', [sum, emit.ints(output.shape)])
  },
}

/** The weight gradient that convDown and convUp share: Σ of coarse[o, v] · fine[c, 2v + k], shape [o, c, 2, 2(, 2)]. */
export function blockWeightGradient(coarse: Tensor, fine: Tensor): Tensor {
  return apply(operator, [coarse, fine], undefined)
}
