import { datasetJsonBeside } from '../../datasets/dataset-json.ts'
import { readVolume } from '../../formats/volume-file.ts'
import { type CaseScore, type EvaluateCaseOptions, type Evaluation, evaluateCase } from '../../metrics/evaluate-case.ts'
import { voxelCount } from '../../volume/grid.ts'
import type { Volume } from '../../volume/volume.ts'

/** Options of `evaluateFiles`. */
export type EvaluateFilesOptions = Omit<EvaluateCaseOptions, 'names' | 'ignore'>

/**
 * `evaluateCase` of two files. The label `ignore` is that of the `dataset.json` beside the reference, or else beside
 * the prediction. Where one file is undefined, its label map is empty, and as large as the other.
 *
 * @throws InputError as `evaluateCase` does, and where such a `dataset.json` is damaged
 */
export async function evaluateFiles(
  prediction: string | undefined,
  reference: string | undefined,
  options: EvaluateFilesOptions,
): Promise<Evaluation> {
  const ignoredBy = (path: string | undefined) => (path === undefined ? undefined : datasetJsonBeside(path)?.ignore)
  const ignore = ignoredBy(reference) ?? ignoredBy(prediction)
  const names = { prediction: prediction ?? 'the missing prediction', reference: reference ?? 'the missing reference' }
  const predicted = prediction === undefined ? undefined : await readVolume(prediction)
  const truth = reference === undefined ? emptyAs(predicted) : await readVolume(reference)
  return evaluateCase(predicted ?? emptyAs(truth), truth, { ...options, ignore, names })
}

/** An organ's two masks; an organ without a file is not there. */
export interface OrganFiles {
  readonly name: string
  readonly prediction?: string | undefined
  readonly reference?: string | undefined
}

/**
 * `evaluateFiles` of one organ after the other, each a mask of its own (organs may overlap).
 *
 * @returns scores in the order of the organs, each with its place among them as its label, from 1
 * @throws InputError as `evaluateFiles` does
 */
export async function evaluateOrgans(
  organs: readonly OrganFiles[],
  options: EvaluateFilesOptions,
): Promise<Evaluation> {
  const scores: CaseScore[] = []
  const notes: string[] = []
  let voxels = 0
  for (const [i, { name, prediction, reference }] of organs.entries()) {
    const found = await evaluateFiles(prediction, reference, { ...options, labels: [{ name, labels: [1] }] })
    scores.push(...found.scores.map((score) => ({ ...score, labels: [i + 1] })))
    notes.push(...found.notes)
    voxels = found.voxels
  }
  return { scores, notes, voxels }
}

function emptyAs(volume: Volume | undefined): Volume {
  if (volume === undefined) throw new Error('a comparison of nothing with nothing')
  const { grid } = volume
  return { grid, channels: 1, data: new Uint8Array(voxelCount(grid)) }
}
