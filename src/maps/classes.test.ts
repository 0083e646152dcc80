import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { parseClasses, readClasses } from './classes.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-classes-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('dataset.json', () => {
  const classes = (json: unknown) => {
    const path = join(folder, 'dataset.json')
    writeFileSync(path, typeof json === 'string' ? json : JSON.stringify(json))
    return readClasses(path)
  }

  test('nnU-Net v2, in the order of labels, without the ignore label', () => {
    const labels = { tumour: 2, background: 0, liver: 1, ignore: 3 }
    expect(classes({ labels, file_ending: '.nrrd' })).toEqual({
      kind: 'exclusive',
      maps: [undefined, { name: 'liver', labels: [1] }, { name: 'tumour', labels: [2] }],
      fileEnding: '.nrrd',
      ignore: 3,
    })
  })

  test('nnU-Net v1', () => {
    expect(classes({ labels: { '0': 'background', '1': 'anterior' } }).maps).toEqual([
      undefined,
      { name: 'anterior', labels: [1] },
    ])
  })

  test('regions, whose background has no map', () => {
    const labels = { background: 0, whole: [1, 2], core: [2] }
    expect(classes({ labels, regions_class_order: [1, 2] })).toEqual({
      kind: 'regions',
      maps: [
        { name: 'whole', labels: [1, 2] },
        { name: 'core', labels: [2] },
      ],
      paint: [1, 2],
    })
    expect(() => classes({ labels })).toThrow(/regions_class_order/)
  })

  test.each(['{', '[1]', '{}', '{"labels": {"a": "b"}}', '{"labels": {"a": [1.5]}}'])('%s is refused', (text) => {
    expect(() => classes(text)).toThrow(InputError)
  })
})

test('classes from the command line', () => {
  expect(parseClasses('background, liver', '--classes')).toEqual([undefined, { name: 'liver', labels: [1] }])
  expect(parseClasses('liver,spleen', '--classes').map((each) => each?.labels)).toEqual([[1], [2]])
  expect(parseClasses('a=3,b=1+2', '--classes')).toEqual([
    { name: 'a', labels: [3] },
    { name: 'b', labels: [1, 2] },
  ])
  expect(parseClasses('liver=1, background', '--classes')).toEqual([{ name: 'liver', labels: [1] }, undefined])
  const wrong = [
    'a=,b',
    'a=x',
    '',
    '=1',
    'a=70000',
    'a=-1',
    'a=1.5',
    'a=4294967296',
    'a=1,b=1',
    'a=1+1',
    'a,b=1',
    'a,a',
  ]
  for (const bad of wrong) expect(() => parseClasses(bad, '--classes')).toThrow(InputError)
})
