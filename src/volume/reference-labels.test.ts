import { expect, test } from 'vitest'
import type { LabelArray } from './labels.ts'
import { maskOf255, referenceLabels } from './reference-labels.ts'

const map = (values: LabelArray) => ({ values, labels: [...new Set(values)].sort((a, b) => a - b) })
const liver = { name: 'liver', labels: [1] }
const tumour = { name: 'tumour', labels: [2] }

test('a mask of 0 and 255 for one class is that class, and said so', () => {
  const { map: read, note } = referenceLabels(map(Uint8Array.of(0, 255, 255)), [tumour])
  expect([...read.values]).toEqual([0, 2, 2])
  expect(read.labels).toEqual([0, 2])
  expect(note).toBe('holds 0 and 255 only: 255 is read as tumour (label 2)')
  const region = { name: 'whole', labels: [1, 2, 3] }
  expect([...referenceLabels(map(Uint8Array.of(255)), [region]).map.values]).toEqual([1])
  // Voxels that nobody has annotated stay so.
  expect([...referenceLabels({ values: Int32Array.of(-1, 255), labels: [0, 255] }, [liver]).map.values]).toEqual([
    -1, 1,
  ])
})

test('255 among other labels, or for several classes, stays 255', () => {
  for (const [values, classes] of [
    [Uint8Array.of(0, 1, 255), [liver]],
    [Uint8Array.of(0, 255), [liver, tumour]],
    [Uint8Array.of(0, 255), [{ name: 'x', labels: [255] }]],
    [Uint8Array.of(0, 254), [liver]],
  ] as const) {
    expect(maskOf255(map(values), classes)).toEqual({ map: map(values) })
  }
})

test('labels that stand for no class are named', () => {
  expect(referenceLabels(map(Uint8Array.of(0, 1, 2)), [liver, tumour]).note).toBeUndefined()
  expect(referenceLabels(map(Uint8Array.of(0, 1, 7)), [liver, tumour]).note).toBe(
    'holds label 7, which stands for no class and counts as background; ' +
      'the classes are liver (label 1), tumour (label 2)',
  )
  const many = Uint8Array.from({ length: 14 }, (_, i) => i)
  expect(referenceLabels(map(many), [liver]).note).toMatch(/^holds labels 2, 3, .*, 11 and 2 more, which stand for no/)
})
