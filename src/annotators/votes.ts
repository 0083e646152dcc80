import type { LabelArray } from '../volume/labels.ts'
import { constantRange } from '../volume/runs.ts'

/** Which annotators drew a label at each voxel: bit r of a code is annotator r's. */
export interface Votes {
  readonly annotators: number
  /** A code a voxel. */
  readonly codes: Uint8Array | Uint16Array | Uint32Array
  /** The codes that occur, none of them 0, and how many voxels have each. */
  readonly patterns: readonly Pattern[]
  /** |L_r|: voxels that each annotator drew. */
  readonly sizes: readonly number[]
}

export interface Pattern {
  readonly code: number
  readonly voxels: number
  /** The annotators of the code. */
  readonly members: readonly number[]
}

/** How several annotators voted on one label of their maps. */
export function votesOn(maps: readonly LabelArray[], label: number): Votes {
  const n = maps[0].length
  const annotators = maps.length
  const codes = new (annotators <= 8 ? Uint8Array : annotators <= 16 ? Uint16Array : Uint32Array)(n)
  for (const [r, map] of maps.entries()) {
    const bit = 2 ** r
    const blocks: Iterable<readonly [number, number]> = label === 0 ? [[0, n]] : blocksNotZero(map)
    for (const [start, end] of blocks) {
      for (let i = start; i < end; i++) if (map[i] === label) codes[i] |= bit
    }
  }
  const counts = new Map<number, number>()
  for (const [start, end] of blocksNotZero(codes)) {
    for (let i = start; i < end; ) {
      const code = codes[i]
      const first = i
      while (i < end && codes[i] === code) i++
      if (code !== 0) counts.set(code, (counts.get(code) ?? 0) + i - first)
    }
  }
  const patterns = [...counts]
    .sort(([a], [b]) => a - b)
    .map(([code, voxels]) => ({ code, voxels, members: membersOf(code, annotators) }))
  const sizes = maps.map((_, r) => sumOf(patterns, ({ members, voxels }) => (members.includes(r) ? voxels : 0)))
  return { annotators, codes, patterns, sizes }
}

/** So many voxels are looked at together; fewer are passed over less quickly, of more too few are nothing but 0. */
const blockVoxels = 2048

/** The parts of a map that are not nothing but 0, as `[from, to)`, in order: most of a map is background. */
export function* blocksNotZero(values: LabelArray): Generator<[number, number], void> {
  const isZero = constantRange(values, 0)
  for (let start = 0; start < values.length; start += blockVoxels) {
    const end = Math.min(values.length, start + blockVoxels)
    if (!isZero(start, end)) yield [start, end]
  }
}

function membersOf(code: number, annotators: number): number[] {
  return Array.from({ length: annotators }, (_, r) => r).filter((r) => (code >>> r) & 1)
}

export function sumOf<T>(items: readonly T[], value: (item: T, index: number) => number): number {
  return items.reduce((sum, item, index) => sum + value(item, index), 0)
}

/** What a rule takes of each pattern: a mask, up to which voxels of a pattern that is taken in part. */
export interface Choice {
  /** Voxels taken of each pattern, in the order of `patterns`. */
  readonly taken: readonly number[]
  /** How strongly the rule wants a voxel of each pattern: of several labels at a voxel, the strongest is kept. */
  readonly strength: readonly number[]
}

/** Mean Dice (1/R) Σ_r 2|S∩L_r|/(|S|+|L_r|) of a choice to the annotators; two empty masks have Dice 1. */
export function meanDice({ annotators, patterns, sizes }: Votes, taken: readonly number[]): number {
  const size = sumOf(taken, (voxels) => voxels)
  const dice = sizes.map((own, r) => {
    if (own + size === 0) return 1
    return (2 * sumOf(patterns, ({ members }, j) => (members.includes(r) ? taken[j] : 0))) / (own + size)
  })
  return sumOf(dice, (d) => d) / annotators
}
