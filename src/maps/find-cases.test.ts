import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { findCases } from './find-cases.ts'
import { caseName } from './names.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-cases-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('cases of a folder: arrays before class folders before images', () => {
  const at = (...parts: string[]) => join(folder, 'cases', ...parts)
  for (const name of ['a', 'b']) {
    mkdirSync(at('classes', name), { recursive: true })
    writeFileSync(at('classes', name, 'liver.nii.gz'), '')
  }
  mkdirSync(at('images'))
  for (const name of ['p.nii.gz', 'q.hdr', 'q.img', '.hidden.nii']) writeFileSync(at('images', name), '')
  mkdirSync(at('arrays'))
  for (const name of ['c.npz', 'c.pkl', 'c.nii.gz', 'dataset.json']) writeFileSync(at('arrays', name), '')
  mkdirSync(at('empty'))
  const names = (path: string) => findCases([at(path)]).map(({ name, kind }) => [name, kind])
  expect(names('arrays')).toEqual([['c', 'array']])
  expect(names('classes')).toEqual([
    ['a', 'classes'],
    ['b', 'classes'],
  ])
  expect(names('images')).toEqual([
    ['p', 'image'],
    ['q', 'image'],
  ])
  expect(() => names('empty')).toThrow(/holds no probabilities/)
  expect(() => names('nowhere')).toThrow(/no such file/)
})

test('names of cases', () => {
  expect(['a/b.c.nii.gz', 'x.npz', 'y.hdr', 'z'].map(caseName)).toEqual(['b.c', 'x', 'y', 'z'])
})
