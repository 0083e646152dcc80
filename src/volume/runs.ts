import type { VoxelArray } from './volume.ts'

/**
 * Where the run of equal values that starts at a position ends: the position of the first other value, or `to`. Bytes
 * are compared sixteen at a time.
 */
export function runEnds(values: VoxelArray): (from: number, to: number) => number {
  const slow = (from: number, to: number) => {
    const value = values[from]
    let i = from + 1
    while (i < to && values[i] === value) i++
    return i
  }
  if (!(values instanceof Uint8Array) || values.byteOffset % 4 !== 0) return slow
  const words = new Int32Array(values.buffer, values.byteOffset, values.length >> 2)
  return (from, to) => {
    const value = values[from]
    const pattern = Math.imul(value, 0x01010101)
    let i = from + 1
    for (; (i & 3) !== 0; i++) if (i >= to || values[i] !== value) return i
    let w = i >> 2
    const last = to >> 2
    for (; w + 3 < last; w += 4) {
      const differs =
        (words[w] ^ pattern) | (words[w + 1] ^ pattern) | (words[w + 2] ^ pattern) | (words[w + 3] ^ pattern)
      if (differs !== 0) break
    }
    while (w < last && words[w] === pattern) w++
    for (i = Math.max(i, w << 2); i < to && values[i] === value; i++);
    return i
  }
}

/** Whether all values from one position to before another are `outside`. */
export function constantRange(values: VoxelArray, outside: number): (from: number, to: number) => boolean {
  const end = runEnds(values)
  return (from, to) => from >= to || (values[from] === outside && end(from, to) === to)
}
