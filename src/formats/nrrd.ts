import { basename } from 'node:path'
import { InputError } from '../volume/errors.ts'
import type { Volume } from '../volume/volume.ts'
import { writeFolderAtomically, writePieces } from './atomic-write.ts'
import { channelsFirst, channelsLast } from './channel-order.ts'
import { dataFiles } from './data-files.ts'
import { gzip } from './gzip-write.ts'
import { quoted } from './legible.ts'
import { nrrdAxes } from './nrrd-axes.ts'
import { type NrrdHeader, readNrrdHeader, spellPairs } from './nrrd-header.ts'
import { keyedPairs, type PairsHeader } from './pairs-header.ts'
import { type Raster, readRaster } from './raster.ts'
import { scaledVoxels } from './scaled-voxels.ts'
import { keptPairs, segmentNames, segmentPairs, withSegments } from './seg-nrrd.ts'
import { isSegmentFile } from './segment-files.ts'
import { segmentsOf } from './segments.ts'
import { headerNumber } from './text-head.ts'
import {
  arrayType,
  bytesOf,
  hostLittleEndian,
  type StoredType,
  slabsOf,
  storedBytes,
  type VoxelType,
} from './voxel-types.ts'

/** The names of types in the format, C's included. */
const storedTypes: ReadonlyMap<string, StoredType> = new Map(
  Object.entries({
    int8: ['signed char', 'int8', 'int8_t'],
    uint8: ['uchar', 'unsigned char', 'uint8', 'uint8_t'],
    int16: ['short', 'short int', 'signed short', 'signed short int', 'int16', 'int16_t'],
    uint16: ['ushort', 'unsigned short', 'unsigned short int', 'uint16', 'uint16_t'],
    int32: ['int', 'signed int', 'int32', 'int32_t'],
    uint32: ['uint', 'unsigned int', 'uint32', 'uint32_t'],
    int64: ['longlong', 'long long', 'long long int', 'signed long long', 'signed long long int', 'int64', 'int64_t'],
    uint64: ['ulonglong', 'unsigned long long', 'unsigned long long int', 'uint64', 'uint64_t'],
    float32: ['float'],
    float64: ['double'],
  } satisfies Partial<Record<StoredType, string[]>>).flatMap(([type, names]) =>
    names.map((name) => [name, type as StoredType] as const),
  ),
)

const encodings: ReadonlyMap<string, Raster['encoding']> = new Map([
  ['raw', 'raw'],
  ['gzip', 'gzip'],
  ['gz', 'gzip'],
  ['txt', 'text'],
  ['text', 'text'],
  ['ascii', 'text'],
  ['hex', 'hex'],
])

/**
 * Reads an NRRD file (teem.sourceforge.net/nrrd/format.html), attached or detached: raw, gzip, text and hex. Axes
 * without a direction (`list`, `vector` …) become channels. A file without a space is taken as ITK does, in LPS. The
 * segments of a `.seg.nrrd` have their names; where they overlap, each is a channel of 0 and 1.
 *
 * @throws InputError where the file is damaged, its checksum wrong, or its geometry or kind of voxels not understood
 */
export async function readNrrd(path: string): Promise<Volume> {
  const header = await readNrrdHeader(path)
  const refuse = (fault: string): never => {
    throw new InputError(path, fault)
  }
  const { grid, channels, inner } = nrrdAxes(header, refuse)
  const raster = rasterOf(header, path, refuse)
  const data = await readRaster({ ...raster, length: grid.shape[0] * grid.shape[1] * grid.shape[2] * channels }, path)
  const kept: PairsHeader = { format: 'pairs', pairs: header.pairs }
  return withSegments({ grid, channels, data: channelsLast(data, channels, inner), header: kept }, header.pairs)
}

/** What a file of segments calls them (see `readNrrd`); undefined where it is none. */
export async function nrrdLabelNames(path: string): Promise<ReadonlyMap<number, string> | undefined> {
  const header = await readNrrdHeader(path)
  const { channels } = nrrdAxes(header, (fault) => {
    throw new InputError(path, fault)
  })
  return segmentNames(header.pairs, channels)
}

function rasterOf({ fields, list, end }: NrrdHeader, path: string, refuse: (fault: string) => never) {
  const spelledType = (fields.get('type') ?? '').toLowerCase().replace(/\s+/g, ' ')
  const type =
    storedTypes.get(spelledType) ??
    refuse(`has voxels of type ${quoted(spelledType)}; halfdice reads numbers: convert it`)
  const spelledEncoding = (fields.get('encoding') ?? '').toLowerCase()
  const encoding =
    encodings.get(spelledEncoding) ?? refuse(`has the encoding ${quoted(spelledEncoding)}; write it as gzip or raw`)
  const endian = fields.get('endian')?.toLowerCase()
  const bytewise = storedBytes(type) === 1 || encoding === 'text'
  if (endian !== 'little' && endian !== 'big' && !(bytewise && endian === undefined)) {
    refuse(`has the byte order ${quoted(endian ?? '')}; it is damaged`)
  }
  for (const name of ['oldmin', 'oldmax']) {
    // Values that were quantised: their true scale is another.
    if (Number.isFinite(headerNumber(fields.get(name) ?? '')))
      refuse('was quantised (old min, old max); write real values')
  }
  const skip = (name: string, least: number) => {
    const value = headerNumber(fields.get(name) ?? '0')
    return Number.isSafeInteger(value) && value >= least ? value : refuse(`has ${name} ${value}; it is damaged`)
  }
  const detached = fields.get('datafile')
  return {
    files: detached === undefined ? [path] : dataFiles(detached, list, path),
    start: detached === undefined ? end : 0,
    encoding,
    skipLines: skip('lineskip', 0),
    skipBytes: skip('byteskip', encoding === 'raw' ? -1 : 0),
    type,
    littleEndian: endian !== 'big',
  }
}

const typeNames: Readonly<Record<VoxelType, string>> = {
  int8: 'signed char',
  uint8: 'unsigned char',
  int16: 'short',
  uint16: 'unsigned short',
  int32: 'int',
  uint32: 'unsigned int',
  float32: 'float',
  float64: 'double',
}

/**
 * Writes `.nrrd`, or `.nhdr` with its data in `.raw.gz` beside it; gzip-compressed, channels as the first axis. A
 * `.seg.nrrd` holds masks, with names and colours for 3D Slicer.
 *
 * @throws InputError where a `.seg.nrrd` is to hold anything but masks
 */
export async function writeNrrd(path: string, volume: Volume): Promise<void> {
  const name = basename(path)
  const data = channelsFirst(scaledVoxels(volume), volume.channels)
  const detached = /\.nhdr$/i.test(path) ? name.replace(/\.nhdr$/i, '.raw.gz') : undefined
  const head = new TextEncoder().encode(headOf(path, volume, arrayType(data), detached))
  await writeFolderAtomically(path, async (folder) => {
    const packed = gzip(slabsOf(data))
    if (detached === undefined) {
      await writePieces(`${folder}/${name}`, behind(head, packed))
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

/** The header of an attached file, and its data before they are packed: for writers that pack in another way. */
export function nrrdParts(path: string, volume: Volume): { readonly head: Uint8Array; readonly data: Uint8Array } {
  const data = channelsFirst(scaledVoxels(volume), volume.channels)
  return { head: new TextEncoder().encode(headOf(path, volume, arrayType(data), undefined)), data: bytesOf(data) }
}

async function* behind(head: Uint8Array, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head
  yield* pieces
}

function headOf(path: string, volume: Volume, type: VoxelType, detached: string | undefined): string {
  const { grid, channels } = volume
  const { direction: d, spacing, origin } = grid
  const vector = (axis: number) =>
    `(${[-d[axis], -d[axis + 3], d[axis + 6]].map((x) => x * spacing[axis] + 0).join(',')})`
  const several = channels > 1
  const segmented = isSegmentFile(path) ? segmentsOf(volume, path) : undefined
  const own = keyedPairs(volume.header)
  const pairs = segmented ? segmentPairs(own, segmented, grid) : keptPairs(own, volume)
  const lines = [
    'NRRD0004',
    '# Complete NRRD file format specification at:',
    '# http://teem.sourceforge.net/nrrd/format.html',
    `type: ${typeNames[type]}`,
    `dimension: ${several ? 4 : 3}`,
    'space: left-posterior-superior',
    `sizes: ${several ? `${channels} ` : ''}${grid.shape.join(' ')}`,
    `space directions: ${several ? 'none ' : ''}${[0, 1, 2].map(vector).join(' ')}`,
    `kinds: ${several ? (segmented ? 'list ' : 'vector ') : ''}domain domain domain`,
    `endian: ${hostLittleEndian ? 'little' : 'big'}`,
    'encoding: gzip',
    `space origin: (${[-origin[0] + 0, -origin[1] + 0, origin[2]].join(',')})`,
    ...(detached === undefined ? [] : [`data file: ${detached}`]),
  ]
  return `${lines.join('\n')}\n${spellPairs(pairs)}\n`
}
