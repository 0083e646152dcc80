import { evaluateLabels } from '../metrics/evaluate-labels.ts'
import { type Box, boxOfLabel, cropEqual, growBox } from '../volume/box.ts'
import { type Grid, type Vec3, vec3, voxelVolumeMm3, worldPosition } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { checkMaps } from './consensus.ts'
import { type Displacements, displacements } from './displacements.ts'
import { middleMask } from './middle-mask.ts'

/** How two annotators' masks of a label agree. Annotators are numbers from 0. */
export interface PairAgreement {
  readonly a: number
  readonly b: number
  readonly dice: number
  /** As `surfaceDistances` has it, mm; null where a mask is empty. */
  readonly hd95Mm: number | null
}

/** What the fit keeps of one label of one case: far less than the masks themselves. */
export interface CaseObservation {
  readonly case: string
  readonly annotators: number
  /** The annotators who drew the label. */
  readonly present: readonly number[]
  /** Volumes of those who drew it, ml. */
  readonly volumesMl: readonly number[]
  readonly pairs: readonly PairAgreement[]
  /** The outlines; absent where they cannot be compared, which `reason` explains. */
  readonly outlines?: Outlines
  readonly reason?: string
}

/** The outlines of a label, in the part of the grid around it. */
export interface Outlines {
  readonly grid: Grid
  /** The mask between those of the annotators. */
  readonly middle: Uint8Array
  readonly measured: Displacements
}

/**
 * Takes from several annotators' maps of one case what the fit of a label needs (`fitAnnotators`; docs/annotators.md,
 * "Fit"): their agreement, and how far their outlines lie apart.
 *
 * @param name of the case, for messages and for the bootstrap over cases
 * @param maps one for each annotator, on the same grid; a map without the label is of an annotator who did not draw it
 * @throws InputError for fewer than 2 maps or more than 20, and for maps of other sizes than the grid
 * @example
 * const grid = createGrid([8, 8, 1])
 * const square = (from: number) => Uint8Array.from({ length: 64 }, (_, i) => Number(i % 8 >= from && i % 8 < 7))
 * observeAnnotators('case', [square(2), square(3)], grid, 1).pairs[0].dice // 2·32/(40 + 32)
 */
export function observeAnnotators(
  name: string,
  maps: readonly LabelArray[],
  grid: Grid,
  label: number,
): CaseObservation {
  checkMaps(maps)
  const box = boxAround(maps, grid, label)
  const annotators = maps.length
  if (!box) return { case: name, annotators, present: [], volumesMl: [], pairs: [], reason: 'nobody drew it' }
  const part: Grid = { ...grid, shape: box.shape, origin: worldPosition(grid, box.start) }
  const all = maps.map((map) => cropEqual(map, grid.shape, box, label))
  const present = [...all.keys()].filter((r) => all[r].includes(1))
  const masks = present.map((r) => all[r])
  const ml = voxelVolumeMm3(grid) / 1000
  const observation = {
    case: name,
    annotators,
    present,
    volumesMl: masks.map((mask) => mask.reduce((sum, v) => sum + v, 0) * ml),
    pairs: agreements(masks, part).map((pair) => ({ ...pair, a: present[pair.a], b: present[pair.b] })),
  }
  if (masks.length < 2) return { ...observation, reason: 'only one annotator drew it' }
  const middle = middleMask(masks, part)
  if (!middle) return { ...observation, reason: 'no voxel is in more than half of the masks' }
  const measured = displacements(middle, masks, part)
  if (measured.points.length < 3 * fewestPoints) {
    return { ...observation, reason: `its outline has fewer than ${fewestPoints} points within the image` }
  }
  return { ...observation, outlines: { grid: part, middle, measured } }
}

/** Of fewer points no covariance can be told. */
const fewestPoints = 6

/** Dice and HD95 of each pair of masks; pairs are numbered as the masks are. */
export function agreements(masks: readonly Uint8Array[], grid: Grid): PairAgreement[] {
  return masks.flatMap((mask, a) =>
    masks.slice(a + 1).map((other, i) => {
      const [{ dice, hd95Mm }] = evaluateLabels(other, mask, grid, { labels: [1] })
      return { a, b: a + 1 + i, dice, hd95Mm }
    }),
  )
}

/**
 * The box around all masks of a label, with as much room as the annotators themselves differ by: simulated ones must
 * find it too.
 */
function boxAround(maps: readonly LabelArray[], grid: Grid, label: number): Box | undefined {
  const own = maps.flatMap((map) => boxOfLabel(map, grid.shape, label) ?? [])
  if (own.length === 0) return undefined
  const ends = (axis: number) => own.map(({ start, shape }) => start[axis] + shape[axis])
  const low = vec3((axis) => Math.min(...own.map(({ start }) => start[axis])))
  const high = vec3((axis) => Math.max(...ends(axis)))
  const spread = (axis: number) =>
    Math.max(Math.max(...own.map(({ start }) => start[axis])) - low[axis], high[axis] - Math.min(...ends(axis)))
  const margin: Vec3 = vec3((axis) => Math.min(spread(axis), Math.ceil(0.5 * (high[axis] - low[axis]))) + 4)
  return growBox({ start: low, shape: vec3((axis) => high[axis] - low[axis]) }, margin, grid)
}
