import type { DecodedCase } from '../decision/decode/case-decoder.ts'
import type { PresenceRule } from '../decision/decode/presence.ts'
import { type CutTable, diceAtCuts, halfCut } from '../metrics/cut-table.ts'
import { type PackedCutTable, packCutTable, unpackCutTable } from '../metrics/packed-cut-table.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import type { CaseMaps } from './case-maps.ts'
import type { ClassScheme } from './classes.ts'
import { type ComparedCase, compareThresholds, type ThresholdComparison } from './comparison.ts'
import { type CommonFlag, flagRows, type UnflaggedRow } from './review-flags.ts'
import { type Concern, rankRows } from './review-rank.ts'

/** What is told about one class of one case. */
export interface ReviewRow {
  readonly case: string
  readonly class: string
  /** Undefined where the mask is no cut: the argmax of several maps. */
  readonly threshold: number | undefined
  readonly present: boolean
  readonly largest: number
  readonly supDice: number
  /** Soft Dice, as the probabilities promise it, of the mask written and of the cut at ½. */
  readonly softDice: number
  readonly diceAtHalf: number
  /** Dice of the two masks with each other. */
  readonly agreement: number
  readonly volumeMl: number
  readonly volumeHalfMl: number
  readonly expectedMl: number
  /** Thresholds within 0.01 of D*. */
  readonly nearLow: number | undefined
  readonly nearHigh: number | undefined
  /** Share of the class's own best mask that other classes took. */
  readonly lost: number
  /** Dice against the reference, of the mask written and of the cut at ½. */
  readonly referenceDice: number | undefined
  readonly referenceDiceAtHalf: number | undefined
  /** Why not to trust this mask unseen; empty where nothing singles it out (see `flagRows`). */
  readonly flags: readonly string[]
  /** How much the mask needs a look beside the others (see `rankRows`). */
  readonly concern: Concern
}

export interface ThresholdReview {
  /** Those that need a look most first. */
  readonly rows: readonly ReviewRow[]
  /** The flags of each case, one list a class, in the order given. */
  readonly flags: readonly (readonly (readonly string[])[])[]
  /** What holds for so many masks of a class that it flags none of them. */
  readonly common: readonly CommonFlag[]
  /** By class, where there were references for at least two cases. */
  readonly comparisons: readonly { readonly class: string; readonly comparison: ThresholdComparison }[]
}

/** A case with what was found out about it. */
export interface ReviewedCase {
  readonly source: CaseMaps
  readonly scheme: ClassScheme
  readonly decoded: DecodedCase
  readonly reference: LabelArray | undefined
  /** One a map, where there is a reference. */
  readonly tables: readonly (CutTable | undefined)[]
}

/** What is kept of a case for a review: plain data that does not grow with the image. */
export interface CaseRows {
  /** Whether no other class was looked for in its image (see `presenceOf`). */
  readonly alone: boolean
  /** One a class, in the order of the maps. */
  readonly rows: readonly UnflaggedRow[]
  /** Of the classes that were compared with a reference. */
  readonly compared: readonly (Omit<ComparedCase, 'table'> & {
    readonly class: string
    readonly packed: PackedCutTable
  })[]
}

/** What a case adds to a review. */
export function caseRows({ source, scheme, decoded, reference, tables }: ReviewedCase): CaseRows {
  const ml = voxelVolumeMm3(source.grid) / 1000
  const rows: UnflaggedRow[] = []
  const compared: CaseRows['compared'][number][] = []
  for (const [i, result] of decoded.maps.entries()) {
    const own = scheme.maps[i]
    if (!result || !own) continue
    const table = tables[i]
    if (table) {
      compared.push({ case: source.name, class: own.name, packed: packCutTable(table), presence: result.presence })
    }
    rows.push({
      case: source.name,
      class: own.name,
      threshold: result.threshold,
      present: result.present,
      largest: result.largest,
      supDice: result.supDice,
      softDice: result.softDice,
      diceAtHalf: result.diceAtHalf,
      agreement: result.agreementWithHalf,
      volumeMl: result.volume * ml,
      volumeHalfMl: result.volumeHalf * ml,
      expectedMl: result.probabilityVolume * ml,
      nearLow: result.near?.low,
      nearHigh: result.near?.high,
      haze: result.presence?.mask === 'half',
      lost: result.lostVolume / Math.max(1, result.lostVolume + result.volume),
      referenceDice: reference && diceOfMask(decoded, scheme, i, reference),
      referenceDiceAtHalf: table && diceAtCuts(table)[halfCut],
    })
  }
  return { alone: rows.length === 1 && !scheme.leftOut, rows, compared }
}

/**
 * The review of all cases.
 *
 * @param presence the rule by which masks are written
 */
export function reviewOf(cases: readonly CaseRows[], presence: PresenceRule = 'auto'): ThresholdReview {
  const unflagged = cases.flatMap(({ rows }) => rows)
  const { flags, common } = flagRows(unflagged)
  const concerns = rankRows(unflagged, flags)
  const rows = unflagged
    .map(({ haze: _, ...row }, i): ReviewRow => ({ ...row, flags: flags[i], concern: concerns[i] }))
    .toSorted((a, b) => b.concern.score - a.concern.score)
  let next = 0
  const byCase = cases.map((each) => each.rows.map(() => flags[next++]))
  const alone = cases.every((each) => each.alone)
  const byClass = new Map<string, CaseRows['compared'][number][]>()
  for (const each of cases.flatMap(({ compared }) => compared)) {
    byClass.set(each.class, [...(byClass.get(each.class) ?? []), each])
  }
  // One class at a time: unpacked, the tables of many cases and classes are large.
  const comparisons = [...byClass].flatMap(([name, kept]) => {
    if (kept.length < 2) return []
    const tables = kept.map(({ packed, ...rest }) => ({ ...rest, table: unpackCutTable(packed) }))
    return [{ class: name, comparison: compareThresholds(tables, presence, alone) }]
  })
  return { rows, flags: byCase, common, comparisons }
}

/** Dice of the mask as written, conflicts and all, with a class or region of the reference, where it is annotated. */
function diceOfMask(
  { data, channels }: DecodedCase,
  scheme: ClassScheme,
  index: number,
  reference: LabelArray,
): number {
  const labels = scheme.maps[index]?.labels ?? []
  const inside = new Uint8Array(1 << 16)
  for (const label of labels) inside[label] = 1
  const offset = channels > 1 ? index * reference.length : 0
  const separate = scheme.kind === 'separate'
  let [volume, size, both] = [0, 0, 0]
  for (let i = 0; i < reference.length; i++) {
    if (reference[i] < 0) continue
    const mask = separate ? data[offset + i] : inside[data[offset + i]]
    const truth = inside[reference[i]] ?? 0
    volume += mask
    size += truth
    both += mask & truth
  }
  return volume + size === 0 ? 1 : (2 * both) / (volume + size)
}
