import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { calibrated, fitBetaCalibration } from './beta-calibration.ts'
import { bestSoftCut, CutTable, diceAtCuts, halfCut, tableCuts } from './cut-table.ts'

/** Deterministic uniform numbers (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed * 0x9e3779b9
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function tableOf(map: Float32Array, reference: Uint8Array): CutTable {
  const table = new CutTable()
  table.add(map, reference, (label) => label === 1)
  return table
}

describe('cut table', () => {
  test('½ is a cut; Dice at every cut is that of counting voxels', () => {
    expect(tableCuts[halfCut]).toBe(0.5)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.float({ min: 0, max: 1, noNaN: true }), fc.nat(2)), { maxLength: 40 }),
        (voxels) => {
          const map = Float32Array.from(voxels, ([p]) => p)
          const reference = Uint8Array.from(voxels, ([, label]) => label)
          const dice = diceAtCuts(tableOf(map, reference))
          const size = reference.filter((label) => label === 1).length
          for (let i = 0; i < tableCuts.length; i += 37) {
            const inside = [...map].map((p) => p >= tableCuts[i])
            const volume = inside.filter(Boolean).length
            const both = inside.filter((yes, v) => yes && reference[v] === 1).length
            expect(dice[i]).toBe(volume + size === 0 ? 1 : (2 * both) / (volume + size))
          }
        },
      ),
      { numRuns: 50 },
    )
  })

  test('the best cut of soft Dice is t* to within the spacing of cuts', () => {
    const random = uniform(3)
    const map = Float32Array.from({ length: 20000 }, () => random() ** 2)
    const { cut, supDice } = bestSoftCut(tableOf(map, new Uint8Array(map.length)))
    expect(tableCuts[cut]).toBeCloseTo(supDice / 2, 2)
  })
})

describe('beta calibration', () => {
  const random = uniform(5)
  const p = Float32Array.from({ length: 200_000 }, () => random())

  test.each([
    { a: 0.5, b: 0.5, c: 0.3 },
    { a: 1.6, b: 0.8, c: -1 },
    { a: 1, b: 1, c: 0 },
  ])('recovers %o from labels drawn with it', (truth) => {
    const draw = uniform(11)
    const labels = Uint8Array.from(p, (value) => (draw() < calibrated(truth, value) ? 1 : 0))
    const fit = fitBetaCalibration([tableOf(p, labels)])
    for (const key of ['a', 'b', 'c'] as const) expect(Math.abs(fit[key] - truth[key])).toBeLessThan(0.04)
  })

  test('never falls, even where labels run against the probabilities, and bears separable data', () => {
    const against = fitBetaCalibration([
      tableOf(
        p,
        Uint8Array.from(p, (value) => (value < 0.5 ? 1 : 0)),
      ),
    ])
    const separable = fitBetaCalibration([
      tableOf(
        p,
        Uint8Array.from(p, (value) => (value > 0.5 ? 1 : 0)),
      ),
    ])
    for (const fit of [against, separable]) {
      expect(Object.values(fit).every(Number.isFinite)).toBe(true)
      expect(calibrated(fit, 0.9)).toBeGreaterThanOrEqual(calibrated(fit, 0.1))
    }
  })
})
