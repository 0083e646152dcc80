import { apply, type Emitter, type Operator, type Tensor } from '../graph/tensor.ts'
import { blockSum } from './block-sum.ts'

const operator: Operator<undefined> = {
  name: 'upsample',
  infer: ([{ shape, type }]) => [{ shape: shape.map((n, axis) => (axis < 2 ? n : 2 * n)), type }],
  lower: (emit, [x], { inputs: [{ shape }] }) => [emitUpsample(emit, x, shape.length)],
  gradient: ([g]) => (g === undefined ? [] : [blockSum(g)]),
}

/** Repeats each pixel 2×2(×2) times. */
export function upsample(x: Tensor): Tensor {
  return apply(operator, [x], undefined)
}

/** The nodes of upsample, for operators that need it in their own. */
export function emitUpsample(emit: Emitter, x: string, rank: number): string {
  const scales = emit.constant(
    Float32Array.from({ length: rank }, (_, axis) => (axis < 2 ? 1 : 2)),
    [rank],
  )
  const attributes = {
    mode: { string: 'nearest' },
    nearest_mode: { string: 'floor' },
    coordinate_transformation_mode: { string: 'asymmetric' },
  }
  return emit.node('Resize', [x, '', scales], { attributes })[0]
}
