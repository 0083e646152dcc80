import type { PickledValue } from '../formats/pickle.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, gridDifference, gridFault, gridOfAffine, type Mat3, type Vec3 } from '../volume/grid.ts'
import { type Placement, placedAt } from './case-maps.ts'
import { alongGrid, alongOrientation, turned } from './orientation.ts'

/** Where an array lies in space. */
export interface ArrayGeometry {
  readonly grid: Grid
  readonly placement: Placement
  /** The grid in which the array's own axes run in order, where `placement` turns them. */
  readonly unturned?: Grid
  readonly regionsClassOrder?: readonly number[]
}

/**
 * The geometry in the properties that nnU-Net pickles beside its probabilities, of an array with axes [z, y, x]:
 * - nnU-Net v2 with SimpleITKIO (`sitk_stuff`) or NibabelIO (`nibabel_stuff`), whose arrays cover the whole image;
 * - nnU-Net v2's readers that turn images to RAS first, SimpleITKIOWithReorient (`original_orientation`) and
 *   NibabelIOWithReorient (`reoriented_affine`), and turn masks back, as is done here;
 * - nnU-Net v1 (`itk_spacing` …), whose arrays cover `crop_bbox` only.
 *
 * SimpleITK's world is LPS (x to the left, y to the back), a `Grid`'s is RAS: the first two rows change sign.
 * Source: nnunetv2/imageio of nnU-Net, `save_segmentation_nifti_from_softmax` of nnU-Net v1.
 *
 * @param shape extents of the array in the order z, y, x
 * @returns undefined where the properties hold no geometry
 * @throws InputError where their geometry is impossible or does not fit the array
 */
export function geometryOfProperties(
  properties: PickledValue,
  shape: Vec3,
  subject: string,
): ArrayGeometry | undefined {
  if (!(properties instanceof Map)) return undefined
  const own: Vec3 = [shape[2], shape[1], shape[0]]
  const sitk = properties.get('sitk_stuff')
  const nibabel = properties.get('nibabel_stuff')
  if (sitk instanceof Map) {
    requireShape(properties.get('shape_before_cropping'), shape, subject)
    return ofSimpleItk(sitk, own, subject)
  }
  if (nibabel instanceof Map) {
    requireShape(properties.get('shape_before_cropping'), shape, subject)
    return ofNibabel(nibabel, own, subject)
  }
  return properties.has('itk_spacing') ? ofVersion1(properties, own, subject) : undefined
}

/** A grid of the array's own voxel sizes, where properties hold nothing else (nnU-Net's readers of PNG and TIFF). */
export function gridOfBareSpacing(properties: PickledValue, shape: Vec3, subject: string): Grid | undefined {
  const spacing = properties instanceof Map ? numbers(properties.get('spacing')) : undefined
  if (spacing?.length !== 3) return undefined
  // A 2-D image has a third spacing of 999 only to keep the network from its axis.
  const thickness = shape[0] === 1 && spacing[0] >= 999 * Math.max(spacing[1], spacing[2]) ? 1 : spacing[0]
  return checked(
    {
      shape: [shape[2], shape[1], shape[0]],
      spacing: [spacing[2], spacing[1], thickness],
      origin: [0, 0, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    },
    subject,
  )
}

function ofSimpleItk(sitk: ReadonlyMap<string, PickledValue>, own: Vec3, subject: string): ArrayGeometry {
  const grid = gridOfItk(sitk, '', own, subject)
  const orientation = sitk.get('original_orientation')
  if (orientation === undefined) return { grid, placement: placedAt(grid) }
  const along = typeof orientation === 'string' ? alongOrientation(grid, orientation) : undefined
  if (along === undefined) throw faulty(subject, `has the original orientation ${orientation}`)
  return { ...turned(grid, along), unturned: grid }
}

function ofNibabel(nibabel: ReadonlyMap<string, PickledValue>, own: Vec3, subject: string): ArrayGeometry {
  const original = nibabel.get('original_affine')
  const reoriented = nibabel.get('reoriented_affine')
  const grid = gridOfRows(reoriented ?? original, own, subject)
  if (reoriented === undefined || original === undefined) return { grid, placement: placedAt(grid) }
  const bare = gridOfRows(original, [2, 2, 2], subject)
  const along = alongGrid(grid, bare)
  const back = along && turned(grid, along)
  const image = back && { ...bare, shape: back.grid.shape }
  if (!image || gridDifference(image, back.grid) !== undefined) {
    throw faulty(subject, 'has an original and a reoriented affine that do not belong together')
  }
  return { grid: image, placement: back.placement, unturned: grid }
}

function ofVersion1(properties: ReadonlyMap<string, PickledValue>, own: Vec3, subject: string): ArrayGeometry {
  const box = properties.get('crop_bbox') ?? undefined
  const start = box === undefined ? undefined : boxStart(box, own, subject)
  const size = properties.get('original_size_of_raw_data') ?? undefined
  const extents = numbers(size)
  const whole: Vec3 | undefined = size === undefined && !start ? own : extents && reversed(extents)
  if (!whole?.every((n) => Number.isSafeInteger(n) && n > 0)) {
    throw faulty(subject, `has the original size ${describe(size)}`)
  }
  const from = start ?? [0, 0, 0]
  const fits = start
    ? from.every((first, axis) => first + own[axis] <= whole[axis])
    : own.every((n, axis) => n === whole[axis])
  if (!fits) {
    const place = start ? ` at ${[...from].reverse().join(', ')}` : ''
    throw new InputError(
      subject,
      `places an array of ${zyx(own)} (z, y, x)${place} of ${zyx(whole)}; ` +
        "the .npz is another case's: give its own .pkl, or an image with --like",
    )
  }
  const grid = gridOfItk(properties, 'itk_', whole, subject)
  const order = numbers(properties.get('regions_class_order'))
  return { grid, placement: placedAt(grid, own, from), ...(order && { regionsClassOrder: order }) }
}

/** Where a box [[z0, z1], [y0, y1], [x0, x1]] that is as large as the array begins, x first. */
function boxStart(box: PickledValue, own: Vec3, subject: string): Vec3 {
  const ranges = Array.isArray(box) ? box.map(numbers) : []
  const [z, y, x] = ranges
  const sound = (range: number[] | undefined, extent: number) =>
    range?.length === 2 && Number.isSafeInteger(range[0]) && range[0] >= 0 && range[1] - range[0] === extent
  if (ranges.length !== 3 || !z || !y || !x || !sound(z, own[2]) || !sound(y, own[1]) || !sound(x, own[0])) {
    throw faulty(subject, `has the crop_bbox ${describe(box)} for an array of ${zyx(own)} (z, y, x)`)
  }
  return [x[0], y[0], z[0]]
}

/** nnU-Net v2 keeps this shape in the order of its own transposition: extents are compared as a set. */
function requireShape(value: PickledValue | undefined, shape: Vec3, subject: string): void {
  const promised = numbers(value)
  const sorted = (extents: readonly number[]) => [...extents].sort((a, b) => a - b).join('×')
  if (promised !== undefined && sorted(promised) !== sorted(shape)) {
    throw new InputError(
      subject,
      `describes an image of ${promised.join('×')}, the .npz has ${shape.join('×')} (z, y, x); ` +
        "give this case's own .pkl, or an image with --like",
    )
  }
}

/** SimpleITK's spacing, origin and direction, under names with a prefix. A 2-D image has two axes. */
function gridOfItk(from: ReadonlyMap<string, PickledValue>, prefix: string, shape: Vec3, subject: string): Grid {
  const [s, o, d] = ['spacing', 'origin', 'direction'].map((key) => numbers(from.get(prefix + key)))
  const axes = s?.length
  if (!s || !o || !d || (axes !== 2 && axes !== 3) || o.length !== axes || d.length !== axes * axes) {
    throw faulty(subject, 'lacks spacing, origin and direction of two or three axes')
  }
  const at = (row: number, column: number) =>
    row < axes && column < axes ? d[row * axes + column] : row === column ? 1 : 0
  const ras = [-1, -1, 1]
  return checked(
    {
      shape,
      spacing: [s[0], s[1], s[2] ?? 1],
      origin: [-o[0], -o[1], o[2] ?? 0],
      direction: [0, 1, 2].flatMap((row) =>
        [0, 1, 2].map((column) => ras[row] * at(row, column) + 0),
      ) as unknown as Mat3,
    },
    subject,
  )
}

/** The grid of a NIfTI affine, voxel (i, j, k) to RAS mm, as four rows. */
function gridOfRows(value: PickledValue | undefined, shape: Vec3, subject: string): Grid {
  const rows = Array.isArray(value) ? value.map(numbers) : []
  if (rows.length !== 4 || !rows.every((row) => row?.length === 4) || rows[3]?.join() !== '0,0,0,1') {
    throw faulty(subject, 'lacks an affine of four rows')
  }
  const affine = rows.slice(0, 3).flatMap((row) => row ?? [])
  return checked(gridOfAffine(affine, shape), subject)
}

function checked(grid: Grid, subject: string): Grid {
  const fault = gridFault(grid)
  if (fault !== undefined) throw faulty(subject, `has ${fault}`)
  return grid
}

function faulty(subject: string, what: string): InputError {
  return new InputError(subject, `${what}; its geometry cannot be used: give an image with --like IMAGE`)
}

function numbers(value: PickledValue | undefined): number[] | undefined {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'number')) return undefined
  return value as number[]
}

function reversed(extents: readonly number[]): Vec3 | undefined {
  return extents.length === 3 ? [extents[2], extents[1], extents[0]] : undefined
}

const zyx = (extents: Vec3) => [...extents].reverse().join('×')

function describe(value: PickledValue | undefined): string {
  const text = JSON.stringify(value, (_, each) =>
    typeof each === 'number' && !Number.isFinite(each) ? `${each}` : each,
  )
  return text === undefined ? 'undefined' : text.slice(0, 80)
}
