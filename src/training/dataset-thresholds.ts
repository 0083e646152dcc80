import { DiceHistogram } from '../decision/dice-histogram.ts'
import type { Session } from '../network/runtime/session.ts'
import type { ModelMetadata } from './model-file.ts'
import type { PreparedCase } from './patch.ts'
import { finiteMaps } from './validate.ts'

/** Maps of so many bytes are kept for the second pass; the others are predicted again. */
export const mostKeptBytes = 500e6

/** The data-set threshold t* of each output, from the predictions on the training cases: no label is used. */
export async function datasetThresholds(
  session: Session,
  cases: readonly PreparedCase[],
  metadata: Pick<ModelMetadata, 'patch' | 'outputs'>,
): Promise<number[]> {
  const kept = new Map<PreparedCase, Float32Array>()
  let left = mostKeptBytes
  const pass = async (sinks: readonly { add(chunk: Float32Array): void }[]) => {
    for (const one of cases) {
      const maps = kept.get(one) ?? (await finiteMaps(session, metadata, one.image))
      if (!kept.has(one) && maps.byteLength <= left) {
        kept.set(one, maps)
        left -= maps.byteLength
      }
      const voxels = maps.length / sinks.length
      for (const [k, sink] of sinks.entries()) sink.add(maps.subarray(k * voxels, (k + 1) * voxels))
    }
  }
  const first = metadata.outputs.map(() => new DiceHistogram())
  await pass(first)
  const second = first.map((histogram) => histogram.refine())
  await pass(second)
  return second.map((refinement) => refinement.optimum().threshold)
}
