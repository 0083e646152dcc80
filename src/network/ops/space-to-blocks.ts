import { type Emitter, sizeOf } from '../graph/tensor.ts'

/** Rows of blocks to pixels: x [n, c·2^d, P] to [n, c, 2·spatial…], `coarse` being [n, c, spatial…]. */
export function blocksToSpace(emit: Emitter, x: string, coarse: readonly number[]): string {
  const [n, c, ...spatial] = coarse
  const d = spatial.length
  if (d === 2) {
    const [planes] = emit.node('Reshape', [x, emit.ints([n, c * 4, ...spatial])])
    return emit.node('DepthToSpace', [planes], { attributes: { blocksize: { int: 2 }, mode: { string: 'CRD' } } })[0]
  }
  const [apart] = emit.node('Reshape', [x, emit.ints([n, c, ...spatial.map(() => 2), ...spatial])])
  const perm = [0, 1, ...spatial.flatMap((_, axis) => [2 + d + axis, 2 + axis])]
  const [mixed] = emit.node('Transpose', [apart], { attributes: { perm: { ints: perm } } })
  return emit.node('Reshape', [mixed, emit.ints([n, c, ...spatial.map((size) => 2 * size)])])[0]
}

/** Pixels to rows of blocks: x [n, c, 2·spatial…] to [n, c·2^d, P]; the inverse of blocksToSpace. */
export function spaceToBlocks(emit: Emitter, x: string, coarse: readonly number[]): string {
  const [n, c, ...spatial] = coarse
  const d = spatial.length
  const [apart] = emit.node('Reshape', [x, emit.ints([n, c, ...spatial.flatMap((size) => [size, 2])])])
  const axes = spatial.map((_, axis) => 2 + 2 * axis)
  const perm = [0, 1, ...axes.map((axis) => axis + 1), ...axes]
  const [mixed] = emit.node('Transpose', [apart], { attributes: { perm: { ints: perm } } })
  return emit.node('Reshape', [mixed, emit.ints([n, c * 2 ** d, sizeOf(spatial)])])[0]
}
