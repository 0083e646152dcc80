import { InputError } from '../../volume/errors.ts'
import { type Grid, gridFault, type Mat3, type Vec3, vec3, voxelCount } from '../../volume/grid.ts'
import type { Volume, VoxelArray } from '../../volume/volume.ts'
import { channelsLast } from '../channel-order.ts'
import type { ItkImage } from '../itk-worker.ts'
import { exactFloats } from '../voxel-types.ts'

/**
 * The volume of an ITK image, for comparison: LPS becomes RAS+, interleaved components become channels, as does a
 * fourth axis.
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
  return { grid, channels, data: channelsLast(data, components, 1) }
}

function gridOfItk(image: ItkImage, shape: Vec3, subject: string): Grid {
  const n = image.imageType.dimension
  const at = (row: number, column: number) =>
    row < n && column < n ? image.direction[n * row + column] : Number(row === column)
  const d = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => (row < 2 ? -at(row, column) : at(row, column))))
  const spacing = [0, 1, 2].map((axis) => image.spacing[axis] ?? 1)
  const origin = [0, 1, 2].map((axis) => image.origin[axis] ?? 0)
  const grid: Grid = {
    shape,
    spacing: vec3((axis) => spacing[axis]),
    // "+ 0" turns −0 into 0.
    origin: [-origin[0] + 0, -origin[1] + 0, origin[2]],
    direction: d.map((value) => value + 0) as unknown as Mat3,
  }
  const fault = gridFault(grid)
  if (fault !== undefined) throw new InputError(subject, `has ${fault}; export it again`)
  return grid
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
