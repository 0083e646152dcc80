import { type Box, GrowingBox } from '../volume/box.ts'
import { checkShapeAndSpacing, checkVoxels } from '../volume/checks.ts'
import { constantRange } from '../volume/runs.ts'
import type { VoxelArray } from '../volume/volume.ts'
import { checkLesionOptions, type LesionOptions, type LesionScores, lesionScores } from './lesions.ts'
import { diceOf, iouOf, precisionOf, recallOf } from './overlap.ts'
import { bitsOf } from './surface/bit-grid.ts'
import {
  checkSurfaceOptions,
  type GridSize,
  type SurfaceDistances,
  type SurfaceOptions,
  surfaceDistancesInBox,
  withoutSurface,
} from './surface-distances.ts'

/** How well one label of a prediction agrees with the reference. */
export interface LabelScores extends SurfaceDistances {
  readonly label: number
  /** 1 where the label is in neither, 0 where it is in one only. */
  readonly dice: number
  readonly iou: number
  /** The share of the prediction that is in the reference; 1 where the label is in neither, 0 where in one only. */
  readonly precision: number
  /** The share of the reference that the prediction has; 1 where the label is in neither, 0 where in one only. */
  readonly recall: number
  readonly voxelsPred: number
  readonly voxelsRef: number
  readonly volumePredMl: number
  readonly volumeRefMl: number
  /** Prediction minus reference. */
  readonly volumeDifferenceMl: number
  /** The same over the reference's volume; null where that is 0. */
  readonly relativeVolumeDifference: number | null
  /** Where they were asked for. */
  readonly lesions?: LesionScores
}

/** Options of `evaluateLabels`. */
export interface EvaluateOptions extends SurfaceOptions {
  /** Labels to score; by default all that occur in either map, but 0. */
  readonly labels?: readonly number[]
  /** Whether to measure surface distances; default true. Without, they are null, and there is no `nsd`. */
  readonly surfaces?: boolean
  /** How to find and match lesions (connected components); by default they are not looked for. */
  readonly lesions?: LesionOptions | undefined
}

/**
 * Scores every label of a predicted label map against a reference on the same grid: one sweep counts and boxes all
 * labels, then surface distances are measured in each label's box. Conventions are those of `dice`, `iou` and
 * `surfaceDistances`. Voxels where the reference is negative were not annotated and count in nothing, as in
 * nnUNetv2_evaluate_folder: masks end there as they end at the image's edge.
 *
 * @param pred Label values, whole numbers, as many as the grid has voxels. So `ref`.
 * @returns One entry a label, in ascending order (or in the order of `options.labels`).
 * @throws InputError where a map has not as many voxels as the grid, or an option cannot be.
 * @example
 * const grid = createGrid([4, 1, 1], [2, 1, 1])
 * const [first] = evaluateLabels(new Uint8Array([1, 1, 2, 0]), new Uint8Array([1, 2, 2, 0]), grid)
 * first.dice // 2/3
 * first.volumePredMl // 0.004
 */
export function evaluateLabels(
  pred: VoxelArray,
  ref: VoxelArray,
  grid: GridSize,
  options: EvaluateOptions = {},
): LabelScores[] {
  checkShapeAndSpacing(grid)
  const [nx, ny, nz] = grid.shape
  const voxels = nx * ny * nz
  checkVoxels(pred, 'prediction', voxels)
  checkVoxels(ref, 'reference', voxels)
  checkSurfaceOptions(options)
  checkLesionOptions(options.lesions ?? {})
  const annotated = hasNegative(ref) ? leaveOut(pred, ref) : pred
  const tallies = tally(annotated, ref, grid)
  const labels = options.labels ?? [...tallies.keys()].filter((label) => label > 0).sort((a, b) => a - b)
  const voxelMm3 = grid.spacing[0] * grid.spacing[1] * grid.spacing[2]
  return labels.map((label) => {
    const counts = tallies.get(label) ?? newTally()
    const { voxelsA, voxelsB } = counts
    const box = counts.box.box()
    const { lesions } = options
    const surfaces =
      options.surfaces === false
        ? withoutSurface(0, { tolerancesMm: [] })
        : voxelsA > 0 && voxelsB > 0 && box !== undefined
          ? surfacesInBox(annotated, ref, label, box, grid, options)
          : withoutSurface(diceOf(counts), options)
    return {
      label,
      dice: diceOf(counts),
      iou: iouOf(counts),
      precision: precisionOf(counts),
      recall: recallOf(counts),
      voxelsPred: voxelsA,
      voxelsRef: voxelsB,
      volumePredMl: (voxelsA * voxelMm3) / 1000,
      volumeRefMl: (voxelsB * voxelMm3) / 1000,
      volumeDifferenceMl: ((voxelsA - voxelsB) * voxelMm3) / 1000,
      relativeVolumeDifference: voxelsB === 0 ? null : (voxelsA - voxelsB) / voxelsB,
      ...surfaces,
      ...(lesions && { lesions: lesionScores(annotated, ref, label, box, grid, lesions) }),
    }
  })
}

function surfacesInBox(
  pred: VoxelArray,
  ref: VoxelArray,
  label: number,
  box: Box,
  grid: GridSize,
  options: SurfaceOptions,
): SurfaceDistances {
  const [a, b] = [pred, ref].map((map) => bitsOf(map, grid.shape, box, label))
  return surfaceDistancesInBox(a, b, grid, options)
}

function hasNegative(ref: VoxelArray): boolean {
  if (ref instanceof Uint8Array || ref instanceof Uint16Array || ref instanceof Uint32Array) return false
  for (let i = 0; i < ref.length; i++) if (ref[i] < 0) return true
  return false
}

/** The prediction with the reference's negative numbers where it has some. */
function leaveOut(pred: VoxelArray, ref: VoxelArray): VoxelArray {
  const annotated = Int32Array.from(pred)
  for (let i = 0; i < ref.length; i++) if (ref[i] < 0) annotated[i] = ref[i]
  return annotated
}

interface Tally {
  voxelsA: number
  voxelsB: number
  voxelsBoth: number
  readonly box: GrowingBox
}

function newTally(): Tally {
  return { voxelsA: 0, voxelsB: 0, voxelsBoth: 0, box: new GrowingBox() }
}

/** Counts and boxes of all labels, run by run: rows hold few runs of equal pairs. */
function tally(pred: VoxelArray, ref: VoxelArray, grid: GridSize): Map<number, Tally> {
  const [nx, ny, nz] = grid.shape
  const tallies = new Map<number, Tally>()
  const of = (label: number): Tally => {
    let entry = tallies.get(label)
    if (entry === undefined) {
      entry = newTally()
      tallies.set(label, entry)
    }
    return entry
  }
  const background = of(0)
  const [emptyPred, emptyRef] = [constantRange(pred, 0), constantRange(ref, 0)]
  for (let k = 0, row = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++, row += nx) {
      if (emptyPred(row, row + nx) && emptyRef(row, row + nx)) {
        background.voxelsA += nx
        background.voxelsB += nx
        background.voxelsBoth += nx
        background.box.addRun(0, nx - 1, j, k)
        continue
      }
      for (let i = 0; i < nx; ) {
        const start = i
        const p = pred[row + i]
        const r = ref[row + i]
        do i++
        while (i < nx && pred[row + i] === p && ref[row + i] === r)
        const a = of(p)
        a.voxelsA += i - start
        a.box.addRun(start, i - 1, j, k)
        const b = of(r)
        b.voxelsB += i - start
        b.box.addRun(start, i - 1, j, k)
        if (p === r) a.voxelsBoth += i - start
      }
    }
  }
  return tallies
}
