import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readVolume } from '../formats/volume-file.ts'
import { CutTable } from '../metrics/cut-table.ts'
import { InputError } from '../volume/errors.ts'
import { createGrid } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { memoryMaps } from './array-maps.ts'
import { mapArrayOf } from './map-array.ts'
import { withScheme } from './open-case.ts'
import { ReviewCollector } from './review.ts'
import { type ThresholdCase, type ThresholdSettings, thresholdCases } from './threshold-cases.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-threshold-'))
afterAll(() => rmSync(folder, { recursive: true }))
const auto: ThresholdSettings = { scope: 'case', metric: 'dice', presence: 'auto' }
const n = 10

/** A cube of `size` voxels a side with probability p, on a grid of 10 × 10 × 10. */
const cube = (size: number, p: number) =>
  Float32Array.from({ length: n ** 3 }, (_, i) =>
    [i % n, Math.floor(i / n) % n, Math.floor(i / n / n)].every((x) => x < size) ? p : 0,
  )

function caseOf(name: string, map: Float32Array, out = folder): ThresholdCase {
  return {
    input: name,
    output: join(out, `${name}.npy`),
    async open() {
      const array = mapArrayOf({ shape: [n, n, n], data: map }, name)
      return withScheme(await memoryMaps(array, name, {}), undefined, {}, 'array')
    },
  }
}

const present = (results: readonly object[]) =>
  Object.fromEntries(results.map((each) => [(each as ThresholdCase).input, 'present' in each && each.present]))

test('a faint class waits for the other cases, whatever their order', async () => {
  // 0.2 in 27 voxels adds up to 5.4, where the class clearly has 216 voxels elsewhere, and 8 in a small one.
  const faint = caseOf('faint', cube(3, 0.2))
  const large = caseOf('large', cube(6, 0.9))
  const small = caseOf('small', cube(2, 1))
  const alone = await thresholdCases([faint], auto)
  expect(present(alone.results)).toEqual({ faint: true })
  for (const cases of [
    [faint, large],
    [large, faint],
  ]) {
    const warnings: string[] = []
    const { results } = await thresholdCases(cases, auto, { onWarnings: (_, list) => warnings.push(...list) })
    expect(results.map(({ input }) => input)).toEqual(cases.map(({ input }) => input))
    expect(present(results)).toEqual({ faint: false, large: true })
    expect(warnings).toContainEqual(
      expect.stringMatching(/left empty, since it adds up to far less.*--presence always/),
    )
  }
  for (const cases of [
    [faint, large, small],
    [small, large, faint],
  ]) {
    expect(present((await thresholdCases(cases, auto)).results)).toEqual({ faint: true, large: true, small: true })
  }
  const asked = await thresholdCases([faint, large], { ...auto, presence: 'always' })
  expect(present(asked.results)).toEqual({ faint: true, large: true })
})

test('a class absent in 4 of 8 cases scores as the masks that are written do', async () => {
  const organ = cube(6, 0.9)
  const haze = new Float32Array(n ** 3).fill(0.05)
  const cases = Array.from({ length: 8 }, (_, i) => caseOf(`case${i}`, i < 4 ? organ : haze))
  const collector = new ReviewCollector()
  const { results } = await thresholdCases(cases, auto, {
    review: async ({ source, scheme }) => {
      const isThere = Number(source.name.slice(4)) < 4
      const reference: LabelArray = Uint8Array.from(organ, (p) => Number(isThere && p > 0))
      const tables: CutTable[] = []
      return {
        note: undefined,
        inspect(index, map) {
          tables[index] = new CutTable()
          tables[index].add(map, reference, (label) => label === 1)
        },
        end: (decoded) => collector.add({ source, scheme, decoded, reference, tables }),
      }
    },
  })
  expect(Object.values(present(results))).toEqual([true, true, true, true, false, false, false, false])
  const { rows, comparisons } = collector.finish()
  expect(rows.map(({ referenceDice }) => referenceDice)).toEqual(new Array(8).fill(1))
  const [{ comparison }] = comparisons
  expect(comparison.means.half.value).toBe(1)
  expect(comparison.means.atCaseThreshold.value).toBe(1)
  expect(comparison.means.calibrated.value).toBe(1)
})

test('each case is reviewed once, though a waiting one is decoded twice', async () => {
  const seen: string[] = []
  await thresholdCases([caseOf('faint', cube(3, 0.2)), caseOf('large', cube(6, 0.9))], auto, {
    review: async ({ source }) => ({ note: undefined, inspect: () => undefined, end: () => seen.push(source.name) }),
  })
  expect(seen).toEqual(['large', 'faint'])
})

test('a bad case does not cost the others; alone, or pooled, it is the error of the run', async () => {
  const bad = caseOf('bad', cube(2, 7))
  const good = caseOf('good', cube(2, 0.8))
  const steps: number[] = []
  const { results, failures } = await thresholdCases([bad, good], auto, { onCase: () => steps.push(1) })
  expect(present(results)).toEqual({ good: true })
  expect(failures).toEqual([{ input: 'bad', error: expect.any(InputError) }])
  expect(steps).toHaveLength(2)
  await expect(thresholdCases([bad], auto)).rejects.toThrow(InputError)
  await expect(thresholdCases([bad, good], { ...auto, scope: 'dataset' })).rejects.toThrow(InputError)
})

test('pooled: one threshold for all, the optimum of all voxels together', async () => {
  const cases = [caseOf('a', cube(2, 0.8)), caseOf('b', cube(4, 0.6))]
  const { results, pooled } = await thresholdCases(cases, { ...auto, scope: 'dataset' })
  // Both cubes in: 2·(8·0.8 + 64·0.6)/(72 + 44.8).
  expect(pooled?.[0]?.supDice).toBeCloseTo((2 * 44.8) / (72 + 44.8), 6)
  for (const each of results) expect(each).toMatchObject({ threshold: pooled?.[0]?.threshold })
  expect(readFileSync(cases[0].output).subarray(1, 6).toString()).toBe('NUMPY')
})

test('masks are written with the geometry of their maps', async () => {
  const map = { ...caseOf('grid', cube(2, 0.9)), output: join(folder, 'grid.nii.gz') }
  await thresholdCases([map], auto)
  const { grid, data } = await readVolume(map.output)
  expect(grid.shape).toEqual(createGrid([n, n, n]).shape)
  expect(Array.from(data).filter((label) => label === 1)).toHaveLength(8)
})
