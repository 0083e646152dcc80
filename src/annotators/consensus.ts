import { checkVoxels } from '../volume/checks.ts'
import { InputError } from '../volume/errors.ts'
import type { LabelArray } from '../volume/labels.ts'
import { meanDiceMask } from './mean-dice-mask.ts'
import { staple } from './staple.ts'
import { blocksNotZero, type Choice, meanDice, sumOf, type Votes, votesOn } from './votes.ts'

/** The ways to make one mask of several. */
export const consensusRules = ['majority', 'mean', 'staple', 'dice'] as const
export type ConsensusRule = (typeof consensusRules)[number]

/** How one annotator's mask of a label compares with the consensus. */
export interface AnnotatorScore {
  /** The share of the consensus that the annotator drew; null where the consensus is empty. */
  readonly sensitivity: number | null
  /** The share of all else that the annotator left out; null where the consensus is everything. */
  readonly specificity: number | null
  readonly dice: number
}

/** The consensus on one label. */
export interface LabelConsensus {
  readonly label: number
  readonly voxels: number
  /** Mean Dice of the consensus to the annotators. */
  readonly meanDice: number
  readonly annotators: readonly AnnotatorScore[]
  /** Of the mean map: where it is cut, t*. */
  readonly threshold?: number
  /** Of STAPLE: its own estimates of each annotator. */
  readonly estimates?: readonly { readonly sensitivity: number; readonly specificity: number }[]
  /** Where the rule may have failed, in words. */
  readonly warnings: readonly string[]
}

/** What several annotators agree on. */
export interface Consensus<A extends LabelArray = LabelArray> {
  readonly values: A
  readonly labels: readonly LabelConsensus[]
  /** Voxels that more than one label claimed. */
  readonly contested: number
}

/** Codes of 32 bits hold so many annotators with room to spare. */
const mostAnnotators = 20

/**
 * One label map of several annotators' maps on the same grid, label by label (docs/annotators.md, "Consensus"):
 *
 * - `majority`: what more than half of them drew;
 * - `mean`: their mean map cut at its own t*, the mask with the best soft Dice (arXiv 2304.04116);
 * - `staple`: STAPLE (Warfield, Zou & Wells, 2004), where the estimated probability of the truth is at least ½;
 * - `dice`: the mask with the largest mean Dice to the annotators, exactly.
 *
 * A voxel that several labels claim gets the one that the rule wants most there. Label 0 is background.
 *
 * @param maps of 2 to 20 annotators, one label a voxel
 * @param options.labels the labels to look for; default all but 0
 * @throws InputError for fewer or more maps, and for maps of different lengths
 * @example
 * const maps = [[0, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]].map((values) => Uint8Array.from(values))
 * consensus(maps, 'majority').values // [0, 1, 1, 1]
 * consensus(maps, 'dice').labels[0].meanDice // 0.866…
 */
export function consensus<A extends LabelArray>(
  maps: readonly A[],
  rule: ConsensusRule,
  options: { readonly labels?: readonly number[] } = {},
): Consensus<A> {
  checkMaps(maps)
  const values = new (maps[0].constructor as new (n: number) => A)(maps[0].length)
  const strength = new Float32Array(options.labels?.length === 1 ? 0 : values.length)
  const found = (options.labels ?? labelsOf(maps)).map((label) => {
    const votes = votesOn(maps, label)
    return { label, votes, choice: choose(votes, rule) }
  })
  let contested = 0
  for (const { label, votes, choice } of found) {
    const of = new Map(
      votes.patterns.map(({ code }, j) => [code, { left: choice.taken[j], strength: choice.strength[j] }]),
    )
    let [previous, own] = [0, of.get(0)]
    for (const [start, end] of blocksNotZero(votes.codes)) {
      for (let i = start; i < end; i++) {
        const code = votes.codes[i]
        if (code === 0) continue
        if (code !== previous) [previous, own] = [code, of.get(code)]
        if (own === undefined || own.left === 0) continue
        own.left--
        if (values[i] !== 0) {
          contested++
          if (own.strength <= strength[i]) continue
        }
        values[i] = label
        if (strength.length > 0) strength[i] = own.strength
      }
    }
  }
  return { values, contested, labels: found.map(({ label, votes, choice }) => score(label, votes, choice, values)) }
}

/**
 * The share of annotators who drew a label at each voxel.
 *
 * @example
 * meanMap([Uint8Array.of(0, 1), Uint8Array.of(1, 1)], 1) // [0.5, 1]
 */
export function meanMap(maps: readonly LabelArray[], label: number): Float32Array {
  checkMaps(maps)
  const sum = new Float32Array(maps[0].length)
  for (const map of maps) for (let i = 0; i < sum.length; i++) if (map[i] === label) sum[i]++
  return sum.map((votes) => votes / maps.length)
}

/** Throws an InputError unless there are 2 to 20 maps of as many voxels. */
export function checkMaps(maps: readonly LabelArray[]): void {
  if (maps.length < 2 || maps.length > mostAnnotators) {
    throw new InputError('annotators', `are ${maps.length}; give 2 to ${mostAnnotators} of them`)
  }
  for (const [r, map] of maps.entries()) checkVoxels(map, `annotator ${r + 1}`, maps[0].length)
}

/** The labels that any map holds, but 0, ascending. */
export function labelsOf(maps: readonly LabelArray[]): number[] {
  const seen = new Set<number>()
  for (const map of maps) {
    let previous = 0
    for (const [start, end] of blocksNotZero(map)) {
      for (let i = start; i < end; i++) if (map[i] !== previous) seen.add((previous = map[i]))
    }
  }
  seen.delete(0)
  return [...seen].sort((a, b) => a - b)
}

type Chosen = Choice & Pick<LabelConsensus, 'threshold' | 'estimates'> & { readonly warnings: readonly string[] }

function choose(votes: Votes, rule: ConsensusRule): Chosen {
  switch (rule) {
    case 'majority':
      return { ...byVotes(votes, (share) => share > 0.5), warnings: [] }
    case 'mean': {
      const threshold = meanMapThreshold(votes)
      const { taken, strength } = byVotes(votes, (share) => share >= threshold)
      return { taken, strength: strength.map((share) => share / threshold), threshold, warnings: [] }
    }
    case 'staple': {
      const { taken, strength, sensitivity, specificity } = staple(votes)
      const estimates = sensitivity.map((p, r) => ({ sensitivity: p, specificity: specificity[r] }))
      return { taken, strength, estimates, warnings: doubts(votes, taken, estimates) }
    }
    case 'dice':
      return { ...meanDiceMask(votes), warnings: [] }
  }
}

function byVotes({ patterns, annotators }: Votes, isIn: (share: number) => boolean): Choice {
  const shares = patterns.map(({ members }) => members.length / annotators)
  return { taken: patterns.map(({ voxels }, j) => (isIn(shares[j]) ? voxels : 0)), strength: shares }
}

/** t* = ½D* of the mean map (docs/theory.md, "Optimal predictions"): its values are shares of so many annotators. */
function meanMapThreshold({ patterns, annotators, sizes }: Votes): number {
  const total = sumOf(sizes, (size) => size) / annotators
  let supDice = total === 0 ? 1 : 0
  for (let least = annotators; least >= 1; least--) {
    const inside = patterns.filter(({ members }) => members.length >= least)
    const mass = sumOf(inside, ({ voxels, members }) => (voxels * members.length) / annotators)
    if (total > 0) supDice = Math.max(supDice, (2 * mass) / (sumOf(inside, ({ voxels }) => voxels) + total))
  }
  return supDice / 2
}

/** A larger factor between STAPLE's volume and the majority's than annotators who see the same object give. */
const strangeVolume = 1.5

/** What is known to go wrong with STAPLE, where it shows. */
function doubts(votes: Votes, taken: readonly number[], estimates: NonNullable<LabelConsensus['estimates']>): string[] {
  const volume = sumOf(taken, (voxels) => voxels)
  const majority = sumOf(byVotes(votes, (share) => share > 0.5).taken, (voxels) => voxels)
  const inverted = estimates.filter(({ sensitivity, specificity }) => sensitivity + specificity < 1).length
  const warnings: string[] = []
  if (inverted > 0) {
    warnings.push(
      `STAPLE takes ${inverted} of ${estimates.length} annotators for worse than chance; look at their masks`,
    )
  }
  if (volume === 0 && majority > 0) warnings.push('STAPLE leaves nothing of an object that the majority drew')
  else if (majority > 0 && (volume > strangeVolume * majority || strangeVolume * volume < majority)) {
    const factor = (volume / majority).toFixed(2)
    warnings.push(`STAPLE's mask has ${factor} times the volume of the majority's; it trusts single annotators here`)
  }
  return warnings
}

function score(label: number, votes: Votes, chosen: Chosen, values: LabelArray): LabelConsensus {
  const { patterns, annotators, sizes, codes } = votes
  const { threshold, estimates, warnings } = chosen
  // Other labels may have won some of the voxels: what is left is counted.
  const index = new Map(patterns.map(({ code }, j) => [code, j]))
  const taken = patterns.map(() => 0)
  let [previous, pattern] = [0, index.get(0)]
  for (const [start, end] of blocksNotZero(codes)) {
    for (let i = start; i < end; i++) {
      if (values[i] !== label || codes[i] === 0) continue
      if (codes[i] !== previous) [previous, pattern] = [codes[i], index.get(codes[i])]
      if (pattern !== undefined) taken[pattern]++
    }
  }
  const voxels = sumOf(taken, (n) => n)
  const scores = Array.from({ length: annotators }, (_, r): AnnotatorScore => {
    const both = sumOf(patterns, ({ members }, j) => (members.includes(r) ? taken[j] : 0))
    const outside = values.length - voxels
    return {
      sensitivity: voxels === 0 ? null : both / voxels,
      specificity: outside === 0 ? null : 1 - (sizes[r] - both) / outside,
      dice: voxels + sizes[r] === 0 ? 1 : (2 * both) / (voxels + sizes[r]),
    }
  })
  return {
    label,
    voxels,
    meanDice: meanDice(votes, taken),
    annotators: scores,
    ...(threshold !== undefined && { threshold }),
    ...(estimates !== undefined && { estimates }),
    warnings,
  }
}
