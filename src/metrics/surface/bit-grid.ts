import type { Box } from '../../volume/box.ts'
import type { Vec3 } from '../../volume/grid.ts'
import { runEnds } from '../../volume/runs.ts'
import type { VoxelArray } from '../../volume/volume.ts'

/** A mask of one bit a voxel: 32 voxels are eroded, compared or passed over at a time. */
export interface BitGrid {
  readonly shape: Vec3
  /** Words of a row along i; bit b of word w is voxel i = 32·w + b, and bits beyond the row are 0. */
  readonly words: number
  /** Row after row, j before k. */
  readonly bits: Int32Array
}

/** A grid without any voxel. */
export function emptyBits(shape: Vec3): BitGrid {
  const words = Math.ceil(shape[0] / 32)
  return { shape, words, bits: new Int32Array(words * shape[1] * shape[2]) }
}

/** The part of an image in a box: where it equals `label`, or is not 0 if no label is given. */
export function bitsOf(image: VoxelArray, imageShape: Vec3, { start, shape }: Box, label?: number): BitGrid {
  const { words, bits } = emptyBits(shape)
  const [nx, ny, nz] = shape
  const end = runEnds(image)
  for (let k = 0, row = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++, row += words) {
      const first = ((start[2] + k) * imageShape[1] + start[1] + j) * imageShape[0] + start[0]
      const behind = first + nx
      for (let v = first; v < behind; ) {
        const from = v
        v = end(v, behind)
        const value = image[from]
        if (label === undefined ? value !== 0 : value === label) setBits(bits, row, from - first, v - first)
      }
    }
  }
  return { shape, words, bits }
}

/** Sets the bits of a row whose words start at `row`, from one voxel to before another. */
function setBits(bits: Int32Array, row: number, from: number, to: number): void {
  const [first, last] = [from >> 5, (to - 1) >> 5]
  const [above, below] = [-1 << (from & 31), -1 >>> (31 - ((to - 1) & 31))]
  if (first === last) {
    bits[row + first] |= above & below
    return
  }
  bits[row + first] |= above
  bits.fill(-1, row + first + 1, row + last)
  bits[row + last] |= below
}

/** The number of voxels. */
export function countBits({ bits }: BitGrid): number {
  let count = 0
  for (let n = 0; n < bits.length; n++) count += onesOf(bits[n])
  return count
}

/** The number of ones of a word (Warren, Hacker's Delight, 2012, figure 5-2). */
export function onesOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Places along i, j and k of all voxels, in memory order. */
export function placesOf({ shape, words, bits }: BitGrid, visit: (i: number, j: number, k: number) => void): void {
  for (let k = 0, n = 0; k < shape[2]; k++) {
    for (let j = 0; j < shape[1]; j++) {
      for (let w = 0; w < words; w++, n++) {
        for (let left = bits[n]; left !== 0; left &= left - 1) visit(32 * w + lowestOne(left), j, k)
      }
    }
  }
}

/** The position of the lowest one of a word that is not 0. */
export function lowestOne(word: number): number {
  return 31 - Math.clz32(word & -word)
}
