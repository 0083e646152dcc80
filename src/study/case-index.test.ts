import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Dataset } from '../datasets/dataset.ts'
import { InputError } from '../volume/errors.ts'
import { createGrid } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { type IndexOptions, indexCases } from './case-index.ts'
import { CaseStore } from './case-store.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-index-'))
afterAll(() => rmSync(root, { recursive: true }))

const file = (name: string) => join(root, `${name}.bin`)
for (const name of ['a', 'b', 'c', 'd', 'e', 'e0', 'e1']) writeFileSync(file(name), name)

interface Made {
  readonly channels?: number
  readonly slices?: number
  /** The image's first values. */
  readonly values?: readonly number[]
  readonly scaling?: Volume['scaling']
  readonly images?: readonly string[]
  readonly fault?: InputError
}

/** A data set of cases that are made as told; `loads` counts. */
function dataset(cases: Readonly<Record<string, Made>>): Dataset & { loads: number } {
  const made = {
    name: 'made',
    loads: 0,
    leftOut: [{ id: 'z', reason: 'has no ct.nii.gz' }],
    labels: new Map([['thing', [1]]]),
    cases: Object.entries(cases).map(([id, { images = [file(id)], fault }]) => {
      return { id, patient: id, images, labels: [file(id)], ...(fault && { fault }) }
    }),
    async load({ id }: { readonly id: string }) {
      made.loads++
      const { channels = 1, slices = 3, values = [], scaling } = cases[id]
      const grid = createGrid([4, 2, slices])
      const data = new Float64Array(4 * 2 * slices * channels).fill(1)
      data.set(values)
      const labels = new Uint8Array(4 * 2 * slices).fill(1)
      return {
        image: { grid, channels, data, ...(scaling && { scaling }) },
        labels: { grid, channels: 1, data: labels },
      }
    },
  }
  return made
}

let folders = 0
async function both(made: Dataset, options: IndexOptions = {}) {
  const index = (skipBad: boolean) =>
    indexCases(made, new CaseStore(made, undefined, join(root, `cache${folders}`), 0), { ...options, skipBad })
  folders++
  const refusal = await index(false).then(
    () => undefined,
    (error: unknown) => (error instanceof InputError ? error.message : error),
  )
  const { cases, leftOut } = await index(true)
  // What the data set itself leaves out comes first, whatever is skipped.
  expect(leftOut[0]).toEqual({ id: 'z', reason: 'has no ct.nii.gz' })
  return { refusal, ids: cases.map(({ id }) => id), skipped: leftOut.slice(1) }
}
const advice = '; --skip-bad leaves such cases out and counts them'

test.each([
  ['NaN', { values: [1, Number.NaN] }, 'NaN'],
  ['infinite', { values: [1, 2, Number.NEGATIVE_INFINITY] }, '-Infinity'],
  ['too large for float32', { values: [1e300] }, '1e+300'],
  ['too large when scaled', { values: [1e30], scaling: { slope: 1e10, intercept: 0 } }, '1e+40'],
])('an intensity that is %s is the fault of its file', async (_, bad, written) => {
  const { refusal, ids, skipped } = await both(dataset({ a: {}, b: bad, c: {} }))
  const reason = `${file('b')}: holds the intensity ${written}; replace it by a finite number of 32 bits`
  expect(refusal).toBe(reason + advice)
  expect(ids).toEqual(['a', 'c'])
  expect(skipped).toEqual([{ id: 'b', reason }])
})

test('of several channels, the file with the bad intensity is named; of a file with several, that file', async () => {
  const values = [...Array(24).fill(1), Number.NaN]
  const images = ['e0', 'e1'].map(file)
  const two = { channels: 2 }
  expect((await both(dataset({ a: two, e: { ...two, values, images } }))).refusal).toContain('e1.bin: holds')
  expect((await both(dataset({ a: two, b: { ...two, values } }))).refusal).toContain('b.bin: holds')
})

test('the cases with another number of channels are those that are fewer, be they first', async () => {
  const { refusal, ids, skipped } = await both(dataset({ a: { channels: 2 }, b: {}, c: {}, d: {} }))
  const reason = `${file('a')}: has 2 channels where 3 of 4 cases (such as b) have 1; give the same kind of image`
  expect(refusal).toBe(reason + advice)
  expect(ids).toEqual(['b', 'c', 'd'])
  expect(skipped).toEqual([{ id: 'a', reason }])
  // One each: the first is taken at its word.
  expect((await both(dataset({ a: { channels: 2 }, b: {} }))).ids).toEqual(['a'])
})

test('a single slice is refused for a 3-D network only', async () => {
  const cases = { a: {}, b: { slices: 1 } }
  const { refusal, ids } = await both(dataset(cases), { dimensions: 3 })
  expect(refusal).toBe(`${file('b')}: is a single slice; train 2-D networks (training.dimensions: 2)${advice}`)
  expect(ids).toEqual(['a'])
  expect((await both(dataset(cases), { dimensions: 2 })).ids).toEqual(['a', 'b'])
})

test('a case whose file was missing when the folder was listed', async () => {
  const fault = new InputError(file('b'), 'is missing for the label b; restore it')
  const made = dataset({ a: {}, b: { fault }, c: {} })
  const { refusal, ids, skipped } = await both(made)
  expect(refusal).toBe(fault.message + advice)
  expect(ids).toEqual(['a', 'c'])
  expect(skipped).toEqual([{ id: 'b', reason: fault.message }])
})

test('where no case is good, the first says why', async () => {
  const made = dataset({ a: { values: [Number.NaN] }, b: { values: [Number.NaN] } })
  const store = new CaseStore(made, undefined, join(root, 'none'), 0)
  await expect(indexCases(made, store, { skipBad: true })).rejects.toThrow(
    `made: no case can be read; the first says: ${file('a')}: holds the intensity NaN`,
  )
})

test('an index of an earlier version is not trusted, one of this version is', async () => {
  const made = dataset({ a: {}, b: {} })
  const store = new CaseStore(made, undefined, join(root, 'earlier'), 0)
  const first = await indexCases(made, store)
  await indexCases(made, store)
  expect(made.loads).toBe(2)
  const path = join(store.folder, 'index.json')
  const { entries } = JSON.parse(readFileSync(path, 'utf8')) as { entries: { case: object; files: string }[] }
  writeFileSync(path, JSON.stringify(entries.map(({ case: one, files }) => ({ ...one, files }))))
  expect(await indexCases(made, store)).toEqual(first)
  expect(made.loads).toBe(4)
})
