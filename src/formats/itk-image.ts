import { InputError } from '../volume/errors.ts'
import { type Grid, type Mat3, type Vec3, vec3, voxelCount } from '../volume/grid.ts'
import { realValues } from '../volume/scaling.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'
import type { ItkImage } from './itk-worker.ts'
import { allocateVoxels, arrayType, exactFloats } from './voxel-types.ts'

/** What an NRRD or MetaImage file held beside the grid: its key/value pairs, written back by `writeVolume`. */
export interface ItkHeader {
  readonly format: 'itk'
  readonly metadata: ReadonlyMap<string, string>
}

/** Keys that ITK derives from the image itself, and would write twice. */
const DERIVED_KEY = /^(ITK_|NRRD_|Modality$)/

/**
 * The volume of an ITK image: LPS becomes RAS+, interleaved components become channels, as does a fourth axis.
 *
 * @throws InputError where the image is not 2-D to 4-D, has colours or complex numbers, or a singular geometry
 */
export function volumeOfItk(image: ItkImage, subject: string): Volume {
  const { dimension, pixelType, components } = image.imageType
  if (/RGB|Complex/i.test(pixelType)) {
    throw new InputError(subject, `has voxels that are ${pixelType}; halfdice reads real numbers: convert it`)
  }
  if (dimension < 2 || dimension > 4) throw new InputError(subject, `has ${dimension} axes; give an image of 2 to 4`)
  const [nx, ny, nz = 1, volumes = 1] = image.size
  if (components > 1 && volumes > 1) throw new InputError(subject, 'has both a fourth axis and components; give one')
  const grid = gridOfItk(image, [nx, ny, nz], subject)
  const channels = components * volumes
  const data = realData(image.data, subject)
  if (data.length !== voxelCount(grid) * channels || data.length === 0) {
    throw new InputError(subject, `has ${data.length} numbers where its header promises ${voxelCount(grid) * channels}`)
  }
  const metadata = new Map<string, string>()
  for (const [key, value] of image.metadata) {
    if (typeof value === 'string' && value !== '' && !DERIVED_KEY.test(key)) metadata.set(key, value)
  }
  const header: ItkHeader = { format: 'itk', metadata }
  return { grid, channels, data: components > 1 ? planar(data, components) : data, header }
}

/** The ITK image of a volume: LPS, several channels as components, scaling applied (ITK's formats have none). */
export function itkOfVolume(volume: Volume): ItkImage {
  const { grid, channels } = volume
  const data = applyScaling(volume)
  const header = volume.header as Partial<ItkHeader> | undefined
  return {
    imageType: {
      dimension: 3,
      componentType: arrayType(data),
      pixelType: channels > 1 ? 'VariableLengthVector' : 'Scalar',
      components: channels,
    },
    name: 'image',
    origin: [-grid.origin[0], -grid.origin[1], grid.origin[2]],
    spacing: [...grid.spacing],
    direction: Float64Array.from(grid.direction, (value, n) => (n < 6 ? -value : value)),
    size: [...grid.shape],
    data: channels > 1 ? interleaved(data, channels) : data,
    metadata: new Map(header?.format === 'itk' ? header.metadata : []),
  }
}

function gridOfItk(image: ItkImage, shape: Vec3, subject: string): Grid {
  const n = image.imageType.dimension
  const at = (row: number, column: number) =>
    row < n && column < n ? image.direction[n * row + column] : Number(row === column)
  const d = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => (row < 2 ? -at(row, column) : at(row, column))))
  const spacing = [0, 1, 2].map((axis) => image.spacing[axis] ?? 1)
  const origin = [0, 1, 2].map((axis) => image.origin[axis] ?? 0)
  const determinant =
    d[0] * (d[4] * d[8] - d[5] * d[7]) - d[1] * (d[3] * d[8] - d[5] * d[6]) + d[2] * (d[3] * d[7] - d[4] * d[6])
  if (!(Math.abs(determinant) > 1e-6) || ![...spacing, ...origin].every(Number.isFinite) || Math.min(...spacing) <= 0) {
    throw new InputError(subject, 'has no valid geometry (direction, spacing or origin); export it again')
  }
  return {
    shape,
    spacing: vec3((axis) => spacing[axis]),
    // "+ 0" turns −0 into 0.
    origin: [-origin[0] + 0, -origin[1] + 0, origin[2]],
    direction: d.map((value) => value + 0) as unknown as Mat3,
  }
}

function realData(data: ArrayBufferView | null, subject: string): VoxelArray {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const floats = exactFloats(data)
    if (!floats) throw new InputError(subject, 'has 64-bit integers beyond 2^53; convert it to float64 or int32')
    return floats
  }
  if (data === null || data instanceof DataView) throw new InputError(subject, 'has no voxels; export it again')
  return data as VoxelArray
}

function planar(data: VoxelArray, components: number): VoxelArray {
  const voxels = data.length / components
  const out = allocateVoxels(arrayType(data), data.length)
  for (let c = 0, to = 0; c < components; c++) {
    for (let from = c; from < data.length; from += components) out[to++] = data[from]
  }
  return voxels > 0 ? out : data
}

function interleaved(data: VoxelArray, channels: number): VoxelArray {
  const voxels = data.length / channels
  const out = allocateVoxels(arrayType(data), data.length)
  for (let c = 0, from = 0; c < channels; c++) {
    for (let n = 0; n < voxels; n++) out[n * channels + c] = data[from++]
  }
  return out
}

function applyScaling({ data, scaling }: Volume): VoxelArray {
  if (!scaling) return data
  // float32 holds 16-bit integers exactly; wider types need float64 not to lose digits.
  const out = data.BYTES_PER_ELEMENT <= 2 ? new Float32Array(data.length) : new Float64Array(data.length)
  return realValues(data, scaling, out)
}
