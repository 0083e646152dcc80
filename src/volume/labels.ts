import { InputError } from './errors.ts'
import { largestLabel } from './label-numbers.ts'
import { runEnds } from './runs.ts'
import { realValue, type Scaling, unscaled } from './scaling.ts'
import { checkVolume, type Volume } from './volume.ts'

/** Arrays that can hold class labels. */
export type LabelArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array

/** An integer class per voxel. */
export interface LabelMap<A extends LabelArray = LabelArray> {
  readonly values: A
  /** The labels that occur, ascending; background (0) included where it occurs. */
  readonly labels: readonly number[]
}

/**
 * Parcellations of the brain have up to 1,000 labels (Schaefer 2018); images of intensities have thousands of values.
 */
const mostLabels = 1024

/** The rounding of float32 numbers, relative to their size: two roundings of 2⁻²⁴ each. */
const float32Rounding = 2 ** -23

/**
 * Reads a one-channel volume as a label map. Integer data are used in place; floating-point and scaled data are
 * converted where every real value is a whole number within rounding. nibabel stores label maps with a slope when they
 * were floats in memory, and reads them back as 0.9999999998 or 1.012: each value is taken for the label that is stored
 * in this way.
 *
 * @param subject what to name in an error, usually the file's path
 * @throws InputError for several channels, fractions, NaN, numbers beyond 0 … 65,535, and over 1,024 different ones
 * @example
 * labelMapOf({ grid: createGrid([3, 1, 1]), channels: 1, data: Uint8Array.of(0, 4, 4) }, 'a.nii').labels // [0, 4]
 */
export function labelMapOf(volume: Volume, subject: string): LabelMap {
  if (volume.channels !== 1) {
    const names = [...(volume.labelNames?.values() ?? [])].join(', ')
    const why = names && ` (its segments ${names} overlap, or are fractions)`
    throw new InputError(subject, `has ${volume.channels} channels, not one${why}; give a 3-D label map`)
  }
  checkVolume(volume, subject)
  const { data, scaling } = volume
  if (!(data instanceof Float32Array || data instanceof Float64Array || scaling)) {
    return { values: data, labels: distinct(data, subject) }
  }
  const values = new Int32Array(data.length)
  for (let i = 0; i < data.length; i++) {
    values[i] = data[i]
    if (scaling === undefined && values[i] === data[i]) continue
    const label = wholeNumber(data[i], scaling)
    if (label === undefined) {
      const remedy = 'give a label map, or cut probabilities with `halfdice threshold` first'
      const value = realValue(data[i], scaling ?? unscaled)
      throw new InputError(subject, `holds ${value}, which is no integer label; ${remedy}`)
    }
    values[i] = label
  }
  return { values, labels: distinct(values, subject) }
}

/** Stands in a reference's values where nobody has annotated: such voxels count in no score and no fit. */
export const notAnnotated = -1

/** The label map with `notAnnotated` in place of the label `ignore`, which then is none of its labels. */
export function withoutIgnored(map: LabelMap, ignore: number | undefined): LabelMap {
  if (ignore === undefined || !map.labels.includes(ignore)) return map
  const values = Int32Array.from(map.values, (label) => (label === ignore ? notAnnotated : label))
  return { values, labels: map.labels.filter((label) => label !== ignore) }
}

/** A copy of labels in as few bytes as they need. */
export function narrowed(values: LabelArray): Uint8Array | Uint16Array {
  return values.every((label: number) => label < 256) ? Uint8Array.from(values) : Uint16Array.from(values)
}

/** Whether all voxels, of all channels, are whole numbers as labels and masks are: probabilities are not. */
export function holdsLabels({ data, scaling }: Volume): boolean {
  if (!(data instanceof Float32Array || data instanceof Float64Array || scaling)) return true
  for (let i = 0; i < data.length; i++) if (wholeNumber(data[i], scaling) === undefined) return false
  return true
}

/**
 * The whole number that a stored number stands for, or undefined where it stands for a fraction or for too large a
 * number.
 */
function wholeNumber(stored: number, scaling: Scaling = unscaled): number | undefined {
  const real = realValue(stored, scaling)
  const whole = Math.round(real)
  if (whole !== real) {
    const { slope, intercept } = scaling
    const rounding = float32Rounding * Math.max(1, Math.abs(slope * stored) + Math.abs(intercept))
    // Below half a label a step, no other label is stored as this number; it lies at most half a step from its label.
    const halfStep = scaling !== unscaled && Math.abs(slope) <= 0.5 ? Math.abs(slope) / 2 : 0
    if (!(Math.abs(real - whole) <= halfStep + rounding)) return undefined
  }
  return Math.abs(whole) < 2 ** 31 ? whole + 0 : undefined
}

function distinct(values: LabelArray, subject: string): number[] {
  // Labels come in long runs: only the first of a run asks the set.
  const seen = new Set<number>()
  const end = runEnds(values)
  for (let i = 0; i < values.length; i = end(i, values.length)) {
    const value = values[i]
    if (seen.has(value)) continue
    seen.add(value)
    if (!(value >= 0 && value <= largestLabel)) {
      throw new InputError(
        subject,
        `holds ${value}, and a label is a whole number from 0 to ${largestLabel}; give a label map, not an image`,
      )
    }
    if (seen.size > mostLabels) {
      throw new InputError(
        subject,
        `holds more than ${mostLabels} different numbers; give a label map, not an image of intensities`,
      )
    }
  }
  return [...seen].sort((a, b) => a - b)
}
