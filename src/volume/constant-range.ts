import type { VoxelArray } from './volume.ts'

/** Whether all values from one position to before another are `outside`; bytes are compared four at a time. */
export function constantRange(values: VoxelArray, outside: number): (from: number, to: number) => boolean {
  const slow = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (values[i] !== outside) return false
    return true
  }
  if (!(values instanceof Uint8Array) || values.byteOffset % 4 !== 0) return slow
  const words = new Int32Array(values.buffer, values.byteOffset, values.length >> 2)
  const pattern = (outside * 0x01010101) | 0
  return (from, to) => {
    const first = (from + 3) >> 2
    const last = to >> 2
    if (first >= last) return slow(from, to)
    let w = first
    for (; w + 3 < last; w += 4) {
      const differs =
        (words[w] ^ pattern) | (words[w + 1] ^ pattern) | (words[w + 2] ^ pattern) | (words[w + 3] ^ pattern)
      if (differs !== 0) return false
    }
    for (; w < last; w++) if (words[w] !== pattern) return false
    return slow(from, first << 2) && slow(last << 2, to)
  }
}
