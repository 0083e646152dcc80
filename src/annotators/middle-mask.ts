import { nearestSeeds } from '../kernels/nearest-seed.ts'
import type { Grid } from '../volume/grid.ts'

/**
 * The mask in the middle of several: what more than half of them hold; of voxels that exactly half of them hold, those
 * that lie nearer to what more do than to what fewer do. Undefined where no voxel is in more than half of them.
 */
export function middleMask(masks: readonly Uint8Array[], { shape, spacing }: Grid): Uint8Array | undefined {
  const half = masks.length / 2
  const n = masks[0].length
  const votes = new Uint8Array(n)
  for (const mask of masks) for (let i = 0; i < n; i++) votes[i] += mask[i]
  const more = new Uint8Array(n)
  let [most, halves] = [0, 0]
  for (let i = 0; i < n; i++) {
    if (votes[i] > half) more[i] = most = 1
    else if (votes[i] === half) halves++
  }
  if (most === 0) return undefined
  if (halves === 0) return more
  const [toMore, toFewer] = [
    nearestSeeds(more, shape, spacing),
    nearestSeeds(
      votes.map((n) => Number(n < half)),
      shape,
      spacing,
    ),
  ]
  const [nx, ny] = shape
  const squared = (a: number, b: number) => {
    const x = ((a % nx) - (b % nx)) * spacing[0]
    const [rowA, rowB] = [Math.floor(a / nx), Math.floor(b / nx)]
    const y = ((rowA % ny) - (rowB % ny)) * spacing[1]
    const z = (Math.floor(rowA / ny) - Math.floor(rowB / ny)) * spacing[2]
    return x * x + y * y + z * z
  }
  return more.map((inside, i) => {
    if (votes[i] !== half) return inside
    return toFewer[i] < 0 || squared(i, toMore[i]) <= squared(i, toFewer[i]) ? 1 : 0
  })
}
