import { InputError } from './errors.ts'
import type { Volume } from './volume.ts'

/** Arrays that can hold class labels. */
export type LabelArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array

/** An integer class per voxel. */
export interface LabelMap<A extends LabelArray = LabelArray> {
  readonly values: A
  /** The labels that occur, ascending; background (0) included where it occurs. */
  readonly labels: readonly number[]
}

/**
 * Reads a one-channel volume as a label map. Integer data are used in place; floating-point or scaled data are
 * converted if every real value is an integer within 32 bits.
 *
 * @param subject what to name in an error, usually the file's path
 * @throws InputError for several channels, fractions, NaN or values beyond 32 bits
 */
export function labelMapOf(volume: Volume, subject: string): LabelMap {
  if (volume.channels !== 1) {
    throw new InputError(subject, `has ${volume.channels} channels, not one; give a 3-D label map`)
  }
  const { data, scaling } = volume
  if (!(data instanceof Float32Array || data instanceof Float64Array || scaling)) {
    return { values: data, labels: distinct(data) }
  }
  const slope = scaling?.slope ?? 1
  const intercept = scaling?.intercept ?? 0
  const values = new Int32Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const value = slope * data[i] + intercept
    values[i] = value
    if (values[i] !== value) {
      throw new InputError(
        subject,
        `holds ${value}, which is no integer label; give a label map, or cut probabilities with \`halfdice threshold\` first`,
      )
    }
  }
  return { values, labels: distinct(values) }
}

function distinct(values: LabelArray): number[] {
  // Labels come in long runs: only a change of value asks the set.
  const seen = new Set<number>()
  let previous = Number.NaN
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value !== previous) {
      seen.add(value)
      previous = value
    }
  }
  return [...seen].sort((a, b) => a - b)
}
