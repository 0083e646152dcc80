import { type Emitter, sizeOf } from '../graph/tensor.ts'

/** The weights [in, out, kernel…] of the adjoint of the convolution with w, of `shape` [out, in, kernel…]. */
export function emitFlippedKernel(emit: Emitter, w: string, shape: readonly number[]): string {
  // Reversing every kernel axis at once is reversing the flattened kernel.
  const [outputs, inputs, ...kernel] = shape
  const [flat] = emit.node('Reshape', [w, emit.ints([outputs, inputs, sizeOf(kernel)])])
  const [swapped] = emit.node('Transpose', [flat], { attributes: { perm: { ints: [1, 0, 2] } } })
  const reversed =
    sizeOf(kernel) === 1
      ? swapped
      : emit.node('Slice', [swapped, emit.ints([-1]), emit.ints([-(2 ** 31)]), emit.ints([2]), emit.ints([-1])])[0]
  return emit.node('Reshape', [reversed, emit.ints([inputs, outputs, ...kernel])])[0]
}
