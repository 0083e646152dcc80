import { InputError } from '../volume/errors.ts'
import { randomStream } from './phantom/random.ts'

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
