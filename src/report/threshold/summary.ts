import type { ReviewRow, ThresholdReview } from '../../maps/review.ts'
import type { CommonFlag } from '../../maps/review-flags.ts'
import { counted } from '../kit/words.ts'
import { mean, verdicts } from './references.ts'

/** The page in a few sentences. */
export function summaryOf(
  { rows, common, comparisons }: ThresholdReview,
  failures: readonly string[],
  otherwise: string | undefined,
): string[] {
  const cases = new Set(rows.map((row) => row.case)).size
  const flagged = rows.filter((row) => row.flags.length > 0).length
  const shown = rows.filter((row) => row.present && row.volumeMl > 0)
  const gain = mean(shown.map((row) => row.softDice - row.diceAtHalf))
  const made =
    otherwise === undefined
      ? 'cutting at t* = D*⁄2 instead of ½'
      : `what was done here in place of a cut at ½ (${otherwise})`
  const change = `${gain < 0 ? 'lowers' : 'raises'} the expected (soft) Dice by ${Math.abs(gain).toFixed(4)}`
  const lines = [
    `${counted(cases, 'case')}, ${counted(rows.length, 'mask')}. By the probabilities' own account, ` +
      `${made} ${change} on average; the masks agree with the ½ cut to a Dice of ` +
      `${mean(shown.map((row) => row.agreement)).toFixed(3)}.`,
    `${flagged === 0 ? 'No mask is' : flagged === 1 ? 'One mask is' : `${flagged} masks are`} ` +
      'flagged for a look before ' +
      `use${reasonsOf(rows)}${failures.length > 0 ? `; ${counted(failures.length, 'case')} could not be done` : ''}.`,
  ]
  if (common.length > 0) lines.push(commonSentence(common, new Set(rows.map((row) => row.class)).size))
  const first = casesOf(rows)
    .map(([worst]) => worst)
    .filter((row) => row.flags.length > 0 || row.concern.reason !== undefined)
    .slice(0, 3)
  if (cases > 1 && first.length > 0) {
    const list = first.map((row) => `${row.case} (${row.class}: ${whyOf(row)})`)
    lines.push(`Look first at ${list.join('; ')}.`)
  }
  lines.push(...verdicts(comparisons))
  const overconfident = comparisons.filter(({ comparison }) => comparison.calibrationError.raw > 0.1)
  if (overconfident.length > 0) {
    const list = overconfident
      .map((each) => `${each.class} ${each.comparison.calibrationError.raw.toFixed(2)}`)
      .join(', ')
    lines.push(
      `These probabilities are far from what the references say (calibration error ${list}): neither ` +
        'the Dice that they promise nor their own t* can be relied on.',
    )
  }
  return lines
}

/** The masks of each case, the case and the mask that need a look most first. */
export function casesOf(rows: readonly ReviewRow[]): ReviewRow[][] {
  const cases = new Map<string, ReviewRow[]>()
  // Rows are ranked: the first of a case is its worst.
  for (const row of rows) cases.set(row.case, [...(cases.get(row.case) ?? []), row])
  return [...cases.values()]
}

/** Why a mask needs a look: its flags, and what sets it apart from the others. */
export function whyOf({ flags, concern }: Pick<ReviewRow, 'flags' | 'concern'>): string | undefined {
  const all = [...flags, ...(concern.reason === undefined ? [] : [concern.reason])]
  return all.length === 0 ? undefined : all.join('; ')
}

/** What holds for so many masks that it singles none out: each reason once, with the classes that it is true of. */
function commonSentence(common: readonly CommonFlag[], classes: number): string {
  const list = [...new Set(common.map(({ reason }) => reason))].map((reason) => {
    const own = common.filter((each) => each.reason === reason)
    const names = own.length === classes && classes > 1 ? 'every class' : own.map((each) => each.class).join(', ')
    const sum = (of: (each: CommonFlag) => number) => own.reduce((total, each) => total + of(each), 0)
    return `${reason} (${names}: ${sum((each) => each.masks)} of ${sum((each) => each.of)})`
  })
  return `Too common to single masks out, so said only here: masks ${list.join('; ')}.`
}

/** Flags that carry numbers, in the plural. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^left out/, 'left out'],
  [/^promises/, 'promise a Dice below 0.7'],
  [/expected volume$/, 'more than 1.5 times the expected volume'],
  [/^unusual size/, 'of unusual size'],
  [/other classes$/, 'lost voxels to other classes'],
  [/^differs sharply/, 'differ sharply from the ½ cut'],
  [/^cut at ½/, 'cut at ½ because of a haze'],
]

/** Why masks are flagged, the commonest reason first, without each mask's own numbers. */
function reasonsOf(rows: readonly ReviewRow[]): string {
  const counts = new Map<string, number>()
  for (const flag of rows.flatMap((row) => row.flags)) {
    const reason = reasons.find(([pattern]) => pattern.test(flag))?.[1] ?? flag
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  if (counts.size === 0) return ''
  const sorted = [...counts].sort((a, b) => b[1] - a[1])
  return `: ${sorted.map(([reason, count]) => `${reason} (${count})`).join(', ')}`
}
