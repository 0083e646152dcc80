import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { SumCheck } from './sum-check.ts'

describe('sums over classes', () => {
  const check = (sums: number[], whole = true) => {
    const each = new SumCheck(sums.length, whole)
    each.add(Float32Array.from(sums, (sum) => sum / 2))
    each.add(Float32Array.from(sums, (sum) => sum / 2))
    return each.verdict('x')
  }
  test('1, and 0 where nnU-Net padded, pass; a little off is warned, far off is refused', () => {
    expect(check([1, 1, 0])).toBeUndefined()
    expect(check([1, 1.005])).toBeUndefined()
    expect(check([1, 1.05])).toMatch(/add up to 1\.05 instead of 1 at the worst of 1 voxels/)
    expect(() => check([1, 1.5])).toThrow(/--decode separate/)
    // Without a background map less than 1 is right, more is not.
    expect(check([0.3, 0.9], false)).toBeUndefined()
    expect(() => check([0.3, 1.9], false)).toThrow(InputError)
  })

  test('maps that are one softmax with its background', () => {
    const oneSoftmax = (...maps: number[][]) => {
      const each = new SumCheck(maps[0].length, true)
      for (const map of maps) each.add(Float32Array.from(map))
      return each.addUpToOne()
    }
    expect(oneSoftmax([0.2, 0.5, 0], [0.8, 0.5, 0])).toBe(true)
    // Rounded to per cent.
    expect(oneSoftmax([0.33, 0.33], [0.33, 0.33], [0.33, 0.33])).toBe(true)
    expect(oneSoftmax([0.2, 0.4], [0.8, 0.5])).toBe(false)
    // Organs that do not overlap, without a background.
    expect(oneSoftmax([1, 0, 0, 0, 0], [0, 1, 0, 0, 0])).toBe(false)
    expect(oneSoftmax([0, 0], [0, 0])).toBe(false)
  })
})
