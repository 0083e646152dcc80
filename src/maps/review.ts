import type { DecodedCase } from '../decision/decode/case-decoder.ts'
import type { PresenceRule } from '../decision/decode/presence.ts'
import type { MapResult } from '../decision/decode/result.ts'
import { type CutTable, diceAtCuts, HALF_CUT } from '../metrics/cut-table.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import type { CaseMaps } from './case-maps.ts'
import type { ClassScheme } from './classes.ts'
import { type ComparedCase, compareThresholds, type ThresholdComparison } from './comparison.ts'

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
  /** Why not to trust this mask unseen; empty where nothing is wrong. */
  readonly flags: readonly string[]
}

export interface ThresholdReview {
  /** Those that changed most first. */
  readonly rows: readonly ReviewRow[]
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

/** Collects cases one by one; what it keeps of each does not grow with the image. */
export class ReviewCollector {
  readonly #rows: Omit<ReviewRow, 'flags'>[] = []
  readonly #results: MapResult[] = []
  readonly #tables = new Map<string, ComparedCase[]>()
  readonly #presence: PresenceRule

  /** @param presence the rule by which masks are written */
  constructor(presence: PresenceRule = 'auto') {
    this.#presence = presence
  }

  add({ source, scheme, decoded, reference, tables }: ReviewedCase): void {
    const ml = voxelVolumeMm3(source.grid) / 1000
    for (const [i, result] of decoded.maps.entries()) {
      const own = scheme.maps[i]
      if (!result || !own) continue
      const table = tables[i]
      if (table) {
        const before = this.#tables.get(own.name) ?? []
        this.#tables.set(own.name, [...before, { case: source.name, table, presence: result.presence }])
      }
      this.#results.push(result)
      this.#rows.push({
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
        lost: result.lostVolume / Math.max(1, result.lostVolume + result.volume),
        referenceDice: reference && diceOfMask(decoded, scheme, i, reference),
        referenceDiceAtHalf: table && diceAtCuts(table)[HALF_CUT],
      })
    }
  }

  finish(): ThresholdReview {
    const outliers = volumeOutliers(this.#rows)
    const rows = this.#rows.map((row, i) => ({ ...row, flags: flagsOf(row, this.#results[i], outliers.get(i)) }))
    const comparisons = [...this.#tables].flatMap(([name, tables]) =>
      tables.length < 2 ? [] : [{ class: name, comparison: compareThresholds(tables, this.#presence) }],
    )
    return { rows: rows.toSorted((a, b) => a.agreement - b.agreement), comparisons }
  }
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

/** So far from its class's median that fewer than one in a thousand would be, were log-volumes normal. */
const outlierScore = 3.5
/** Fewer cases say nothing about what sizes are usual. */
const fewestCases = 8

/** Rows whose volume is implausible beside the other cases of the class: how often the median it is. */
function volumeOutliers(rows: readonly Omit<ReviewRow, 'flags'>[]): Map<number, number> {
  const byClass = new Map<string, { index: number; log: number }[]>()
  for (const [index, row] of rows.entries()) {
    if (!(row.volumeMl > 0)) continue
    byClass.set(row.class, [...(byClass.get(row.class) ?? []), { index, log: Math.log(row.volumeMl) }])
  }
  const found = new Map<number, number>()
  for (const cases of byClass.values()) {
    if (cases.length < fewestCases) continue
    const middle = median(cases.map(({ log }) => log))
    // 1.4826: the median absolute deviation of a normal distribution is σ/1.4826.
    const spread = 1.4826 * median(cases.map(({ log }) => Math.abs(log - middle)))
    for (const { index, log } of cases) {
      if (Math.abs(log - middle) > outlierScore * Math.max(spread, 0.05)) found.set(index, Math.exp(log - middle))
    }
  }
  return found
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
}

/** Reasons to look at a mask before using it. */
function flagsOf(row: Omit<ReviewRow, 'flags'>, { presence }: MapResult, timesMedian: number | undefined): string[] {
  const flags: string[] = []
  if (row.agreement < 0.8) flags.push('differs sharply')
  if (!row.present && row.largest >= 0.1) flags.push(`left out: p reaches only ${row.largest.toFixed(2)}`)
  if (row.present && row.volumeMl > 0 && row.largest < 0.5) flags.push('no voxel reaches ½')
  if (presence?.mask === 'half') flags.push('cut at ½: t* would paint a haze')
  if (row.present && row.volumeMl > 0 && row.supDice < 0.7)
    flags.push(`promises a Dice of only ${row.supDice.toFixed(2)}`)
  if (row.volumeMl > 1.5 * row.expectedMl)
    flags.push(`${(row.volumeMl / row.expectedMl).toFixed(1)} times the expected volume`)
  if (timesMedian !== undefined) flags.push(`unusual size: ${timesMedian.toPrecision(2)} times the median of the cases`)
  if (row.lost > 0.1) flags.push(`${Math.round(100 * row.lost)} % went to other classes`)
  return flags
}
