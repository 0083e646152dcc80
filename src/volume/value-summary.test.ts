import { expect, test } from 'vitest'
import { ValueSummary } from './value-summary.ts'
import type { VoxelArray } from './volume.ts'

function fault(...parts: VoxelArray[]): string {
  const summary = new ValueSummary()
  for (const part of parts) summary.add(part)
  return summary.fault()
}

/** Whole numbers 0 … last, each many times. */
const ramp = (last: number) => Int32Array.from({ length: 4000 }, (_, i) => Math.round((i * last) / 3999))

test('--scale is one of the usual, or none; never the largest value that was seen', () => {
  const scaled: [VoxelArray, number][] = [
    [ramp(252), 255],
    [ramp(209), 255],
    [ramp(65529), 65535],
    [ramp(100), 100],
    [Float32Array.of(0, 37.5, 99.9987), 100],
    [Float32Array.of(0, 0.5, 254.3), 255],
    [Uint8Array.of(26, 230), 255],
  ]
  for (const [data, scale] of scaled) {
    expect(fault(data)).toMatch(new RegExp(`not within \\[0, 1\\]; if .* times ${scale}, say so: --scale ${scale}$`))
  }
  // A map whose largest value is 4 or 1800 is not stored in 255ths or 65,535ths.
  for (const data of [Float32Array.of(0, 2.3, 4.4), ramp(1800), Float32Array.of(0, 3.1, 120.5)]) {
    expect(fault(data)).not.toContain('--scale')
  }
})

test('label maps, images, logits and overshoot are called what they look like', () => {
  expect(fault(Uint8Array.of(0, 0, 1, 1, 2, 4, 0))).toMatch(
    /from 0 to 4, .*; its 4 distinct whole numbers look like a label map/,
  )
  expect(fault(Float32Array.of(0, 1, 2, -1))).toContain('label map')
  expect(fault(Int16Array.of(-1024, -1000, 40, 3071))).toMatch(/from -1024 to 3071, .* look like an image/)
  expect(fault(ramp(1800))).toContain('look like an image')
  expect(fault(Float32Array.of(-7.5, 3.25, 12.5))).toContain('--logits softmax (or sigmoid)')
  expect(fault(Float32Array.of(-0.03, 0.5, 1.08))).toContain('p.clip(0, 1)')
  expect(fault(Float32Array.of(0.5, Number.NaN))).toContain('voxel 1 is NaN')
})

test('a stated scale that is too small is named', () => {
  const summary = new ValueSummary()
  summary.add(Uint8Array.of(0, 255), { slope: 2, intercept: 1 })
  expect(summary.fault(255)).toBe(
    'values run from 1 to 511, not within [0, 255] as --scale 255 says; ' +
      'give what stands for probability 1 in this file',
  )
})
