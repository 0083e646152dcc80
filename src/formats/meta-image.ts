import { basename } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { type Grid, gridFault, gridOfAffine, type Vec3 } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { writeFolderAtomically, writePieces } from './atomic-write.ts'
import { channelsFirst, channelsLast } from './channel-order.ts'
import { dataFiles } from './data-files.ts'
import { quoted } from './legible.ts'
import { millimetresIn } from './length-units.ts'
import { isMetaField, type MetaHeader, readMetaHeader } from './meta-header.ts'
import { keyedPairs, type PairsHeader } from './pairs-header.ts'
import { type Raster, readRaster } from './raster.ts'
import { scaledVoxels } from './scaled-voxels.ts'
import { headerNumber } from './text-head.ts'
import { arrayType, hostLittleEndian, type StoredType, slabsOf, type VoxelType } from './voxel-types.ts'
import { zlibPieces } from './zlib-write.ts'

/** Types in a file. MET_LONG has four bytes, as on the systems that the format comes from. */
const storedTypes: ReadonlyMap<string, StoredType> = new Map([
  ['MET_CHAR', 'int8'],
  ['MET_UCHAR', 'uint8'],
  ['MET_SHORT', 'int16'],
  ['MET_USHORT', 'uint16'],
  ['MET_INT', 'int32'],
  ['MET_UINT', 'uint32'],
  ['MET_LONG', 'int32'],
  ['MET_ULONG', 'uint32'],
  ['MET_LONG_LONG', 'int64'],
  ['MET_ULONG_LONG', 'uint64'],
  ['MET_FLOAT', 'float32'],
  ['MET_DOUBLE', 'float64'],
])

type Refuse = (fault: string) => never

/**
 * Reads a MetaImage file (itk.org/Wiki/MetaIO/Documentation), attached or detached: binary, compressed (zlib or gzip)
 * and text. The world is LPS; a fourth axis and `ElementNumberOfChannels` become channels. As in ITK,
 * `CenterOfRotation` and `AnatomicalOrientation` change nothing.
 *
 * @throws InputError where the file is damaged, its checksum wrong, or its geometry or kind of voxels not understood
 */
export async function readMetaImage(path: string): Promise<Volume> {
  const header = await readMetaHeader(path)
  const refuse = (fault: string): never => {
    throw new InputError(path, fault)
  }
  const { sizes, grid, volumes } = placeOf(header.fields, refuse)
  const [components] = numbersOf(header.fields, 'ElementNumberOfChannels', 1, refuse) ?? [1]
  if (!(Number.isInteger(components) && components >= 1)) refuse(`has ${components} channels; it is damaged`)
  if (components > 1 && volumes > 1) refuse('has both a fourth axis and channels; extract one of them first')
  const length = sizes.reduce((product, n) => product * n, components)
  if (!Number.isSafeInteger(8 * length)) refuse(`claims ${sizes.join('×')} voxels; it is damaged`)
  const data = await readRaster({ ...rasterOf(header, path, refuse), length }, path)
  const kept: PairsHeader = { format: 'pairs', pairs: header.pairs }
  return { grid, channels: components * volumes, data: channelsLast(data, components, 1), header: kept }
}

function placeOf(fields: MetaHeader['fields'], refuse: Refuse): { sizes: number[]; grid: Grid; volumes: number } {
  const [n] = numbersOf(fields, 'NDims', 1, refuse) ?? []
  if (n !== 2 && n !== 3 && n !== 4) refuse(`has ${n} axes; give an image of 2 to 4`)
  const sizes = numbersOf(fields, 'DimSize', n, refuse) ?? refuse('has no DimSize; it is damaged')
  if (!sizes.every((size) => Number.isSafeInteger(size) && size > 0))
    refuse(`has DimSize ${sizes.join(' ')}; it is damaged`)
  const [nx, ny, nz = 1, volumes = 1] = sizes
  const spacing = numbersOf(fields, 'ElementSpacing', n, refuse) ?? numbersOf(fields, 'ElementSize', n, refuse) ?? []
  if (spacing.slice(0, 3).some((mm) => !(mm > 0 && Number.isFinite(mm))))
    refuse(`has spacing ${spacing.join(' ')}; set it in mm`)
  const offset = numbersOf(fields, 'Offset', n, refuse) ?? []
  const matrix = numbersOf(fields, 'TransformMatrix', n * n, refuse)
  // Row a of the file's matrix is the direction of axis a.
  const direction = (axis: number, row: number) =>
    matrix && axis < n && row < n ? matrix[n * axis + row] : Number(axis === row)
  if ([0, 1, 2].some((axis) => n === 4 && (direction(axis, 3) !== 0 || direction(3, axis) !== 0))) {
    refuse('has a TransformMatrix that mixes space with its fourth axis; extract a 3-D image first')
  }
  const units = fields.get('DistanceUnits') ?? ''
  const unit = millimetresIn(units) ?? refuse(`has lengths in ${quoted(units)}; write it with mm`)
  const rows = [0, 1, 2].map((row) => {
    const scale = row < 2 ? -unit : unit
    const steps = [0, 1, 2].map((axis) => direction(axis, row) * (spacing[axis] ?? 1) * scale)
    return [...steps, (offset[row] ?? 0) * scale + 0]
  })
  const shape: Vec3 = [nx, ny, nz]
  const grid = gridOfAffine(rows.flat(), shape)
  const fault = gridFault(grid)
  if (fault !== undefined) refuse(`has ${fault}; write it again with a valid geometry`)
  return { sizes, grid, volumes }
}

function rasterOf({ fields, list, end }: MetaHeader, path: string, refuse: Refuse): Omit<Raster, 'length'> {
  const spelled = fields.get('ElementType') ?? ''
  const type =
    storedTypes.get(spelled.replace(/_ARRAY$/, '')) ??
    refuse(`has voxels of type ${quoted(spelled)}; halfdice reads numbers: convert it`)
  const [slope] = numbersOf(fields, 'ElementToIntensityFunctionSlope', 1, refuse) ?? [1]
  const [intercept] = numbersOf(fields, 'ElementToIntensityFunctionOffset', 1, refuse) ?? [0]
  if (slope !== 1 || intercept !== 0) refuse('scales its voxels (ElementToIntensityFunction…); write real values')
  const binary = flagOf(fields, 'BinaryData', refuse)
  const compressed = flagOf(fields, 'CompressedData', refuse)
  const sized = binary && compressed && !/^LIST\b/i.test(fields.get('ElementDataFile') ?? '')
  const [packedBytes = 0] = (sized && numbersOf(fields, 'CompressedDataSize', 1, refuse)) || []
  if (!Number.isSafeInteger(packedBytes) || packedBytes < 0)
    refuse(`has CompressedDataSize ${packedBytes}; it is damaged`)
  const [headerSize] = numbersOf(fields, 'HeaderSize', 1, refuse) ?? [0]
  if (!Number.isSafeInteger(headerSize) || headerSize < -1) refuse(`has HeaderSize ${headerSize}; it is damaged`)
  if ((numbersOf(fields, 'HeaderSizePerSlice', 1, refuse) ?? [0])[0] > 0)
    refuse('has headers in its slices; convert it')
  const data = fields.get('ElementDataFile') ?? ''
  const local = /^LOCAL$/i.test(data)
  return {
    files: local ? [path] : dataFiles(data, list, path),
    start: local ? end : 0,
    encoding: !binary ? 'text' : compressed ? 'zlib' : 'raw',
    skipLines: 0,
    skipBytes: headerSize,
    // 0 means that the writer did not know.
    ...(packedBytes > 0 && { packedBytes }),
    type,
    littleEndian: !flagOf(fields, 'BinaryDataByteOrderMSB', refuse),
  }
}

function numbersOf(fields: MetaHeader['fields'], name: string, count: number, refuse: Refuse): number[] | undefined {
  const text = fields.get(name)
  if (text === undefined) return undefined
  const numbers = text.split(/[\s,]+/).map(headerNumber)
  if (numbers.length !== count || !numbers.every(Number.isFinite))
    refuse(`has ${name} = ${quoted(text)}; it is damaged`)
  return numbers
}

/** True, T, 1, yes and their opposites; MetaIO looks at the first letter. */
function flagOf(fields: MetaHeader['fields'], name: string, refuse: Refuse): boolean {
  const text = fields.get(name)
  // MetaIO takes text for granted where BinaryData is absent.
  if (text === undefined) return false
  if (/^(true|t|yes|y|1)$/i.test(text)) return true
  if (/^(false|f|no|n|0)$/i.test(text)) return false
  return refuse(`has ${name} = ${quoted(text)}; write True or False`)
}

const typeNames: Readonly<Record<VoxelType, string>> = {
  int8: 'MET_CHAR',
  uint8: 'MET_UCHAR',
  int16: 'MET_SHORT',
  uint16: 'MET_USHORT',
  int32: 'MET_INT',
  uint32: 'MET_UINT',
  float32: 'MET_FLOAT',
  float64: 'MET_DOUBLE',
}

/** Writes `.mha`, or `.mhd` with its data in `.zraw` beside it; zlib-compressed, channels interleaved. */
export async function writeMetaImage(path: string, volume: Volume): Promise<void> {
  const name = basename(path)
  const data = channelsFirst(scaledVoxels(volume), volume.channels)
  const packed = await zlibPieces(slabsOf(data))
  const packedBytes = packed.reduce((sum, piece) => sum + piece.length, 0)
  const detached = /\.mhd$/i.test(path) ? name.replace(/\.mhd$/i, '.zraw') : undefined
  const head = new TextEncoder().encode(headOf(volume, arrayType(data), packedBytes, detached ?? 'LOCAL'))
  await writeFolderAtomically(path, async (folder) => {
    if (detached === undefined) {
      await writePieces(`${folder}/${name}`, [head, ...packed])
      return [[name, name]]
    }
    await writePieces(`${folder}/${detached}`, packed)
    await writePieces(`${folder}/${name}`, [head])
    return [
      [detached, detached],
      [name, name],
    ]
  })
}

function headOf(volume: Volume, type: VoxelType, packedBytes: number, dataFile: string): string {
  const { grid, channels } = volume
  const { direction: d, origin } = grid
  const pairs = [...keyedPairs(volume.header)]
    .filter(([key, value]) => !isMetaField(key) && !/[=:\r\n]/.test(key) && !/[\r\n]/.test(value))
    .map(([key, value]) => `${key} = ${value}`)
  const matrix = [0, 1, 2].flatMap((axis) => [-d[axis] + 0, -d[axis + 3] + 0, d[axis + 6]])
  const lines = [
    'ObjectType = Image',
    'NDims = 3',
    'BinaryData = True',
    `BinaryDataByteOrderMSB = ${hostLittleEndian ? 'False' : 'True'}`,
    'CompressedData = True',
    `CompressedDataSize = ${packedBytes}`,
    `TransformMatrix = ${matrix.join(' ')}`,
    `Offset = ${[-origin[0] + 0, -origin[1] + 0, origin[2]].join(' ')}`,
    'CenterOfRotation = 0 0 0',
    `ElementSpacing = ${grid.spacing.join(' ')}`,
    `DimSize = ${grid.shape.join(' ')}`,
    ...(channels > 1 ? [`ElementNumberOfChannels = ${channels}`] : []),
    `ElementType = ${typeNames[type]}`,
    ...pairs,
    `ElementDataFile = ${dataFile}`,
  ]
  return `${lines.join('\n')}\n`
}
