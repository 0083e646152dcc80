import type { BetaCalibration } from '../../metrics/beta-calibration.ts'
import { InputError } from '../../volume/errors.ts'
import { checkLabelNumber } from '../../volume/label-numbers.ts'
import type { ClassScheme } from '../classes.ts'

/** How one class is cut. Without a threshold: at each case's own t*. */
export interface ClassRule {
  /** Cut there in every case. */
  readonly at?: number
  /** Replace probabilities by their calibration first. */
  readonly calibration?: BetaCalibration
  /** ‖m‖ of the smallest case where the class was clearly there, which a faint class is measured by. */
  readonly smallestMm3?: number
}

/** What one class was tuned to. */
export interface TunedClass extends ClassRule {
  readonly name: string
  readonly labels: readonly number[]
  /** What was chosen, in words. */
  readonly rule: string
  readonly cases: number
  readonly patients: number
  readonly diceAtHalf: number
  readonly dice: number
  readonly gain: { readonly mean: number; readonly low: number; readonly high: number }
}

/** What `tune` learnt from validation cases, for `threshold --tuned` on new ones of the same network. */
export interface Tuned {
  readonly version: 1
  /** How the maps of a case are decoded; `background` says whether the first map is the background's. */
  readonly kind: ClassScheme['kind']
  readonly background: boolean
  readonly classes: readonly TunedClass[]
  /** The cases that it was tuned on, and their patients. */
  readonly cases: readonly string[]
  readonly patients: readonly string[]
}

/** As the file holds it: made to be read by people too. */
export function tunedText(tuned: Tuned): string {
  return `${JSON.stringify({ halfdice: 'tuned', ...tuned }, null, 2)}\n`
}

/**
 * Reads what `tunedText` wrote.
 *
 * @throws InputError where it is something else, another version, or damaged
 */
export function parseTuned(text: string, path: string): Tuned {
  const bad = (what: string) => new InputError(path, `${what}; give a file that 'halfdice tune' wrote`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw bad('is no JSON')
  }
  if (!isObject(value) || value.halfdice !== 'tuned') throw bad('holds no tuned thresholds')
  if (value.version !== 1) throw bad(`has version ${JSON.stringify(value.version)}, not 1`)
  const { kind, background, classes, cases, patients } = value
  if (kind !== 'separate' && kind !== 'exclusive' && kind !== 'regions') throw bad("has no 'kind'")
  if (typeof background !== 'boolean') throw bad("has no 'background'")
  if (!Array.isArray(classes) || classes.length === 0) throw bad("has no 'classes'")
  if (!Array.isArray(cases) || !cases.every((name) => typeof name === 'string')) throw bad("has no 'cases'")
  if (!Array.isArray(patients) || !patients.every((name) => typeof name === 'string')) throw bad("has no 'patients'")
  return { version: 1, kind, background, classes: classes.map((each) => tunedClass(each, path, bad)), cases, patients }
}

function tunedClass(value: unknown, path: string, bad: (what: string) => InputError): TunedClass {
  if (!isObject(value)) throw bad('has a class that is none')
  const { name, labels, rule } = value
  if (typeof name !== 'string' || typeof rule !== 'string') throw bad('has a class without a name or a rule')
  if (!Array.isArray(labels) || labels.length === 0) throw bad(`has no labels for ${name}`)
  const number = (of: Record<string, unknown>, key: string, least: number, most: number): number => {
    const found = of[key]
    if (typeof found === 'number' && found >= least && found <= most) return found
    throw bad(`has ${key} ${JSON.stringify(found)} for ${name}, not from ${least} to ${most}`)
  }
  const { calibration, gain } = value
  if (calibration !== undefined && value.at !== undefined) throw bad(`has a threshold and a calibration for ${name}`)
  if (!isObject(gain)) throw bad(`has no gain for ${name}`)
  const large = Number.MAX_VALUE
  return {
    name,
    labels: labels.map((label) => checkLabelNumber(label, path, `a label of ${name}`)),
    rule,
    cases: number(value, 'cases', 1, large),
    patients: number(value, 'patients', 1, large),
    diceAtHalf: number(value, 'diceAtHalf', 0, 1),
    dice: number(value, 'dice', 0, 1),
    gain: { mean: number(gain, 'mean', -1, 1), low: number(gain, 'low', -1, 1), high: number(gain, 'high', -1, 1) },
    ...(value.at !== undefined && { at: number(value, 'at', Number.MIN_VALUE, 1) }),
    ...(value.smallestMm3 !== undefined && { smallestMm3: number(value, 'smallestMm3', 0, large) }),
    ...(calibration !== undefined && { calibration: calibrationOf(calibration, name, number, bad) }),
  }
}

function calibrationOf(
  value: unknown,
  name: string,
  number: (of: Record<string, unknown>, key: string, least: number, most: number) => number,
  bad: (what: string) => InputError,
): BetaCalibration {
  if (!isObject(value)) throw bad(`has a calibration that is none for ${name}`)
  const large = Number.MAX_VALUE
  return { a: number(value, 'a', 0, large), b: number(value, 'b', 0, large), c: number(value, 'c', -large, large) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The rule of each map of a case; undefined for the background's.
 *
 * @throws InputError where the case has other classes, or another form, than those that were tuned
 */
export function rulesFor(
  tuned: Tuned,
  scheme: Pick<ClassScheme, 'kind' | 'maps'>,
  input: string,
): (ClassRule | undefined)[] {
  const shape = (kind: string, classes: readonly { readonly name: string; readonly labels: readonly number[] }[]) =>
    `${kind} maps of ${classes.map(({ name, labels }) => `${name} (${labels.join('+')})`).join(', ')}`
  const [have, want] = [
    shape(
      scheme.kind,
      scheme.maps.filter((each) => each !== undefined),
    ),
    shape(tuned.kind, tuned.classes),
  ]
  const background = scheme.maps[0] === undefined
  if (have !== want || background !== tuned.background) {
    const without = (flag: boolean) => (flag ? '' : ', without a background')
    const fault = `holds ${have}${without(background)}; tuned were ${want}${without(tuned.background)}`
    throw new InputError(input, `${fault}; tune on maps of this form`)
  }
  const rules = [...tuned.classes]
  return scheme.maps.map((each) => (each === undefined ? undefined : rules.shift()))
}
