import { formatCsv } from '../../formats/csv.ts'
import type { CohortEvaluation } from './evaluate-cohort.ts'

/** All scores as CSV: a row for each case and label, a column for each metric. */
export function cohortCsv({ cases, metrics }: Pick<CohortEvaluation, 'cases' | 'metrics'>): string {
  const columns = [
    'case',
    'patient',
    'label',
    'name',
    ...metrics.map(({ column }) => column),
    'prediction',
    'reference',
  ]
  const rows = cases.flatMap(({ scores, ...one }) =>
    scores.map((score) => ({
      case: one.case,
      patient: one.patient,
      label: score.label,
      name: score.name,
      ...Object.fromEntries(metrics.map(({ column, of }) => [column, of(score) ?? undefined])),
      prediction: one.prediction,
      reference: one.reference,
    })),
  )
  return formatCsv(columns, rows)
}
