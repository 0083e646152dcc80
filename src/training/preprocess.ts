import { InputError } from '../volume/errors.ts'
import { type Vec3, vec3 } from '../volume/grid.ts'
import { realValue, storedValue, unscaled } from '../volume/scaling.ts'
import { channelOf, type Volume } from '../volume/volume.ts'
import { type Intensity, infiniteIntensity, normalise } from './intensity.ts'
import type { LabelBits } from './label-bits.ts'
import { resampledSize, resampleLinear, resampleNearest } from './resample.ts'

/** All that is done to an image before a network sees it; kept with the model. */
export interface Preprocessing {
  /** `nonzero`: the smallest box with all voxels that are not 0 (in any channel). */
  readonly crop: 'nonzero' | 'none'
  /** Voxel spacing that images are resampled to; an axis with null keeps its own. */
  readonly spacingMm: readonly (number | null)[]
  /** One a channel. */
  readonly intensities: readonly Intensity[]
}

/** Where a network's image lies in the image it came from. */
export interface ResampledRegion {
  /** The image's whole size, in voxels (i, j, k). */
  readonly full: Vec3
  /** First voxel and size of the region. */
  readonly start: Vec3
  readonly region: Vec3
  /** The region's size after resampling, and the distance of its voxels. */
  readonly size: Vec3
  readonly spacingMm: Vec3
}

export interface PreparedImage {
  /** Channels one after the other, each with i fastest. */
  readonly data: Float32Array
  readonly channels: number
  /** What stands beyond the image, for each channel: its lowest value. */
  readonly outside: readonly number[]
  readonly placement: ResampledRegion
}

/**
 * Crops, resamples and normalises an image of one or several channels.
 *
 * @throws InputError for another number of channels than the preprocessing has, and for NaN or infinite intensities
 */
export function prepareImage(
  image: Volume,
  { crop, spacingMm, intensities }: Preprocessing,
  subject: string,
): PreparedImage {
  if (image.channels !== intensities.length) {
    const wanted = `${intensities.length} channel${intensities.length === 1 ? '' : 's'}`
    throw new InputError(
      subject,
      `has ${image.channels} channels where the network takes ${wanted}; give the same kind of image`,
    )
  }
  const { shape, spacing } = image.grid
  const { start, region } = crop === 'nonzero' ? nonzeroBox(image) : { start: [0, 0, 0] as const, region: shape }
  const target = vec3((axis) => spacingMm[axis] ?? spacing[axis])
  const size = resampledSize(region, spacing, target)
  const voxels = size[0] * size[1] * size[2]
  const data = new Float32Array(voxels * image.channels)
  const outside: number[] = []
  for (const [channel, intensity] of intensities.entries()) {
    const cropped = cropChannel(image, channel, start, region, subject)
    const values = normalise(resampleLinear(cropped, region, size), intensity)
    data.set(values, channel * voxels)
    outside.push(values.reduce((low, x) => Math.min(low, x), Number.POSITIVE_INFINITY))
  }
  const spacingAfter = vec3((axis) => (spacing[axis] * region[axis]) / size[axis])
  const placement = { full: shape, start, region, size, spacingMm: spacingAfter }
  return { data, channels: image.channels, outside, placement }
}

/** Brings label bits on the image's grid to the network's. */
export function prepareLabels(bits: LabelBits, { full, start, region, size }: ResampledRegion): LabelBits {
  const voxels = region[0] * region[1] * region[2]
  const cropped = bits instanceof Uint8Array ? new Uint8Array(voxels) : new Uint32Array(voxels)
  eachRow(full, start, region, (from, to) => cropped.set(bits.subarray(from, from + region[0]), to))
  return resampleNearest(cropped, region, size)
}

/** Brings a map on the network's grid back to the image's: linear interpolation inside the region, 0 outside. */
export function restoreMap(map: Float32Array, { full, start, region, size }: ResampledRegion): Float32Array {
  const inside = resampleLinear(map, size, region)
  const result = new Float32Array(full[0] * full[1] * full[2])
  eachRow(full, start, region, (to, from) => result.set(inside.subarray(from, from + region[0]), to))
  return result
}

function nonzeroBox(image: Volume): { start: Vec3; region: Vec3 } {
  const [nx, ny, nz] = image.grid.shape
  const low = [nx, ny, nz]
  const high = [-1, -1, -1]
  // Stored numbers: what stands for 0 where the data are scaled.
  const zero = storedValue(0, image.scaling ?? unscaled)
  for (let channel = 0; channel < image.channels; channel++) {
    const values = channelOf(image, channel)
    for (let k = 0, at = 0; k < nz; k++) {
      for (let j = 0; j < ny; j++) {
        for (let i = 0; i < nx; i++, at++) {
          if (values[at] === zero) continue
          if (i < low[0]) low[0] = i
          if (i > high[0]) high[0] = i
          if (j < low[1]) low[1] = j
          if (j > high[1]) high[1] = j
          if (k < low[2]) low[2] = k
          high[2] = k
        }
      }
    }
  }
  if (high[2] < 0) return { start: [0, 0, 0], region: image.grid.shape }
  return { start: vec3((axis) => low[axis]), region: vec3((axis) => high[axis] - low[axis] + 1) }
}

function cropChannel(image: Volume, channel: number, start: Vec3, region: Vec3, subject: string): Float32Array {
  const values = channelOf(image, channel)
  const { scaling = unscaled } = image
  const result = new Float32Array(region[0] * region[1] * region[2])
  eachRow(image.grid.shape, start, region, (from, to) => {
    for (let i = 0; i < region[0]; i++) result[to + i] = realValue(values[from + i], scaling)
  })
  for (const x of result) if (!Number.isFinite(x)) throw infiniteIntensity(x, subject)
  return result
}

/** Calls back with where each row of the region starts in the whole image and in the region. */
function eachRow(full: Vec3, start: Vec3, region: Vec3, visit: (inFull: number, inRegion: number) => void): void {
  for (let k = 0, to = 0; k < region[2]; k++) {
    for (let j = 0; j < region[1]; j++, to += region[0]) {
      visit(((k + start[2]) * full[1] + j + start[1]) * full[0] + start[0], to)
    }
  }
}
