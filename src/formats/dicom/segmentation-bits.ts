import { InputError } from '../../volume/errors.ts'
import { type Grid, vec3, voxelCount } from '../../volume/grid.ts'
import { latticeMap } from '../../volume/lattice.ts'
import type { Volume } from '../../volume/volume.ts'
import type { Segmented } from '../segments.ts'

/** The planes of a segmentation: for each frame its segment (from 0) and slice, and all pixels as packed bits. */
export interface SegmentFrames {
  readonly frames: readonly { readonly segment: number; readonly slice: number }[]
  readonly bits: Uint8Array
}

/** What an element of 32-bit length holds, and one typed array on every supported Node. */
const mostBytes = 2 ** 31 - 2

/**
 * Packs masks into the planes of images: one frame for each slice of each segment that holds something, by segment and
 * then by slice. The masks' voxels must coincide with the images', in any order of axes.
 *
 * @param masks where they lie, and whether what lies outside the images may be left out if it is background
 * @param images the grid of the images
 * @param words for messages: the output, and the images
 * @throws InputError where the grids do not coincide, or the masks' reaches beyond the images
 */
export function segmentFrames(
  { segments, values, count }: Segmented,
  { grid, emptyOutside = false }: Pick<Volume, 'grid' | 'emptyOutside'>,
  images: Grid,
  words: { readonly path: string; readonly subject: string },
): SegmentFrames {
  const reach = reachOf(grid, images, words)
  const [nx, ny, nz] = images.shape
  const [left, top] = reach.low
  const slicesOf = segments.map(() => new Uint8Array(nz))
  const { bySegment, channels } = lookup(segments)
  const visit = (use: (segment: number, slice: number, pixel: number) => void): number => {
    let met = 0
    for (const channel of channels) {
      const of = bySegment(channel)
      for (let k = reach.low[2]; k < reach.high[2]; k++) {
        for (let j = top; j < reach.high[1]; j++) {
          let from =
            channel * count + reach.offset + left * reach.strides[0] + j * reach.strides[1] + k * reach.strides[2]
          for (let i = left; i < reach.high[0]; i++, from += reach.strides[0]) {
            const value = values[from]
            if (value === 0) continue
            met++
            use(of[value], k, j * nx + i)
          }
        }
      }
    }
    return met
  }
  const met = visit((segment, slice) => {
    slicesOf[segment][slice] = 1
  })
  if (reach.cut && (!emptyOutside || met < nonZero(values))) {
    const fault = `would lie in more than the images of ${words.subject} (${difference(grid, images)})`
    throw new InputError(words.path, `${fault}; give the whole series`)
  }
  const found = slicesOf.flatMap((there, segment) =>
    Array.from(there.keys(), (slice) => ({ segment, slice })).filter(({ slice }) => there[slice] === 1),
  )
  // A segmentation has a frame at least.
  const frames = found.length > 0 ? found : [{ segment: 0, slice: 0 }]
  const plane = nx * ny
  const bytes = Math.ceil((frames.length * plane) / 8)
  if (bytes > mostBytes) {
    throw new InputError(words.path, `would have ${frames.length} frames, over 2 GiB; give fewer classes at a time`)
  }
  const first = segments.map(() => new Float64Array(nz))
  for (const [n, { segment, slice }] of frames.entries()) first[segment][slice] = n * plane
  const bits = new Uint8Array(bytes)
  visit((segment, slice, pixel) => {
    const bit = first[segment][slice] + pixel
    bits[Math.floor(bit / 8)] |= 1 << (bit % 8)
  })
  return { frames, bits }
}

/** For each channel, the segment of each of its values. */
function lookup(segments: Segmented['segments']) {
  const channels = [...new Set(segments.map(({ channel }) => channel))]
  const bySegment = (channel: number): Uint16Array => {
    const of = new Uint16Array(65_536)
    for (const [n, one] of segments.entries()) if (one.channel === channel) of[one.value] = n
    return of
  }
  return { channels, bySegment }
}

function nonZero(values: ArrayLike<number>): number {
  let count = 0
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) count++
  return count
}

/** Where the images' voxels lie among the masks', and which of them do. */
function reachOf(grid: Grid, images: Grid, { path, subject }: { readonly path: string; readonly subject: string }) {
  const map = latticeMap(images, grid)
  if (!map) {
    const fault = `would lie on another grid than the images of ${subject} (${difference(grid, images)})`
    throw new InputError(path, `${fault}; resample it to them, or end it in .nii.gz`)
  }
  const ownStrides = [1, grid.shape[0], grid.shape[0] * grid.shape[1]]
  const strides = vec3((axis) => ownStrides[map.axes[axis]] * map.signs[axis])
  const offset = [0, 1, 2].reduce((sum, axis) => sum + ownStrides[axis] * map.start[axis], 0)
  // Voxel n of an image's axis is voxel start + sign · n of the mask's.
  const ends = [0, 1, 2].map((axis) => {
    const [own, sign] = [map.axes[axis], map.signs[axis]]
    const inside = (n: number): boolean => {
      const at = map.start[own] + sign * n
      return at >= 0 && at < grid.shape[own]
    }
    const within = Array.from({ length: images.shape[axis] }, (_, n) => n).filter(inside)
    return [within[0] ?? 0, (within.at(-1) ?? -1) + 1] as const
  })
  const [low, high] = [vec3((axis) => ends[axis][0]), vec3((axis) => ends[axis][1])]
  const covered = [0, 1, 2].reduce((product, axis) => product * (high[axis] - low[axis]), 1)
  return { strides, offset, low, high, cut: covered < voxelCount(grid) }
}

function difference(grid: Grid, images: Grid): string {
  const [own, theirs] = [grid, images].map(({ shape, spacing }) => {
    return `${shape.join('×')} voxels of ${spacing.map((mm) => Number(mm.toPrecision(4))).join('×')} mm`
  })
  return own === theirs ? `${own}, elsewhere` : `${own} against ${theirs}`
}
