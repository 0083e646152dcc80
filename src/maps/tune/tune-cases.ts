import type { LabelCase } from '../../datasets/label-cases.ts'
import { CutTable } from '../../metrics/cut-table.ts'
import { type PackedCutTable, packCutTable, unpackCutTable } from '../../metrics/packed-cut-table.ts'
import { InputError } from '../../volume/errors.ts'
import { voxelVolumeMm3 } from '../../volume/grid.ts'
import type { ClassScheme, MapClass } from '../classes.ts'
import type { FoundCase } from '../find-cases.ts'
import { type OpenedCase, openCase } from '../open-case.ts'
import { readMaps } from '../read-maps.ts'
import { readReference } from '../reference.ts'
import type { SchemeOptions } from '../scheme.ts'
import { type Candidate, chooseRule, type RuleChoice } from './choose-rule.ts'
import { rulesFor, type Tuned } from './tuned.ts'

export interface TuneOptions extends SchemeOptions {
  readonly scale?: number | undefined
  readonly logits?: 'softmax' | 'sigmoid' | undefined
  /** The patient of a case, by its name. Default: the case. */
  readonly patientOf?: ((name: string) => string) | undefined
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

/** What a candidate is called in files and tables. */
export const candidateNames: Readonly<Record<Candidate, string>> = {
  half: '1/2',
  case: "each case's t*",
  pooled: 't* of all cases pooled',
  fixed: 'the best single threshold',
  'case temperature': "each case's t* after temperature scaling",
  'case beta': "each case's t* after beta calibration",
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
  const { patientOf = (name) => name, onCase, ...opening } = options
  const byName = new Map(references.map(({ name, input }) => [name, input]))
  const seen = new Map<string, string>()
  const kept: { readonly name: string; readonly voxelMm3: number; readonly tables: readonly PackedCutTable[] }[] = []
  const failures: { input: string; error: InputError }[] = []
  const withoutReference: string[] = []
  const warnings = new Set<string>()
  let form: Pick<Tuned, 'kind' | 'background' | 'classes'> | undefined
  for (const [done, each] of found.entries()) {
    const before = seen.get(each.name)
    if (before !== undefined) {
      throw new InputError(each.input, `is the case ${each.name}, as ${before} is; each case belongs to one fold only`)
    }
    seen.set(each.name, each.input)
    const reference = byName.get(each.name)
    if (reference === undefined) {
      withoutReference.push(each.name)
      continue
    }
    try {
      const opened = await openCase(each, { ...opening, geometryOptional: true })
      form ??= formOf(opened.scheme)
      rulesFor({ version: 1, cases: [], patients: [], ...form }, opened.scheme, each.input)
      for (const warning of opened.source.warnings) warnings.add(warning)
      const voxelMm3 = voxelVolumeMm3(opened.source.grid)
      kept.push({ name: each.name, voxelMm3, tables: await tablesOf(opened, reference) })
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      failures.push({ input: each.input, error })
    }
    onCase?.(done + 1)
  }
  const people = new Set(kept.map(({ name }) => patientOf(name))).size
  if (form === undefined || people < 2) {
    const [first] = failures
    if (first !== undefined && kept.length === 0) throw first.error
    const fault = `has ${kept.length} cases of ${people} patients with a reference of their name`
    throw new InputError('tune', `${fault}; give two patients or more, better twenty`)
  }
  const { classes, ...rest } = form
  const choices = classes.map(({ name }, c) => {
    const cases = kept.map(({ name: own, voxelMm3, tables }) => {
      return { case: own, patient: patientOf(own), voxelMm3, table: unpackCutTable(tables[c]) }
    })
    return { name, ...chooseRule(cases, classes.length === 1) }
  })
  return {
    tuned: {
      version: 1,
      ...rest,
      classes: choices.map(({ candidate, rule, cases, patients, diceAtHalf, dice, gain }, c) => ({
        name: classes[c].name,
        labels: classes[c].labels,
        rule: candidateNames[candidate],
        ...rule,
        cases,
        patients,
        diceAtHalf,
        dice,
        gain: { mean: gain.value, low: gain.low, high: gain.high },
      })),
      cases: kept.map(({ name }) => name).sort(),
      patients: [...new Set(kept.map(({ name }) => patientOf(name)))].sort(),
    },
    choices,
    failures,
    withoutReference,
    warnings: [...warnings],
  }
}

/** The form that all cases must have, its classes not yet tuned. */
function formOf({ kind, maps }: ClassScheme): Pick<Tuned, 'kind' | 'background' | 'classes'> {
  const untuned = { rule: '', cases: 0, patients: 0, diceAtHalf: 0, dice: 0, gain: { mean: 0, low: 0, high: 0 } }
  const classes = foreground(maps).map(({ name, labels }) => ({ name, labels, ...untuned }))
  return { kind, background: maps[0] === undefined, classes }
}

const foreground = (maps: ClassScheme['maps']): MapClass[] => maps.filter((each) => each !== undefined)

/** Of each class of a case its map against the reference at every cut. */
async function tablesOf({ source, scheme }: OpenedCase, path: string): Promise<PackedCutTable[]> {
  const reference = await readReference(path, source, { ...scheme, classes: foreground(scheme.maps) })
  const tables: PackedCutTable[] = []
  let index = 0
  for await (const map of readMaps(source, scheme)) {
    const own = scheme.maps[index++]
    if (own === undefined) continue
    const table = new CutTable()
    table.add(map, reference.values, (label) => own.labels.includes(label))
    tables.push(packCutTable(table))
  }
  return tables
}
