import { InputError } from '../../volume/errors.ts'
import { voxelCount } from '../../volume/grid.ts'
import type { Volume, VoxelArray } from '../../volume/volume.ts'
import { textEncoding } from './charset.ts'
import { type Frame, framesOf, groupItem } from './frames.ts'
import type { FramePixels } from './image.ts'
import type { DicomFile } from './part10.ts'
import { readPixels } from './pixels.ts'
import { sourceOf } from './source.ts'
import { type Stack, sparseStack } from './stack.ts'

interface Content {
  readonly file: DicomFile
  readonly frames: readonly Frame[]
  readonly pixels: FramePixels
  readonly grid: Volume['grid']
  readonly slices: readonly number[]
  readonly names: ReadonlyMap<number, string>
}

/**
 * Reads a DICOM segmentation (PS3.3, A.51 and A.86). Slices without a frame are background.
 *
 * BINARY and LABELMAP give a label map, whose values are the segment numbers; BINARY segments that overlap give one 0/1
 * channel a segment. FRACTIONAL gives one channel of values between 0 and 1 a segment, as probability maps have.
 * `labelNames` are the segments' labels.
 *
 * @throws InputError where the frames fit no grid, name no segment, or hold values that belong to none
 */
export async function readSegmentation(file: DicomFile): Promise<Volume> {
  const { dataSet, subject } = file
  const type = dataSet.text('SegmentationType')
  if (type !== 'BINARY' && type !== 'FRACTIONAL' && type !== 'LABELMAP') {
    throw new InputError(
      subject,
      `has the SegmentationType ${type ?? '(none)'}; export it as BINARY, LABELMAP or FRACTIONAL`,
    )
  }
  const { frames, grid, slices, header } = segmentationStack(file)
  const [pixels] = await readPixels([frames[0]])
  const content = { file, frames, pixels, grid, slices, names: segmentNames(file) }
  const volume = type === 'LABELMAP' ? labelMap(content) : segments(content, type === 'FRACTIONAL')
  return { ...volume, labelNames: content.names, emptyOutside: true, header }
}

/** Where a segmentation's frames lie, and what another says of them. Throws InputError where they fit no grid. */
export function segmentationStack(file: DicomFile): Stack & Pick<Volume, 'header'> & { readonly frames: Frame[] } {
  const frames = framesOf(file)
  const words = { subject: file.subject, many: 'frames', remedy: 'give a file with one volume' }
  const stack = sparseStack(frames, words)
  return { ...stack, frames, header: sourceOf(frames, stack, file.subject) }
}

/** LABELMAP: the numbers of the pixels are those of the segments. */
function labelMap({ file, frames, pixels, grid, slices, names }: Content): Volume {
  const { subject, dataSet } = file
  const { bitsAllocated, signed } = frames[0].layout
  if (signed || bitsAllocated > 16 || bitsAllocated === 1) {
    throw new InputError(subject, 'has labels that are not whole numbers of 8 or 16 bits; export it again')
  }
  const padding = dataSet.number('PixelPaddingValue') ?? 0
  const known = new Uint8Array(65536)
  for (const number of names.keys()) known[number] = 1
  const background = known[padding] === 1 ? 0 : padding
  const plane = grid.shape[0] * grid.shape[1]
  const size = voxelCount(grid)
  const data = bitsAllocated === 8 ? new Uint8Array(size) : new Uint16Array(size)
  requireOneEach(slices, (n) => slices[n], 'frames', subject)
  for (const [n, slice] of slices.entries()) {
    const values = pixels(frames[n].index)
    for (let v = 0, to = slice * plane; v < plane; v++, to++) {
      const value = values[v]
      if (value === background) continue
      if (value !== 0 && known[value] === 0) {
        throw new InputError(subject, `holds the value ${value}, which none of its segments has; export it again`)
      }
      data[to] = value
    }
  }
  return { grid, channels: 1, data }
}

/** BINARY and FRACTIONAL: each frame belongs to one segment. */
function segments(content: Content, fractional: boolean): Volume {
  const { file, frames, grid, slices, names } = content
  const { subject } = file
  const { bitsAllocated, signed } = frames[0].layout
  if (bitsAllocated > 8 || signed || (fractional && bitsAllocated === 1)) {
    throw new InputError(
      subject,
      `has pixels of ${bitsAllocated} bits, which its SegmentationType does not allow; export it again`,
    )
  }
  const owners = frames.map(({ groups }) => {
    const number = groupItem(groups, 'SegmentIdentificationSequence')?.number('ReferencedSegmentNumber')
    if (number === undefined || !names.has(number)) {
      throw new InputError(
        subject,
        `has a frame of segment ${number ?? '(none)'}, which it does not describe; export it again`,
      )
    }
    return number
  })
  requireOneEach(slices, (n) => owners[n] * 2 ** 32 + slices[n], 'frames of one segment', subject)
  if (fractional) return channels(content, owners, file.dataSet.require('MaximumFractionalValue'))
  const plane = grid.shape[0] * grid.shape[1]
  const size = voxelCount(grid)
  const data = Math.max(...names.keys()) > 255 ? new Uint16Array(size) : new Uint8Array(size)
  for (const [n, slice] of slices.entries()) {
    const values = content.pixels(frames[n].index)
    requireAtMost(values, 1, subject)
    for (let v = 0, to = slice * plane; v < plane; v++, to++) {
      if (values[v] === 0) continue
      if (data[to] !== 0) return channels(content, owners, 1)
      data[to] = owners[n]
    }
  }
  return { grid, channels: 1, data }
}

/** One channel a segment, in the order of their numbers. */
function channels({ file, frames, pixels, grid, slices, names }: Content, owners: number[], most: number): Volume {
  if (most < 1 || most > 255)
    throw new InputError(file.subject, `has a MaximumFractionalValue of ${most}; export it again`)
  const channelOf = new Map([...names.keys()].map((number, channel) => [number, channel]))
  const plane = grid.shape[0] * grid.shape[1]
  const size = voxelCount(grid)
  const data = new Uint8Array(size * names.size)
  for (const [n, slice] of slices.entries()) {
    const values = pixels(frames[n].index)
    requireAtMost(values, most, file.subject)
    data.set(values, (channelOf.get(owners[n]) ?? 0) * size + slice * plane)
  }
  const scaling = { slope: 1 / most, intercept: 0 }
  return { grid, channels: names.size, data, ...(most !== 1 && { scaling }) }
}

/**
 * The segments' labels by number, ascending. A label that several segments have gets their numbers.
 *
 * @throws InputError where a number is missing or comes twice, or there are no segments
 */
export function segmentNames({ dataSet, subject }: DicomFile): ReadonlyMap<number, string> {
  const encoding = textEncoding(dataSet.text('SpecificCharacterSet'))
  const names = new Map<number, string>()
  for (const item of dataSet.items('SegmentSequence')) {
    const number = item.require('SegmentNumber')
    if (names.has(number)) throw new InputError(subject, `describes segment ${number} twice; export it again`)
    names.set(number, item.text('SegmentLabel', encoding) ?? `segment ${number}`)
  }
  // A label map may describe its background; as a label it has no name.
  names.delete(0)
  if (names.size === 0) throw new InputError(subject, 'describes no segments; export it again')
  const times = new Map<string, number>()
  for (const name of names.values()) times.set(name, (times.get(name) ?? 0) + 1)
  const distinct = [...names].map(([n, name]) => [n, times.get(name) === 1 ? name : `${name} ${n}`] as const)
  return new Map(distinct.sort(([a], [b]) => a - b))
}

function requireOneEach(slices: readonly number[], key: (n: number) => number, what: string, subject: string): void {
  if (new Set(slices.map((_, n) => key(n))).size === slices.length) return
  throw new InputError(subject, `has several ${what} at one place (several time points?); give a file with one volume`)
}

function requireAtMost(values: VoxelArray, most: number, subject: string): void {
  const high = values.findIndex((value) => value > most)
  if (high >= 0)
    throw new InputError(subject, `holds the value ${values[high]}, where ${most} is the largest; export it again`)
}
