import { fewestCases, median, type UnflaggedRow } from './review-flags.ts'

/** How much a mask needs a look, and why. */
export interface Concern {
  /**
   * How far the mask lies from the others of its class, in their spreads (robust standard deviations), in the measure
   * that sets it apart most; and `flagWeight` for each flag.
   */
  readonly score: number
  /** What sets it apart, beside its flags; undefined where nothing does. */
  readonly reason: string | undefined
}

/** A flag counts as a deviation that fewer than one in a thousand would have. */
const flagWeight = 3.5

/** Nearer to the median than this, a mask is like the others. */
const leastSpreads = 2

/** One thing that tells a mask from the others of its class. */
interface Measure {
  readonly of: (row: UnflaggedRow) => number | undefined
  /** Differences that mean nothing however alike the others are. */
  readonly floor: number
  /** Words of the flag that says the same. */
  readonly flag: string
  /** Whether large values are of concern, small ones, or both. */
  readonly side: 'high' | 'low' | 'both'
  readonly tell: (value: number, usual: number) => string
}

const dice = (name: string) => (value: number, usual: number) =>
  `${name} ${value.toFixed(2)}, usual ${usual.toFixed(2)}`

const measures: readonly Measure[] = [
  { of: (row) => row.referenceDice, floor: 0.02, flag: 'reference', side: 'low', tell: dice('reference Dice') },
  { of: (row) => row.softDice, floor: 0.02, flag: 'promises', side: 'low', tell: dice('promises a Dice of') },
  { of: (row) => row.agreement, floor: 0.02, flag: 'differs', side: 'low', tell: dice('Dice with the ½ cut') },
  {
    of: (row) => row.lost,
    floor: 0.02,
    flag: 'other classes',
    side: 'high',
    tell: (value, usual) => `${Math.round(100 * value)} % went to other classes, usual ${Math.round(100 * usual)} %`,
  },
  {
    of: (row) => (row.volumeMl > 0 ? Math.log(row.volumeMl) : undefined),
    floor: 0.05,
    flag: 'unusual size',
    side: 'both',
    tell: (value, usual) => `${Math.exp(value - usual).toPrecision(2)} times the usual size`,
  },
]

/**
 * Ranks masks by how much they need a look: by flags, and by how far they lie from the others of their class. Where a
 * class has too few cases to say what is usual, by how much the mask differs from the cut at ½.
 *
 * @returns a concern for each row, in their order
 */
export function rankRows(rows: readonly UnflaggedRow[], flags: readonly (readonly string[])[]): Concern[] {
  const result: Concern[] = rows.map((row, i) => ({
    score: flagWeight * flags[i].length + (row.present ? 1 - row.agreement : 0),
    reason: undefined,
  }))
  for (const name of new Set(rows.map((row) => row.class))) {
    const own = [...rows.keys()].filter((i) => rows[i].class === name)
    const there = own.filter((i) => rows[i].present)
    if (there.length < fewestCases) continue
    for (const i of there) result[i] = { score: flagWeight * flags[i].length, reason: undefined }
    for (const measure of measures) weigh(measure, there, rows, flags, result)
    // A class that is there in most cases is missed where it is not.
    if (own.length - there.length > own.length / 4) continue
    for (const i of own.filter((at) => !rows[at].present)) {
      const reason = `absent; there in ${there.length} of ${own.length} cases`
      result[i] = { score: flagWeight * (1 + flags[i].length), reason }
    }
  }
  return result
}

/** Raises the concern of rows that one measure sets apart more than those before it. */
function weigh(
  { of, floor, flag, side, tell }: Measure,
  own: readonly number[],
  rows: readonly UnflaggedRow[],
  flags: readonly (readonly string[])[],
  result: Concern[],
): void {
  const values = own.flatMap((i) => of(rows[i]) ?? [])
  if (values.length < fewestCases) return
  const usual = median(values)
  // 1.4826: the median absolute deviation of a normal distribution is σ/1.4826.
  const spread = Math.max(floor, 1.4826 * median(values.map((value) => Math.abs(value - usual))))
  for (const i of own) {
    const value = of(rows[i])
    if (value === undefined) continue
    const away = (value - usual) / spread
    const distance = side === 'both' ? Math.abs(away) : side === 'high' ? away : -away
    const score = distance + flagWeight * flags[i].length
    if (score <= result[i].score) continue
    const told = distance < leastSpreads || flags[i].some((each) => each.includes(flag))
    result[i] = { score, reason: told ? undefined : tell(value, usual) }
  }
}
