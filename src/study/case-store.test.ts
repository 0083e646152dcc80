import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Dataset } from '../datasets/dataset.ts'
import { InputError } from '../volume/errors.ts'
import { createGrid, worldPosition } from '../volume/grid.ts'
import { indexCases } from './case-index.ts'
import { CaseStore } from './case-store.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-store-'))
afterAll(() => rmSync(root, { recursive: true }))

const grid = { ...createGrid([8, 6, 4], [1, 2, 3]), origin: [10, 20, 30] as const }
const n = 8 * 6 * 4
let loads = 0

/** Cases made of one file each; `bad` cannot be read. */
function dataset(names: readonly string[]): Dataset {
  return {
    name: 'made',
    leftOut: [],
    labels: new Map([['thing', [3]]]),
    cases: names.map((id) => ({ id, patient: id, images: [join(root, `${id}.bin`)], labels: [] })),
    async load({ id, images }) {
      loads++
      if (id === 'bad') throw new InputError(images[0], 'is damaged')
      // A ramp along i, and a label in its lower half.
      const image = Float32Array.from({ length: n }, (_, at) => at % 8)
      const labels = Int16Array.from({ length: n }, (_, at) => (at % 8 < 4 ? 3 : 0))
      return { image: { grid, channels: 1, data: image }, labels: { grid, channels: 1, data: labels } }
    },
  }
}

for (const id of ['a', 'b', 'bad']) writeFileSync(join(root, `${id}.bin`), id)

test('resampling keeps the space, the ramp and the label', async () => {
  const made = dataset(['a'])
  const { image, labels } = await new CaseStore(made, [2, null, 3], join(root, 'c1'), 0).load(made.cases[0])
  expect(image.grid.shape).toEqual([4, 6, 4])
  expect(image.grid.spacing).toEqual([2, 2, 3])
  // The first new voxel covers the first two old ones: its centre lies between theirs.
  expect(worldPosition(image.grid, [0, 0, 0])).toEqual([10.5, 20, 30])
  expect([...labels.data.subarray(0, 4)]).toEqual([3, 3, 0, 0])
  // Inside, the mean of a ramp over a symmetric neighbourhood is its value at the centre.
  expect(image.data[1]).toBeCloseTo(2.5, 5)
  expect(image.data[2]).toBeCloseTo(4.5, 5)
})

test('what was read is not read again, until its file changes or the cache is deleted', async () => {
  const made = dataset(['a', 'b'])
  const open = () => new CaseStore(made, [2, 2, 3], join(root, 'c2'), 0)
  loads = 0
  const first = await indexCases(made, open())
  expect(loads).toBe(2)
  expect(first.cases[0].volumesMl).toEqual({ 3: (n / 2 / 2) * 0.012 })
  const image = await open().load(made.cases[0])
  expect(await indexCases(made, open())).toEqual(first)
  expect(loads).toBe(2)
  writeFileSync(join(root, 'b.bin'), 'changed')
  await indexCases(made, open())
  expect(loads).toBe(3)
  rmSync(join(root, 'c2'), { recursive: true })
  expect(await open().load(made.cases[0])).toEqual(image)
  expect(loads).toBe(4)
  expect(readdirSync(join(root, 'c2'))).toEqual([open().folder.split('/').at(-1)])
})

test('a bad case stops the index by name, or is left out and told', async () => {
  const made = dataset(['a', 'bad', 'b'])
  const store = new CaseStore(made, undefined, join(root, 'c3'), 0)
  await expect(indexCases(made, store)).rejects.toThrow('bad.bin: is damaged; --skip-bad leaves such cases out')
  const { cases, leftOut } = await indexCases(made, store, { skipBad: true })
  expect(cases.map(({ id }) => id)).toEqual(['a', 'b'])
  expect(leftOut).toEqual([{ id: 'bad', reason: `${join(root, 'bad.bin')}: is damaged` }])
})
