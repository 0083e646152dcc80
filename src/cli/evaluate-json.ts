import type { CohortEvaluation, LabelSummary } from '../maps/evaluate/evaluate-cohort.ts'
import type { LabelScore } from '../maps/evaluate/metrics.ts'
import type { Versus } from '../maps/evaluate/versus.ts'

/** The scores of a label; those of probabilities stand beside the others. */
export function scoreJson({ label: _, probabilities, ...score }: LabelScore): object {
  return { ...score, ...probabilities }
}

/** A cohort's scores as `--json` prints them (docs/evaluate.md). */
export function cohortJson(
  first: CohortEvaluation,
  settings: { readonly distances: string; readonly missing: string; readonly margin: number },
  second: CohortEvaluation | undefined,
  compared: Versus | undefined,
): object {
  return {
    distances: settings.distances,
    ...partsOf(first),
    ...(second && compared && { versus: { ...partsOf(second), ...versusJson(compared) } }),
  }
}

function partsOf(found: CohortEvaluation): object {
  const { cases, summary, patients, missing, unpaired, failures } = found
  return {
    cases: cases.map(({ scores, ...one }) => ({
      ...one,
      labels: Object.fromEntries(scores.map((score) => [score.label, scoreJson(score)])),
    })),
    mean: Object.fromEntries(summary.map((each) => [each.label, meanJson(each)])),
    summary: Object.fromEntries(
      summary.map(({ label, metrics, ...rest }) => [label, { ...rest, metrics: Object.fromEntries(metrics) }]),
    ),
    patients,
    missing: missing.map(({ name, input }) => ({ case: name, reference: input })),
    unpaired: unpaired.map(({ name, input }) => ({ case: name, prediction: input })),
    ...(failures.length > 0 && {
      failed: failures.map(({ case: name, error }) => ({ case: name, error: error.message })),
    }),
  }
}

/** Means under the keys that the scores of a case have. */
function meanJson({ metrics }: LabelSummary): object {
  const result: Record<string, number | Record<string, number>> = {}
  for (const [key, { mean }] of metrics) {
    const dot = key.indexOf('.')
    if (dot < 0) result[key] = mean
    else {
      const nested = result[key.slice(0, dot)]
      result[key.slice(0, dot)] = { ...(typeof nested === 'object' ? nested : {}), [key.slice(dot + 1)]: mean }
    }
  }
  return result
}

function versusJson({ margin, labels, leftOut }: Versus): object {
  const differences = labels.map(({ label, name, metrics }) => [
    label,
    { ...(name !== undefined && { name }), ...Object.fromEntries(metrics) },
  ])
  return { margin, differences: Object.fromEntries(differences), leftOut }
}
