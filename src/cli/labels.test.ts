import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { labelsToUse, parseLabels } from '../volume/label-names.ts'
import { labelNamesFor } from './labels.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-labels-'))
afterAll(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'labelsTr'))
const labels = { background: 0, anterior: 1, 'left, upper': 2, whole: [1, 2], ignore: 4 }
writeFileSync(join(folder, 'dataset.json'), JSON.stringify({ labels, regions_class_order: [3, 1, 2] }))
const names = labelNamesFor(join(folder, 'labelsTr/a.nii.gz'))
const none = labelNamesFor('/nowhere/a.nii.gz')
const parsed = (...texts: string[]) => parseLabels(texts, names).map(({ labels }) => labels.join('+'))

test('names of labels and regions', () => {
  expect([names.of(0), names.of(2), names.of(2, 1), names.of(4), names.of(3)]).toEqual([
    'background',
    'left, upper',
    'whole',
    'ignore',
    undefined,
  ])
  expect(names.of(1, 4)).toBe('anterior + ignore')
  expect(labelNamesFor('/x/segmentations/pancreas.nii.gz').of(1)).toBe('pancreas')
  expect(none.of(1)).toBeUndefined()
})

test('numbers and names, separated by spaces or commas; plus joins', () => {
  expect(parsed('1', '2', '1+2')).toEqual(['1', '2', '1+2'])
  expect(parsed('1,2, 1 + 2')).toEqual(['1', '2', '1+2'])
  expect(parsed('1 2 1+4')).toEqual(['1', '2', '1+4'])
})

test('printed names are accepted back', () => {
  for (const given of [[0], [1], [2], [1, 2], [1, 4]]) {
    const printed = names.of(...given) ?? ''
    expect(parseLabels([printed], names)[0].labels).toEqual(given)
  }
  expect(parseLabels(['pancreas'], labelNamesFor('/x/segmentations/pancreas.nii.gz'))[0].labels).toEqual([1])
})

test.each([
  ['70000', "'70000' is 70000; a label is a whole number"],
  ['-1', "'-1' is -1; a label is a whole number"],
  ['1.5', "'1.5' is"],
  ['1+65536', "'1+65536' is 65536"],
  ['liver', "'liver' is neither a label nor a name (names are background, anterior,"],
  ['1+', "'' is neither"],
  ['1,1', 'both'],
])('--labels %s is refused', (text, message) => {
  expect(() => parseLabels([text], names)).toThrow(message)
})

test('the labels that a command works on', () => {
  expect(labelsToUse('a.nii', [0, 1, 2], undefined, names)).toEqual([1, 2])
  expect(labelsToUse('a.nii', [0, 1, 2], ['left, upper', '1'], names)).toEqual([2, 1])
  expect(() => labelsToUse('a.nii', [0], undefined, none)).toThrow('a.nii: holds background only; give a label map')
  expect(() => labelsToUse('a.nii', [0, 1], ['2'], names)).toThrow(
    'has no label 2; it holds 0 (background), 1 (anterior)',
  )
  expect(() => labelsToUse('a.nii', [0, 1, 2], ['whole'], names)).toThrow("'whole' joins several labels")
  expect(() => labelsToUse('a.nii', [0, 1], ['liver'], none)).toThrow(
    "'liver' is neither a label nor a name (no names are",
  )
})

test('a damaged dataset.json costs the names, or is refused where it may change scores', () => {
  mkdirSync(join(folder, 'bad'))
  const path = join(folder, 'bad/dataset.json')
  for (const text of ['{', '{"labels": {"liver": 70000}}']) {
    writeFileSync(path, text)
    expect(labelNamesFor(join(folder, 'bad/a.nii.gz')).of(1)).toBeUndefined()
    expect(() => labelNamesFor(join(folder, 'bad/a.nii.gz'), 'refuse')).toThrow('dataset.json: ')
  }
  // A file of this name that knows no labels is another program's; the one above counts.
  writeFileSync(path, '{"images": 3}')
  expect(labelNamesFor(join(folder, 'bad/a.nii.gz'), 'refuse').of(1)).toBe('anterior')
})
