import { datasetJsonBeside } from '../../datasets/dataset-json.ts'
import { isFolder } from '../../datasets/image-folder.ts'
import { readVolume } from '../../formats/volume-file.ts'
import { type ScoredMasks, scoredMasks } from '../../metrics/case-masks.ts'
import type { Grid } from '../../volume/grid.ts'
import { voxelCount } from '../../volume/grid.ts'
import type { Volume } from '../../volume/volume.ts'
import { fileOf } from '../case-file.ts'
import type { EvaluateFilesOptions } from './evaluate-files.ts'
import type { LabelScore } from './metrics.ts'

/** The files of a case, as `CohortCase` names them. */
export interface ScoredFiles {
  readonly prediction: string
  readonly reference: string
}

/**
 * The masks of one label of a case that `evaluateCohort` scored. Both files are read once more.
 *
 * @param index which of the labels it is
 * @throws InputError where a file is gone or damaged
 */
export async function masksOfFiles(
  { prediction, reference }: ScoredFiles,
  score: LabelScore,
  index: number,
  options: EvaluateFilesOptions,
): Promise<ScoredMasks> {
  const organs = [prediction, reference].map((path) => organFile(path, score.label))
  if (organs.some((path) => path !== undefined)) {
    const [own, truth] = await Promise.all(organs.map((path) => path && readVolume(path)))
    const grid = (own || truth || undefined)?.grid as Grid
    const masks = [own || emptyOn(grid), truth || emptyOn(grid)] as const
    const labels = [{ name: score.label, labels: [1] }]
    return scoredMasks(masks[0], masks[1], { ...score, labels: [1] }, 0, { ...options, labels })
  }
  const ignore = datasetJsonBeside(reference)?.ignore ?? datasetJsonBeside(prediction)?.ignore
  const numbers = score.label.split('+').map(Number)
  const own = await readVolume(prediction)
  const all = { ...options, ignore, names: { prediction, reference } }
  // Several maps come with the names of their labels, in their order.
  return scoredMasks(own, await readVolume(reference), { ...score, labels: numbers }, own.channels > 1 ? index : 0, all)
}

/** The mask of an organ, where a case is a folder with one each. */
function organFile(path: string, organ: string): string | undefined {
  return isFolder(path) ? fileOf(path, [organ]) : undefined
}

function emptyOn(grid: Grid): Volume {
  return { grid, channels: 1, data: new Uint8Array(voxelCount(grid)) }
}
