import { determinant, type Grid, gridFault, gridOfAffine, type Mat3, type Vec3, vec3 } from '../volume/grid.ts'
import { getField, type NiftiHeader, setField } from './nifti-fields.ts'

/** The first three rows of a 4×4 affine, row-major: voxel indices to world coordinates. */
type Affine = readonly number[]

/**
 * The grid of a NIfTI header, in mm, with NIfTI's order of precedence: the sform where sform_code > 0, else the qform
 * where qform_code > 0, else nibabel's base affine (pixdim, x flipped, world origin at the centre of the image), which
 * the standard leaves open. Spacing comes from the affine that is used: for an sform, the lengths of its columns.
 * Coordinates in metres or micrometres (xyzt_units) become mm. Returns a sentence on the fault where there is none.
 */
export function gridOfHeader(header: NiftiHeader, shape: Vec3): Grid | string {
  const unit = millimetresPerUnit(header)
  const usesSform = getField(header, 'sformCode') > 0
  const usesQform = !usesSform && getField(header, 'qformCode') > 0
  const affine = usesSform ? sform(header) : usesQform ? qform(header, shape) : baseAffine(header, shape)
  if (typeof affine === 'string') return affine
  const name = usesSform ? 'sform' : usesQform ? 'qform' : 'pixdim'
  if (!affine.every((value) => Number.isFinite(value * unit))) {
    return `its ${name} holds NaN or infinity; set the affine with a NIfTI tool`
  }
  const grid = gridOfAffine(
    affine.map((value) => value * unit),
    shape,
  )
  const fault = gridFault(grid)
  return fault === undefined ? grid : `its ${name} gives ${fault}; set the affine with a NIfTI tool`
}

/**
 * Writes a grid's geometry into a header (sform, pixdim and, where there is no shear, qform), in the header's units.
 */
export function setGrid(header: NiftiHeader, grid: Grid): void {
  const unit = millimetresPerUnit(header)
  const d = grid.direction
  const spacing = grid.spacing.map((value) => value / unit)
  const origin = grid.origin.map((value) => value / unit)
  for (let row = 0; row < 3; row++) {
    for (let axis = 0; axis < 3; axis++) setField(header, 'srow', d[3 * row + axis] * spacing[axis], 4 * row + axis)
    setField(header, 'srow', origin[row], 4 * row + 3)
    setField(header, 'qoffset', origin[row], row)
    setField(header, 'pixdim', spacing[row], row + 1)
  }
  // A known code keeps its meaning; 1 (scanner coordinates) is what ITK writes for an image of unknown provenance.
  if (!(getField(header, 'sformCode') > 0)) setField(header, 'sformCode', 1)
  if (isOrthogonal(d)) {
    const { quaternion, qfac } = quaternionOf(d)
    for (let n = 0; n < 3; n++) setField(header, 'quatern', quaternion[n], n)
    setField(header, 'pixdim', qfac)
    if (!(getField(header, 'qformCode') > 0)) setField(header, 'qformCode', getField(header, 'sformCode'))
  } else {
    setField(header, 'qformCode', 0)
    setField(header, 'pixdim', 1)
  }
}

/** xyzt_units, bits 0 to 2: metre, millimetre, micrometre; unknown counts as millimetre. */
function millimetresPerUnit(header: NiftiHeader): number {
  const code = getField(header, 'xyztUnits') & 7
  return code === 1 ? 1000 : code === 3 ? 0.001 : 1
}

function sform(header: NiftiHeader): Affine {
  return Array.from({ length: 12 }, (_, n) => getField(header, 'srow', n))
}

/** Method 2 of nifti1.h: a rotation by a quaternion (a, b, c, d) with a ≥ 0, spacing, and qfac for the third axis. */
function qform(header: NiftiHeader, shape: Vec3): Affine | string {
  const spacing = pixelSpacing(header, shape, 3)
  if (typeof spacing === 'string') return spacing
  let [b, c, d] = [0, 1, 2].map((n) => getField(header, 'quatern', n))
  const square = b * b + c * c + d * d
  // Float32 round-off moves the square of a unit quaternion by some 1e-7; beyond 1e-3 it never was one.
  if (!(square <= 1.001)) return 'its qform is no rotation (|quaternion| > 1); set the affine with a NIfTI tool'
  // Where round-off leaves nothing for a, the rotation is a half turn about the vector scaled to length 1.
  const a = Math.sqrt(Math.max(0, 1 - square))
  if (square > 1) [b, c, d] = [b, c, d].map((value) => value / Math.sqrt(square))
  const [x, y] = spacing
  const z = getField(header, 'pixdim') === -1 ? -spacing[2] : spacing[2]
  const [tx, ty, tz] = [0, 1, 2].map((n) => getField(header, 'qoffset', n))
  return [
    [(a * a + b * b - c * c - d * d) * x, 2 * (b * c - a * d) * y, 2 * (b * d + a * c) * z, tx],
    [2 * (b * c + a * d) * x, (a * a + c * c - b * b - d * d) * y, 2 * (c * d - a * b) * z, ty],
    [2 * (b * d - a * c) * x, 2 * (c * d + a * b) * y, (a * a + d * d - b * b - c * c) * z, tz],
  ].flat()
}

function baseAffine(header: NiftiHeader, shape: Vec3): Affine | string {
  const spacing = pixelSpacing(header, shape, getField(header, 'dim'))
  if (typeof spacing === 'string') return spacing
  const [x, y, z] = spacing
  const [cx, cy, cz] = shape.map((n, axis) => ((n - 1) / 2) * spacing[axis])
  return [-x, 0, 0, cx, 0, y, 0, -cy, 0, 0, z, -cz]
}

/** pixdim of the first `axes` axes, without sign; 1 for the others and for an axis of one voxel that has none. */
function pixelSpacing(header: NiftiHeader, shape: Vec3, axes: number): Vec3 | string {
  const spacing = [0, 0, 0]
  for (let axis = 0; axis < 3; axis++) {
    const inFile = axis < axes ? Math.abs(getField(header, 'pixdim', axis + 1)) : 1
    spacing[axis] = shape[axis] === 1 && !(inFile > 0) ? 1 : inFile
    if (!(spacing[axis] > 0)) {
      return `its voxel size pixdim[${axis + 1}] is ${inFile}; set it (in mm) with a NIfTI tool`
    }
  }
  return vec3((axis) => spacing[axis])
}

/** Columns perpendicular to 1e-5: a quaternion then moves no voxel of a 1000-voxel axis by more than 0.01. */
function isOrthogonal(d: Mat3): boolean {
  const dot = (p: number, q: number) => d[p] * d[q] + d[p + 3] * d[q + 3] + d[p + 6] * d[q + 6]
  return Math.max(Math.abs(dot(0, 1)), Math.abs(dot(0, 2)), Math.abs(dot(1, 2))) < 1e-5
}

/** The (b, c, d) of a unit quaternion with a ≥ 0, and −1 where the third axis is mirrored (nifti_mat44_to_quatern). */
function quaternionOf(direction: Mat3): { quaternion: Vec3; qfac: 1 | -1 } {
  const qfac = determinant(direction) < 0 ? -1 : 1
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = direction.map((value, n) => (n % 3 === 2 ? value * qfac : value))
  // Four times the squares of a, b, c, d; the largest is at least 1, so dividing by it is safe.
  const squares = [1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz]
  const largest = squares.indexOf(Math.max(...squares))
  const r = 2 * Math.sqrt(squares[largest])
  const own = r / 4
  const [a, b, c, d] = [
    [own, (zy - yz) / r, (xz - zx) / r, (yx - xy) / r],
    [(zy - yz) / r, own, (xy + yx) / r, (xz + zx) / r],
    [(xz - zx) / r, (xy + yx) / r, own, (yz + zy) / r],
    [(yx - xy) / r, (xz + zx) / r, (yz + zy) / r, own],
  ][largest]
  return { quaternion: a < 0 ? [-b, -c, -d] : [b, c, d], qfac }
}
