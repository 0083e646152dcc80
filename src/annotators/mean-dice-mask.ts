import { type Choice, meanDice, type Votes } from './votes.ts'

/**
 * The mask S with the largest mean Dice F(S) = (1/R) Σ_r 2|S∩L_r|/(|S|+|L_r|) to the annotators, exact for any number
 * of them. Of masks of k voxels, F is a sum of voxel weights w = Σ_{r∋x} 2/(R(k+|L_r|)), which depend only on who drew
 * the voxel: the best takes patterns in the order of their weight. All k are searched by branch and bound: with the
 * weights of its least k and the voxels of its largest, no mask of an interval of sizes can be better than the bound.
 */
export function meanDiceMask(votes: Votes): Choice {
  const { annotators, patterns, sizes } = votes
  const filled = (weightsFor: number, k: number) => fill(votes, weightsFor, k)
  const none = patterns.map(() => 0)
  let best = { k: 0, value: meanDice(votes, none) }
  const tryOut = (k: number) => {
    const { value } = filled(k, k)
    if (value > best.value) best = { k, value }
  }
  const most = patterns.reduce((sum, { voxels }) => sum + voxels, 0)
  const open: [low: number, high: number][] = most > 0 ? [[1, most]] : []
  if (most > 0) {
    tryOut(most)
    // The annotators' own sizes are good guesses, and early ones prune the search.
    for (const size of sizes) if (size > 0) tryOut(size)
  }
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [low, high] = next
    if (filled(low, high).value <= best.value) continue
    const middle = (low + high) >> 1
    tryOut(middle)
    if (low < middle) open.push([low, middle - 1])
    if (middle < high) open.push([middle + 1, high])
  }
  const { taken, weights } = filled(best.k, best.k)
  return { taken: best.k === 0 ? none : taken, strength: Array.from(weights, (weight) => weight * annotators) }
}

/** The `k` voxels of the largest weights for masks of `size` voxels, and the sum of their weights. */
function fill({ annotators, patterns, sizes }: Votes, size: number, k: number) {
  const gains = sizes.map((own) => (own + size === 0 ? 0 : 2 / (annotators * (size + own))))
  const weights = Float64Array.from(patterns, ({ members }) => members.reduce((sum, r) => sum + gains[r], 0))
  const order = [...patterns.keys()].sort((a, b) => weights[b] - weights[a])
  const taken = patterns.map(() => 0)
  let [left, value] = [k, 0]
  for (const j of order) {
    taken[j] = Math.min(left, patterns[j].voxels)
    left -= taken[j]
    value += taken[j] * weights[j]
    if (left === 0) break
  }
  return { taken, weights, value }
}
