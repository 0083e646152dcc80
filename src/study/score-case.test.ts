import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rmaOptimum } from '../decision/rma.ts'
import { softDiceOptimum } from '../decision/soft-dice.ts'
import { volumeCut } from '../decision/volume-cut.ts'
import { CutTable } from '../metrics/cut-table.ts'
import { scoreCalibrated, scoreProbabilities, scoreSoftDice, scoreTheory, type TabledCase } from './score-case.ts'
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
      const scores = scoreProbabilities('ce', m, clean, noisy, percent / 100)
      const thresholds = new Map(scores.map(({ method, threshold }) => [method, threshold]))
      expect(thresholds.get('ce@half')).toBe(0.5)
      expect(thresholds.get('ce@case')).toBe(softDiceOptimum(m).threshold)
      expect(thresholds.get('ce@dataset')).toBe(percent / 100)
      expect(thresholds.get('ce@rma')).toBe(rmaOptimum(m).threshold)
      expect(thresholds.get('ce@volume')).toBe(volumeCut(m).threshold)
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
    replicate: 1,
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
    nll: 0.75,
  }
  expect(parseScoresCsv(scoresCsv([row, { ...row, organ: 'x', patient: 'p' }]))).toEqual([
    row,
    { ...row, organ: 'x', patient: 'p' },
  ])
  for (const text of [scoresCsv([row]).replace(/,0\.75/, ','), scoresCsv([row]).replace(',nll', ',')]) {
    expect(() => parseScoresCsv(text)).toThrow(SyntaxError)
  }
})

/** A map that promises `promise` at each voxel of a block of which `share` is in the label. */
function overconfident(patient: string, promise: number, share: number): TabledCase {
  const m = Float32Array.from({ length: 2000 }, (_, i) => (i < 500 ? 0.98 : i < 1000 ? promise : 0))
  const label = Uint8Array.from(m, (p, i) => Number(p > 0.9 || (p > 0 && i % 10 < 10 * share)))
  const table = () => {
    const result = new CutTable()
    result.add(m, label, (value) => value === 1)
    return result
  }
  return { patient, noisy: table(), clean: table() }
}

test('the calibrated cut follows what the other patients show, never the own label', () => {
  // Of voxels that promise 0.8 only 0.1 are in the label: taken as promised they belong into the mask, truly not.
  const wrong = ['a', 'b', 'c'].map((patient) => overconfident(patient, 0.8, 0.1))
  for (const { threshold, volumeRatio, method } of scoreCalibrated('ce', wrong)) {
    expect(method).toBe('ce@calibrated')
    expect(threshold).toBeGreaterThan(0.8)
    expect(volumeRatio).toBeCloseTo(500 / 550, 12)
  }
  // One patient whose own label disagrees with all others' is cut as they say.
  const odd = scoreCalibrated('dice-ce', [...wrong, overconfident('d', 0.8, 0.9)])
  expect(odd[3].threshold).toBeGreaterThan(0.8)
  expect(odd[3].diceNoisy).toBeCloseTo((2 * 500) / (500 + 950), 12)
  // A patient's other cases tell as little as its own.
  const [twin] = scoreCalibrated('ce', [overconfident('a', 0.8, 0.1), overconfident('a', 0.8, 0.1)])
  expect(twin.threshold).toBeLessThan(0.8)
})
