import { InputError } from '../volume/errors.ts'
import type { Grid, Vec3 } from '../volume/grid.ts'
import { voxelCount } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { gridOfHeader } from './nifti-affine.ts'
import { getField, headerBytes, type NiftiHeader } from './nifti-fields.ts'
import type { StoredType } from './voxel-types.ts'
import { storedBytes } from './voxel-types.ts'

/** What a NIfTI header says about its file, checked. */
export interface NiftiLayout {
  readonly grid: Grid
  readonly channels: number
  readonly type: StoredType
  readonly scaling?: NonNullable<Volume['scaling']>
  /** Whether voxels follow in the same file (`.nii`) or lie in an `.img` beside it. */
  readonly single: boolean
  /** Where the voxels begin in their file, and how many bytes they take. */
  readonly voxelOffset: number
  readonly voxelBytes: number
}

const storedTypes: Readonly<Record<number, StoredType>> = {
  2: 'uint8',
  4: 'int16',
  8: 'int32',
  16: 'float32',
  64: 'float64',
  256: 'int8',
  512: 'uint16',
  768: 'uint32',
  1024: 'int64',
  1280: 'uint64',
}

const refusedTypes: Readonly<Record<number, string>> = {
  0: 'of unknown type',
  1: 'single bits',
  32: 'complex numbers (complex64)',
  128: 'colours (RGB24)',
  1536: '128-bit floats',
  1792: 'complex numbers (complex128)',
  2048: 'complex numbers (complex256)',
  2304: 'colours (RGBA32)',
}

/**
 * Codes of CIFTI-2 files (www.nitrc.org/projects/cifti), by the last part of their usual names: tables over the
 * vertices of a surface, no images.
 */
const cifti: ReadonlyMap<number, string> = new Map([
  [3001, 'dconn'],
  [3002, 'dtseries'],
  [3003, 'pconn'],
  [3004, 'ptseries'],
  [3006, 'dscalar'],
  [3007, 'dlabel'],
  [3008, 'pscalar'],
  [3009, 'pdconn'],
  [3010, 'dpconn'],
  [3011, 'pconnseries'],
  [3012, 'pconnscalar'],
])

/**
 * Bytes that may lie between a header and its voxels. The longest extensions (CIFTI's XML, AFNI's history, DICOM
 * headers as JSON) take some megabytes; what lies beyond this is a damaged vox_offset.
 */
export const maxExtensionBytes = 1 << 26

/** NIfTI's datatype code of an element type. */
export function datatypeCode(type: StoredType): number {
  return Number(Object.entries(storedTypes).find(([, name]) => name === type)?.[0])
}

/**
 * Recognises a NIfTI header in a file's first bytes (at least 540 where the file has as many). The header's `extension`
 * is empty: the caller knows where it ends. Throws InputError on anything else.
 */
export function parseNiftiHeader(bytes: Uint8Array, subject: string): NiftiHeader {
  if (bytes.length === 0) throw new InputError(subject, 'is empty; was it downloaded or copied completely?')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = (little: boolean) => (bytes.length < 4 ? 0 : view.getInt32(0, little))
  const littleEndian = size(true) === 348 || size(true) === 540
  const headerSize = size(littleEndian)
  if (headerSize !== 348 && headerSize !== 540) {
    throw new InputError(subject, 'is no image that halfdice knows; give NIfTI, NRRD, MetaImage or a DICOM folder')
  }
  if (bytes.length < headerSize) {
    throw new InputError(subject, `ends within its ${headerSize}-byte NIfTI header; copy or download it again`)
  }
  const version = headerSize === 348 ? 1 : 2
  const at = version === 1 ? 344 : 4
  const magic = String.fromCharCode(...bytes.subarray(at, at + 3))
  if (bytes[at + 3] !== 0 || (magic !== `n+${version}` && magic !== `ni${version}`)) {
    throw new InputError(
      subject,
      version === 1
        ? 'has no NIfTI magic: an ANALYZE 7.5 header, whose orientation is unknown, or a damaged file; ' +
            'convert it to NIfTI'
        : 'has a wrong NIfTI-2 magic; the file is damaged',
    )
  }
  if (version === 2 && [0x0d, 0x0a, 0x1a, 0x0a].some((byte, n) => bytes[8 + n] !== byte)) {
    throw new InputError(subject, 'was damaged by a transfer in text mode (NIfTI-2 magic); transfer it in binary mode')
  }
  return { format: 'nifti', version, littleEndian, bytes: bytes.slice(0, headerSize), extension: new Uint8Array(0) }
}

/** Interprets and checks a header. Throws InputError where it makes no sense or halfdice cannot hold such voxels. */
export function niftiLayout(header: NiftiHeader, subject: string): NiftiLayout {
  const refuse = (fault: string): never => {
    throw new InputError(subject, fault)
  }
  const intent = getField(header, 'intentCode')
  if (intent >= 3000 && intent <= 3099) {
    const name = cifti.has(intent) ? `${cifti.get(intent)}, ` : ''
    refuse(`is a cifti file (${name}intent code ${intent}), a table of surface data; give an image of voxels`)
  }
  const { shape, channels } = shapeOf(header, refuse)
  const code = getField(header, 'datatype')
  const type = storedTypes[code]
  if (type === undefined) {
    const what = refusedTypes[code] ?? `of unknown type (datatype ${code})`
    return refuse(`has voxels that are ${what}; halfdice reads integers and 32- and 64-bit floats: convert it`)
  }
  const grid = gridOfHeader(header, shape)
  if (typeof grid === 'string') return refuse(grid)
  const scaling = scalingOf(header, refuse)
  const magicAt = header.version === 1 ? 345 : 5
  const single = header.bytes[magicAt] === 0x2b // '+'
  return {
    grid,
    channels,
    type,
    ...(scaling && { scaling }),
    single,
    voxelOffset: voxelOffset(header, single, refuse),
    voxelBytes: voxelCount(grid) * channels * storedBytes(type),
  }
}

type Refuse = (fault: string) => never

/** dim[0] of 1 to 7; axes 4 and up hold channels, and at most one of them may exceed 1. */
function shapeOf(header: NiftiHeader, refuse: Refuse): { shape: Vec3; channels: number } {
  const dimensions = getField(header, 'dim')
  if (!(dimensions >= 1 && dimensions <= 7)) refuse(`claims ${dimensions} dimensions; the header is damaged`)
  const extents = Array.from({ length: dimensions }, (_, n) => getField(header, 'dim', n + 1))
  // Like nifti1_io, an unset extent of a non-spatial axis counts as 1.
  const dim = extents.map((n, axis) => (axis >= 3 && n === 0 ? 1 : n))
  const spelled = extents.join('×')
  if (dim.some((n) => n < 1)) refuse(`has no voxels (shape ${spelled}); the header is damaged or the image is empty`)
  if (dim.slice(3).filter((n) => n > 1).length > 1) {
    refuse(`has more than one axis beyond x, y, z (shape ${spelled}); extract a 3-D or 4-D image first`)
  }
  const [nx, ny = 1, nz = 1, ...others] = dim
  const channels = Math.max(1, ...others)
  // 2⁵³ bytes: beyond this, sizes are no longer exact numbers.
  if (!(nx * ny * nz * channels * 8 <= Number.MAX_SAFE_INTEGER)) {
    refuse(`claims ${spelled} voxels; the header is damaged`)
  }
  return { shape: [nx, ny, nz], channels }
}

/** scl_slope of 0, NaN or infinity means none (nifti1.h and nibabel). */
function scalingOf(header: NiftiHeader, refuse: Refuse): Volume['scaling'] | undefined {
  const slope = getField(header, 'sclSlope')
  const intercept = getField(header, 'sclInter')
  if (slope === 0 || !Number.isFinite(slope)) return undefined
  if (!Number.isFinite(intercept))
    return refuse(`has scl_slope ${slope} but scl_inter ${intercept}; set scl_inter to 0`)
  return slope === 1 && intercept === 0 ? undefined : { slope, intercept }
}

/** In a single file, 0 stands for the smallest offset possible: header and extender (as nibabel reads it). */
function voxelOffset(header: NiftiHeader, single: boolean, refuse: Refuse): number {
  const offset = getField(header, 'voxOffset')
  const least = single ? headerBytes(header.version) + 4 : 0
  if (single && offset === 0) return least
  if (!Number.isSafeInteger(offset) || offset < least || offset > least + maxExtensionBytes) {
    return refuse(`says that its voxels begin at byte ${offset} (vox_offset); the header is damaged`)
  }
  return offset
}
