import { voxelCount } from '../../volume/grid.ts'
import { realValues } from '../../volume/scaling.ts'
import type { Volume } from '../../volume/volume.ts'
import { allocateVoxels, type VoxelType } from '../voxel-types.ts'
import type { Frame } from './frames.ts'
import { type FramePixels, pixelType } from './image.ts'
import { readPixels } from './pixels.ts'
import { sourceOf } from './source.ts'
import { denseStack, type Stack, type Words } from './stack.ts'

/**
 * The volume of image frames, ordered by position. Where all frames share a rescale slope and intercept, the stored
 * numbers are kept and the two become the volume's `scaling`; else each frame's are applied.
 *
 * @throws InputError where the frames are not one volume, or their pixels cannot be read
 */
export async function imageVolume(frames: readonly Frame[], words: Words): Promise<Volume> {
  const { grid, slices, header } = imageStack(frames, words)
  const pixels = await pixelsOf(frames)
  const [{ slope, intercept }] = frames
  const uniform = frames.every((frame) => frame.slope === slope && frame.intercept === intercept)
  const data = allocateVoxels(volumeType(frames, uniform), voxelCount(grid))
  const plane = grid.shape[0] * grid.shape[1]
  for (const [n, frame] of frames.entries()) {
    const values = pixels[n](frame.index)
    const at = slices[n] * plane
    if (uniform) data.set(values, at)
    else realValues(values, frame, data.subarray(at, at + plane))
  }
  const scaling = uniform && (slope !== 1 || intercept !== 0) ? { slope, intercept } : undefined
  return { grid, channels: 1, data, ...(scaling && { scaling }), header }
}

/** Where image frames lie, and what a segmentation says of them. Throws InputError where they are not one volume. */
export function imageStack(frames: readonly Frame[], words: Words): Stack & Pick<Volume, 'header'> {
  const stack = denseStack(frames, words)
  return { ...stack, header: sourceOf(frames, stack, words.subject) }
}

/** For each frame the pixels of its file. */
async function pixelsOf(frames: readonly Frame[]): Promise<FramePixels[]> {
  const sources = frames.filter(({ index }) => index === 0)
  const pixels = await readPixels(sources)
  const ofFile = new Map(sources.map(({ file }, n) => [file, pixels[n]]))
  return frames.map(({ file }) => ofFile.get(file) as FramePixels)
}

/** The type of the stored numbers; where frames are rescaled or stored differently, floats that hold 16 or 32 bits. */
function volumeType(frames: readonly Frame[], uniform: boolean): VoxelType {
  const types = new Set(frames.map(({ layout }) => pixelType(layout)))
  const [type] = types
  if (uniform && types.size === 1) return type
  return frames.every(({ layout }) => layout.bitsAllocated <= 16) ? 'float32' : 'float64'
}
