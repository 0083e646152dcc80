import { nearestSeeds } from '../kernels/nearest-seed.ts'
import { boxOf, cropEqual, growBox } from '../volume/box.ts'
import type { Grid, Vec3 } from '../volume/grid.ts'

/**
 * The mask in the middle of several: what more than half of them hold; of voxels that exactly half of them hold, those
 * that lie nearer to what more do than to what fewer do. Undefined where no voxel is in more than half of them.
 */
export function middleMask(masks: readonly Uint8Array[], grid: Grid): Uint8Array | undefined {
  const { shape, spacing } = grid
  const half = masks.length / 2
  const votes = votesOf(masks)
  const more = votedBy(votes, Math.floor(half) + 1)
  if (!more.includes(1)) return undefined
  if (masks.length % 2 === 1) return more
  const atLeastHalf = votedBy(votes, half)
  if (isSame(more, atLeastHalf)) return more
  // What lies nearest is within the box around all of it, or in the layer around that.
  const around = boxOf(atLeastHalf, shape, 0)
  if (!around) return more
  const box = growBox(around, [1, 1, 1], grid)
  const own = nearerToMore(cropEqual(more, shape, box, 1), cropEqual(atLeastHalf, shape, box, 1), box.shape, spacing)
  const result = more.slice()
  const [nx, ny] = box.shape
  for (let row = 0; row < own.length / nx; row++) {
    const [j, k] = [row % ny, Math.floor(row / ny)]
    const start = ((k + box.start[2]) * shape[1] + j + box.start[1]) * shape[0] + box.start[0]
    result.set(own.subarray(row * nx, (row + 1) * nx), start)
  }
  return result
}

/** `more`, and of what else is in `atLeastHalf` the voxels that are nearer to `more` than to the outside. */
function nearerToMore(more: Uint8Array, atLeastHalf: Uint8Array, shape: Vec3, spacing: Vec3): Uint8Array {
  const fewer = atLeastHalf.map((inside) => 1 - inside)
  const [toMore, toFewer] = [nearestSeeds(more, shape, spacing), nearestSeeds(fewer, shape, spacing)]
  const [nx, ny] = shape
  const squared = (a: number, b: number) => {
    const x = ((a % nx) - (b % nx)) * spacing[0]
    const [rowA, rowB] = [Math.floor(a / nx), Math.floor(b / nx)]
    const y = ((rowA % ny) - (rowB % ny)) * spacing[1]
    const z = (Math.floor(rowA / ny) - Math.floor(rowB / ny)) * spacing[2]
    return x * x + y * y + z * z
  }
  return more.map((inside, i) => {
    if (inside === atLeastHalf[i]) return inside
    return toFewer[i] < 0 || squared(i, toMore[i]) <= squared(i, toFewer[i]) ? 1 : 0
  })
}

/** Four voxels at a time, a byte each: sums of at most 127 masks do not run over. The last bytes of `n` are padding. */
function votesOf(masks: readonly Uint8Array[]): { readonly n: number; readonly words: Uint32Array } {
  const n = masks[0].length
  const words = new Uint32Array(Math.ceil(n / 4))
  for (const mask of masks) {
    const own = mask.byteOffset % 4 === 0 ? mask : mask.slice()
    const whole = new Uint32Array(own.buffer, own.byteOffset, n >> 2)
    for (let w = 0; w < whole.length; w++) words[w] += whole[w]
  }
  const bytes = new Uint8Array(words.buffer)
  for (let i = n & ~3; i < n; i++) for (const mask of masks) bytes[i] += mask[i]
  return { n, words }
}

/** 1 where at least `least` masks hold a voxel: adding 128 − least sets the highest bit of its byte there. */
function votedBy({ n, words }: ReturnType<typeof votesOf>, least: number): Uint8Array {
  const missing = (128 - least) * 0x01010101
  const result = new Uint32Array(words.length)
  for (let w = 0; w < words.length; w++) result[w] = ((words[w] + missing) >>> 7) & 0x01010101
  return new Uint8Array(result.buffer, 0, n)
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
