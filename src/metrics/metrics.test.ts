import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { createGrid } from '../volume/grid.ts'
import { brierScore, calibration, expectedCalibrationError } from './calibration.ts'
import { evaluateLabels } from './evaluate-labels.ts'
import { dice, iou, overlap } from './overlap.ts'
import { surfaceDistances } from './surface-distances.ts'

describe('overlap', () => {
  test('counts, Dice and IoU equal their definitions on sets', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 1, maxLength: 40 }), (pairs) => {
        const a = Uint8Array.from(pairs, (pair) => pair[0])
        const b = Float32Array.from(pairs, (pair) => pair[1])
        const inA = new Set([...a.keys()].filter((i) => a[i]))
        const inB = new Set([...b.keys()].filter((i) => b[i]))
        const both = [...inA].filter((i) => inB.has(i)).length
        expect(overlap(a, b)).toEqual({ voxelsA: inA.size, voxelsB: inB.size, voxelsBoth: both })
        fc.pre(inA.size + inB.size > 0)
        expect(dice(a, b)).toBe((2 * both) / (inA.size + inB.size))
        expect(iou(a, b)).toBe(both / new Set([...inA, ...inB]).size)
      }),
    )
  })
  test('empty masks: both are equal, one alone agrees with nothing', () => {
    const [empty, full] = [new Uint8Array(4), new Uint8Array(4).fill(1)]
    expect([dice(empty, empty), iou(empty, empty)]).toEqual([1, 1])
    expect([dice(empty, full), iou(full, empty)]).toEqual([0, 0])
    expect(() => dice(empty, new Uint8Array(5))).toThrow(InputError)
  })
})

describe('calibration', () => {
  test('a small case by hand', () => {
    const m = new Float32Array([0, 0.25, 0.5, 0.75, 1, 1])
    const label = new Uint8Array([0, 0, 1, 2, 1, 0])
    const result = calibration(m, label, 4)
    // Bins: {0}, {0.25}, {0.5}, {0.75, 1, 1}: gaps 0, 0.25, 0.5, |2 − 2.75|.
    expect(result.ece).toBeCloseTo((0 + 0.25 + 0.5 + 0.75) / 6, 14)
    expect(result.brier).toBeCloseTo((0.0625 + 0.25 + 0.0625 + 1) / 6, 14)
    expect(result.bins.map((bin) => bin.voxels)).toEqual([1, 1, 1, 3])
    expect(result.bins[3]).toMatchObject({ low: 0.75, high: 1, frequency: 2 / 3 })
    expect(result.bins[3].meanProbability).toBeCloseTo(2.75 / 3, 14)
    expect(expectedCalibrationError(m, label, 4)).toBe(result.ece)
    expect(brierScore(m, label)).toBeCloseTo(result.brier, 14)
  })
  test('bounds that hold for every input', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.float({ min: 0, max: 1, noNaN: true }), fc.nat(1)), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (pairs, binCount) => {
          const m = Float32Array.from(pairs, (pair) => pair[0])
          const y = Uint8Array.from(pairs, (pair) => pair[1])
          const { ece, brier, bins } = calibration(m, y, binCount)
          expect(bins.reduce((n, bin) => n + bin.voxels, 0)).toBe(m.length)
          for (const { low, high, meanProbability } of bins) {
            if (meanProbability === null) continue
            expect(meanProbability).toBeGreaterThanOrEqual(low - 1e-7)
            expect(meanProbability).toBeLessThanOrEqual(high + 1e-7)
          }
          const [meanM, meanY] = [m, y].map((x) => [...x].reduce((a, b) => a + b, 0) / m.length)
          // One bin compares the means; more bins can only find more. Jensen: ECE² ≤ Brier.
          expect(ece).toBeGreaterThanOrEqual(Math.abs(meanM - meanY) - 1e-12)
          expect(ece ** 2).toBeLessThanOrEqual(brier + 1e-12)
        },
      ),
    )
  })
  test('without voxels, and with bins that stay empty', () => {
    expect(calibration(new Float32Array(0), new Uint8Array(0))).toMatchObject({ ece: 0, brier: 0 })
    expect(calibration(new Float32Array(1), new Uint8Array(1), 2).bins[1]).toMatchObject({
      voxels: 0,
      meanProbability: null,
      frequency: null,
    })
    expect(() => calibration(new Float32Array(1), new Uint8Array(2))).toThrow(InputError)
  })
})

describe('evaluateLabels', () => {
  const labelMap = fc.array(fc.constantFrom<number[]>(0, 0, 1, 2, 300), { minLength: 60, maxLength: 60 })
  test('equals the single-mask metrics, label by label', () => {
    const grid = createGrid([5, 4, 3], [1, 0.5, 2.5])
    fc.assert(
      fc.property(labelMap, labelMap, (p, r) => {
        const [pred, ref] = [new Uint16Array(p), new Int32Array(r)]
        const scores = evaluateLabels(pred, ref, grid)
        expect(scores.map((s) => s.label)).toEqual([1, 2, 300].filter((c) => p.includes(c) || r.includes(c)))
        for (const score of evaluateLabels(pred, ref, grid, { labels: [0, 1, 2, 300, 7] })) {
          const [a, b] = [pred, ref].map((map) => Uint8Array.from(map, (x) => (x === score.label ? 1 : 0)))
          const { voxelsA, voxelsB, voxelsBoth } = overlap(a, b)
          const neither = voxelsA + voxelsB === 0
          expect(score).toEqual({
            label: score.label,
            dice: dice(a, b),
            iou: iou(a, b),
            precision: neither ? 1 : voxelsBoth / Math.max(1, voxelsA),
            recall: neither ? 1 : voxelsBoth / Math.max(1, voxelsB),
            voxelsPred: voxelsA,
            voxelsRef: voxelsB,
            volumePredMl: (voxelsA * 1.25) / 1000,
            volumeRefMl: (voxelsB * 1.25) / 1000,
            volumeDifferenceMl: ((voxelsA - voxelsB) * 1.25) / 1000,
            relativeVolumeDifference: voxelsB === 0 ? null : (voxelsA - voxelsB) / voxelsB,
            ...surfaceDistances(a, b, grid),
          })
        }
      }),
    )
  })
  test('surfaces can be left out; sizes must fit', () => {
    const grid = createGrid([2, 1, 1])
    const map = new Uint8Array([1, 0])
    expect(evaluateLabels(map, map, grid, { surfaces: false })).toMatchObject([{ dice: 1, hd95Mm: null, nsd: {} }])
    expect(evaluateLabels(map, map, grid)).toMatchObject([{ dice: 1, hd95Mm: 0, nsd: { 1: 1, 3: 1 } }])
    expect(() => evaluateLabels(map, new Uint8Array(3), grid)).toThrow(InputError)
  })
})
