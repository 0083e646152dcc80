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
  replicate: 0,
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

test('strengths have independent fields: a small change of σ does not leave the label as it is', () => {
  // With one field for both strengths, masks at σ = 12 and 12.01 mm would agree nearly everywhere.
  const overlapOf = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    const both = Array.from(a).filter((label, i) => label === 1 && b[i] === 1).length
    return (2 * both) / (Array.from(a).filter(Boolean).length + Array.from(b).filter(Boolean).length)
  }
  const reference = noisy()
  const mean = [12.01, 12.02, 12.03, 12.04].map((mm) => overlapOf(reference, noisy({ sigmaMm: [mm, mm, mm] })))
  expect(Math.max(...mean)).toBeLessThan(0.97)
})
