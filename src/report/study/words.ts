import type { StudyMethod } from '../../study/score-case.ts'
import type { ComparisonRow, SummaryRow } from '../../study/summary.ts'
import { estimateDecimals, estimateText } from '../kit/estimate.ts'
import { counted, strengthText } from '../kit/words.ts'

/** Methods as figures and tables name them; CE is cross-entropy. */
export const methodNames: Readonly<Record<StudyMethod, string>> = {
  'soft-dice@half': 'soft-Dice ½',
  'ce@half': 'CE ½',
  'ce@case': 'CE t*',
  'ce@dataset': 'CE t* data set',
  'ce@rma': 'CE RMA',
  'ce@oracle': 'CE best',
  'theory@half': 'theory ½',
  'theory@case': 'theory t*',
}

/** What the names mean. */
export const methodMeanings: readonly string[] = [
  'soft-Dice ½: the network trained with soft-Dice, cut at ½.',
  'CE ½: the network trained with cross-entropy, cut at ½.',
  'CE t*: the same network, cut for each case at half the best Dice that its own probabilities ' +
    'promise; no label is used.',
  'CE t* data set: the same network, cut at one such threshold for all, from its probabilities on the training cases.',
  'CE RMA: the same network, by the reciprocal-moment approximation of the expected Dice.',
  'CE best: the same network at the threshold that the case’s own noisy label likes best: a ceiling ' +
    'that nobody can reach in practice.',
  'theory ½, theory t*: the exact marginals of the clean label, cut at ½ and at t*: what a perfect ' +
    'network would score.',
]

/**
 * Networks that stay so far below the forecast have not learned what their images show, or the images do not show it.
 */
const farFromCalibrated = 0.1

/** A difference that is smaller than this is of no interest, whatever its p-value. */
const negligible = 0.005

/** Where the best threshold is so far above t*, the probabilities have misled it. */
const misledDice = 0.02

type Setting = Pick<SummaryRow, 'organ' | 'sigma_mm'>

/** What the study's numbers come to, in sentences; Dice with noisy labels, the target of training. */
export function verdictSentences(summary: readonly SummaryRow[], comparisons: readonly ComparisonRow[]): string[] {
  const noisy = summary.filter(({ target }) => target === 'noisy')
  const pairs = (first: StudyMethod, second: StudyMethod) =>
    comparisons.filter((c) => c.target === 'noisy' && c.first === first && c.second === second)
  const find = (setting: Setting, method: StudyMethod) =>
    noisy.find((row) => row.organ === setting.organ && row.sigma_mm === setting.sigma_mm && row.method === method)
  return [
    costOfHalf(pairs('ce@half', 'soft-dice@half'), find),
    gainOfThreshold(pairs('ce@case', 'ce@half')),
    againstSoftDice(pairs('ce@case', 'soft-dice@half')),
    misled(noisy, find),
    unlearned(noisy, find),
    farBelow(noisy, find),
    fewPatients(comparisons),
  ].filter((sentence) => sentence !== undefined)
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
    'test cannot fall below 5 %, so nothing counts as shown here; see the intervals.'
  )
}

type Find = (setting: Setting, method: StudyMethod) => SummaryRow | undefined

function costOfHalf(rows: readonly ComparisonRow[], find: Find): string | undefined {
  if (rows.length === 0) return undefined
  const lower = rows.filter(isLower)
  const most = (lower.length === 0 ? rows : lower).reduce((a, b) => (b.difference < a.difference ? b : a))
  if (lower.length === 0) {
    const fall = 'Cut at ½, cross-entropy was not shown to fall behind soft-Dice'
    return rows.length === 1
      ? `${fall} for ${at(most)}: the difference was ${interval(most)}.`
      : `${fall} in any of ${settings(rows)}; the lowest difference was ${interval(most)} (${at(most)}).`
  }
  const [ce, sd] = [find(most, 'ce@half'), find(most, 'soft-dice@half')].map((row) => row?.dice_mean.toFixed(3) ?? '–')
  const where = rows.length === 1 ? '' : ` in ${lower.length} of ${settings(rows)},${lower.length === 1 ? '' : ' most'}`
  return (
    `Cut at ½, cross-entropy fell behind soft-Dice${where} for ${at(most)}: Dice ${ce} against ${sd}, ` +
    `a difference of ${interval(most)}.${rest(rows.length - lower.length)}`
  )
}

function gainOfThreshold(rows: readonly ComparisonRow[]): string | undefined {
  if (rows.length === 0) return undefined
  const [higher, lower] = [rows.filter(isHigher), rows.filter(isLower)]
  const most = rows.reduce((a, b) => (Math.abs(b.difference) > Math.abs(a.difference) ? b : a))
  const move = "Moving the same networks' cut from ½ to each case's own t*, without any label,"
  if (rows.length === 1) {
    const effect = higher.length === 1 ? 'raised' : lower.length === 1 ? 'lowered' : 'was not shown to change'
    return `${move} ${effect} Dice for ${at(most)}: the difference was ${interval(most)}.`
  }
  const worse =
    lower.length === 0 ? 'and lowered it in none' : `and lowered it in ${lower.length} (${lower.map(at).join('; ')})`
  return (
    `${move} raised Dice in ${higher.length} of ${settings(rows)} ${worse}; the largest change was ` +
    `${interval(most)} (${at(most)}).`
  )
}

function againstSoftDice(rows: readonly ComparisonRow[]): string | undefined {
  if (rows.length === 0) return undefined
  const [higher, lower] = [rows.filter(isHigher), rows.filter(isLower)]
  if (rows.length === 1) {
    const is = higher.length === 1 ? 'better than' : lower.length === 1 ? 'worse than' : 'not told apart from'
    return `With t*, cross-entropy was ${is} soft-Dice for ${at(rows[0])}: the difference was ${interval(rows[0])}.`
  }
  const open = rows.length - higher.length - lower.length
  const where = lower.length === 0 ? '' : ` (worse: ${lower.map((row) => `${at(row)}, ${interval(row)}`).join('; ')})`
  return (
    `With t*, cross-entropy was better than soft-Dice in ${higher.length}, worse in ${lower.length} ` +
    `and not told apart in ${open} of ${settings(rows)}${where}.`
  )
}

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

/** Told apart from zero by both the test (Holm, 5 %) and the interval, and large enough to matter. */
function isLower({ difference, high, p_holm }: ComparisonRow): boolean {
  return difference < -negligible && high < 0 && p_holm < 0.05
}

function isHigher({ difference, low, p_holm }: ComparisonRow): boolean {
  return difference > negligible && low > 0 && p_holm < 0.05
}

function at({ organ, sigma_mm }: Setting): string {
  return `${organ} at σ = ${strengthText(sigma_mm)} mm`
}

/** Of several rows; a single one is named instead. */
function settings({ length }: readonly ComparisonRow[]): string {
  return `${length} settings of organ and strength`
}

function rest(n: number): string {
  return n === 0 ? '' : ` In the other ${n === 1 ? 'one' : n} no such loss was shown.`
}

/** `−0.012 (95 % −0.020 to −0.004)`, with more decimals where the interval is narrower than that. */
export function interval({ difference, low, high }: Pick<ComparisonRow, 'difference' | 'low' | 'high'>): string {
  const decimals = estimateDecimals([{ low, high }], 3)
  return estimateText({ value: difference, low, high }, { decimals, signed: true })
}
