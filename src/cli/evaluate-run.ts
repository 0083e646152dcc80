import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { patientRule } from '../datasets/dataset.ts'
import { several } from '../datasets/image-folder.ts'
import { findLabelCases, type LabelCase } from '../datasets/label-cases.ts'
import { patientOf } from '../datasets/nnunet.ts'
import { readNoiseFile } from '../datasets/noise-file.ts'
import { writeTextAtomically } from '../formats/atomic-write.ts'
import { createFolder } from '../formats/output-folder.ts'
import { cohortCsv } from '../maps/evaluate/cohort-csv.ts'
import { type CohortEvaluation, evaluateCohort } from '../maps/evaluate/evaluate-cohort.ts'
import { type EvaluateFilesOptions, evaluateFiles } from '../maps/evaluate/evaluate-files.ts'
import { nnunetSummary } from '../maps/evaluate/nnunet-summary.ts'
import { compareCohorts } from '../maps/evaluate/versus.ts'
import type { DistanceConvention } from '../metrics/surface-distances.ts'
import { pageFile } from '../report/page-file.ts'
import { InputError, RunError } from '../volume/errors.ts'
import { type LabelNames, namesOf, parseLabels } from '../volume/label-names.ts'
import { cohortJson, scoreJson } from './evaluate-json.ts'
import { describeCase, describeCohort } from './evaluate-table.ts'
import { readLabelNamesFor } from './labels.ts'
import type { JsonOption, PresenceOption } from './options.ts'
import { checkOutputFile, protect } from './outputs.ts'
import { printResult, tell, warn } from './print.ts'
import { startProgress } from './progress.ts'
import { version } from './version.ts'

/** Options of `halfdice evaluate`. */
export interface EvaluateCommandOptions extends JsonOption, PresenceOption {
  readonly labels?: readonly string[]
  readonly at: number | 'auto'
  readonly scale?: number
  readonly references?: readonly string[]
  readonly suffix?: string
  readonly patients?: string
  readonly missing: 'skip' | 'empty'
  readonly distances: DistanceConvention
  readonly tolerance?: readonly number[]
  readonly lesions?: 'iou' | 'overlap'
  readonly connectivity: '6' | '18' | '26'
  readonly minIou: number
  readonly versus?: string
  readonly margin: number
  readonly noise?: string
  readonly csv?: string
  readonly report?: string
  readonly images?: string
  readonly summary?: string
  readonly threads: number
}

/** The last of the paths, or `--references`, is the reference. */
export async function runEvaluate(paths: readonly string[], options: EvaluateCommandOptions): Promise<void> {
  const { references: given, suffix } = options
  const [predicted, truth] = given === undefined ? [paths.slice(0, -1), paths.slice(-1)] : [paths, given]
  if (predicted.length === 0) {
    throw new InputError('evaluate', "needs a prediction and a reference; see 'halfdice evaluate --help'")
  }
  const [predictions, references] = [
    await findLabelCases(predicted, { suffix }),
    await findLabelCases(truth, { suffix }),
  ]
  for (const warning of [...predictions.warnings, ...references.warnings]) warn(warning)
  const [prediction, reference] = [predictions, references].map(({ cases }) => cases[0].input)
  const twoFiles = predicted.join() === prediction && truth.join() === reference
  const { versus, csv, summary, report, images } = options
  if (images !== undefined && report === undefined) {
    throw new InputError('--images', 'is for the pictures of a report; add --report FILE.html')
  }
  const forCohorts = [versus, csv, summary, report].some((each) => each !== undefined)
  if (twoFiles && !forCohorts) return runFiles(prediction, reference, options)
  return runCohort(predictions.cases, references.cases, options, [predicted.join(' '), truth.join(' ')])
}

async function runFiles(prediction: string, reference: string, options: EvaluateCommandOptions): Promise<void> {
  const names = await readLabelNamesFor(reference, 'refuse')
  const { scores, notes } = await evaluateFiles(prediction, reference, scoring(options, names))
  for (const note of notes) warn(note)
  for (const { labels, voxelsPred, voxelsRef } of scores) {
    if (voxelsPred + voxelsRef === 0) warn(`label ${labels.join('+')} is in neither map; check the label`)
  }
  const rows = scores.map(({ labels, ...score }) => {
    const name = names.of(...labels)
    return { label: labels.join('+'), ...(name !== undefined && { name }), ...score }
  })
  const result = { prediction, reference, labels: Object.fromEntries(rows.map((row) => [row.label, scoreJson(row)])) }
  printResult(options.json, result, () => describeCase(rows, prediction, reference))
}

async function runCohort(
  predictions: readonly LabelCase[],
  references: readonly LabelCase[],
  options: EvaluateCommandOptions,
  [predictedPath, truthPath]: readonly [string, string],
): Promise<void> {
  const { versus, csv, summary, suffix, margin, report, images } = options
  const others = versus === undefined ? undefined : await findLabelCases([versus], { suffix })
  for (const warning of others?.warnings ?? []) warn(warning)
  if (report !== undefined) pageFile(report)
  const outputs = [csv, summary, report].filter((path) => path !== undefined)
  protect([...predictions, ...references, ...(others?.cases ?? [])].flatMap(filesOf))
  for (const path of outputs) checkOutputFile(path, [])
  const names = await namesFor([...references, ...predictions])
  const rule = patientRule(options.patients, patientOf)
  const settings = {
    ...scoring(options, names),
    nameOf: (labels: readonly number[]) => names.of(...labels),
    patientOf: rule,
    missing: options.missing,
    threads: options.threads,
  }
  const progress = startProgress('evaluating', references.length * (others ? 2 : 1))
  let done = 0
  const evaluated = (cases: readonly LabelCase[]) =>
    evaluateCohort(cases, references, { ...settings, onCase: () => progress.update(++done) })
  let first: CohortEvaluation
  let second: CohortEvaluation | undefined
  try {
    first = await evaluated(predictions)
    second = others && (await evaluated(others.cases))
  } finally {
    progress.end()
  }
  tellOf(first, options.missing)
  if (second !== undefined) tellOf(second, options.missing, versus)
  const compared = second && compareCohorts(first, second, margin)
  for (const path of outputs) await createFolder(dirname(path))
  if (csv !== undefined) await writeTextAtomically(csv, cohortCsv(first))
  if (summary !== undefined) await writeTextAtomically(summary, nnunetSummary(first))
  if (report !== undefined && first.cases.length > 0) {
    // Loaded only when it is asked for.
    const { writeEvaluationReport } = await import('../report/evaluate/write.ts')
    const warnings = await writeEvaluationReport({
      report,
      evaluation: first,
      versus: second && compared && { path: versus ?? '', evaluation: second, compared },
      predictions: predictedPath,
      references: truthPath,
      images,
      scoring: scoring(options, names),
      missing: options.missing,
      version: version(),
    })
    for (const warning of warnings) warn(warning)
  }
  if (first.cases.length > 0) {
    const json = { ...cohortJson(first, options, second, compared), ...(report !== undefined && { report }) }
    printResult(options.json, json, () =>
      [
        describeCohort(first, options, compared && { path: versus ?? '', compared }),
        ...(report === undefined ? [] : ['', `${report}: open it in a browser`]),
      ].join('\n'),
    )
  }
  const failures = [...first.failures, ...(second?.failures ?? [])]
  if (failures.length === 0) return
  const all = failures.length + first.cases.length + (second?.cases.length ?? 0)
  const bad = failures.length === 1 ? '1 case' : `${failures.length} cases`
  throw new RunError('evaluate', `${bad} of ${all} failed${failures.length < all ? '; the others are scored' : ''}`)
}

/** What scores are to be made, in the library's words. */
function scoring(options: EvaluateCommandOptions, names: LabelNames): EvaluateFilesOptions {
  const { labels, at, scale, presence, distances, tolerance, lesions, connectivity, minIou, noise } = options
  return {
    ...(noise !== undefined && { noise: readNoiseFile(noise) }),
    labels: labels && parseLabels(labels, names),
    at,
    scale,
    presence,
    distances,
    tolerancesMm: tolerance,
    ...(lesions && { lesions: { matching: lesions, connectivity: Number(connectivity) as 6 | 18 | 26, minIou } }),
  }
}

/** Names of the labels of all cases: of organs with files of their own, or as the first file's data set has them. */
async function namesFor(cases: readonly LabelCase[]): Promise<LabelNames> {
  const organs = [...new Set(cases.flatMap(({ organs }) => [...(organs?.keys() ?? [])]))].sort()
  if (organs.length > 0) return namesOf(new Map(organs.map((organ, i) => [organ, [i + 1]])))
  return readLabelNamesFor(cases[0].input, 'refuse')
}

function filesOf({ input, organs }: LabelCase): string[] {
  if (organs !== undefined) return [...organs.values()]
  return statSync(input, { throwIfNoEntry: false })?.isDirectory() ? [] : [input]
}

/** What a user must know of how cases were paired and read; a line each. */
function tellOf(found: CohortEvaluation, rule: 'skip' | 'empty', whose?: string): void {
  const of = whose === undefined ? '' : ` of ${whose}`
  for (const note of found.notes) warn(note)
  const cases = (n: number) => (n === 1 ? '1 case' : `${n} cases`)
  const listed = (all: readonly LabelCase[]) => several(all.map(({ name }) => name))
  const { missing, unpaired, failures } = found
  if (missing.length > 0) {
    const what = rule === 'skip' ? 'left out (--missing empty scores it as empty)' : 'scored as empty'
    warn(`no prediction${of} for ${cases(missing.length)}: ${listed(missing)}; ${what}`)
  }
  if (unpaired.length > 0) warn(`no reference for ${cases(unpaired.length)}${of}: ${listed(unpaired)}; not scored`)
  for (const { label, name, absent } of found.summary) {
    if (absent === found.cases.length) warn(`label ${name ?? label} is in no map; check the label`)
  }
  for (const { error } of failures) tell(error.message)
}
