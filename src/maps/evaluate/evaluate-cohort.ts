import type { LabelCase } from '../../datasets/label-cases.ts'
import { overCases } from '../../datasets/over-cases.ts'
import type { Evaluation } from '../../metrics/evaluate-case.ts'
import { evaluateLabels } from '../../metrics/evaluate-labels.ts'
import { bootstrap } from '../../metrics/statistics/bootstrap.ts'
import { InputError } from '../../volume/errors.ts'
import type { EvaluateFilesOptions } from './evaluate-files.ts'
import { evaluateWork } from './evaluate-job.ts'
import { type LabelScore, type Metric, metricsOf } from './metrics.ts'
import { pairCases } from './pair-cases.ts'

export interface EvaluateCohortOptions extends EvaluateFilesOptions {
  /** The patient of a case, by its name; cases of one patient are not independent. Default: the case. */
  readonly patientOf?: ((name: string) => string) | undefined
  /** What labels are called: their number, or numbers joined by a plus. */
  readonly nameOf?: ((labels: readonly number[]) => string | undefined) | undefined
  /** A case without a prediction: left out, as by nnU-Net, or scored as an empty prediction. Default `skip`. */
  readonly missing?: 'skip' | 'empty' | undefined
  /** They change nothing in the result. Default 1. */
  readonly threads?: number | undefined
  /** Called after each case. */
  readonly onCase?: ((done: number) => void) | undefined
}

/** A case that was scored. */
export interface CohortCase {
  readonly case: string
  readonly patient: string
  /** Undefined where there is none, and it counts as empty. */
  readonly prediction: string | undefined
  readonly reference: string
  /** Of every label of the cohort, in one order. */
  readonly scores: readonly LabelScore[]
  /** Voxels that count. */
  readonly voxels: number
}

/** A metric over cases: those in which it exists. */
export interface MetricSummary {
  readonly n: number
  readonly mean: number
  /** Standard deviation (n − 1); 0 of a single case. */
  readonly sd: number
  /** The 95 % bootstrap interval of the mean over patients. */
  readonly low: number
  readonly high: number
}

export interface LabelSummary {
  readonly label: string
  readonly name?: string
  /** Cases in which the label is in neither map: they count with Dice 1. */
  readonly absent: number
  /** By the key of a metric. */
  readonly metrics: ReadonlyMap<string, MetricSummary>
}

/** Predictions of a cohort, scored. */
export interface CohortEvaluation {
  readonly metrics: readonly Metric[]
  /** In the order of names. */
  readonly cases: readonly CohortCase[]
  readonly summary: readonly LabelSummary[]
  readonly patients: number
  /** References without a prediction. */
  readonly missing: readonly LabelCase[]
  /** Predictions without a reference. */
  readonly unpaired: readonly LabelCase[]
  readonly failures: readonly { readonly case: string; readonly error: InputError }[]
  /** How maps were read, where that may surprise. */
  readonly notes: readonly string[]
}

/**
 * Scores the predictions of a cohort, each against the reference of its name, and sums the scores up over cases. A
 * case that is at fault does not cost the others. All cases have the same labels: one that is in neither map of a case
 * scores there as empty maps do (Dice 1, no distances).
 *
 * @throws InputError where no case has both a prediction and a reference
 */
export async function evaluateCohort(
  predictions: readonly LabelCase[],
  references: readonly LabelCase[],
  options: EvaluateCohortOptions,
): Promise<CohortEvaluation> {
  const { patientOf = (name) => name, nameOf = () => undefined, missing: policy = 'skip', ...rest } = options
  const { threads = 1, onCase, ...scoring } = rest
  const { labels } = scoring
  const { pairs, missing, unpaired } = pairCases(predictions, references)
  const empty = policy === 'empty' ? missing.map((reference) => ({ prediction: undefined, reference })) : []
  const all = [...pairs, ...empty].sort((a, b) => (a.reference.name < b.reference.name ? -1 : 1))
  const organs = organsOf(
    all.flatMap(({ prediction, reference }) => [prediction, reference]),
    labels,
  )
  const jobs = all.map((pair) => async () => ({ ...pair, organs, options: scoring }))
  const results = await overCases(jobs, evaluateWork, { threads, onCase })
  const done = results.flatMap((result, i) => (result instanceof InputError ? [] : [{ ...all[i], ...result }]))
  const keyOf = (numbers: readonly number[]) => (organs.length > 0 ? organs[numbers[0] - 1] : numbers.join('+'))
  const cohortLabels = labelsOf(done, labels, organs)
  const [{ label: _none, ...inNeither }] = evaluateLabels(nothing, nothing, onePoint, { ...scoring, labels: [1] })
  const cases = done.map(({ prediction, reference, scores, voxels }): CohortCase => {
    const byKey = new Map(scores.map((score) => [keyOf(score.labels), score]))
    return {
      case: reference.name,
      patient: patientOf(reference.name),
      prediction: prediction?.input,
      reference: reference.input,
      voxels,
      scores: cohortLabels.map((numbers): LabelScore => {
        const { labels: _, ...score } = byKey.get(keyOf(numbers)) ?? { ...inNeither, labels: numbers }
        const name = organs.length > 0 ? undefined : nameOf(numbers)
        return { label: keyOf(numbers), ...(name !== undefined && { name }), ...score }
      }),
    }
  })
  const metrics = metricsOf(cases.flatMap(({ scores }) => scores))
  return {
    metrics,
    cases,
    summary: summarised(cases, metrics),
    patients: new Set(cases.map(({ patient }) => patient)).size,
    missing,
    unpaired,
    failures: results.flatMap((error, i) =>
      error instanceof InputError ? [{ case: all[i].reference.name, error }] : [],
    ),
    notes: [...new Set(done.flatMap(({ notes }) => notes))],
  }
}

const nothing = new Uint8Array(1)
const onePoint = { shape: [1, 1, 1], spacing: [1, 1, 1] } as const

/** The organs that have files of their own, or those of them that are asked for. */
function organsOf(
  cases: readonly (LabelCase | undefined)[],
  wanted: EvaluateFilesOptions['labels'],
): readonly string[] {
  const held = [...new Set(cases.flatMap((one) => [...(one?.organs?.keys() ?? [])]))].sort()
  if (held.length === 0 || wanted === undefined) return held
  return wanted.map(({ name }) => {
    if (held.includes(name)) return name
    throw new InputError('--labels', `no case has a mask of '${name}'; there are ${held.join(', ')}`)
  })
}

/** The labels that are scored in any case: as asked for, or in ascending order. */
function labelsOf(
  done: readonly Evaluation[],
  wanted: EvaluateFilesOptions['labels'],
  organs: readonly string[],
): (readonly number[])[] {
  if (organs.length > 0) return organs.map((_, i) => [i + 1])
  if (wanted !== undefined) return wanted.map(({ labels }) => labels)
  const found = new Set(done.flatMap(({ scores }) => scores.flatMap(({ labels }) => labels)))
  return [...found].sort((a, b) => a - b).map((label) => [label])
}

function summarised(cases: readonly CohortCase[], metrics: readonly Metric[]): LabelSummary[] {
  const [first] = cases
  if (first === undefined) return []
  return first.scores.map(({ label, name }, l) => {
    const own = cases.map(({ scores, patient }) => ({ score: scores[l], patient }))
    return {
      label,
      ...(name !== undefined && { name }),
      absent: own.filter(({ score }) => score.volumePredMl === 0 && score.volumeRefMl === 0).length,
      metrics: new Map(
        metrics.flatMap(({ key, of }) => {
          const values = own.flatMap(({ score, patient }) => {
            const value = of(score)
            return value === null ? [] : [{ value, patient }]
          })
          return values.length === 0 ? [] : [[key, summaryOf(values, [label, key])] as const]
        }),
      ),
    }
  })
}

function summaryOf(
  values: readonly { readonly value: number; readonly patient: string }[],
  key: readonly string[],
): MetricSummary {
  const n = values.length
  const {
    value: mean,
    low,
    high,
  } = bootstrap(
    values.map(({ patient }) => patient),
    (drawn) => drawn.reduce((sum, i) => sum + values[i].value, 0) / drawn.length,
    { key: ['evaluate', ...key] },
  )
  const squares = values.reduce((sum, { value }) => sum + (value - mean) ** 2, 0)
  return { n, mean, sd: n > 1 ? Math.sqrt(squares / (n - 1)) : 0, low, high }
}
