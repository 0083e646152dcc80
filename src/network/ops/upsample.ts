import { apply, type Operator, type Tensor } from '../graph/tensor.ts'
import { blockSum } from './blockSum.ts'

const operator: Operator<undefined> = {
  name: 'upsample',
  infer: ([{ shape, type }]) => [{ shape: shape.map((n, axis) => (axis < 2 ? n : 2 * n)), type }],
  lower: (emit, [x], { inputs: [{ shape }] }) => {
    const scales = emit.constant(
      Float32Array.from(shape, (_, axis) => (axis < 2 ? 1 : 2)),
      [shape.length],
    )
    const attributes = {
      mode: { string: 'nearest' },
      nearest_mode: { string: 'floor' },
      coordinate_transformation_mode: { string: 'asymmetric' },
    }
    return emit.node('Resize', [x, '', scales], { attributes })
  },
  gradient: ([g]) => (g === undefined ? [] : [blockSum(g)]),
}

/** Repeats each pixel 2×2(×2) times. */
export function upsample(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}
