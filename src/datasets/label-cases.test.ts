import { basename, relative } from 'node:path'
import { expect, test } from 'vitest'
import { findLabelCases } from './label-cases.ts'
import { matchFiles } from './match-files.ts'
import { emptyFiles } from './testing/empty-files.ts'

const { folder, at, make } = emptyFiles()

async function found(paths: string[], suffix?: string): Promise<string[][]> {
  const { cases } = await findLabelCases(
    paths.map((path) => at(path)),
    { suffix },
  )
  return cases.map(({ name, input }) => [name, input.slice(folder.length + 1)])
}
const warnings = async (path: string) => (await findLabelCases([at(path)])).warnings

test('a folder of label maps, without what lies beside them', async () => {
  make('flat/b.nii.gz', 'flat/a.nrrd', 'flat/a.npz', 'flat/plans.json', 'flat/._a.nrrd', 'flat/c.hdr', 'flat/c.img')
  expect(await found(['flat'])).toEqual([
    ['a', 'flat/a.nrrd'],
    ['b', 'flat/b.nii.gz'],
    ['c', 'flat/c.hdr'],
  ])
  expect(await warnings('flat')).toEqual([])
})

test('images go before folders of images, which a line names', async () => {
  make('both/a.nii.gz', 'both/fold_0/a.nii.gz', 'both/logs/x.txt')
  expect(await found(['both'])).toEqual([['a', 'both/a.nii.gz']])
  expect(await warnings('both')).toEqual([`${at('both')}: took its images (1), passed over fold_0/`])
})

test("an nnU-Net data set stands for its labelsTr, TotalSegmentator's cases for a mask an organ", async () => {
  make('Dataset001_X/dataset.json', 'Dataset001_X/imagesTr/c_0000.nii.gz', 'Dataset001_X/labelsTr/c.nii.gz')
  expect(await found(['Dataset001_X'])).toEqual([['c', 'Dataset001_X/labelsTr/c.nii.gz']])
  expect(await warnings('Dataset001_X')).toEqual([`${at('Dataset001_X')}: took labelsTr (1 cases)`])
  make('total/s1/ct.nii.gz', 'total/s1/segmentations/liver.nii.gz', 'total/s1/segmentations/spleen.nii.gz')
  make('total/s2/segmentations/liver.nii.gz')
  const { cases } = await findLabelCases([at('total')])
  expect(cases.map(({ name, organs }) => [name, [...(organs?.keys() ?? [])]])).toEqual([
    ['s1', ['liver', 'spleen']],
    ['s2', ['liver']],
  ])
  const one = await findLabelCases([at('total/s1')])
  expect(one.cases.map(({ name, organs }) => [name, organs?.get('liver')])).toEqual([
    ['s1', at('total/s1/segmentations/liver.nii.gz')],
  ])
})

test('a folder a case: its only image, or the one that is called a segmentation', async () => {
  make('monai/a/a_seg.nii.gz', 'monai/b/b_seg.nii.gz', 'kits/case_1/imaging.nii.gz', 'kits/case_1/segmentation.nii.gz')
  expect(await found(['monai'])).toEqual([
    ['a', 'monai/a/a_seg.nii.gz'],
    ['b', 'monai/b/b_seg.nii.gz'],
  ])
  expect(await found(['kits'])).toEqual([['case_1', 'kits/case_1/segmentation.nii.gz']])
  make('kits/case_2/one.nii.gz', 'kits/case_2/two.nii.gz')
  expect(await warnings('kits')).toEqual([
    `${at('kits')}: took 1 folder, passed over case_2/ (one.nii.gz, two.nii.gz), as none says which it is`,
  ])
})

test('several images a case, and none says which: the pattern to write is named', async () => {
  make('raters/a/rater1.nii.gz', 'raters/a/rater2.nii.gz', 'raters/b/rater1.nii.gz', 'raters/b/rater2.nii.gz')
  await expect(found(['raters'])).rejects.toThrow(`as in '${at('raters')}/{case}/rater1.nii.gz'`)
  expect(await found(['raters/{case}/rater1.nii.gz'])).toEqual([
    ['a', 'raters/a/rater1.nii.gz'],
    ['b', 'raters/b/rater1.nii.gz'],
  ])
  // As a shell expands raters/*/rater1.nii.gz.
  expect(await found(['raters/a/rater1.nii.gz', 'raters/b/rater1.nii.gz'])).toEqual([
    ['a', 'raters/a/rater1.nii.gz'],
    ['b', 'raters/b/rater1.nii.gz'],
  ])
  expect((await found(['raters/*/rater2.nii.gz'])).map(([name]) => name)).toEqual(['a', 'b'])
})

test('patterns: stars, question marks, brackets, folders below each other, a name in two places', async () => {
  make(
    'p/x1_seg.nii.gz',
    'p/x2_seg.nii.gz',
    'p/y1.nii.gz',
    'p/deep/er/z_seg.nii.gz',
    'p/q/q_gt.nii.gz',
    'p/r/s_gt.nii.gz',
  )
  const names = async (pattern: string) => (await found([pattern])).map(([name]) => name)
  expect(await names('p/{case}_seg.nii.gz')).toEqual(['x1', 'x2'])
  expect(await names('p/x?_seg.nii.gz')).toEqual(['x1_seg', 'x2_seg'])
  expect(await names('p/x[2-3]*.nii.gz')).toEqual(['x2_seg'])
  expect(await names('p/**/{case}_seg.nii.gz')).toEqual(['z', 'x1', 'x2'])
  expect(await names('p/{case}/{case}_gt.nii.gz')).toEqual(['q'])
  await expect(found(['p/nothing*.nii.gz'])).rejects.toThrow('matches no file; correct the pattern')
  await expect(found(['p/{case}.mha'])).rejects.toThrow('matches no file; correct the pattern')
})

test('patterns that lead up and down again, and from here', async () => {
  make('up/p/a_seg.nii', 'up/p/b_seg.nii')
  const here = basename(process.cwd())
  const up = relative('', at('up'))
  for (const pattern of [`${up}/p/{case}_seg.nii`, `${up}/q/../p/{case}_seg.nii`, `./${up}/p/{case}_s?g.nii`]) {
    expect((await matchFiles(pattern)).map(({ name }) => name)).toEqual(['a', 'b'])
  }
  expect((await matchFiles(`${at('up')}/./q/../p/{case}_seg.nii`)).map(({ path }) => path)[0]).toBe(
    at('up/p/a_seg.nii'),
  )
  const expected = [{ path: 'src/datasets/label-cases.test.ts', name: 'cases', named: true }]
  for (const start of ['', './', `../${here}/`]) {
    expect(await matchFiles(`${start}src/datasets/label-{case}.test.ts`)).toEqual(expected)
  }
})

test('a file whose own name holds a bracket is that file', async () => {
  make('odd/a[1].nii.gz')
  expect(await found(['odd/a[1].nii.gz'])).toEqual([['a[1]', 'odd/a[1].nii.gz']])
})

test('a suffix is no part of the name, unless it is all of it', async () => {
  make('s/a_seg.nii.gz', 's/b.nii.gz', 's/_seg.nii.gz')
  expect((await found(['s'], '_seg')).map(([name]) => name)).toEqual(['_seg', 'a', 'b'])
})

test('two files of one name are refused, one file twice is one case', async () => {
  make('t/a.nii.gz', 't/a.mha', 't/u/a.nii.gz')
  await expect(found(['t/a.nii.gz', 't/a.mha'])).rejects.toThrow(
    `a.mha: is the case a, as ${at('t/a.nii.gz')} is; write`,
  )
  expect(await found(['t/u/a.nii.gz', 't/u'])).toEqual([['a', 't/u/a.nii.gz']])
})

test('a folder without label maps, and a path that leads nowhere', async () => {
  make('none/notes.txt')
  await expect(found(['none'])).rejects.toThrow('holds no label maps')
  await expect(found(['nowhere'])).rejects.toThrow('no such file')
  make('series/1.dcm', 'series/2.dcm')
  expect(await found(['series'])).toEqual([['series', 'series']])
})
