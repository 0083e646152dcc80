import { type Calibration, calibration } from '../metrics/calibration.ts'
import { sigmaText } from '../noise/noise-seed.ts'
import type { Grid } from '../volume/grid.ts'
import { neighbourhood } from './neighbourhood.ts'
import type { Cell, PlannedCase } from './plan.ts'
import type { CaseScore } from './score-case.ts'
import { csv, type ScoreRow } from './score-table.ts'

const binCount = 15

/** All of a row that does not depend on how the map is cut. */
export type Measured = Omit<
  ScoreRow,
  'method' | 'threshold' | 'dice_noisy' | 'dice_clean' | 'volume_ratio' | 'soft_dice'
>

/** Collects a cell's rows, and its calibration pooled over cases. */
export class Sheet {
  readonly rows: ScoreRow[] = []
  readonly #cell: Cell
  readonly #pools: { voxels: number; probability: number; frequency: number }[][]

  constructor(cell: Cell) {
    this.#cell = cell
    this.#pools = cell.organs.map(() =>
      Array.from({ length: binCount }, () => ({ voxels: 0, probability: 0, frequency: 0 })),
    )
  }

  /** What is said of a map whatever the cut: its case, and how it agrees with the noisy label. */
  measure(
    organ: number,
    one: PlannedCase,
    loss: string,
    m: Float32Array,
    clean: Uint8Array,
    noisy: Uint8Array,
    grid: Grid,
  ): Measured {
    const { sigmaMm, lengthMm, replicate, organs } = this.#cell
    const near = neighbourhood(clean, grid, this.#cell)
    const measured = calibration(
      Float32Array.from(near, (at) => m[at]),
      Uint8Array.from(near, (at) => noisy[at]),
      binCount,
    )
    this.#pool(organ, measured)
    return {
      organ: organs[organ].name,
      sigma_mm: sigmaText(sigmaMm),
      length_mm: lengthMm,
      fold: one.fold,
      replicate,
      loss,
      case: one.id,
      patient: one.patient,
      ece: measured.ece,
      brier: measured.brier,
      nll: measured.nll,
    }
  }

  add(measured: Measured, scores: readonly CaseScore[]): void {
    for (const { method, threshold, softDice, diceNoisy, diceClean, volumeRatio } of scores) {
      this.rows.push({
        ...measured,
        method,
        threshold,
        dice_noisy: diceNoisy,
        dice_clean: diceClean,
        volume_ratio: volumeRatio,
        soft_dice: softDice,
      })
    }
  }

  /** Reliability of the cell's maps: voxels of all cases by predicted probability. */
  calibrationCsv(): string {
    const { organs, sigmaMm } = this.#cell
    const rows = this.#pools.flatMap((bins, k) =>
      bins.map(({ voxels, probability, frequency }, bin) => ({
        organ: organs[k].name,
        sigma_mm: sigmaText(sigmaMm),
        bin,
        voxels,
        probability_sum: probability,
        label_voxels: frequency,
      })),
    )
    return csv(['organ', 'sigma_mm', 'bin', 'voxels', 'probability_sum', 'label_voxels'], rows)
  }

  #pool(organ: number, { bins }: Calibration): void {
    for (const [b, { voxels, meanProbability, frequency }] of bins.entries()) {
      const pool = this.#pools[organ][b]
      pool.voxels += voxels
      pool.probability += voxels * (meanProbability ?? 0)
      pool.frequency += Math.round(voxels * (frequency ?? 0))
    }
  }
}
