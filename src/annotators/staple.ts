import { type Choice, sumOf, type Votes } from './votes.ts'

/** STAPLE's estimates: how the hidden truth, if there is one, looks from the annotators' masks. */
export interface Staple extends Choice {
  /** Of each annotator: the share of the truth that it drew, and the share of all else that it left out. */
  readonly sensitivity: readonly number[]
  readonly specificity: readonly number[]
  /** P(true | votes) of each pattern. */
  readonly probability: readonly number[]
  readonly iterations: number
}

/** Where EM stands still, and the most that it may take: it converges linearly, slowly where annotators differ much. */
const [tolerance, mostIterations] = [1e-10, 5000]

/**
 * STAPLE (Warfield, Zou & Wells, IEEE TMI 2004) for one label: expectation maximisation of each annotator's sensitivity
 * p and specificity q, from p = q = 0.99999, with the mean share of drawn voxels as prior. As in ITK the prior counts
 * the whole image: a wider image makes it smaller. The mask is where the probability is at least ½.
 */
export function staple({ annotators, codes, patterns, sizes }: Votes): Staple {
  const n = codes.length
  const all = Array.from({ length: annotators }, (_, r) => r)
  // The voxels that nobody drew are a pattern too, the last one.
  const rows = [...patterns, { voxels: n - sumOf(patterns, ({ voxels }) => voxels), members: [] as readonly number[] }]
  const drew = rows.map(({ members }) => all.map((r) => members.includes(r)))
  const prior = sumOf(sizes, (size) => size) / (annotators * n)
  let p = all.map(() => 0.99999)
  let q = all.map(() => 0.99999)
  let w = rows.map(() => 0)
  let iterations = 0
  // Nothing drawn, or everything by all: there is nothing to learn.
  if (prior === 0 || prior === 1) {
    return {
      ...choice(patterns.map(() => prior)),
      sensitivity: all.map(() => 1),
      specificity: all.map(() => 1),
      iterations,
    }
  }
  for (; iterations < mostIterations; iterations++) {
    w = drew.map((own) => {
      const inside = own.reduce((product, drawn, r) => product * (drawn ? p[r] : 1 - p[r]), prior)
      const outside = own.reduce((product, drawn, r) => product * (drawn ? 1 - q[r] : q[r]), 1 - prior)
      return inside + outside === 0 ? 0.5 : inside / (inside + outside)
    })
    const truth = sumOf(rows, ({ voxels }, j) => w[j] * voxels)
    const shareOf = (r: number, weight: (j: number) => number, drawn: boolean, total: number) =>
      sumOf(rows, ({ voxels }, j) => (drew[j][r] === drawn ? weight(j) * voxels : 0)) / total
    const nextP = all.map((r) => (truth === 0 ? p[r] : shareOf(r, (j) => w[j], true, truth)))
    const nextQ = all.map((r) => (truth === n ? q[r] : shareOf(r, (j) => 1 - w[j], false, n - truth)))
    const change = Math.max(...all.map((r) => Math.max(Math.abs(nextP[r] - p[r]), Math.abs(nextQ[r] - q[r]))))
    p = nextP
    q = nextQ
    if (change < tolerance) break
  }
  return { ...choice(w.slice(0, -1)), sensitivity: p, specificity: q, iterations }

  function choice(probability: readonly number[]) {
    return {
      probability,
      taken: patterns.map(({ voxels }, j) => (probability[j] >= 0.5 ? voxels : 0)),
      strength: probability,
    }
  }
}
