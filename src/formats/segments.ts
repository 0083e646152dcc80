import { InputError } from '../volume/errors.ts'
import { voxelCount } from '../volume/grid.ts'
import { labelMapOf } from '../volume/labels.ts'
import type { Volume } from '../volume/volume.ts'
import { labelColour } from './label-colours.ts'

/** One region of a segmentation: the voxels of a channel that have its value. */
export interface Segment {
  /** From 1, in the order of labels or of channels. */
  readonly number: number
  readonly name: string
  readonly channel: number
  readonly value: number
  readonly colour: readonly [red: number, green: number, blue: number]
}

/** Masks as a file of segments has them: whole numbers, `count` of them a channel. */
export interface Segmented {
  readonly segments: readonly Segment[]
  readonly values: ArrayLike<number>
  readonly count: number
}

/**
 * The segments of a label map (one a label that occurs or has a name), or of masks that may overlap (one a channel).
 *
 * @throws InputError where the volume holds anything else, such as probabilities
 */
export function segmentsOf(volume: Volume, path: string): Segmented {
  const { grid, channels, data, scaling, labelNames } = volume
  if (data instanceof Float32Array || data instanceof Float64Array || scaling) {
    throw new InputError(
      path,
      'is a file of segments, which holds masks, not probabilities; end it in .nii.gz or .nrrd',
    )
  }
  const count = voxelCount(grid)
  if (channels === 1) {
    const { values, labels } = labelMapOf(volume, path)
    const named = [...new Set([...labels, ...(labelNames?.keys() ?? [])])].filter((label) => label !== 0)
    const all = named.length > 0 ? named.toSorted((a, b) => a - b) : [1]
    const segments = all.map((label, n) => segment(n, 0, label, labelNames?.get(label) ?? `label ${label}`))
    return { segments, values, count }
  }
  if (data.some((value: number) => value !== 0 && value !== 1)) {
    throw new InputError(path, 'can hold a label map, or several masks of 0 and 1; end it in .nii.gz or .nrrd')
  }
  const names = [...(labelNames?.values() ?? [])]
  const segments = Array.from({ length: channels }, (_, n) => segment(n, n, 1, names[n] ?? `class ${n + 1}`))
  return { segments, values: data, count }
}

function segment(index: number, channel: number, value: number, name: string): Segment {
  return { number: index + 1, name, channel, value, colour: labelColour(channel === 0 ? value : channel + 1) }
}
