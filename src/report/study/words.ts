import { type PairedVerdict, verdictOn } from '../../metrics/statistics/paired.ts'
import { allMethods, type StudyMethod } from '../../study/score-case.ts'
import type { Compared, ComparisonRow, SummaryRow, Target } from '../../study/summary.ts'
import { estimateDecimals, estimateText } from '../kit/estimate.ts'
import { counted, strengthText } from '../kit/words.ts'

/** Methods as figures and tables name them; CE is cross-entropy. */
export const methodNames: Readonly<Record<StudyMethod, string>> = {
  'soft-dice@half': 'soft-Dice ½',
  'ce@half': 'CE ½',
  'ce@case': 'CE t*',
  'ce@dataset': 'CE t* data set',
  'ce@rma': 'CE RMA',
  'ce@volume': 'CE volume',
  'ce@calibrated': 'CE calibrated t*',
  'ce@oracle': 'CE best',
  'dice-ce@half': 'Dice+CE ½',
  'dice-ce@case': 'Dice+CE t*',
  'dice-ce@dataset': 'Dice+CE t* data set',
  'dice-ce@rma': 'Dice+CE RMA',
  'dice-ce@volume': 'Dice+CE volume',
  'dice-ce@calibrated': 'Dice+CE calibrated t*',
  'dice-ce@oracle': 'Dice+CE best',
  'theory@half': 'theory ½',
  'theory@case': 'theory t*',
  'theory@volume': 'theory volume',
}

/** A method's name, or that of a gain: `CE RMA − CE ½`. */
export function comparedName(compared: Compared): string {
  const [first, second] = allMethods
    .flatMap((a) => allMethods.map((b) => [a, b] as const))
    .find(([a, b]) => `${a}-${b}` === compared) ?? [compared as StudyMethod]
  return second === undefined ? methodNames[first] : `${methodNames[first]} − ${methodNames[second]}`
}

/** What the names mean. */
export const methodMeanings: readonly string[] = [
  'soft-Dice ½: the network trained with soft-Dice, cut at ½.',
  'CE ½: the network trained with cross-entropy, cut at ½; Dice+CE: the same for the sum of both losses.',
  'CE t*: the same network, cut for each case at half the best Dice that its own probabilities ' +
    'promise; no label is used.',
  'CE t* data set: the same network, cut at one such threshold for all, from its probabilities on the training cases.',
  'CE RMA: the same network, by the reciprocal-moment approximation of the expected Dice.',
  'CE volume: the same network, cut where the mask has the volume that the probabilities add up to.',
  'CE calibrated t*: the same network at t* of its probabilities after a beta calibration, which the other held-out ' +
    'patients of its fold have fitted with their noisy labels.',
  'CE best: the same network at the threshold that the case’s own noisy label likes best: a ceiling ' +
    'that nobody can reach in practice.',
  'theory ½, theory t*, theory volume: the exact marginals of the clean label, cut at ½, at t* and at their volume: ' +
    'what a perfect network would score.',
]

/**
 * Networks that stay so far below the forecast have not learned what their images show, or the images do not show it.
 */
const farFromCalibrated = 0.1

/** Where the best threshold is so far above t*, the probabilities have misled it. */
const misledDice = 0.02

type Setting = Pick<SummaryRow, 'organ' | 'sigma_mm'>

interface Question {
  readonly first: Compared
  readonly second: Compared
  /** What is said to be better or worse, and than what. */
  readonly subject: string
  readonly other: string
  /** Of gains, which are larger or smaller. */
  readonly words?: readonly [better: string, worse: string]
}

const questions: readonly Question[] = [
  { first: 'ce@half', second: 'soft-dice@half', subject: 'Cut at ½, cross-entropy', other: 'soft-Dice' },
  {
    first: 'ce@case',
    second: 'ce@half',
    subject: "Cut at each case's own t*, for which no label is needed, cross-entropy",
    other: 'the same networks cut at ½',
  },
  { first: 'ce@case', second: 'soft-dice@half', subject: 'Cut at t*, cross-entropy', other: 'soft-Dice' },
  {
    first: 'ce@volume',
    second: 'ce@case',
    subject: 'Cut where masks have the expected volume, cross-entropy',
    other: 'the same networks cut at t*',
  },
  {
    first: 'ce@volume',
    second: 'soft-dice@half',
    subject: 'Cut where masks have the expected volume, cross-entropy',
    other: 'soft-Dice',
  },
  {
    first: 'ce@calibrated',
    second: 'soft-dice@half',
    subject: 'Cut at t* after a calibration by other patients, cross-entropy',
    other: 'soft-Dice',
  },
  { first: 'dice-ce@half', second: 'soft-dice@half', subject: 'Cut at ½, Dice + cross-entropy', other: 'soft-Dice' },
  {
    first: 'dice-ce@case',
    second: 'dice-ce@half',
    subject: 'Cut at t*, Dice + cross-entropy',
    other: 'the same networks cut at ½',
  },
  { first: 'dice-ce@case', second: 'soft-dice@half', subject: 'Cut at t*, Dice + cross-entropy', other: 'soft-Dice' },
  { first: 'ce@case', second: 'dice-ce@case', subject: 'Cut at t*, cross-entropy', other: 'Dice + cross-entropy' },
  {
    first: 'ce@rma-ce@half',
    second: 'dice-ce@rma-dice-ce@half',
    subject: 'What RMA gains over ½ with cross-entropy',
    other: 'what it gains with Dice + cross-entropy',
    words: ['larger', 'smaller'],
  },
]

/** What the study's numbers come to, in sentences: the same for both labels, and what networks have not learned. */
export function verdictSentences(
  summary: readonly SummaryRow[],
  comparisons: readonly ComparisonRow[],
  margin: number,
): string[] {
  const noisy = summary.filter(({ target }) => target === 'noisy')
  const find = (setting: Setting, method: StudyMethod) =>
    noisy.find((row) => row.organ === setting.organ && row.sigma_mm === setting.sigma_mm && row.method === method)
  const answers = (target: Target) =>
    questions.flatMap((question) => {
      const { first, second } = question
      const rows = comparisons.filter((c) => c.target === target && c.first === first && c.second === second)
      return rows.length === 0 ? [] : [answer(question, rows, margin)]
    })
  const headed = (target: Target) =>
    answers(target).map((sentence, i) => (i === 0 ? `With the ${target} labels: ${sentence}` : sentence))
  return [
    ...headed('noisy'),
    ...headed('clean'),
    misled(noisy, find),
    unlearned(noisy, find),
    farBelow(noisy, find),
    fewPatients(comparisons),
  ].filter((sentence) => sentence !== undefined)
}

/** How the first of a pair stands to the second. */
export interface Standing {
  readonly verdict: PairedVerdict
  /** Told apart from 0 by the interval and by the corrected test, however small. */
  readonly significant: boolean
}

/**
 * Better or worse needs the interval and the corrected test; a difference inside ±margin is equivalent, even where it
 * is significant: then it is both, and said to be.
 */
export function standingOf({ low, high, patients, p_holm }: ComparisonRow, margin: number): Standing {
  const significant = (low > 0 || high < 0) && p_holm < 0.05
  const verdict = verdictOn({ low, high }, patients, 'higher', margin)
  return { verdict: verdict === 'equivalent' || significant ? verdict : 'undecided', significant }
}

function answer(question: Question, rows: readonly ComparisonRow[], margin: number): string {
  const { subject, other, words: [better, worse] = ['better', 'worse'] } = question
  const judged = rows.map((row) => ({ row, ...standingOf(row, margin) }))
  const most = rows.reduce((a, b) => (Math.abs(b.difference) > Math.abs(a.difference) ? b : a))
  const direction = ({ difference }: ComparisonRow) => (difference > 0 ? better : worse)
  if (rows.length === 1) {
    const [{ verdict, significant }] = judged
    const is = {
      better: `${better} than ${other}`,
      worse: `${worse} than ${other}`,
      equivalent: `equivalent within ${margin} to ${other}`,
      undecided: `not decided against ${other}`,
    }[verdict]
    const small =
      verdict === 'equivalent' && significant ? `, ${direction(most)} by a small but significant difference` : ''
    return `${subject} was ${is} for ${at(most)}${small}: ${interval(most)}.`
  }
  const count = (wanted: PairedVerdict) => judged.filter(({ verdict }) => verdict === wanted).length
  const small = judged.filter(({ verdict, significant }) => verdict === 'equivalent' && significant)
  const parts = [better, worse].flatMap((word) => {
    const n = small.filter(({ row }) => direction(row) === word).length
    return n === 0 ? [] : [`${word} in ${n}`]
  })
  const also =
    small.length === 0 ? '' : ` Small but significant differences are among the equivalent: ${parts.join(', ')}.`
  return (
    `${subject} was ${better} than ${other} in ${count('better')}, ${worse} in ${count('worse')}, equivalent within ` +
    `${margin} in ${count('equivalent')} and undecided in ${count('undecided')} of ${rows.length} settings of organ ` +
    `and strength; the largest difference was ${interval(most)} (${at(most)}).${also}`
  )
}

function farBelow(noisy: readonly SummaryRow[], find: Find): string | undefined {
  const far = noisy
    .filter(({ method }) => method === 'soft-dice@half')
    .flatMap((row) => {
      const forecast = find(row, 'theory@case')?.dice_mean ?? 0
      return forecast - row.dice_mean > farFromCalibrated ? [{ row, forecast }] : []
    })
  if (far.length === 0) return undefined
  const list = far.map(({ row, forecast }) => `${at(row)} (${row.dice_mean.toFixed(3)} of ${forecast.toFixed(3)})`)
  const organs = new Set(far.map(({ row }) => row.organ)).size === 1 ? 'the organ' : 'these organs'
  return (
    `Soft-Dice stayed far below what theory allows for ${list.join('; ')}: these networks are short of ` +
    `training, or their images do not show ${organs} well.`
  )
}

/**
 * Whether the test can come out below 5 % at all: with n patients Wilcoxon's smallest p is 2/2ⁿ, and Holm multiplies it
 * by up to the number of comparisons.
 */
function fewPatients(comparisons: readonly ComparisonRow[]): string | undefined {
  const noisy = comparisons.filter(({ target }) => target === 'noisy')
  const patients = Math.min(...noisy.map((row) => row.patients))
  if (noisy.length === 0 || (2 / 2 ** patients) * noisy.length < 0.05) return undefined
  return (
    `With ${counted(patients, 'patient')} and ${counted(noisy.length, 'comparison')} the corrected ` +
    'test cannot fall below 5 %, so nothing counts as better or worse here; see the intervals.'
  )
}

type Find = (setting: Setting, method: StudyMethod) => SummaryRow | undefined

function misled(noisy: readonly SummaryRow[], find: Find): string | undefined {
  const cases = noisy
    .filter(({ method }) => method === 'ce@oracle')
    .flatMap((oracle) => {
      const own = find(oracle, 'ce@case')
      return own === undefined || oracle.dice_mean - own.dice_mean <= misledDice ? [] : [{ oracle, own }]
    })
  if (cases.length === 0) return undefined
  const list = cases.map(({ oracle, own }) => {
    const promise = `promised ${own.soft_dice_mean.toFixed(3)}, scored ${own.dice_mean.toFixed(3)}`
    return `${at(oracle)} (${promise}, best threshold ${oracle.dice_mean.toFixed(3)})`
  })
  return (
    `A better threshold than t* existed, by more than ${misledDice} in the mean over cases, for ` +
    `${list.join('; ')}. Part of that is chance, since the best threshold knows each case's own noisy ` +
    'label; the rest is miscalibration.'
  )
}

function unlearned(noisy: readonly SummaryRow[], find: Find): string | undefined {
  const list = noisy
    .filter(({ method }) => method === 'ce@oracle')
    .filter((oracle) => (find(oracle, 'soft-dice@half')?.dice_mean ?? 0) - oracle.dice_mean > misledDice)
  if (list.length === 0) return undefined
  return (
    `For ${list.map(at).join('; ')} not even the best threshold brings cross-entropy to soft-Dice: its ` +
    'networks have learned less, and no threshold mends that. See the training curves before ' +
    'concluding anything there.'
  )
}

function at({ organ, sigma_mm }: Setting): string {
  return `${organ} at σ = ${strengthText(sigma_mm)} mm`
}

/** `−0.012 (95 % −0.020 to −0.004)`, with more decimals where the interval is narrower than that. */
export function interval({ difference, low, high }: Pick<ComparisonRow, 'difference' | 'low' | 'high'>): string {
  const decimals = estimateDecimals([{ low, high }], 3)
  return estimateText({ value: difference, low, high }, { decimals, signed: true })
}
