import { describe, expect, test } from 'vitest'
import { findImageCases } from './image-cases.ts'
import { emptyFiles } from './testing/empty-files.ts'

const { folder, at, make } = emptyFiles()

/** Cases by name, with their files below the folder, and the warnings. */
async function found(paths: readonly string[], channels = 1, suffix?: string) {
  const { cases, warnings } = await findImageCases(
    paths.map((path) => at(path)),
    { channels, suffix },
  )
  const files = Object.fromEntries(
    cases.map(({ name, files: own }) => [name, own.map((file) => file.slice(folder.length + 1))]),
  )
  return { files, warnings: warnings.map((text) => text.replaceAll(`${folder}/`, '')) }
}

describe("nnU-Net's files", () => {
  make('raw/imagesTr/a_0000.nii.gz', 'raw/imagesTr/a_0001.nii.gz', 'raw/imagesTr/b_0001.nii.gz')
  make('raw/imagesTr/b_0000.nii.gz', 'raw/labelsTr/a.nii.gz', 'raw/dataset.json')
  const both = {
    a: ['raw/imagesTr/a_0000.nii.gz', 'raw/imagesTr/a_0001.nii.gz'],
    b: ['raw/imagesTr/b_0000.nii.gz', 'raw/imagesTr/b_0001.nii.gz'],
  }

  test('are the channels of cases, in a folder, in a list and by a pattern', async () => {
    expect(await found(['raw/imagesTr'], 2)).toEqual({ files: both, warnings: [] })
    expect((await found(['raw/imagesTr/*.nii.gz'], 2)).files).toEqual(both)
    expect((await found([...both.b].reverse(), 2)).files).toEqual({ b: both.b })
  })

  test('of a whole data set are those to predict, and else those that it trains on', async () => {
    expect(await found(['raw'], 2)).toEqual({ files: both, warnings: ['raw: took imagesTr (2 cases)'] })
    make('test/imagesTs/c_0000.nii.gz', 'test/imagesTr/d_0000.nii.gz')
    expect((await found(['test'])).files).toEqual({ c: ['test/imagesTs/c_0000.nii.gz'] })
  })

  test('a name that only looks like a channel is a name', async () => {
    make('scans/scan_0012.nii.gz', 'scans/scan_0013.nii.gz')
    expect((await found(['scans'])).files).toEqual({
      scan_0012: ['scans/scan_0012.nii.gz'],
      scan_0013: ['scans/scan_0013.nii.gz'],
    })
  })
})

test('as many files as channels are one case; more are a case each', async () => {
  make('mr/t1.nii.gz', 'mr/t2.nii.gz', 'mr/x.nii.gz')
  expect((await found(['mr/t2.nii.gz', 'mr/t1.nii.gz'], 2)).files).toEqual({ t2: ['mr/t2.nii.gz', 'mr/t1.nii.gz'] })
  expect(Object.keys((await found(['mr/t1.nii.gz', 'mr/t2.nii.gz', 'mr/x.nii.gz'], 2)).files)).toEqual([
    't1',
    't2',
    'x',
  ])
  expect(Object.keys((await found(['mr/t1.nii.gz', 'mr/t2.nii.gz'], 1)).files)).toEqual(['t1', 't2'])
})

describe('folders with a case each', () => {
  test("TotalSegmentator's, KiTS's, MONAI's", async () => {
    make('total/s1/ct.nii.gz', 'total/s1/segmentations/liver.nii.gz', 'total/s2/ct.nii.gz')
    make('kits/case_1/imaging.nii.gz', 'kits/case_1/segmentation.nii.gz', 'kits/.cache/imaging.nii.gz')
    make('monai/p/p.nii.gz', 'monai/p/p_seg.nii.gz')
    expect((await found(['total'])).files).toEqual({ s1: ['total/s1/ct.nii.gz'], s2: ['total/s2/ct.nii.gz'] })
    expect((await found(['kits'])).files).toEqual({ case_1: ['kits/case_1/imaging.nii.gz'] })
    expect((await found(['monai'])).files).toEqual({ p: ['monai/p/p.nii.gz'] })
    expect((await found(['kits/case_1'])).files).toEqual({ case_1: ['kits/case_1/imaging.nii.gz'] })
  })

  test('that do not say which image is meant are passed over, or refused where none does', async () => {
    make('mixed/a/ct.nii.gz', 'mixed/b/one.nii.gz', 'mixed/b/two.nii.gz')
    expect(await found(['mixed'])).toEqual({
      files: { a: ['mixed/a/ct.nii.gz'] },
      warnings: ['mixed: took 1 folder, passed over b/ (one.nii.gz, two.nii.gz), as none says which it is'],
    })
    make('vague/b/one.nii.gz', 'vague/b/two.nii.gz')
    await expect(found(['vague'])).rejects.toThrow(/several images each, such as b\/ .*: '.*\{case\}/)
    await expect(found(['vague/b/none'])).rejects.toThrow(/none/)
  })

  test('by a pattern, named by it', async () => {
    expect((await found(['total/{case}/ct.nii.gz'])).files).toEqual({
      s1: ['total/s1/ct.nii.gz'],
      s2: ['total/s2/ct.nii.gz'],
    })
  })
})

test('--suffix is taken off; two cases of one name are refused', async () => {
  make('suffix/a_ct.nii.gz', 'other/a.nii.gz')
  expect((await found(['suffix'], 1, '_ct')).files).toEqual({ a: ['suffix/a_ct.nii.gz'] })
  await expect(found(['suffix', 'other'], 1, '_ct')).rejects.toThrow(/is the case a, as .*suffix/)
})
