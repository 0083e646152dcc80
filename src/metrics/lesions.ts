import { type Box, cropEqual } from '../volume/box.ts'
import { type ComponentRuns, type Connectivity, componentRuns } from '../volume/component-runs.ts'
import { InputError } from '../volume/errors.ts'
import type { Vec3 } from '../volume/grid.ts'
import type { VoxelArray } from '../volume/volume.ts'
import type { GridSize } from './surface-distances.ts'

/** How lesions are found and matched. */
export interface LesionOptions {
  /** Which voxels of a lesion touch: by faces (6), edges too (18), corners too (26); default 26. */
  readonly connectivity?: Connectivity
  /**
   * `iou`, the default: one to one, where the intersection over union exceeds `minIou`, the best pair first. `overlap`:
   * a lesion of the reference is found where the prediction has one of its voxels, and a predicted lesion is false
   * where it has no voxel of the reference.
   */
  readonly matching?: 'iou' | 'overlap'
  /** What the intersection over union of a pair has to exceed; default 0.5, where at most one pair is possible. */
  readonly minIou?: number
}

/** A connected component of a mask. */
export interface Lesion {
  readonly volumeMl: number
  /** Its centre of mass, in voxels of the image from 0. */
  readonly centre: Vec3
}

/** How well the lesions of a prediction are those of the reference. */
export interface LesionScores {
  readonly lesionsPred: number
  readonly lesionsRef: number
  /** Lesions of the reference that were found, predicted ones that are false, and those of the reference missed. */
  readonly tp: number
  readonly fp: number
  readonly fn: number
  /** 2·tp/(2·tp + fp + fn); 1 where neither map has a lesion. */
  readonly f1: number
  /** Recognition quality: the F1 under its name in panoptic segmentation. */
  readonly rq: number
  /** Segmentation quality: the mean intersection over union of the lesions found; null where none is. */
  readonly sq: number | null
  /** Panoptic quality SQ·RQ; 0 where no lesion is found, 1 where neither map has one. */
  readonly pq: number
  /** Lesions of the reference that the prediction lacks, and predicted ones that the reference lacks. */
  readonly missed: readonly Lesion[]
  readonly falseAlarms: readonly Lesion[]
}

/** Throws an InputError unless lesions can be matched like this. */
export function checkLesionOptions({ connectivity = 26, matching = 'iou', minIou = 0.5 }: LesionOptions): void {
  if (![6, 18, 26].includes(connectivity)) throw new InputError('connectivity', `is ${connectivity}; give 6, 18 or 26`)
  if (matching !== 'iou' && matching !== 'overlap') {
    throw new InputError('matching', `is ${String(matching)}; give iou or overlap`)
  }
  if (!(minIou >= 0 && minIou < 1)) throw new InputError('minIou', `is ${minIou}; give a number from 0 to below 1`)
}

/**
 * Scores of the connected components of one label: panoptic quality (Kirillov et al., Panoptic Segmentation, CVPR 2019)
 * and the counts behind it. The box holds the label in both maps; without one it is in neither.
 */
export function lesionScores(
  pred: VoxelArray,
  ref: VoxelArray,
  label: number,
  box: Box | undefined,
  grid: GridSize,
  { connectivity = 26, matching = 'iou', minIou = 0.5 }: LesionOptions,
): LesionScores {
  if (box === undefined) return withoutLesions
  const runsOf = (map: VoxelArray) => componentRuns(cropEqual(map, grid.shape, box, label), box.shape, connectivity)
  const [predicted, reference] = [runsOf(pred), runsOf(ref)]
  const [lesionsPred, lesionsRef] = [predicted.sizes.length, reference.sizes.length]
  const pairs = overlaps(predicted, reference)
  const found = matching === 'iou' ? oneToOne(pairs, minIou) : anyOverlap(pairs)
  const [tp, fp, fn] = [found.refs.size, lesionsPred - found.preds.size, lesionsRef - found.refs.size]
  const f1 = (2 * tp) / (2 * tp + fp + fn)
  const sq = tp === 0 ? null : found.iouSum / tp
  return {
    lesionsPred,
    lesionsRef,
    tp,
    fp,
    fn,
    f1,
    rq: f1,
    sq,
    pq: sq === null ? 0 : sq * f1,
    missed: lesionsBut(found.refs, reference, box, grid),
    falseAlarms: lesionsBut(found.preds, predicted, box, grid),
  }
}

const withoutLesions: LesionScores = {
  ...{ lesionsPred: 0, lesionsRef: 0, tp: 0, fp: 0, fn: 0 },
  ...{ f1: 1, rq: 1, sq: null, pq: 1, missed: [], falseAlarms: [] },
}

/** A predicted and a reference lesion that share voxels. */
interface Pair {
  readonly pred: number
  readonly ref: number
  readonly sizePred: number
  readonly sizeRef: number
  both: number
}

/** All pairs that share voxels, in the order of their first common voxels. */
function overlaps(predicted: ComponentRuns, reference: ComponentRuns): Pair[] {
  const pairs = new Map<number, Pair>()
  let [p, r] = [0, 0]
  while (p < predicted.count && r < reference.count) {
    const both = Math.min(predicted.end[p], reference.end[r]) - Math.max(predicted.start[p], reference.start[r])
    if (both > 0) {
      const [pred, ref] = [predicted.component[p], reference.component[r]]
      const key = pred * reference.sizes.length + ref
      const pair = pairs.get(key)
      if (pair) pair.both += both
      else pairs.set(key, { pred, ref, sizePred: predicted.sizes[pred], sizeRef: reference.sizes[ref], both })
    }
    if (predicted.end[p] < reference.end[r]) p++
    else r++
  }
  return [...pairs.values()]
}

interface Found {
  readonly preds: ReadonlySet<number>
  readonly refs: ReadonlySet<number>
  /** Over the lesions of the reference that were found. */
  readonly iouSum: number
}

/** One partner each, the pair of the largest intersection over union first. */
function oneToOne(pairs: readonly Pair[], minIou: number): Found {
  const [preds, refs] = [new Set<number>(), new Set<number>()]
  let iouSum = 0
  const rated = pairs.map((pair) => ({ ...pair, iou: pair.both / (pair.sizePred + pair.sizeRef - pair.both) }))
  for (const { pred, ref, iou } of rated.sort((a, b) => b.iou - a.iou || a.ref - b.ref || a.pred - b.pred)) {
    if (iou <= minIou || preds.has(pred) || refs.has(ref)) continue
    preds.add(pred)
    refs.add(ref)
    iouSum += iou
  }
  return { preds, refs, iouSum }
}

/** Each lesion of the reference against all predicted ones that have a voxel of it, taken together. */
function anyOverlap(pairs: readonly Pair[]): Found {
  const perRef = new Map<number, { both: number; union: number }>()
  for (const { ref, sizePred, sizeRef, both } of pairs) {
    const sums = perRef.get(ref) ?? { both: 0, union: sizeRef }
    perRef.set(ref, { both: sums.both + both, union: sums.union + sizePred - both })
  }
  let iouSum = 0
  for (const { both, union } of perRef.values()) iouSum += both / union
  return { preds: new Set(pairs.map(({ pred }) => pred)), refs: new Set(perRef.keys()), iouSum }
}

/** The lesions that are not among those found. */
function lesionsBut(found: ReadonlySet<number>, runs: ComponentRuns, box: Box, { spacing }: GridSize): Lesion[] {
  const [nx, ny] = box.shape
  const sums = runs.sizes.map(() => [0, 0, 0])
  for (let run = 0; run < runs.count; run++) {
    const voxels = runs.end[run] - runs.start[run]
    const row = Math.floor(runs.start[run] / nx)
    const k = Math.floor(row / ny)
    const sum = sums[runs.component[run]]
    sum[0] += voxels * (runs.start[run] - row * nx + (voxels - 1) / 2)
    sum[1] += voxels * (row - k * ny)
    sum[2] += voxels * k
  }
  const voxelMl = (spacing[0] * spacing[1] * spacing[2]) / 1000
  return runs.sizes.flatMap((voxels, lesion) => {
    if (found.has(lesion)) return []
    const [i, j, k] = sums[lesion].map((sum, axis) => box.start[axis] + sum / voxels)
    return [{ volumeMl: voxels * voxelMl, centre: [i, j, k] as const }]
  })
}
