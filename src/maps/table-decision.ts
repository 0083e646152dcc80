import { type PresenceRule, presenceOf } from '../decision/decode/presence.ts'
import { bestSoftCut, type CutTable, halfCut, type SoftCut } from '../metrics/cut-table.ts'

/**
 * How the map of a `CutTable` is cut by the rule that masks are written by; `cut` is undefined where the mask is empty.
 */
export interface TableDecision {
  readonly cut: number | undefined
  /** The index of t*, whatever the mask is. */
  readonly best: number
}

/** What the rule of presence asks of a map. */
export interface TableEvidence extends SoftCut {
  readonly largest: number
  readonly voxels: number
}

/** The evidence of a table, its probabilities replaced by `calibrate` of them. */
export function evidenceOf(table: CutTable, calibrate: (p: number) => number): TableEvidence {
  const { counts, sums } = table
  const top = counts.findLastIndex((n) => n > 0)
  const largest = top < 0 ? 0 : calibrate(sums[top] / counts[top])
  return { ...bestSoftCut(table, calibrate), largest, voxels: counts.reduce((a, b) => a + b, 0) }
}

/** ‖m‖ of the smallest case where the class is clearly there, if there is one. */
export function smallestLikely(cases: readonly TableEvidence[]): number | undefined {
  const likely = cases.flatMap(({ largest, total }) => (largest >= 0.5 ? [total] : []))
  return likely.length > 0 ? Math.min(...likely) : undefined
}

/**
 * Decides where a map is cut, and whether its class is left out.
 *
 * @param optimal the cut of the mask where the class is there; default: t*
 */
export function decideTable(
  evidence: TableEvidence,
  smallestElsewhere: number | undefined,
  rule: PresenceRule,
  alone: boolean,
  optimal: number = evidence.cut,
): TableDecision {
  const { mask } = presenceOf({ ...evidence, alone, smallestElsewhere }, rule)
  const cut = mask === 'empty' ? undefined : mask === 'half' ? halfCut : optimal
  return { cut, best: evidence.cut }
}

/**
 * Decides for each table, its probabilities replaced by `calibrate(i)` of them. The other tables of the class are the
 * other cases that the rule of presence asks.
 */
export function decideTables(
  tables: readonly CutTable[],
  calibrate: (i: number) => (p: number) => number,
  rule: PresenceRule,
  alone: boolean,
): TableDecision[] {
  const about = tables.map((table, i) => evidenceOf(table, calibrate(i)))
  const smallest = smallestLikely(about)
  return about.map((evidence) => decideTable(evidence, smallest, rule, alone))
}
