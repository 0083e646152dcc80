import type { PostProcessing } from '../../decision/decode/post-process.ts'
import type { BetaCalibration } from '../../metrics/beta-calibration.ts'
import type { Interval } from '../../metrics/statistics/bootstrap.ts'
import { InputError } from '../../volume/errors.ts'
import { checkLabelNumber } from '../../volume/label-numbers.ts'
import type { NumberOptions } from '../case-maps.ts'
import type { ClassScheme } from '../classes.ts'
import { isNumberOf } from '../scheme-labels.ts'
import { type ClassRule, cutRules, ruleSentence } from './rule.ts'

interface Range {
  readonly low: number
  readonly high: number
}

/** What one class was tuned to. */
export interface TunedClass extends ClassRule {
  readonly name: string
  readonly labels: readonly number[]
  readonly cases: number
  readonly patients: number
  readonly diceAtHalf: number
  readonly dice: number
  /** The mean with its 95 % interval, and that of the mean over as many new patients. */
  readonly gain: Range & { readonly mean: number; readonly asManyNewPatients?: Range }
}

/** What `tune` learnt from validation cases, for `threshold --tuned` on new ones of the same network. */
export interface Tuned {
  readonly version: 1
  /** How the maps of a case are decoded; `background` says whether the first map is the background's. */
  readonly kind: ClassScheme['kind']
  readonly background: boolean
  /** Tuned were some of the classes only; the others count as background. */
  readonly narrowed?: true
  /** How the numbers in the files were read. */
  readonly scale: number
  readonly logits: 'softmax' | 'sigmoid' | 'none'
  readonly classes: readonly TunedClass[]
  /** The cases that it was tuned on, and their patients. */
  readonly cases: readonly string[]
  readonly patients: readonly string[]
  /** The regular expression that patients were found by, where one was given. */
  readonly patientPattern?: string
}

/** What maps must be for a tuned file to fit them. */
export interface TunedForm {
  readonly kind: ClassScheme['kind']
  readonly background: boolean
  readonly narrowed?: true
  readonly classes: readonly { readonly name: string; readonly labels: readonly number[] }[]
}

/** A promised gain as files and JSON have it. */
export function gainJson({ value, low, high }: Interval, ofNew: Interval) {
  return { mean: value, low, high, asManyNewPatients: { low: ofNew.low, high: ofNew.high } }
}

/** As the file holds it: made to be read by people too. The rule in words is made of the numbers, and not read back. */
export function tunedText({ classes, ...rest }: Tuned): string {
  const { cases, patients, patientPattern, ...form } = rest
  const worded = classes.map(({ name, labels, ...own }) => ({ name, labels, rule: ruleSentence(own), ...own }))
  const known = { cases, patientPattern, patients }
  return `${JSON.stringify({ halfdice: 'tuned', ...form, classes: worded, ...known }, null, 2)}\n`
}

/** How the numbers of maps are read, in the words of `Tuned`. */
export function numbersOf({ scale, logits }: NumberOptions): Pick<Tuned, 'scale' | 'logits'> {
  return { scale: scale ?? 1, logits: logits ?? 'none' }
}

/**
 * Refuses maps whose numbers are read in another way than those that were tuned.
 *
 * @throws InputError naming both ways
 */
export function checkNumbers(tuned: Tuned, options: NumberOptions, path: string): void {
  const words = ({ scale, logits }: Pick<Tuned, 'scale' | 'logits'>) =>
    [...(logits === 'none' ? [] : [`--logits ${logits}`]), ...(scale === 1 ? [] : [`--scale ${scale}`])].join(' ') ||
    'neither --scale nor --logits'
  const [was, is] = [words(tuned), words(numbersOf(options))]
  if (was !== is) throw new InputError(path, `was tuned with ${was}, and is applied with ${is}; give the maps alike`)
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
  const { kind, background, narrowed, scale, logits, classes, cases, patients, patientPattern } = value
  if (kind !== 'separate' && kind !== 'exclusive' && kind !== 'regions') throw bad("has no 'kind'")
  if (typeof background !== 'boolean') throw bad("has no 'background'")
  if (typeof scale !== 'number' || !(scale > 0)) throw bad("has no 'scale'")
  if (logits !== 'none' && logits !== 'softmax' && logits !== 'sigmoid') throw bad("has no 'logits'")
  if (!Array.isArray(classes) || classes.length === 0) throw bad("has no 'classes'")
  if (!Array.isArray(cases) || !cases.every((name) => typeof name === 'string')) throw bad("has no 'cases'")
  if (!Array.isArray(patients) || !patients.every((name) => typeof name === 'string')) throw bad("has no 'patients'")
  if (patientPattern !== undefined && typeof patientPattern !== 'string')
    throw bad("has a 'patientPattern' that is none")
  const pattern = patientPattern !== undefined && { patientPattern }
  const tuned = classes.map((each) => tunedClass(each, path, bad))
  const some = narrowed === true && { narrowed: true as const }
  return { version: 1, kind, background, ...some, scale, logits, classes: tuned, cases, ...pattern, patients }
}

function tunedClass(value: unknown, path: string, bad: (what: string) => InputError): TunedClass {
  if (!isObject(value)) throw bad('has a class that is none')
  const { name, labels } = value
  if (typeof name !== 'string') throw bad('has a class without a name')
  if (!Array.isArray(labels) || labels.length === 0) throw bad(`has no labels for ${name}`)
  const number: ReadNumber = (of, key, least, most) => {
    const found = of[key]
    if (typeof found === 'number' && found >= least && found <= most) return found
    throw bad(`has ${key} ${JSON.stringify(found)} for ${name}, not from ${least} to ${most}`)
  }
  const { gain } = value
  if (!isObject(gain)) throw bad(`has no gain for ${name}`)
  const large = Number.MAX_VALUE
  return {
    name,
    labels: labels.map((label) => checkLabelNumber(label, path, `a label of ${name}`)),
    cases: number(value, 'cases', 1, large),
    patients: number(value, 'patients', 1, large),
    diceAtHalf: number(value, 'diceAtHalf', 0, 1),
    dice: number(value, 'dice', 0, 1),
    gain: { mean: number(gain, 'mean', -1, 1), low: number(gain, 'low', -1, 1), high: number(gain, 'high', -1, 1) },
    ...ruleOf(value, name, number, bad),
  }
}

type ReadNumber = (of: Record<string, unknown>, key: string, least: number, most: number) => number

/** Reads the rule of a class; its parts must fit each other. */
function ruleOf(
  value: Record<string, unknown>,
  name: string,
  number: ReadNumber,
  bad: (what: string) => InputError,
): ClassRule {
  const large = Number.MAX_VALUE
  const cut = cutRules.find((each) => each === value.cut)
  if (cut === undefined) throw bad(`has cut ${JSON.stringify(value.cut)} for ${name}, none of ${cutRules.join(', ')}`)
  const isFixed = cut === 'half' || cut === 'pooled' || cut === 'fixed'
  const isCalibrated = cut === 'temperature' || cut === 'beta'
  if (isFixed !== (value.at !== undefined) || isCalibrated !== (value.calibration !== undefined)) {
    const needs = isFixed ? "needs 'at' alone" : isCalibrated ? "needs a 'calibration' alone" : 'needs neither number'
    throw bad(`has cut ${cut} for ${name}, which ${needs}`)
  }
  return {
    cut,
    ...(isFixed && { at: number(value, 'at', Number.MIN_VALUE, 1) }),
    ...(isCalibrated && { calibration: calibrationOf(value.calibration, name, number, bad) }),
    ...(value.smallestMm3 !== undefined && { smallestMm3: number(value, 'smallestMm3', 0, large) }),
    ...(value.postProcessing !== undefined && {
      postProcessing: postProcessingOf(value.postProcessing, name, number, bad),
    }),
  }
}

function calibrationOf(
  value: unknown,
  name: string,
  number: ReadNumber,
  bad: (what: string) => InputError,
): BetaCalibration {
  if (!isObject(value)) throw bad(`has a calibration that is none for ${name}`)
  const large = Number.MAX_VALUE
  return { a: number(value, 'a', 0, large), b: number(value, 'b', 0, large), c: number(value, 'c', -large, large) }
}

function postProcessingOf(
  value: unknown,
  name: string,
  number: ReadNumber,
  bad: (what: string) => InputError,
): PostProcessing {
  if (!isObject(value) || typeof value.holes !== 'boolean') throw bad(`has a postProcessing that is none for ${name}`)
  const { holes, keep } = value
  if (keep === 'all' || keep === 'largest') return { holes, keep }
  return { holes, keep: number(value, 'keep', Number.MIN_VALUE, Number.MAX_VALUE) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The rule of each map of a case; undefined for the background's. Where some classes of the case only were asked for,
 * others may have been tuned, too.
 *
 * @throws InputError where the case has other classes, or another form, than those that were tuned
 */
export function rulesFor<C extends TunedForm['classes'][number]>(
  tuned: Omit<TunedForm, 'classes'> & { readonly classes: readonly C[] },
  { kind, maps, leftOut }: Pick<ClassScheme, 'kind' | 'maps' | 'leftOut'>,
  input: string,
): (C | undefined)[] {
  const given = maps.filter((each) => each !== undefined)
  const background = maps[0] === undefined
  const names = (classes: TunedForm['classes']) => classes.map(nameOf).join(', ')
  const found = given.map((each) => tuned.classes.find((own) => nameOf(own) === nameOf(each)))
  const same = leftOut
    ? !found.includes(undefined)
    : names(given) === names(tuned.classes) && background === tuned.background && !tuned.narrowed
  if (kind !== tuned.kind || !same) {
    const bare = (full: boolean) => (full ? '' : ', without a background')
    const have = `${kind} maps of ${names(given)}${bare(background || leftOut !== undefined)}`
    const want = `${tuned.kind} maps of ${names(tuned.classes)}${bare(tuned.background || tuned.narrowed === true)}`
    const unnamed =
      kind === tuned.kind &&
      background === tuned.background &&
      given.length === tuned.classes.length &&
      given.every(({ name, labels }) => isNumberOf(name, labels[0]))
    const remedy = tuned.narrowed
      ? `name the tuned classes: --labels ${tuned.classes.map(({ labels }) => labels.join('+')).join(' ')}`
      : unnamed
        ? `if these are the same, name them: --classes '${classesText(tuned)}'`
        : 'tune on maps of this form'
    throw new InputError(input, `holds ${have}; tuned were ${want}; ${remedy}`)
  }
  let next = 0
  return maps.map((each) => (each === undefined ? undefined : found[next++]))
}

/** The tuned classes as `--classes` takes them (see `parseClasses`). */
function classesText({ classes, background }: Pick<TunedForm, 'classes' | 'background'>): string {
  const items = classes.map(({ name, labels }) => `${name}=${labels.join('+')}`)
  return [...(background ? ['background'] : []), ...items].join(',')
}

const nameOf = ({ name, labels }: TunedForm['classes'][number]): string => `${name} (${labels.join('+')})`
