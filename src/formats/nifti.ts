import type { Bytes } from '../volume/bytes.ts'
import { checkBytes, checkGrid } from '../volume/checks.ts'
import { InputError } from '../volume/errors.ts'
import { checkVolume, type Volume, type VoxelArray } from '../volume/volume.ts'
import { setGrid } from './nifti-affine.ts'
import {
  emptyHeader,
  getField,
  headerBytes,
  isNiftiHeader,
  type NiftiHeader,
  setField,
  setMagic,
  upgradeHeader,
} from './nifti-fields.ts'
import { niftiLabelNames, withNiftiLabelNames } from './nifti-labels.ts'
import { datatypeCode, type NiftiLayout, niftiLayout, parseNiftiHeader } from './nifti-layout.ts'
import { arrayType, bytesOf, hostLittleEndian, storedBytes, swapBytes, voxelsFromBytes } from './voxel-types.ts'

/**
 * The volume of an uncompressed single-file NIfTI-1 or NIfTI-2 image (`.nii`; for `.nii.gz` see `gunzip`).
 *
 * Every real integer and float type up to 64 bits and both byte orders are read; 64-bit integers become float64. 2-D to
 * 4-D; the fourth axis (or a fifth, where the fourth has one element) holds channels. Where bytes are aligned and in
 * this machine's order, the volume's data are a view on `bytes`. `volume.header` keeps every header byte and extension,
 * so that `encodeNifti` of this volume, or of one derived from it, carries codes, units, intent and description over.
 *
 * @param subject what to call the file in errors
 * @throws InputError naming the fault, where the bytes are no such image
 * @example
 * const bytes = encodeNifti({ grid: createGrid([2, 1, 1], [3, 1, 1]), channels: 1, data: Uint8Array.of(0, 1) })
 * decodeNifti(bytes, 'a.nii').grid.spacing // [3, 1, 1]
 */
export function decodeNifti(bytes: Uint8Array, subject: string): Volume {
  checkBytes(bytes, subject)
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw new InputError(subject, 'is gzip-compressed; decompress it first')
  const bare = parseNiftiHeader(bytes, subject)
  const layout = niftiLayout(bare, subject)
  if (!layout.single) throw new InputError(subject, 'is the header of a .hdr/.img pair; give both files')
  const header = { ...bare, extension: bytes.slice(bare.bytes.length, layout.voxelOffset) }
  return niftiVolume(header, layout, voxelsOf(bytes, layout, bare.littleEndian, subject), subject)
}

/** The volume of an uncompressed `.hdr`/`.img` pair; as `decodeNifti` otherwise. */
export function decodeNiftiPair(hdr: Uint8Array, img: Uint8Array, hdrName: string, imgName: string): Volume {
  const bare = parseNiftiHeader(hdr, hdrName)
  const layout = niftiLayout(bare, hdrName)
  if (layout.single)
    throw new InputError(hdrName, 'is a single-file NIfTI image, not the header of a pair; name it .nii')
  const header = { ...bare, extension: hdr.slice(bare.bytes.length) }
  return niftiVolume(header, layout, voxelsOf(img, layout, bare.littleEndian, imgName), imgName)
}

/** The part of a file that holds voxels: a view, or a copy where its bytes will have to be turned round. */
function voxelsOf(bytes: Uint8Array, layout: NiftiLayout, littleEndian: boolean, subject: string): Uint8Array {
  requireBytes(bytes.length, layout, subject)
  const end = layout.voxelOffset + layout.voxelBytes
  requirePadding(bytes.subarray(end), layout, subject)
  const voxels = bytes.subarray(layout.voxelOffset, end)
  return littleEndian === hostLittleEndian ? voxels : voxels.slice()
}

/**
 * The bytes of a single-file NIfTI image (`.nii`).
 *
 * A volume that was read from NIfTI, or derived from one by replacing `data`, `channels` or `grid`, keeps that file's
 * version, byte order, units, codes, intent, description and extensions; its geometry is rewritten only where `grid`
 * changed. Other volumes become NIfTI-1 in mm (NIfTI-2 where an extent exceeds 32,767) with an sform and, unless the
 * grid is sheared, a qform. `labelNames` become the extension that TotalSegmentator writes; an empty map takes one
 * away. 64-bit integers that were read as float64 are written as float64.
 *
 * @throws InputError for an impossible grid, and data that are not one number for each voxel and channel
 * @example
 * encodeNifti({ grid: createGrid([2, 1, 1]), channels: 1, data: Uint8Array.of(0, 1) }).length // 354: 352 of header
 */
export function encodeNifti(volume: Volume): Bytes {
  checkGrid(volume.grid)
  checkVolume(volume)
  const { head, littleEndian } = niftiHead(volume, true)
  const out = new Uint8Array(head.length + volume.data.byteLength)
  out.set(head)
  out.set(bytesOf(volume.data), head.length)
  if (littleEndian !== hostLittleEndian) swapBytes(out.subarray(head.length), volume.data.BYTES_PER_ELEMENT)
  return out
}

/** What comes before the voxels of a volume (header, extender, extensions), and the byte order that it promises. */
export function niftiHead(volume: Volume, single: boolean): { head: Uint8Array; littleEndian: boolean } {
  const header = headerFor(volume, single)
  const head = new Uint8Array(header.bytes.length + header.extension.length)
  head.set(header.bytes)
  head.set(header.extension, header.bytes.length)
  return { head, littleEndian: header.littleEndian }
}

/** Assembles a volume from checked parts; `voxels` may be changed and kept. */
export function niftiVolume(header: NiftiHeader, layout: NiftiLayout, voxels: Uint8Array, subject: string): Volume {
  const data = voxelsFromBytes(voxels, layout.type, header.littleEndian)
  if (data === undefined) throw inexactInteger(layout, subject)
  return volumeOf(header, layout, data)
}

/** A volume with everything a header says and the given voxels. */
export function volumeOf(header: NiftiHeader, layout: NiftiLayout, data: VoxelArray): Volume {
  const { grid, channels, scaling } = layout
  const labelNames = niftiLabelNames(header)
  return { grid, channels, data, ...(scaling && { scaling }), ...(labelNames && { labelNames }), header }
}

/** The refusal of a 64-bit integer beyond float64's exact range. */
export function inexactInteger(layout: NiftiLayout, subject: string): InputError {
  return new InputError(
    subject,
    `has ${layout.type} voxels beyond 2^53, which halfdice cannot hold exactly; convert it to float64 or int32`,
  )
}

/**
 * Throws where a file of `available` bytes (at most so many, unless `exact`) cannot hold the voxels that its header
 * promises.
 */
export function requireBytes(available: number, layout: NiftiLayout, subject: string, exact = true): void {
  const needed = layout.voxelOffset + layout.voxelBytes
  if (available < needed) {
    throw new InputError(
      subject,
      `is truncated: ${promise(layout)} need ${needed} bytes, it has ${exact ? '' : 'at most '}${available}; ` +
        'get it again',
    )
  }
}

/** Zeros may follow the voxels (padding); anything else means that the header does not describe this file. */
export function requirePadding(rest: Uint8Array, layout: NiftiLayout, subject: string): void {
  if (rest.some((byte) => byte !== 0)) {
    throw new InputError(
      subject,
      `holds more data than its header promises (${promise(layout)}); one of them is damaged`,
    )
  }
}

function promise({ grid, channels, type }: NiftiLayout): string {
  return `${grid.shape.join('×')}${channels > 1 ? `×${channels}` : ''} ${type} voxels`
}

function headerFor(volume: Volume, single: boolean): NiftiHeader {
  const { grid, channels, data, scaling } = volume
  const large = Math.max(...grid.shape, channels) > 32767
  const source = isNiftiHeader(volume.header) ? volume.header : newHeader(large)
  const copy = { ...source, bytes: source.bytes.slice() }
  const header = large ? upgradeHeader(copy) : copy
  const was = isNiftiHeader(volume.header) ? niftiLayout(volume.header, 'header') : undefined
  const sameGrid = was !== undefined && JSON.stringify(was.grid) === JSON.stringify(grid)
  if (!sameGrid || was.channels !== channels) setShape(header, volume)
  if (!sameGrid) setGrid(header, grid)
  const type = arrayType(data)
  setField(header, 'datatype', datatypeCode(type))
  setField(header, 'bitpix', 8 * storedBytes(type))
  if (was?.scaling?.slope !== scaling?.slope || was?.scaling?.intercept !== scaling?.intercept || !was) {
    setField(header, 'sclSlope', scaling?.slope ?? 1)
    setField(header, 'sclInter', scaling?.intercept ?? 0)
  }
  setMagic(header, single)
  const { labelNames: names } = volume
  // Those of several channels are the channels', in their order.
  const named = names && (channels === 1 || names.size === 0) ? withNiftiLabelNames(header, names) : header
  const extension = named.extension.length < 4 ? new Uint8Array(4) : named.extension
  setField(header, 'voxOffset', single ? headerBytes(header.version) + extension.length : 0)
  return { ...header, extension }
}

function newHeader(large: boolean): NiftiHeader {
  const header = emptyHeader(large ? 2 : 1)
  setField(header, 'xyztUnits', 2) // millimetres
  return header
}

/** Sets dim: as few axes as the source header had, at least three, and a fourth for channels. */
function setShape(header: NiftiHeader, { grid, channels }: Volume): void {
  const before = getField(header, 'dim')
  const flat = before === 2 && grid.shape[2] === 1 && channels === 1
  setField(header, 'dim', channels > 1 ? 4 : flat ? 2 : 3)
  grid.shape.forEach((n, axis) => {
    setField(header, 'dim', n, axis + 1)
  })
  for (let axis = 4; axis <= 7; axis++) setField(header, 'dim', axis === 4 ? channels : 1, axis)
  if (channels > 1 && !(before >= 4 && getField(header, 'pixdim', 4) > 0)) setField(header, 'pixdim', 1, 4)
}
