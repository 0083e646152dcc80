import { chmodSync, symlinkSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { caseName } from '../datasets/image-names.ts'
import { emptyFiles } from '../datasets/testing/empty-files.ts'
import { datasetJsonFor, filesOf, findCases, matchCases } from './find-cases.ts'

const { at, folder, make } = emptyFiles()

const found = (path: string) => findCases([at(path)]).cases.map(({ name, kind }) => [name, kind])
const warnings = (path: string) => findCases([at(path)]).warnings

test('arrays, with the segmentations and properties of their names beside them', () => {
  make('arrays/c.npz', 'arrays/c.pkl', 'arrays/c.nii.gz', 'arrays/dataset.json')
  expect(found('arrays')).toEqual([['c', 'array']])
  expect(warnings('arrays')).toEqual([])
})

test('sub-folders with images of their own: one image a class, or a single image', () => {
  make('folders/a/liver.nii.gz', 'folders/a/spleen.nii.gz', 'folders/b/b_seg.nii.gz', 'folders/notes/readme.txt')
  expect(found('folders')).toEqual([
    ['a', 'folder'],
    ['b', 'folder'],
  ])
  expect(warnings('folders')).toEqual([])
  expect(filesOf(findCases([at('folders')]).cases[0])).toEqual([
    at('folders/a/liver.nii.gz'),
    at('folders/a/spleen.nii.gz'),
  ])
})

test('images, a pair as one', () => {
  make('images/p.nii.gz', 'images/q.hdr', 'images/q.img')
  expect(found('images')).toEqual([
    ['p', 'image'],
    ['q', 'image'],
  ])
})

test('images of a folder that becomes one mask are the classes of one case', () => {
  make('patient/liver.nii.gz', 'patient/spleen.nii.gz')
  const one = findCases([at('patient')], { one: true })
  expect(one.cases).toEqual([{ input: at('patient'), name: 'patient', kind: 'folder' }])
  expect(one.warnings).toEqual([expect.stringMatching(/its 2 images are taken as the classes of one case/)])
  // Several inputs, or a single image, are cases as ever.
  expect(findCases([at('patient'), at('arrays')], { one: true }).cases).toHaveLength(3)
  make('single/x.nii.gz')
  expect(findCases([at('single')], { one: true }).cases[0].kind).toBe('image')
})

test('a mixed folder says what was taken and what was passed over', () => {
  make('mixed/a.npz', 'mixed/a.nii.gz', 'mixed/b.npy', 'mixed/sub/x.nii.gz', 'mixed/image.nii.gz', 'mixed/._a.npz')
  expect(found('mixed')).toEqual([['a', 'array']])
  expect(warnings('mixed')).toEqual([
    `${at('mixed')}: took its .npz files (1), passed over b.npy, sub, image.nii.gz, ._a.npz`,
  ])
  make(...Array.from({ length: 9 }, (_, i) => `many/${i}.npy`), 'many/a.npz')
  expect(warnings('many')).toEqual([
    `${at('many')}: took its .npz files (1), passed over 0.npy, 1.npy, 2.npy and 6 others`,
  ])
})

test('links that lead nowhere do not end the others: as files they are cases, which fail by name', () => {
  make('links/a.npz')
  symlinkSync('nowhere.npz', at('links/b.npz'))
  symlinkSync('loop', at('links/loop'))
  symlinkSync('nowhere', at('links/folder'))
  expect(found('links')).toEqual([
    ['a', 'array'],
    ['b', 'array'],
  ])
})

test('a folder without cases, and a path that leads nowhere', () => {
  make('empty/notes.txt', 'empty/sub/notes.txt')
  expect(() => found('empty')).toThrow(/holds no probabilities/)
  expect(() => found('nowhere')).toThrow(/no such file/)
})

test('names of cases', () => {
  expect(['a/b.c.nii.gz', 'x.npz', 'y.hdr', 'z'].map(caseName)).toEqual(['b.c', 'x', 'y', 'z'])
})

test("the dataset.json of nnU-Net's own validation lies with the model, two folders above", () => {
  make('model/dataset.json', 'model/fold_0/validation/c.npz', 'model/fold_0/other/c.npz')
  const jsonOf = (path: string) => datasetJsonFor(findCases([at(path)]).cases[0])
  expect(jsonOf('model/fold_0/validation')).toBe(at('model/dataset.json'))
  expect(jsonOf('model/fold_0/other')).toBe(undefined)
  make('model/fold_0/validation/dataset.json')
  expect(jsonOf('model/fold_0/validation')).toBe(at('model/fold_0/validation/dataset.json'))
})

test('patterns name cases, and a suffix is none of the name', async () => {
  make('named/a_prob.nii.gz', 'named/b_prob.nii.gz', 'named/c.nii.gz')
  const names = async (path: string, suffix?: string) =>
    (await matchCases([at(path)], { suffix })).cases.map(({ name, input }) => [
      name,
      input.slice(at('named').length + 1),
    ])
  expect(await names('named/{case}_prob.nii.gz')).toEqual([
    ['a', 'a_prob.nii.gz'],
    ['b', 'b_prob.nii.gz'],
  ])
  expect(await names('named/*_prob.nii.gz')).toEqual([
    ['a_prob', 'a_prob.nii.gz'],
    ['b_prob', 'b_prob.nii.gz'],
  ])
  expect((await names('named', '_prob')).map(([name]) => name)).toEqual(['a', 'b', 'c'])
  await expect(names('named/x*.nii.gz')).rejects.toThrow('matches no file')
})

/** Only the main thread of a process may take another user's rights. */
const hasRights = process.platform !== 'win32' && isMainThread
test.skipIf(!hasRights)('a folder that may not be read is passed over, and named where nothing else is there', () => {
  make('closed/secret/x.nii.gz', 'partly/secret/x.nii.gz', 'partly/open/x.nii.gz', 'partly/notes/readme.txt')
  for (const path of ['closed', 'partly']) chmodSync(at(path, 'secret'), 0)
  chmodSync(folder, 0o755)
  // Root may read everything.
  const own = process.geteuid?.()
  if (own === 0) process.seteuid?.('nobody')
  try {
    expect(() => found('closed')).toThrow(
      /holds no probabilities \(.*\); it passed over secret\/ \(.+\); give another$/,
    )
    expect(found('partly')).toEqual([['open', 'folder']])
  } finally {
    if (own === 0) process.seteuid?.(0)
    for (const path of ['closed', 'partly']) chmodSync(at(path, 'secret'), 0o755)
  }
  make('nothing/notes.txt')
  expect(() => found('nothing')).toThrow(/holds no probabilities \([^)]*\); give another$/)
})
