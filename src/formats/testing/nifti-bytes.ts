/**
 * An independent writer of NIfTI bytes for tests: offsets typed from the tables of nifti1.h and nifti2.h, nothing
 * shared with the code under test.
 */
export interface NiftiRecipe {
  version?: 1 | 2
  little?: boolean
  dim?: readonly number[]
  pixdim?: readonly number[]
  datatype?: number
  voxels?: Uint8Array
  slope?: number
  inter?: number
  qformCode?: number
  sformCode?: number
  quatern?: readonly number[]
  qoffset?: readonly number[]
  srow?: readonly number[]
  units?: number
  descrip?: string
  intentCode?: number
  voxOffset?: number
  extension?: Uint8Array
  pair?: boolean
}

/** Header, extender, extension and voxels; for a pair only header, extender and extension. */
export function niftiBytes(recipe: NiftiRecipe): Uint8Array {
  const { version = 1, little = true, dim = [3, 2, 2, 2, 1, 1, 1, 1], pixdim = [1, 1, 1, 1, 1, 1, 1, 1] } = recipe
  const { datatype = 2, voxels = new Uint8Array(8), slope = 0, inter = 0, qformCode = 0, sformCode = 0 } = recipe
  const { quatern = [0, 0, 0], qoffset = [0, 0, 0], srow = Array(12).fill(0), units = 2, descrip = '' } = recipe
  const size = version === 1 ? 348 : 540
  const extension = recipe.extension ?? Uint8Array.of(0, 0, 0, 0)
  const voxOffset = recipe.voxOffset ?? (recipe.pair ? 0 : size + extension.length)
  const out = new Uint8Array(recipe.pair ? size + extension.length : Math.max(voxOffset, size) + voxels.length)
  const view = new DataView(out.buffer)
  const text = (at: number, value: string) => out.set(new TextEncoder().encode(value), at)
  view.setInt32(0, size, little)
  if (version === 1) {
    for (let n = 0; n < 8; n++) view.setInt16(40 + 2 * n, dim[n], little)
    view.setInt16(68, recipe.intentCode ?? 0, little)
    view.setInt16(70, datatype, little)
    for (let n = 0; n < 8; n++) view.setFloat32(76 + 4 * n, pixdim[n], little)
    view.setFloat32(108, voxOffset, little)
    view.setFloat32(112, slope, little)
    view.setFloat32(116, inter, little)
    view.setUint8(123, units)
    text(148, descrip)
    view.setInt16(252, qformCode, little)
    view.setInt16(254, sformCode, little)
    for (let n = 0; n < 3; n++) view.setFloat32(256 + 4 * n, quatern[n], little)
    for (let n = 0; n < 3; n++) view.setFloat32(268 + 4 * n, qoffset[n], little)
    for (let n = 0; n < 12; n++) view.setFloat32(280 + 4 * n, srow[n], little)
    text(344, recipe.pair ? 'ni1' : 'n+1')
  } else {
    text(4, `${recipe.pair ? 'ni2' : 'n+2'}\0\r\n\x1a\n`)
    view.setInt16(12, datatype, little)
    for (let n = 0; n < 8; n++) view.setBigInt64(16 + 8 * n, BigInt(dim[n]), little)
    for (let n = 0; n < 8; n++) view.setFloat64(104 + 8 * n, pixdim[n], little)
    view.setBigInt64(168, BigInt(voxOffset), little)
    view.setFloat64(176, slope, little)
    view.setFloat64(184, inter, little)
    text(240, descrip)
    view.setInt32(344, qformCode, little)
    view.setInt32(348, sformCode, little)
    for (let n = 0; n < 3; n++) view.setFloat64(352 + 8 * n, quatern[n], little)
    for (let n = 0; n < 3; n++) view.setFloat64(376 + 8 * n, qoffset[n], little)
    for (let n = 0; n < 12; n++) view.setFloat64(400 + 8 * n, srow[n], little)
    view.setInt32(500, units, little)
    view.setInt32(504, recipe.intentCode ?? 0, little)
  }
  if (out.length >= size + extension.length) out.set(extension, size)
  if (!recipe.pair) out.set(voxels, Math.max(voxOffset, size))
  return out
}
