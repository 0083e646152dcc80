import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rmaOptimum } from '../decision/rma.ts'
import { softDiceOptimum } from '../decision/soft-dice.ts'
import { scoreCrossEntropy, scoreSoftDice, scoreTheory } from './score-case.ts'
import { parseScoresCsv, type ScoreRow, scoresCsv } from './score-table.ts'

const maps = fc.integer({ min: 1, max: 40 }).chain((n) => {
  const bit = fc.array(fc.constantFrom(0, 1), { minLength: n, maxLength: n }).map((x) => Uint8Array.from(x))
  const m = fc.array(fc.integer({ min: 0, max: 64 }), { minLength: n, maxLength: n })
  return fc.tuple(
    m.map((x) => Float32Array.from(x, (v) => v / 64)),
    bit,
    bit,
  )
})

const dice = (m: Float32Array, t: number, label: Uint8Array) => {
  const mask = [...m].map((p) => (p >= t ? 1 : 0))
  const both = mask.reduce<number>((sum, s, i) => sum + s * label[i], 0)
  const sizes = mask.reduce<number>((sum, s) => sum + s, 0) + label.reduce((sum, l) => sum + l, 0)
  return sizes === 0 ? 1 : (2 * both) / sizes
}

test('every cut scores as counting voxel by voxel says, and none beats the oracle', () => {
  fc.assert(
    fc.property(maps, fc.integer({ min: 1, max: 99 }), ([m, clean, noisy], percent) => {
      clean[0] = 1
      const scores = scoreCrossEntropy(m, clean, noisy, percent / 100)
      const thresholds = new Map(scores.map(({ method, threshold }) => [method, threshold]))
      expect(thresholds.get('ce@half')).toBe(0.5)
      expect(thresholds.get('ce@case')).toBe(softDiceOptimum(m).threshold)
      expect(thresholds.get('ce@dataset')).toBe(percent / 100)
      expect(thresholds.get('ce@rma')).toBe(rmaOptimum(m).threshold)
      const oracle = scores.find(({ method }) => method === 'ce@oracle')!
      for (const score of [...scores, ...scoreSoftDice(m, clean, noisy), ...scoreTheory(m, clean, noisy)]) {
        expect(score.diceNoisy).toBeCloseTo(dice(m, score.threshold, noisy), 12)
        expect(score.diceClean).toBeCloseTo(dice(m, score.threshold, clean), 12)
        expect(score.diceNoisy).toBeLessThanOrEqual(oracle.diceNoisy + 1e-12)
        const volume = [...m].filter((p) => p >= score.threshold).length
        expect(score.volumeRatio).toBeCloseTo(volume / clean.reduce((a, b) => a + b), 12)
      }
      const own = scores.find(({ method }) => method === 'ce@case')!
      expect(own.softDice).toBeCloseTo(softDiceOptimum(m).supDice, 9)
    }),
  )
})

test('score tables survive a round trip, names with commas and quotes included', () => {
  const row: ScoreRow = {
    organ: 'a, "b"',
    sigma_mm: '2x2x0',
    length_mm: 8,
    fold: 3,
    loss: 'cross-entropy',
    method: 'ce@half',
    case: 'c1',
    patient: '',
    threshold: 0.5,
    dice_noisy: 0.1234567,
    dice_clean: 1,
    volume_ratio: 0,
    soft_dice: 1e-7,
    ece: 0.25,
    brier: 0.5,
  }
  expect(parseScoresCsv(scoresCsv([row, { ...row, organ: 'x', patient: 'p' }]))).toEqual([
    row,
    { ...row, organ: 'x', patient: 'p' },
  ])
})
