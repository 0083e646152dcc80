import { InputError } from './errors.ts'
import { realValue, realValues, UNSCALED } from './scaling.ts'
import type { Volume } from './volume.ts'

/** Values this little outside [0, 1] are round-off of a network or a resampler, and are clamped. */
const roundOff = 1e-4

/**
 * Reads a volume as probabilities, all channels, in file order. A float32 volume that needs no conversion is returned
 * in place.
 *
 * @param subject what to name in an error, usually the file's path
 * @param options.scale what stands for probability 1 in the file (252 for a map stored as 0…252); default 1
 * @throws InputError for NaN, infinities and values outside [0, 1]
 */
export function probabilitiesOf(
  volume: Volume,
  subject: string,
  options: { readonly scale?: number } = {},
): Float32Array {
  const { data, scaling } = volume
  const { slope, intercept } = scaling ?? UNSCALED
  const shares = { slope: slope / (options.scale ?? 1), intercept: intercept / (options.scale ?? 1) }
  const inPlace = data instanceof Float32Array && shares.slope === 1 && shares.intercept === 0
  const result = inPlace ? data : realValues(data, shares)
  let clamp = false
  for (let i = 0; i < result.length; i++) {
    const p = result[i]
    if (p >= 0 && p <= 1) continue
    if (!(p >= -roundOff && p <= 1 + roundOff)) throw outOfRange(volume, subject, i)
    clamp = true
  }
  return clamp ? result.map((p) => Math.min(1, Math.max(0, p))) : result
}

function outOfRange({ data, scaling = UNSCALED }: Volume, subject: string, at: number): InputError {
  if (!Number.isFinite(data[at])) {
    return new InputError(subject, `voxel ${at} is ${data[at]}; probabilities must be finite numbers within [0, 1]`)
  }
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const stored of data) {
    min = Math.min(min, realValue(stored, scaling))
    max = Math.max(max, realValue(stored, scaling))
  }
  const remedy =
    min < -roundOff
      ? 'give probabilities (the sigmoid or softmax of a network’s logits)'
      : `if they are probabilities times a constant, name it: --scale ${+max.toPrecision(6)}`
  return new InputError(
    subject,
    `values run from ${+min.toPrecision(6)} to ${+max.toPrecision(6)}, not within [0, 1]; ${remedy}`,
  )
}
