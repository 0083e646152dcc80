import { expect, test } from 'vitest'
import { randomStream } from '../volume/random.ts'
import { calibrated, calibratedMap } from './beta-calibration.ts'
import { bestSoftCut, CutTable } from './cut-table.ts'
import { fitTemperature } from './temperature.ts'

/** A map whose labels are drawn with probability g(p), logit g(p) = a·logit(p). */
function drawn(a: number, voxels = 60_000): CutTable {
  const random = randomStream(1, 'temperature', a)
  const map = Float32Array.from({ length: voxels }, () => random.uniform())
  const labels = Uint8Array.from(map, (p) => Number(random.uniform() < calibrated({ a, b: a, c: 0 }, p)))
  const table = new CutTable()
  table.add(map, labels, (label) => label === 1)
  return table
}

test.each([0.4, 1, 2.5])('the temperature that labels were drawn with: 1/T = %d', (a) => {
  const fit = fitTemperature([drawn(a)])
  expect([fit.b, fit.c]).toEqual([fit.a, 0])
  // The standard error of a is below 0.015·a for so many voxels.
  expect(Math.abs(fit.a - a)).toBeLessThan(0.05 * a)
})

test('several tables are one set of voxels', () => {
  const [one, two] = [drawn(0.5, 4000), drawn(2, 4000)]
  const fit = fitTemperature([one, two])
  expect(fit.a).toBeGreaterThan(fitTemperature([one]).a)
  expect(fit.a).toBeLessThan(fitTemperature([two]).a)
})

test('nothing to fit to leaves probabilities as they are; labels without a doubt stay finite', () => {
  expect(fitTemperature([])).toEqual({ a: 1, b: 1, c: 0 })
  expect(fitTemperature([new CutTable()])).toEqual({ a: 1, b: 1, c: 0 })
  const sure = new CutTable()
  sure.add(Float32Array.of(0.1, 0.2, 0.8, 0.9), Uint8Array.of(0, 0, 1, 1), (label) => label === 1)
  expect(fitTemperature([sure]).a).toBeCloseTo(50, 3)
})

test('a map is calibrated voxel by voxel, its ends too', () => {
  const calibration = { a: 1.5, b: 0.7, c: -0.3 }
  const map = Float32Array.of(0, 1e-7, 1e-6, 0.2, 0.5, 0.9, 0.9999995, 1)
  expect(calibratedMap(calibration, map)).toEqual(map.map((p) => calibrated(calibration, p)))
})

test('a table, which knows the mean between cuts only, has the calibrated mass of a faint background', () => {
  const calibration = { a: 0.3, b: 0.3, c: 0 }
  const map = Float32Array.from({ length: 9000 }, (_, i) => (i % 3) * 2e-5)
  const table = new CutTable()
  table.add(map, new Uint8Array(map.length), (label) => label === 1)
  const mass = calibratedMap(calibration, map).reduce((a, b) => a + b, 0)
  expect(bestSoftCut(table, (p) => calibrated(calibration, p)).total / mass).toBeCloseTo(1, 5)
  expect(calibrated(calibration, 0)).toBe(0)
})
