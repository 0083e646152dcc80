import type { ReviewRow } from './review.ts'

/** What flags are found from. */
export type UnflaggedRow = Omit<ReviewRow, 'flags' | 'concern'> & {
  /** The mask is the cut at ½, because t* would have painted a haze. */
  readonly haze: boolean
}

/** What holds for so many masks of a class that it singles none of them out. */
export interface CommonFlag {
  readonly class: string
  readonly reason: string
  readonly masks: number
  readonly of: number
}

/** Each reason to look at a mask before using it: in general, and of one mask (undefined where it does not hold). */
const reasons: readonly (readonly [string, (row: UnflaggedRow) => string | undefined])[] = [
  ['differ sharply from the ½ cut', (row) => when(row.agreement < 0.8, 'differs sharply')],
  ['left out', (row) => when(!row.present && row.largest >= 0.1, `left out: p reaches only ${row.largest.toFixed(2)}`)],
  ['reach ½ in no voxel', (row) => when(drawn(row) && row.largest < 0.5, 'no voxel reaches ½')],
  ['cut at ½ because t* would paint a haze', (row) => when(row.haze, 'cut at ½: t* would paint a haze')],
  [
    'promise a Dice below 0.7',
    (row) => when(drawn(row) && row.supDice < 0.7, `promises a Dice of only ${row.supDice.toFixed(2)}`),
  ],
  [
    'more than 1.5 times the expected volume',
    (row) =>
      when(
        row.volumeMl > 1.5 * row.expectedMl,
        `${(row.volumeMl / row.expectedMl).toFixed(1)} times the expected volume`,
      ),
  ],
  [
    'lost voxels to other classes',
    (row) => when(row.lost > 0.1, `${Math.round(100 * row.lost)} % went to other classes`),
  ],
]

/** Fewer cases say nothing about what is usual in a class. */
export const fewestCases = 8
/** A flag on more of a class's masks than this is a remark about the class. */
const largestShare = 0.25

/**
 * The flags of each row. Where a reason holds for more than a quarter of the masks of a class (of eight or more),
 * looking at each of them is no help: it is told once for the class. A size is unusual beside the other cases of the
 * class.
 */
export function flagRows(rows: readonly UnflaggedRow[]): { flags: string[][]; common: CommonFlag[] } {
  const flags: string[][] = rows.map(() => [])
  const common: CommonFlag[] = []
  const classes = [...new Set(rows.map((row) => row.class))]
  for (const name of classes) {
    const own = [...rows.keys()].filter((i) => rows[i].class === name)
    for (const [reason, flagOf] of reasons) {
      const found = own.flatMap((i) => {
        const flag = flagOf(rows[i])
        return flag === undefined ? [] : [{ i, flag }]
      })
      if (own.length >= fewestCases && found.length > largestShare * own.length) {
        common.push({ class: name, reason, masks: found.length, of: own.length })
      } else for (const { i, flag } of found) flags[i].push(flag)
    }
    for (const [i, times] of unusualSizes(own.filter((i) => rows[i].volumeMl > 0).map((i) => [i, rows[i].volumeMl]))) {
      flags[i].push(`unusual size: ${times.toPrecision(2)} times the median of the cases`)
    }
  }
  return { flags, common }
}

/** So far from its class's median that fewer than one in a thousand would be, were log-volumes normal. */
const outlierScore = 3.5

/** The rows whose volume is implausible beside the others: how often the median it is. */
function unusualSizes(volumes: readonly (readonly [row: number, ml: number])[]): [number, number][] {
  if (volumes.length < fewestCases) return []
  const logs = volumes.map(([, ml]) => Math.log(ml))
  const middle = median(logs)
  // 1.4826: the median absolute deviation of a normal distribution is σ/1.4826.
  const spread = 1.4826 * median(logs.map((log) => Math.abs(log - middle)))
  return volumes.flatMap(([row], i): [number, number][] =>
    Math.abs(logs[i] - middle) > outlierScore * Math.max(spread, 0.05) ? [[row, Math.exp(logs[i] - middle)]] : [],
  )
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

const drawn = (row: UnflaggedRow): boolean => row.present && row.volumeMl > 0

const when = (holds: boolean, flag: string): string | undefined => (holds ? flag : undefined)
