import { datasetJsonBeside } from '../datasets/dataset-json.ts'
import { readVolume } from '../formats/volume-file.ts'
import { type EvaluateCaseOptions, type Evaluation, evaluateCase } from '../metrics/evaluate-case.ts'

/**
 * `evaluateCase` of two files. The label `ignore` is that of the `dataset.json` beside the reference, or else beside
 * the prediction.
 *
 * @throws InputError as `evaluateCase` does, and where such a `dataset.json` is damaged
 */
export async function evaluateFiles(
  prediction: string,
  reference: string,
  options: Omit<EvaluateCaseOptions, 'names' | 'ignore'>,
): Promise<Evaluation> {
  const ignore = datasetJsonBeside(reference)?.ignore ?? datasetJsonBeside(prediction)?.ignore
  const names = { prediction, reference }
  return evaluateCase(await readVolume(prediction), await readVolume(reference), { ...options, ignore, names })
}
