import { InputError } from '../../volume/errors.ts'
import { voxelCount } from '../../volume/grid.ts'
import { probabilitiesOf } from '../../volume/probabilities.ts'
import type { Volume } from '../../volume/volume.ts'
import { float32Of, type ProbabilityArray } from '../probabilities.ts'
import { CaseDecoder, type DecodedCase } from './case-decoder.ts'
import type { DecodeOptions } from './options.ts'

/** Probabilities of several classes in one array, the class the slowest axis. */
export interface ClassProbabilities {
  readonly data: ProbabilityArray
  /** [class, z, y, x], or any number of axes after the class. */
  readonly shape: readonly number[]
}

/**
 * Decodes probabilities, as a network gives them, into Dice-optimal masks or a label map: each class by its own
 * threshold t* = D*⁄2 (docs/theory.md, "Optimal predictions"), conflicts and absent classes as docs/pipelines.md tells.
 *
 * @param probabilities an array with its shape, or a volume with one channel a class
 * @throws InputError where shape, options or values do not fit; the message says what would
 * @example
 * // A softmax of the background and two organs, three voxels
 * const p = Float32Array.of(0.1, 0.8, 0.1, 0.8, 0.1, 0.1, 0.1, 0.1, 0.8)
 * const labelSets = [undefined, [1], [2]]
 * decodeProbabilities({ data: p, shape: [3, 3] }, { kind: 'exclusive', labelSets }).data // Uint8Array [1, 0, 2]
 */
export function decodeProbabilities(
  probabilities: ClassProbabilities | Volume,
  options: DecodeOptions = {},
): DecodedCase {
  const { data, channels, voxels } = 'grid' in probabilities ? ofVolume(probabilities) : ofArray(probabilities)
  const decoder = new CaseDecoder(voxels, channels, options)
  const map = (c: number) => data.subarray(c * voxels, (c + 1) * voxels)
  for (let c = 0; c < channels; c++) decoder.add(map(c))
  if (decoder.needsReview) for (let c = 0; c < channels; c++) decoder.review(c, map(c))
  return decoder.finish()
}

interface Maps {
  readonly data: Float32Array
  readonly channels: number
  readonly voxels: number
}

function ofVolume(volume: Volume): Maps {
  const voxels = voxelCount(volume.grid)
  const data = probabilitiesOf(volume, 'probabilities')
  if (volume.channels * voxels !== data.length) {
    throw new InputError('volume', `has ${data.length} numbers for ${volume.channels} channels of ${voxels} voxels`)
  }
  return { data, channels: volume.channels, voxels }
}

function ofArray({ data, shape }: ClassProbabilities): Maps {
  const p = float32Of(data)
  const [channels, ...rest] = Array.isArray(shape) ? shape : []
  const voxels = rest.reduce((a, b) => a * b, 1)
  if (!(Number.isInteger(channels) && channels >= 1) || channels * voxels !== p.length) {
    throw new InputError('shape', `(${shape}) does not fit ${p.length} numbers; give [class, …voxels]`)
  }
  return { data: p, channels, voxels }
}
