import { datasetJsonBeside } from '../../datasets/dataset-json.ts'
import { type NoiseFile, noiseOfLabels } from '../../datasets/noise-file.ts'
import { annotatorCeiling } from '../../decision/annotator-ceiling.ts'
import { readVolume } from '../../formats/volume-file.ts'
import {
  type CaseScore,
  type CeilingOf,
  type EvaluateCaseOptions,
  type Evaluation,
  evaluateCase,
} from '../../metrics/evaluate-case.ts'
import type { NoiseModel } from '../../noise/model.ts'
import { InputError } from '../../volume/errors.ts'
import { voxelCount } from '../../volume/grid.ts'
import type { Volume } from '../../volume/volume.ts'

/** Options of `evaluateFiles`. */
export interface EvaluateFilesOptions extends Omit<EvaluateCaseOptions, 'names' | 'ignore' | 'ceilingOf'> {
  /** The noise of annotators, whose ceiling is told beside the scores. */
  readonly noise?: NoiseFile | undefined
}

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
  const { noise, ...scoring } = options
  const without: string[] = []
  const ceilingOf: CeilingOf = (labels, value, mask, own, grid) => {
    const model = noise && noiseOf(noise, labels)
    if (typeof model === 'string') without.push(model)
    else return model && annotatorCeiling(mask, own, grid, value, model)
  }
  const found = evaluateCase(predicted ?? emptyAs(truth), truth, { ...scoring, ignore, names, ceilingOf })
  return { ...found, notes: [...found.notes, ...without] }
}

/** The noise by which labels move, or why there is none: then they are scored without a ceiling. */
function noiseOf(file: NoiseFile, labels: readonly number[]): NoiseModel | string {
  try {
    return noiseOfLabels(file, labels)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return `${error.message}; scored without a ceiling`
  }
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
  const { noise } = options
  if (noise !== undefined && noise.byLabel.size > 1) {
    throw new InputError(
      noise.path,
      'has a noise for each label, and masks with a file each have none; give a fit of one',
    )
  }
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
