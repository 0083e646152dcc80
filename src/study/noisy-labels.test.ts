import { expect, test } from 'vitest'
import { phantomCase } from '../datasets/phantom/phantom.ts'
import { noisyLabels } from './noisy-labels.ts'
import type { Cell } from './plan.ts'

const { labels } = phantomCase(0, 0, { shape: [24, 20, 16], spacing: [12, 12, 12] })
const cell = (more: Partial<Cell> = {}): Cell => ({
  path: 'p',
  group: 'liver',
  organs: [{ name: 'liver', labels: [1] }],
  sigmaMm: [12, 12, 12],
  lengthMm: 48,
  noiseSeed: 0,
  validation: [],
  work: { kind: 'theory' },
  ...more,
})
const noisy = (more: Partial<Cell> = {}, id = 'c') => noisyLabels(cell(more), id, labels).noisy.data

test('the same for every fold and loss; another for another case, group, strength or seed', () => {
  const reference = noisy()
  expect(noisy({ path: 'another cell', validation: [{ id: 'x', patient: 'x', fold: 3 }] })).toEqual(reference)
  const others = [noisy({}, 'd'), noisy({ group: 'joint' }), noisy({ lengthMm: 50 }), noisy({ noiseSeed: 1 })]
  for (const other of [...others, noisy({ sigmaMm: [12, 12, 13] })]) expect(other).not.toEqual(reference)
})

test('labels of other organs become background before the noise', () => {
  const { clean } = noisyLabels(cell(), 'c', labels)
  expect(new Set(labels.data).size).toBeGreaterThan(2)
  expect([...new Set(clean.data)].sort()).toEqual([0, 1])
  expect(clean.data.every((label, at) => (label === 1) === (labels.data[at] === 1))).toBe(true)
})
