import { type PresenceRule, presenceOf } from '../decision/decode/presence.ts'
import { bestSoftCut, type CutTable, halfCut } from '../metrics/cut-table.ts'

/**
 * How the map of a `CutTable` is cut by the rule that masks are written by; `cut` is undefined where the mask is empty.
 */
export interface TableDecision {
  readonly cut: number | undefined
  /** The index of t*, whatever the mask is. */
  readonly best: number
}

/**
 * Decides for each table, its probabilities replaced by `calibrate(i)` of them, where its map is cut and whether its
 * class is left out. The other tables of the class are the other cases that the rule asks.
 */
export function decideTables(
  tables: readonly CutTable[],
  calibrate: (i: number) => (p: number) => number,
  rule: PresenceRule,
  alone: boolean,
): TableDecision[] {
  const about = tables.map((table, i) => {
    const { counts, sums } = table
    const top = counts.findLastIndex((n) => n > 0)
    const largest = top < 0 ? 0 : calibrate(i)(sums[top] / counts[top])
    return { ...bestSoftCut(table, calibrate(i)), largest, voxels: counts.reduce((a, b) => a + b, 0) }
  })
  const likely = about.flatMap(({ largest, total }) => (largest >= 0.5 ? [total] : []))
  const smallestElsewhere = likely.length > 0 ? Math.min(...likely) : undefined
  return about.map((evidence) => {
    const { mask } = presenceOf({ ...evidence, alone, smallestElsewhere }, rule)
    const cut = mask === 'empty' ? undefined : mask === 'half' ? halfCut : evidence.cut
    return { cut, best: evidence.cut }
  })
}
