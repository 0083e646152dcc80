import { InputError } from '../../volume/errors.ts'
import { type Grid, type Mat3, type Vec3, vec3 } from '../../volume/grid.ts'
import type { Frame } from './frames.ts'

/** What frames are to the user, for messages: slices of a folder, or frames of a file. */
export interface Words {
  readonly subject: string
  readonly many: string
  readonly remedy: string
}

/** Frames on a grid: frame n is slice `slices[n]`. */
export interface Stack {
  readonly grid: Grid
  readonly slices: readonly number[]
}

/** A step may differ by so much of itself: positions are often rounded to 0.1 mm. */
const stepTolerance = 0.1
/** Direction cosines are written with as few as four digits. */
const cosineTolerance = 1e-3
/** A gantry tilts by 30° at most; a stack sheared by more than 60° is a damaged position. */
const leastShearCosine = 0.5
/** Two frames closer than this (mm) are at one place. */
const samePlaceMm = 0.01

/**
 * The grid of frames that each fill one slice, ordered by position. A stack that is not perpendicular to its slices
 * (gantry tilt) keeps its shear.
 *
 * @throws InputError where frames differ in size, spacing or orientation, where two lie at one place, or one is missing
 */
export function denseStack(frames: readonly Frame[], words: Words): Stack {
  const plane = commonPlane(frames, words)
  const places = placesOf(frames, plane)
  if (frames.length === 1) return stackOf(frames, plane, places, singleStep(frames[0]), words)
  const steps = places.sorted.slice(1).map((mm, n) => mm - places.sorted[n])
  const median = [...steps].sort((a, b) => a - b)[steps.length >> 1]
  const repeated = steps.findIndex((mm) => mm < stepTolerance * median || mm < samePlaceMm)
  if (repeated >= 0) {
    const mm = places.sorted[repeated].toFixed(2)
    throw new InputError(words.subject, `has two ${words.many} at ${mm} mm (${differenceOf(frames)}); ${words.remedy}`)
  }
  const uneven = steps.findIndex((mm) => Math.abs(mm - median) > stepTolerance * median)
  if (uneven >= 0) {
    const where = `after ${uneven + 1} ${words.many}`
    const gap = `${steps[uneven].toFixed(2)} mm apart ${where}, elsewhere ${median.toFixed(2)} mm`
    throw new InputError(words.subject, `its ${words.many} are ${gap}: one is missing or too many; complete the series`)
  }
  return stackOf(frames, plane, places, median, words)
}

/**
 * The grid that spans frames of which several may share a place and places may be missing (a segmentation stores only
 * the slices that hold something). Its step is `SpacingBetweenSlices` where the positions agree with it.
 *
 * @throws InputError as `denseStack` does, and where the positions fit no single step
 */
export function sparseStack(frames: readonly Frame[], words: Words): Stack {
  const plane = commonPlane(frames, words)
  const places = placesOf(frames, plane)
  const distinct = places.sorted.filter((mm, n, all) => n === 0 || mm - all[n - 1] >= samePlaceMm)
  const steps = distinct.slice(1).map((mm, n) => mm - distinct[n])
  const step = steps.length === 0 ? singleStep(frames[0]) : sparseStep(steps, frames[0], words)
  return stackOf(frames, plane, places, step, words)
}

function sparseStep(steps: readonly number[], { spacingBetweenSlices, sliceThickness }: Frame, words: Words): number {
  const least = Math.min(...steps)
  const fits = (step: number) => steps.every((mm) => isMultiple(mm, step))
  const refuse = (why: string): never => {
    throw new InputError(words.subject, `its ${words.many} are ${why}; export it again`)
  }
  const apart = `${least.toFixed(2)} mm apart`
  const thick = `${sliceThickness?.toFixed(2)} mm thick`
  if (spacingBetweenSlices && fits(spacingBetweenSlices)) {
    if (least > 1.5 * spacingBetweenSlices && sliceThickness && isMultiple(least, sliceThickness, 1)) {
      refuse(`${apart} and ${thick}, but have a SpacingBetweenSlices of ${spacingBetweenSlices} mm`)
    }
    return spacingBetweenSlices
  }
  if (sliceThickness && fits(sliceThickness) && !spacingBetweenSlices) {
    // Thin slices far apart, or slices left out between them: only SpacingBetweenSlices could tell.
    if (least > 1.5 * sliceThickness && fits(least)) {
      refuse(`${apart} and ${thick}, and no SpacingBetweenSlices says whether some are left out`)
    }
    if (!fits(least)) return sliceThickness
  }
  if (fits(least)) return least
  return refuse(`${least.toFixed(2)} to ${Math.max(...steps).toFixed(2)} mm apart, not multiples of one step`)
}

function isMultiple(mm: number, step: number, most = Number.POSITIVE_INFINITY): boolean {
  const count = Math.round(mm / step)
  return count >= 1 && count <= most && Math.abs(mm - count * step) <= stepTolerance * step
}

/** One slice has no step of its own; 1 mm where it does not state its thickness, as for any 2-D image. */
function singleStep({ spacingBetweenSlices, sliceThickness }: Frame): number {
  return spacingBetweenSlices ?? sliceThickness ?? 1
}

interface Plane {
  readonly row: Vec3
  readonly column: Vec3
  readonly normal: Vec3
  /** Between rows, then between columns (mm). */
  readonly pixelSpacing: readonly number[]
}

function commonPlane(frames: readonly Frame[], words: Words): Plane {
  const refuse = (fault: string): never => {
    throw new InputError(words.subject, fault)
  }
  const differ = (what: string) => refuse(`its ${words.many} differ in ${what}; ${words.remedy}`)
  const [first] = frames
  const many = frames.length > 1
  const orientation = first.orientation ?? [1, 0, 0, 0, 1, 0]
  const pixelSpacing =
    first.pixelSpacing ?? refuse('does not say how large its pixels are (PixelSpacing); convert it to NIfTI')
  for (const { layout, position, ...frame } of frames) {
    if (many && (!position || !frame.orientation))
      refuse(`its ${words.many} do not say where they lie; ${words.remedy}`)
    if (layout.rows !== first.layout.rows || layout.columns !== first.layout.columns) differ('size')
    if (!frame.pixelSpacing?.every((mm, n) => Math.abs(mm - pixelSpacing[n]) <= 1e-4 * mm)) differ('spacing')
    const same = (cosine: number, n: number) => Math.abs(cosine - orientation[n]) <= cosineTolerance
    if (!(frame.orientation ?? orientation).every(same)) differ('orientation')
  }
  const [row, column] = [vec3((axis) => orientation[axis]), vec3((axis) => orientation[axis + 3])]
  const lengths = [dot(row, row), dot(column, column)].map(Math.sqrt)
  if (
    lengths.some((length) => Math.abs(length - 1) > cosineTolerance) ||
    Math.abs(dot(row, column)) > cosineTolerance
  ) {
    refuse(`has an ImageOrientationPatient of ${orientation.join(', ')}, which is no rotation; export it again`)
  }
  const [u, v] = [scaled(row, 1 / lengths[0]), scaled(column, 1 / lengths[1])]
  return { row: u, column: v, normal: cross(u, v), pixelSpacing }
}

interface Places {
  /** Of each frame, in mm along the normal. */
  readonly mm: readonly number[]
  readonly sorted: readonly number[]
}

function placesOf(frames: readonly Frame[], { normal }: Plane): Places {
  const mm = frames.map(({ position }) => (position ? dot(position, normal) : 0))
  return { mm, sorted: [...mm].sort((a, b) => a - b) }
}

/** The grid from the first to the last place, about `step` mm apart, in RAS+. */
function stackOf(frames: readonly Frame[], plane: Plane, { mm }: Places, step: number, words: Words): Stack {
  const [low, high] = [mm.indexOf(Math.min(...mm)), mm.indexOf(Math.max(...mm))]
  const last = Math.round((mm[high] - mm[low]) / step)
  const first: Vec3 = frames[low].position ?? [0, 0, 0]
  const end: Vec3 = frames[high].position ?? [0, 0, 0]
  const stepVector = last > 0 ? scaled(minus(end, first), 1 / last) : scaled(plane.normal, step)
  const spacing = last > 0 ? Math.hypot(...stepVector) : step
  if (dot(stepVector, plane.normal) < leastShearCosine * spacing) {
    throw new InputError(
      words.subject,
      `its ${words.many} are displaced along themselves, not stacked; export it again`,
    )
  }
  const slices = mm.map((at, n) => {
    const slice = last > 0 ? Math.round(((at - mm[low]) / (mm[high] - mm[low])) * last) : 0
    const off = minus(frames[n].position ?? first, plus(first, scaled(stepVector, slice)))
    if (Math.hypot(...off) > stepTolerance * spacing) {
      throw new InputError(
        words.subject,
        `its ${words.many} are not stacked along a line (one lies ${Math.hypot(...off).toFixed(2)} mm off); ` +
          words.remedy,
      )
    }
    return slice
  })
  const axes = [plane.row, plane.column, scaled(stepVector, 1 / spacing)]
  const { rows, columns } = frames[0].layout
  const grid: Grid = {
    shape: [columns, rows, last + 1],
    // PixelSpacing names the distance of rows first, and that of columns (along i) second.
    spacing: [plane.pixelSpacing[1], plane.pixelSpacing[0], spacing],
    // DICOM's world is LPS; "+ 0" turns −0 into 0.
    origin: [-first[0] + 0, -first[1] + 0, first[2]],
    direction: [0, 1, 2].flatMap((world) =>
      axes.map((axis) => (world < 2 ? -axis[world] : axis[world]) + 0),
    ) as unknown as Mat3,
  }
  return { grid, slices }
}

/** What frames at one place may differ in, by the attribute that says so. */
const differences = [
  ['FrameContentSequence', 'TemporalPositionIndex', 'time points'],
  ['MREchoSequence', 'EffectiveEchoTime', 'echo times'],
  ['MRDiffusionSequence', 'DiffusionBValue', 'b-values'],
  [undefined, 'TemporalPositionIdentifier', 'time points'],
  [undefined, 'EchoTime', 'echo times'],
  [undefined, 'DiffusionBValue', 'b-values'],
  [undefined, 'TriggerTime', 'phases of a cycle'],
  [undefined, 'AcquisitionNumber', 'acquisitions'],
] as const

function differenceOf(frames: readonly Frame[]): string {
  for (const [sequence, keyword, name] of differences) {
    const values = new Set<number>()
    for (const { groups } of frames) {
      for (const group of groups) {
        const value = (sequence ? group.items(sequence)[0] : group)?.number(keyword)
        if (value !== undefined) values.add(value)
      }
    }
    if (values.size > 1) return `${values.size} ${name}`
  }
  return 'several time points?'
}

function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

function cross(u: Vec3, v: Vec3): Vec3 {
  return [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
}

function scaled(a: Vec3, factor: number): Vec3 {
  return vec3((axis) => a[axis] * factor)
}

function plus(a: Vec3, b: Vec3): Vec3 {
  return vec3((axis) => a[axis] + b[axis])
}

function minus(a: Vec3, b: Vec3): Vec3 {
  return plus(a, scaled(b, -1))
}
