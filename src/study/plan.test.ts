import { expect, test } from 'vitest'
import type { CaseIndex } from './case-index.ts'
import { parseStudyConfig } from './config.ts'
import { planStudy } from './plan.ts'

const labels = new Map([
  ['a', [1]],
  ['b', [2]],
])
const index: CaseIndex = {
  leftOut: [],
  cases: Array.from({ length: 12 }, (_, i) => ({
    id: `c${i}`,
    patient: `p${Math.floor(i / 2)}`,
    digest: `d${i}`,
    voxels: 10,
    channels: 1,
    volumesMl: i === 11 ? { 1: 5 } : { 1: 5 + i, 2: 1 },
  })),
}
const text = `
data: {kind: nnunet, folder: D}
organs: [a, a+b]
folds: 3
training: {steps: 10, channels: [4, 8], modality: mr}
noise: {sigma: [1, 2]}
`
const plan = (more = '', data = index, from = text) => planStudy(parseStudyConfig(from + more, 's.yaml'), labels, data)
const paths = (...args: Parameters<typeof plan>) => plan(...args).cells.map(({ path }) => path)

test('organs × strengths × (theory + folds × losses), each case validated once, patients never parted', () => {
  const { cells, groups } = plan()
  expect(cells.length).toBe(2 * 2 * (1 + 3 * 2))
  expect(new Set(cells.map(({ path }) => path)).size).toBe(cells.length)
  expect(groups.map(({ cases, absent }) => [cases.length, absent])).toEqual([
    [12, []],
    [12, []],
  ])
  for (const group of groups) {
    const own = cells.filter(
      ({ group: name, work, sigmaMm }) =>
        name === group.name && sigmaMm[0] === 1 && work.kind === 'training' && work.loss === 'soft-dice',
    )
    expect(own.flatMap(({ validation }) => validation.map(({ id }) => id)).sort()).toEqual(
      group.cases.map(({ id }) => id).sort(),
    )
    for (const { validation, work } of own) {
      const trained = new Set(work.kind === 'training' ? work.training.map(({ patient }) => patient) : [])
      expect(validation.some(({ patient }) => trained.has(patient))).toBe(false)
    }
  }
})

test('a cell is named by all that it depends on, and by nothing else', () => {
  const before = paths()
  expect(paths('bootstrap: 500\nname: other')).toEqual(before)
  // A strength more: the cells of the others stay.
  const more = planStudy(parseStudyConfig(text.replace('[1, 2]', '[1, 2, 3]'), 's.yaml'), labels, index)
  expect(more.cells.map(({ path }) => path)).toEqual(expect.arrayContaining(before))
  for (const change of ['seed: 1', 'softDice: {smoothing: 2}']) {
    const after = paths(change)
    expect(after.filter((path) => before.includes(path) && !path.includes('theory'))).toEqual([])
  }
  // Threads change how sums are rounded; one is what there was before anybody could ask.
  const threads = (n: number) => paths('', index, text.replace('steps: 10', `steps: 10, threads: ${n}`))
  expect(threads(1)).toEqual(before)
  expect(threads(2).filter((path) => before.includes(path) && !path.includes('theory'))).toEqual([])
  const other = { ...index, cases: index.cases.map((one, i) => (i === 3 ? { ...one, digest: 'x' } : one)) }
  // One image changed: every network that it trained or was scored with, which is all.
  expect(paths('', other).filter((path) => before.includes(path))).toEqual([])
})

test('cases without an organ are left out of its group, of all in a joint study', () => {
  const { groups } = planStudy(parseStudyConfig(text.replace('[a, a+b]', '[a, b]'), 's.yaml'), labels, index)
  expect(groups.map(({ cases, absent }) => [cases.length, absent])).toEqual([
    [12, []],
    [11, ['c11']],
  ])
  const joint = planStudy(parseStudyConfig(`${text.replace('[a, a+b]', '[a, b]')}joint: true`, 's.yaml'), labels, index)
  expect(joint.groups.map(({ name, cases }) => [name, cases.length])).toEqual([['joint', 11]])
})

test('faults are named', () => {
  expect(() => planStudy(parseStudyConfig(text.replace('a+b', 'c'), 's.yaml'), labels, index)).toThrow(
    "organs: 'c' is no label of this data set; it has a, b",
  )
  expect(() => planStudy(parseStudyConfig(text.replace('folds: 3', 'folds: 7'), 's.yaml'), labels, index)).toThrow(
    'folds: a: 6 patients for 7 folds',
  )
})
