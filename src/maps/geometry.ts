import type { PickledValue } from '../formats/pickle.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, type Mat3, type Vec3, vec3 } from '../volume/grid.ts'
import type { Placement } from './read-maps.ts'

/** Where an array lies in space. */
export interface ArrayGeometry {
  readonly grid: Grid
  /** The voxel (i, j, k) of the grid where the array begins; absent where it covers the grid. */
  readonly start?: Vec3
  /** Where the array's voxels go, if it runs along the grid's axes in another order or direction; its extents are `shape`. */
  readonly placement?: Placement
}

/**
 * The geometry in the properties that nnU-Net pickles beside its probabilities, of an array with axes [z, y, x]:
 * - nnU-Net v2 with SimpleITKIO (`sitk_stuff`) or NibabelIO and NibabelIOWithReorient (`nibabel_stuff`), whose arrays
 *   cover the whole image; the latter turns the axes to RAS first, and back when it writes masks, and so is it done here;
 * - nnU-Net v1 (`itk_spacing` …), whose arrays cover `crop_bbox` only.
 *
 * SimpleITK's world is LPS (x to the left, y to the back), a `Grid`'s is RAS: the first two rows change sign.
 *
 * @param shape extents of the array in the order z, y, x
 * @throws InputError where the properties hold no geometry or do not fit the array
 */
export function geometryOfProperties(properties: PickledValue, shape: Vec3, subject: string): ArrayGeometry {
  if (!(properties instanceof Map)) throw noGeometry(subject)
  const own: Vec3 = [shape[2], shape[1], shape[0]]
  const sitk = properties.get('sitk_stuff')
  const nibabel = properties.get('nibabel_stuff')
  if (sitk instanceof Map) {
    requireShape(properties.get('shape_before_cropping'), shape, subject)
    const grid = gridOfItk(sitk.get('spacing'), sitk.get('origin'), sitk.get('direction'), own, subject)
    return { grid }
  }
  if (nibabel instanceof Map) {
    requireShape(properties.get('shape_before_cropping'), shape, subject)
    const original = nibabel.get('original_affine')
    const reoriented = nibabel.get('reoriented_affine')
    if (reoriented === undefined || original === undefined) {
      return { grid: gridOfAffine(original ?? reoriented, own, subject) }
    }
    return undoReorientation(gridOfAffine(reoriented, own, subject), original, subject)
  }
  if (properties.has('itk_spacing')) {
    const whole = numbers(properties.get('original_size_of_raw_data')) ?? [...shape]
    const box = properties.get('crop_bbox')
    const start = Array.isArray(box) ? box.map((range) => numbers(range)?.[0] ?? Number.NaN) : [0, 0, 0]
    const fits = whole.length === 3 && start.every((from, axis) => from >= 0 && from + shape[axis] <= whole[axis])
    if (!fits) {
      throw new InputError(
        subject,
        `places an array of ${shape.join('×')} (z, y, x) at ${start.join(', ')} of ${whole.join('×')}; the .npz is another case's`,
      )
    }
    const extents: Vec3 = [whole[2], whole[1], whole[0]]
    const keys = ['itk_spacing', 'itk_origin', 'itk_direction'].map((key) => properties.get(key))
    const grid = gridOfItk(keys[0], keys[1], keys[2], extents, subject)
    return whole.every((n, axis) => n === shape[axis]) ? { grid } : { grid, start: [start[2], start[1], start[0]] }
  }
  throw noGeometry(subject)
}

function noGeometry(subject: string): InputError {
  return new InputError(subject, 'holds no geometry that nnU-Net v1 or v2 writes; give it with --like IMAGE')
}

/** nnU-Net v2 keeps this shape in the order of its own transposition: extents are compared as a set. */
function requireShape(value: PickledValue | undefined, shape: Vec3, subject: string): void {
  const promised = numbers(value)
  const sorted = (extents: readonly number[]) => [...extents].sort((a, b) => a - b).join('×')
  if (promised !== undefined && sorted(promised) !== sorted(shape)) {
    throw new InputError(
      subject,
      `describes an image of ${promised.join('×')}, the .npz has ${shape.join('×')} (z, y, x); they belong to different cases`,
    )
  }
}

function gridOfItk(
  spacing: PickledValue | undefined,
  origin: PickledValue | undefined,
  direction: PickledValue | undefined,
  shape: Vec3,
  subject: string,
): Grid {
  const [s, o, d] = [numbers(spacing), numbers(origin), numbers(direction)]
  const axes = s?.length
  if (!s || !o || !d || (axes !== 2 && axes !== 3) || o.length !== axes || d.length !== axes * axes) {
    throw noGeometry(subject)
  }
  if (!s.every((step) => step > 0)) throw new InputError(subject, `has spacing ${s.join(', ')}; it must be positive`)
  const at = (row: number, column: number) =>
    row < axes && column < axes ? d[row * axes + column] : row === column ? 1 : 0
  const ras = [-1, -1, 1]
  return {
    shape,
    spacing: [s[0], s[1], s[2] ?? 1],
    origin: [-o[0], -o[1], o[2] ?? 0],
    direction: [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => ras[row] * at(row, column) + 0)) as unknown as Mat3,
  }
}

/** A NIfTI affine: voxel (i, j, k) to RAS mm. */
function gridOfAffine(value: PickledValue | undefined, shape: Vec3, subject: string): Grid {
  const rows = Array.isArray(value) ? value.map((row) => numbers(row)) : []
  if (rows.length !== 4 || !rows.every((row) => row?.length === 4)) throw noGeometry(subject)
  const a = rows as number[][]
  const spacing = [0, 1, 2].map((axis) => Math.hypot(a[0][axis], a[1][axis], a[2][axis]))
  if (!spacing.every((step) => step > 0)) throw noGeometry(subject)
  return {
    shape,
    spacing: vec3((axis) => spacing[axis]),
    origin: [a[0][3], a[1][3], a[2][3]],
    direction: [0, 1, 2].flatMap((row) =>
      [0, 1, 2].map((column) => a[row][column] / spacing[column]),
    ) as unknown as Mat3,
  }
}

/** The grid of the original image, and where the voxels of the array, which lies on a grid of RAS order, go in it. */
function undoReorientation(array: Grid, original: PickledValue, subject: string): ArrayGeometry {
  const bare = gridOfAffine(original, [1, 1, 1], subject)
  // Directions are orthogonal but for shears, which both share: the axis of the array that runs most along an original one.
  const along = [0, 1, 2].map((axis) => {
    const cosines = [0, 1, 2].map((own) =>
      [0, 3, 6].reduce((sum, row) => sum + bare.direction[row + axis] * array.direction[row + own], 0),
    )
    const own = cosines.reduce((best, value, i) => (Math.abs(value) > Math.abs(cosines[best]) ? i : best), 0)
    return { own, flip: cosines[own] < 0 }
  })
  if (new Set(along.map(({ own }) => own)).size < 3) {
    throw new InputError(subject, 'has affines that do not belong together; give geometry with --like IMAGE')
  }
  const shape = vec3((axis) => array.shape[along[axis].own])
  const steps = [1, shape[0], shape[0] * shape[1]]
  const strides = [0, 0, 0]
  let offset = 0
  for (const [axis, { own, flip }] of along.entries()) {
    strides[own] = flip ? -steps[axis] : steps[axis]
    if (flip) offset += (shape[axis] - 1) * steps[axis]
  }
  const grid = { ...bare, shape }
  const inOrder = along.every(({ own, flip }, axis) => own === axis && !flip)
  return inOrder
    ? { grid }
    : { grid, placement: { shape: array.shape, strides: vec3((axis) => strides[axis]), offset } }
}

function numbers(value: PickledValue | undefined): number[] | undefined {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'number')) return undefined
  return value as number[]
}
