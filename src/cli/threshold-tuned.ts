import { patientRule } from '../datasets/dataset.ts'
import { several } from '../datasets/image-folder.ts'
import { patientOf } from '../datasets/nnunet.ts'
import { readRegularFile } from '../formats/read-file.ts'
import type { ThresholdCase } from '../maps/threshold-cases.ts'
import { checkNumbers, parseTuned, type Tuned } from '../maps/tune/tuned.ts'
import { InputError } from '../volume/errors.ts'
import { warn } from './print.ts'
import type { ThresholdOptions } from './threshold-options.ts'

/** Reads `--tuned`, and refuses options that it decides. */
export async function readTuned(path: string, options: ThresholdOptions): Promise<Tuned> {
  const { at, scope, metric } = options
  const other = at !== undefined ? '--at' : scope === 'dataset' ? '--scope' : metric !== 'dice' ? '--metric' : undefined
  if (other !== undefined) throw new InputError('--tuned', `says where to cut; leave ${other} out`)
  const tuned = parseTuned((await readRegularFile(path)).toString('utf8'), path)
  checkNumbers(tuned, options, path)
  return tuned
}

/** Scores of cases that thresholds were tuned on, or of their patients, are too good, whenever they are made. */
export function warnOfTuned(cases: readonly ThresholdCase[], tuned: Tuned, path: string): void {
  const known = new Set([...tuned.cases, ...tuned.patients])
  const patient = patientRule(tuned.patientPattern, patientOf)
  // A new case may well be called in another way.
  const patientIn = (name: string) => {
    try {
      return patient(name)
    } catch (error) {
      if (error instanceof InputError) return name
      throw error
    }
  }
  const both = cases.map(({ found }) => found.name).filter((name) => known.has(name) || known.has(patientIn(name)))
  if (both.length === 0) return
  warn(
    `${path} was tuned on ${several(both)} too, or on cases of these patients; scores of these cases promise too much`,
  )
}
