import { several } from '../../datasets/image-folder.ts'
import type { LabelCase } from '../../datasets/label-cases.ts'
import { overCases } from '../../datasets/over-cases.ts'
import { unpackCutTable } from '../../metrics/packed-cut-table.ts'
import { InputError } from '../../volume/errors.ts'
import type { NumberOptions } from '../case-maps.ts'
import type { ClassScheme } from '../classes.ts'
import type { FoundCase } from '../find-cases.ts'
import type { SchemeOptions } from '../scheme.ts'
import { chooseRule, type RuleChoice } from './choose-rule.ts'
import { foreground, type TabulatedCase, tuneWork } from './tune-job.ts'
import { gainJson, numbersOf, rulesFor, type Tuned, type TunedForm } from './tuned.ts'

export interface TuneOptions extends SchemeOptions, NumberOptions {
  /** The regular expression that finds patients, kept with the result. */
  readonly patientPattern?: string | undefined
  /** The patient of a case, by its name. Default: the case. */
  readonly patientOf?: ((name: string) => string) | undefined
  /** They change nothing in the result. Default 1. */
  readonly threads?: number | undefined
  readonly onCase?: ((done: number) => void) | undefined
}

export interface TuneResult {
  readonly tuned: Tuned
  readonly choices: readonly (RuleChoice & { readonly name: string })[]
  readonly failures: readonly { readonly input: string; readonly error: InputError }[]
  /** Cases without a reference, by name. */
  readonly withoutReference: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Chooses, for each class, how the maps of a network are cut, from validation cases with references (see `chooseRule`).
 * Each case is read once; what is kept of it does not grow with the image. A case that is at fault does not cost the
 * others.
 *
 * @throws InputError where there are not two cases of two patients, two cases have one name, or classes differ
 */
export async function tuneCases(
  found: readonly FoundCase[],
  references: readonly LabelCase[],
  options: TuneOptions,
): Promise<TuneResult> {
  const { patientOf = (name) => name, patientPattern, threads = 1, onCase, ...opening } = options
  const byName = new Map(references.map(({ name, input }) => [name, input]))
  const seen = new Map<string, string>()
  for (const { name, input } of found) {
    const before = seen.get(name)
    if (before !== undefined) {
      throw new InputError(input, `is the case ${name}, as ${before} is; each case belongs to one fold only`)
    }
    seen.set(name, input)
  }
  const paired = found.flatMap((each) => {
    const reference = byName.get(each.name)
    return reference === undefined ? [] : [{ found: each, reference, opening }]
  })
  const jobs = paired.map((job) => async () => job)
  const results = await overCases(jobs, tuneWork, { threads, onCase })
  const failures: { input: string; error: InputError }[] = []
  const kept: (TabulatedCase & { readonly name: string })[] = []
  let form: TunedForm | undefined
  for (const [i, result] of results.entries()) {
    const { name, input } = paired[i].found
    if (result instanceof InputError) failures.push({ input, error: result })
    else {
      form ??= formOf(result.scheme)
      try {
        rulesFor(form, result.scheme, input)
        kept.push({ name, ...result })
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        failures.push({ input, error })
      }
    }
  }
  const people = new Set(kept.map(({ name }) => patientOf(name))).size
  if (form === undefined || people < 2) {
    const [first] = failures
    if (first !== undefined && kept.length === 0) throw first.error
    if (paired.length === 0) {
      const [are, others] = [found, references].map((each) => several(each.map(({ name }) => name)))
      const remedy = 'rename them, or say how they are called by --suffix or a pattern with {case}'
      throw new InputError('tune', `no case (${are}) has a reference of its name (${others}); ${remedy}`)
    }
    const fault = `has ${kept.length} cases of ${people} patients with a reference of their name`
    throw new InputError('tune', `${fault}; give two patients or more, better twenty`)
  }
  const { classes, ...rest } = form
  const choices = classes.map(({ name }, c) => {
    const cases = kept.map(({ name: own, voxelMm3, classes: all }) => {
      const { packed, curves } = all[c]
      return { case: own, patient: patientOf(own), voxelMm3, table: unpackCutTable(packed), curves }
    })
    return { name, ...chooseRule(cases, classes.length === 1 && !form.narrowed) }
  })
  return {
    tuned: {
      version: 1,
      ...rest,
      ...numbersOf(opening),
      classes: choices.map(({ rule, cases, patients, diceAtHalf, dice, gain, gainOfNew }, c) => ({
        ...classes[c],
        ...rule,
        cases,
        patients,
        diceAtHalf,
        dice,
        gain: gainJson(gain, gainOfNew),
      })),
      cases: kept.map(({ name }) => name).sort(),
      ...(patientPattern !== undefined && { patientPattern }),
      patients: [...new Set(kept.map(({ name }) => patientOf(name)))].sort(),
    },
    choices,
    failures,
    withoutReference: found.flatMap(({ name }) => (byName.has(name) ? [] : [name])),
    warnings: firstOfEach(kept),
  }
}

/** Each warning once, with the first case that it is of. */
function firstOfEach(cases: readonly { readonly name: string; readonly warnings: readonly string[] }[]): string[] {
  const first = new Map<string, string>()
  for (const { name, warnings } of cases.toReversed()) for (const text of warnings) first.set(text, `${name}: ${text}`)
  return [...first.values()]
}

/** The form that all cases must have, its classes not yet tuned. */
function formOf({ kind, maps, leftOut }: ClassScheme): TunedForm {
  const classes = foreground(maps).map(({ name, labels }) => ({ name, labels }))
  return { kind, background: maps[0] === undefined, ...(leftOut && { narrowed: true }), classes }
}
