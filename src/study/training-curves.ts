import { join } from 'node:path'
import type { EpochLog, Validation } from '../network/train.ts'
import type { Vec3 } from '../volume/grid.ts'
import { parseLog, readCellFile } from './cell-file.ts'
import type { StudyLoss } from './config.ts'
import type { StudyPlan } from './plan.ts'

/** How one network learned. */
export interface TrainingCurve {
  readonly group: string
  readonly organs: readonly string[]
  readonly sigmaMm: Vec3
  readonly loss: StudyLoss
  readonly fold: number
  readonly epochs: readonly Pick<EpochLog, 'step' | 'loss' | keyof Validation>[]
}

/** The logs of a finished study. */
export async function readCurves(plan: StudyPlan, folder: string): Promise<TrainingCurve[]> {
  const curves: TrainingCurve[] = []
  for (const { path, group, organs, sigmaMm, work } of plan.cells) {
    if (work.kind !== 'training') continue
    const epochs = await readCellFile(join(folder, path, 'log.jsonl'), parseLog<EpochLog>)
    curves.push({
      group,
      organs: organs.map(({ name }) => name),
      sigmaMm,
      loss: work.loss,
      fold: work.fold,
      epochs,
    })
  }
  return curves
}
