import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeNpy } from '../formats/npz.ts'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { createGrid } from '../volume/grid.ts'
import { reviewOf } from './review.ts'
import { type ThresholdCase, type ThresholdRun, type ThresholdSettings, thresholdCases } from './threshold-cases.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-threshold-'))
afterAll(() => rmSync(folder, { recursive: true }))
const auto: ThresholdSettings = { scope: 'case', metric: 'dice', presence: 'auto' }
const n = 10

/** A cube of `size` voxels a side with probability p, on a grid of 10 × 10 × 10. */
const cube = (size: number, p: number) =>
  Float32Array.from({ length: n ** 3 }, (_, i) =>
    [i % n, Math.floor(i / n) % n, Math.floor(i / n / n)].every((x) => x < size) ? p : 0,
  )

async function caseOf(name: string, map: Float32Array): Promise<ThresholdCase> {
  const input = join(folder, `${name}.npy`)
  await writeNpy(input, { shape: [n, n, n], data: map })
  return {
    found: { input, name, kind: 'array' },
    opening: { geometryOptional: true },
    output: join(folder, `${name}_mask.npy`),
  }
}

const names = (run: ThresholdRun) => run.cases.map(({ job }) => job.found.name)
const present = (run: ThresholdRun) =>
  Object.fromEntries(run.cases.map(({ job, rows }) => [job.found.name, rows[0].present]))

test('a faint class waits for the other cases, whatever their order', async () => {
  // 0.2 in 27 voxels adds up to 5.4, where the class clearly has 216 voxels elsewhere, and 8 in a small one.
  const faint = await caseOf('faint', cube(3, 0.2))
  const large = await caseOf('large', cube(6, 0.9))
  const small = await caseOf('small', cube(2, 1))
  expect(present(await thresholdCases([faint], auto))).toEqual({ faint: true })
  for (const cases of [
    [faint, large],
    [large, faint],
  ]) {
    const run = await thresholdCases(cases, auto)
    expect(names(run)).toEqual(cases.map(({ found }) => found.name))
    expect(present(run)).toEqual({ faint: false, large: true })
    expect(run.cases.flatMap(({ warnings }) => warnings)).toContainEqual(
      expect.stringMatching(/left empty, since it adds up to far less.*--presence always/),
    )
  }
  for (const cases of [
    [faint, large, small],
    [small, large, faint],
  ]) {
    expect(present(await thresholdCases(cases, auto))).toEqual({ faint: true, large: true, small: true })
  }
  const asked = await thresholdCases([faint, large], { ...auto, presence: 'always' })
  expect(present(asked)).toEqual({ faint: true, large: true })
})

test('a class absent in 4 of 8 cases scores as the masks that are written do', async () => {
  const organ = cube(6, 0.9)
  const haze = new Float32Array(n ** 3).fill(0.05)
  const cases = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const reference = join(folder, `reference${i}.nii.gz`)
      const data = Uint8Array.from(organ, (p) => Number(i < 4 && p > 0))
      await writeVolume(reference, { grid: createGrid([n, n, n]), channels: 1, data })
      return { ...(await caseOf(`case${i}`, i < 4 ? organ : haze)), reference }
    }),
  )
  const run = await thresholdCases(cases, auto, { review: true })
  expect(Object.values(present(run))).toEqual([true, true, true, true, false, false, false, false])
  const { rows, comparisons } = reviewOf(run.cases)
  expect(rows.map(({ referenceDice }) => referenceDice)).toEqual(new Array(8).fill(1))
  const [{ comparison }] = comparisons
  expect(comparison.means.half.value).toBe(1)
  expect(comparison.means.atCaseThreshold.value).toBe(1)
  expect(comparison.means.calibrated.value).toBe(1)
})

test('each case is counted once, though a waiting one is decoded twice', async () => {
  const cases = [await caseOf('faint', cube(3, 0.2)), await caseOf('large', cube(6, 0.9))]
  let steps = 0
  const run = await thresholdCases(cases, auto, { onCase: () => steps++ })
  expect([steps, names(run)]).toEqual([2, ['faint', 'large']])
})

test('a bad case does not cost the others; alone, or pooled, it is the error of the run', async () => {
  const bad = await caseOf('bad', cube(2, 7))
  const good = await caseOf('good', cube(2, 0.8))
  const steps: number[] = []
  const run = await thresholdCases([bad, good], auto, { onCase: () => steps.push(1) })
  expect(present(run)).toEqual({ good: true })
  expect(run.failures).toEqual([{ input: bad.found.input, error: expect.any(InputError) }])
  expect(steps).toHaveLength(2)
  await expect(thresholdCases([bad], auto)).rejects.toThrow(InputError)
  await expect(thresholdCases([bad, good], { ...auto, scope: 'dataset' })).rejects.toThrow(InputError)
})

test('pooled: one threshold for all, the optimum of all voxels together', async () => {
  const cases = [await caseOf('a', cube(2, 0.8)), await caseOf('b', cube(4, 0.6))]
  const { cases: done, pooled } = await thresholdCases(cases, { ...auto, scope: 'dataset' })
  // Both cubes in: 2·(8·0.8 + 64·0.6)/(72 + 44.8).
  expect(pooled?.[0]?.supDice).toBeCloseTo((2 * 44.8) / (72 + 44.8), 6)
  for (const { result } of done) expect(result).toMatchObject({ threshold: pooled?.[0]?.threshold })
  expect(readFileSync(cases[0].output).subarray(1, 6).toString()).toBe('NUMPY')
})

test('masks are written with the geometry of their maps', async () => {
  const map = { ...(await caseOf('grid', cube(2, 0.9))), output: join(folder, 'grid.nii.gz') }
  await thresholdCases([map], auto)
  const { grid, data } = await readVolume(map.output)
  expect(grid.shape).toEqual(createGrid([n, n, n]).shape)
  expect(Array.from(data).filter((label) => label === 1)).toHaveLength(8)
})

test('sizes are compared in mm³, and volumes told in ml, whatever the voxels are', async () => {
  const image = async (name: string, spacing: number, map: Float32Array): Promise<ThresholdCase> => {
    const input = join(folder, `${name}.nii.gz`)
    const grid = createGrid([n, n, n], [spacing, spacing, spacing])
    await writeVolume(input, { grid, channels: 1, data: map })
    const output = join(folder, `${name}_mask.nii.gz`)
    return { found: { input, name, kind: 'image' }, opening: {}, output }
  }
  // Clearly there with 216 · 0.9 · 8 mm³. The faint one adds up to 5.4 voxels of 1 mm³, or of 216 mm³.
  const large = await image('large8', 2, cube(6, 0.9))
  const fine = await image('faint1', 1, cube(3, 0.2))
  const coarse = await image('faint216', 6, cube(3, 0.2))
  const run = await thresholdCases([large, fine, coarse], auto)
  expect(present(run)).toEqual({ large8: true, faint1: false, faint216: true })
  const [row] = run.cases[0].rows
  expect([row.volumeMl, row.volumeHalfMl]).toEqual([216 * 0.008, 216 * 0.008])
  expect(row.expectedMl).toBeCloseTo(216 * 0.9 * 0.008, 5)
})
