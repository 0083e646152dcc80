import { quantile } from '../metrics/statistics/quantile.ts'
import { InputError } from '../volume/errors.ts'
import { realValue, unscaled } from '../volume/scaling.ts'
import { channelOf, type Volume } from '../volume/volume.ts'
import type { LabelBits } from './label-bits.ts'

/** How intensities of one channel become numbers around 0. */
export type Intensity =
  /**
   * CT: cut to a window of Hounsfield units, then (x − mean) / deviation, all measured in the training cases' organs.
   */
  | {
      readonly kind: 'window'
      readonly lower: number
      readonly upper: number
      readonly mean: number
      readonly deviation: number
    }
  /** MR: (x − mean) / deviation of the case's own voxels inside the region. */
  | { readonly kind: 'z-score' }

/**
 * @param subject what to name in the message, by channel
 * @throws InputError for NaN and infinite intensities, and for those that float32, in which networks compute, cannot
 * hold
 */
export function checkIntensities(image: Volume, subject: (channel: number) => string): void {
  const { data, scaling = unscaled } = image
  // Whole numbers as they are stored are always finite.
  if (image.scaling === undefined && !(data instanceof Float32Array || data instanceof Float64Array)) return
  for (let channel = 0; channel < image.channels; channel++) {
    const stored = channelOf(image, channel)
    // By index: an iterator over an array of any type takes ten times as long.
    for (let i = 0; i < stored.length; i++) {
      const x = realValue(stored[i], scaling)
      if (!Number.isFinite(Math.fround(x))) throw infiniteIntensity(x, subject(channel))
    }
  }
}

export function infiniteIntensity(x: number, subject: string): InputError {
  return new InputError(subject, `holds the intensity ${x}; replace it by a finite number of 32 bits`)
}

/** The window of CT intensities: 0.5 and 99.5 percentiles, mean and deviation of samples from the training organs. */
export function fitWindow(samples: Float32Array): Intensity {
  if (samples.length === 0)
    throw new InputError('training set', 'no labelled voxel to measure intensities in; check the labels')
  const sorted = samples.slice().sort()
  const [lower, upper] = [quantile(sorted, 0.005), quantile(sorted, 0.995)]
  const { mean, deviation } = moments(sorted.map((x) => Math.min(upper, Math.max(lower, x))))
  return { kind: 'window', lower, upper, mean, deviation }
}

export function normalise(values: Float32Array, intensity: Intensity): Float32Array {
  if (intensity.kind === 'window') {
    const { lower, upper, mean, deviation } = intensity
    return values.map((x) => (Math.min(upper, Math.max(lower, x)) - mean) / deviation)
  }
  const { mean, deviation } = moments(values)
  return values.map((x) => (x - mean) / deviation)
}

function moments(values: Float32Array): { mean: number; deviation: number } {
  let sum = 0
  for (const x of values) sum += x
  const mean = sum / values.length
  let squares = 0
  for (const x of values) squares += (x - mean) ** 2
  // A constant image has nothing to show; dividing by a small number would only blow up round-off.
  return { mean, deviation: Math.sqrt(squares / values.length) || 1 }
}

/** Intensities inside a label, thinned to at most `limit`, for fitWindow. */
export function sampleInside(image: Volume, channel: number, bits: LabelBits, limit: number): Float32Array {
  const values = channelOf(image, channel)
  const { scaling = unscaled } = image
  let count = 0
  for (const b of bits) if (b !== 0) count++
  const stride = Math.max(1, Math.ceil(count / limit))
  const samples = new Float32Array(Math.ceil(count / stride))
  for (let i = 0, seen = 0; i < bits.length; i++) {
    if (bits[i] !== 0 && seen++ % stride === 0) samples[(seen - 1) / stride] = realValue(values[i], scaling)
  }
  return samples
}
