import { InputError } from '../volume/errors.ts'
import { randomStream } from '../volume/random.ts'

/**
 * Splits cases into folds so that a patient's cases stay together and folds have nearly equal numbers of patients.
 * Returns, for each case, its fold. The same patients and seed give the same split, in whatever order cases come.
 */
export function patientFolds(patients: readonly string[], folds: number, seed: number): number[] {
  const distinct = [...new Set(patients)].sort()
  if (distinct.length < folds) {
    throw new InputError('folds', `${distinct.length} patients cannot be split into ${folds} folds; use fewer folds`)
  }
  const random = randomStream(seed, 'folds')
  for (let i = distinct.length - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1))
    ;[distinct[i], distinct[j]] = [distinct[j], distinct[i]]
  }
  const foldOf = new Map(distinct.map((patient, i) => [patient, i % folds]))
  return patients.map((patient) => foldOf.get(patient) ?? 0)
}

/**
 * As `patientFolds`, and balanced in size too: patients, ordered by the mean size of their cases, are dealt to the
 * folds in rounds, each round in an order of its own, so that every fold has its share of large and of small ones.
 *
 * @param sizes one number a case, such as the organ's volume
 */
export function balancedFolds(
  patients: readonly string[],
  sizes: readonly number[],
  folds: number,
  seed: number,
): number[] {
  const totals = new Map<string, { sum: number; cases: number }>()
  for (const [i, patient] of patients.entries()) {
    const { sum, cases } = totals.get(patient) ?? { sum: 0, cases: 0 }
    totals.set(patient, { sum: sum + sizes[i], cases: cases + 1 })
  }
  if (totals.size < folds) {
    throw new InputError('folds', `${totals.size} patients cannot be split into ${folds} folds; use fewer folds`)
  }
  const ordered = [...totals]
    .map(([patient, { sum, cases }]) => ({ patient, size: sum / cases }))
    .sort((a, b) => b.size - a.size || (a.patient < b.patient ? -1 : 1))
  const random = randomStream(seed, 'balanced folds')
  const foldOf = new Map<string, number>()
  for (let start = 0; start < ordered.length; start += folds) {
    const order = Array.from({ length: folds }, (_, fold) => ({ fold, key: random.uniform() }))
    order.sort((a, b) => a.key - b.key)
    for (const [i, { patient }] of ordered.slice(start, start + folds).entries()) foldOf.set(patient, order[i].fold)
  }
  return patients.map((patient) => foldOf.get(patient) ?? 0)
}
