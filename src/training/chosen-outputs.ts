import { voxelCount } from '../volume/grid.ts'
import { chosenSets } from '../volume/label-names.ts'
import type { Volume } from '../volume/volume.ts'
import type { Model, ModelMetadata } from './model-file.ts'

/** Some outputs of a model, in its own order. */
export interface ChosenOutputs {
  readonly metadata: ModelMetadata
  /** Their maps, of those of all outputs. */
  of(probability: Volume<Float32Array>): Volume<Float32Array>
}

/**
 * The outputs that `--labels` names.
 *
 * @throws InputError where a name or number is no output of the model
 */
export function chosenOutputs(
  { metadata, path }: Pick<Model, 'metadata' | 'path'>,
  texts: readonly string[],
): ChosenOutputs {
  const taken = chosenSets(texts, metadata.outputs, path)
  const kept = <T>(all: readonly T[]) => all.filter((_, k) => taken[k])
  const { outputs, thresholds } = metadata
  const places = kept([...outputs.keys()])
  return {
    metadata: { ...metadata, outputs: kept(outputs), ...(thresholds && { thresholds: kept(thresholds) }) },
    of(probability) {
      const voxels = voxelCount(probability.grid)
      const data = new Float32Array(voxels * places.length)
      for (const [n, k] of places.entries())
        data.set(probability.data.subarray(k * voxels, (k + 1) * voxels), n * voxels)
      return { ...probability, channels: places.length, data }
    },
  }
}
