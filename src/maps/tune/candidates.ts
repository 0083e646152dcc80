import type { PostProcessing } from '../../decision/decode/post-process.ts'
import { calibrated, fitBetaCalibration } from '../../metrics/beta-calibration.ts'
import { bestMeanCut, bestSoftCut, CutTable, diceAtCuts, halfCut, tableCuts } from '../../metrics/cut-table.ts'
import {
  type ComponentCurves,
  changesDice,
  componentVolumesMm3,
  diceChange,
  postProcessedDice,
} from '../../metrics/post-processing/component-curves.ts'
import { fitTemperature } from '../../metrics/temperature.ts'
import { decideTable, evidenceOf, smallestLikely, type TableEvidence } from '../table-decision.ts'
import { type ClassRule, type CutRule, cutRules } from './rule.ts'

/** One case of a class: its map against its reference, at every cut. */
export interface TunedCase {
  readonly case: string
  /** Cases of one patient are never parted by a fold. */
  readonly patient: string
  readonly table: CutTable
  readonly curves: ComponentCurves
  readonly voxelMm3: number
}

/** A way to cut and what is done to the mask; of `large` components the least volume is fitted. */
export interface Candidate {
  readonly cut: CutRule
  readonly holes: boolean
  readonly keep: 'all' | 'largest' | 'large'
}

/** What is tried, the simplest first. */
export function allCandidates(): Candidate[] {
  return (['all', 'largest', 'large'] as const)
    .flatMap((keep) => [false, true].map((holes) => ({ holes, keep })))
    .flatMap((post) => cutRules.map((cut) => ({ cut, ...post })))
}

/** Whether nothing is done to masks. */
export const isPlain = ({ holes, keep }: { readonly holes: boolean; readonly keep: unknown }): boolean =>
  !holes && keep === 'all'

/** A candidate with its numbers, and what it gives for any case. */
export interface FittedRule {
  readonly rule: ClassRule
  dice(i: number): number
}

/** A way to cut with its numbers; the cut of a case is undefined where its mask is empty. */
interface FittedCut {
  readonly rule: ClassRule
  cutOf(i: number): number | undefined
}

/** Fits candidates to some cases and applies them to others. */
export class CandidateFits {
  readonly #cases: readonly TunedCase[]
  /** Dice at every cut, without post-processing. */
  readonly #dice: readonly Float64Array[]
  readonly #alone: boolean
  /** Evidence without a calibration, and cuts by RMA, are asked for in every fold. */
  readonly #raw: readonly TableEvidence[]
  readonly #rma: readonly number[]
  readonly #cuts = new WeakMap<readonly number[], Map<CutRule, FittedCut>>()

  /** @param alone whether it is the only class of its images (see `presenceOf`) */
  constructor(cases: readonly TunedCase[], alone: boolean) {
    this.#cases = cases
    this.#alone = alone
    this.#dice = cases.map(({ table }) => diceAtCuts(table))
    this.#raw = cases.map(({ table }) => evidenceOf(table, (p) => p))
    this.#rma = cases.map(({ table }) => bestSoftCut(table, (p) => p, 1).cut)
  }

  /** Dice of the map cut at ½, as it was given. */
  half(i: number): number {
    return this.#dice[i][halfCut]
  }

  /** Mean Dice at every cut. */
  meanDice(): Float64Array {
    return Float64Array.from(
      tableCuts,
      (_, cut) => this.#dice.reduce((sum, dice) => sum + dice[cut], 0) / this.#dice.length,
    )
  }

  /** Those that are not the same as a simpler one in every case. */
  distinct(): readonly Candidate[] {
    return allCandidates().filter((each) => {
      if (isPlain(each)) return true
      const keeps = each.keep === 'large' ? componentVolumesMm3 : [each.keep]
      return keeps.some((keep) => this.#cases.some(({ curves }) => changesDice(curves, { holes: each.holes, keep })))
    })
  }

  fit({ cut, holes, keep }: Candidate, train: readonly number[]): FittedRule {
    if (keep !== 'large') return this.#with(cut, { holes, keep }, train)
    let best: { readonly fit: FittedRule; readonly dice: number } | undefined
    for (const mm3 of componentVolumesMm3) {
      const fit = this.#with(cut, { holes, keep: mm3 }, train)
      const dice = train.reduce((sum, i) => sum + fit.dice(i), 0)
      if (best === undefined || dice > best.dice + 1e-9) best = { fit, dice }
    }
    return best?.fit ?? this.#with(cut, { holes, keep: 'all' }, train)
  }

  #with(cut: CutRule, post: PostProcessing, train: readonly number[]): FittedRule {
    const { rule, cutOf } = cut === 'fixed' && !isPlain(post) ? this.#fixed(train, post) : this.#cut(cut, train)
    return {
      rule: isPlain(post) ? rule : { ...rule, postProcessing: post },
      dice: (i) => {
        const own = cutOf(i)
        if (own !== undefined) return this.#dice[i][own] + diceChange(this.#cases[i].curves, post, own)
        return this.#cases[i].table.hits.some((n) => n > 0) ? 0 : 1
      },
    }
  }

  #cut(cut: CutRule, train: readonly number[]): FittedCut {
    const known = this.#cuts.get(train) ?? new Map<CutRule, FittedCut>()
    this.#cuts.set(train, known)
    const fit = known.get(cut) ?? this.#fitCut(cut, train)
    known.set(cut, fit)
    return fit
  }

  #fitCut(cut: CutRule, train: readonly number[]): FittedCut {
    const tables = train.map((i) => this.#cases[i].table)
    if (cut === 'half') return at(cut, halfCut)
    if (cut === 'pooled') return at(cut, bestSoftCut(pooled(tables)).cut)
    if (cut === 'fixed') return this.#fixed(train, { holes: false, keep: 'all' })
    const calibration =
      cut === 'temperature' ? fitTemperature(tables) : cut === 'beta' ? fitBetaCalibration(tables) : undefined
    const evidence = (i: number) =>
      calibration ? evidenceOf(this.#cases[i].table, (p) => calibrated(calibration, p)) : this.#raw[i]
    const about = new Map<number, TableEvidence>()
    const known = (i: number): TableEvidence => {
      const found = about.get(i) ?? evidence(i)
      about.set(i, found)
      return found
    }
    const sizes = train.map((i) => ({ ...known(i), total: known(i).total * this.#cases[i].voxelMm3 }))
    const smallestMm3 = smallestLikely(sizes)
    return {
      rule: { cut, ...(calibration && { calibration }), ...(smallestMm3 !== undefined && { smallestMm3 }) },
      cutOf: (i) => {
        const smallest = smallestMm3 === undefined ? undefined : smallestMm3 / this.#cases[i].voxelMm3
        const optimal = cut === 'rma' ? this.#rma[i] : known(i).cut
        return decideTable(known(i), smallest, 'auto', this.#alone, optimal).cut
      },
    }
  }

  /** One cut for all, the best for masks that are post-processed. */
  #fixed(train: readonly number[], post: PostProcessing): FittedCut {
    return at('fixed', bestMeanCut(train.map((i) => postProcessedDice(this.#dice[i], this.#cases[i].curves, post))))
  }
}

const at = (cut: CutRule, index: number): FittedCut => ({ rule: { cut, at: tableCuts[index] }, cutOf: () => index })

function pooled(tables: readonly CutTable[]): CutTable {
  const all = new CutTable()
  for (const { counts, hits, sums } of tables) {
    for (let b = 0; b < counts.length; b++) {
      all.counts[b] += counts[b]
      all.hits[b] += hits[b]
      all.sums[b] += sums[b]
    }
  }
  return all
}
