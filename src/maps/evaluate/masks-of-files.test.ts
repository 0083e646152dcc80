import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encodeNifti } from '../../formats/nifti.ts'
import { createGrid } from '../../volume/grid.ts'
import { masksOfFiles } from './masks-of-files.ts'
import type { LabelScore } from './metrics.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-masks-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (path: string) => join(folder, path)
const write = (path: string, content: string | Uint8Array) => {
  mkdirSync(dirname(at(path)), { recursive: true })
  writeFileSync(at(path), content)
}
const row = (path: string, ...labels: number[]) =>
  write(path, encodeNifti({ grid: createGrid([labels.length, 1, 1]), channels: 1, data: Uint8Array.from(labels) }))
const withIgnore = (label: number) => JSON.stringify({ labels: { background: 0, liver: 1, tumour: 2, ignore: label } })
const score = (label: string) => ({ label }) as LabelScore
const masks = async (prediction: string, reference: string, label: string) => {
  const files = { prediction: at(prediction), reference: at(reference) }
  const { prediction: own, reference: truth } = await masksOfFiles(files, score(label), 0, {})
  return [Array.from(own), Array.from(truth)]
}

row('pred/a.nii', 1, 1, 2, 0, 1, 0)
row('ref/a.nii', 1, 0, 2, 2, 9, 9)

test('masks of a label, of several taken together, and of none', async () => {
  expect((await masks('pred/a.nii', 'ref/a.nii', '1')).map((mask) => mask.slice(0, 4))).toEqual([
    [1, 1, 0, 0],
    [1, 0, 0, 0],
  ])
  expect((await masks('pred/a.nii', 'ref/a.nii', '1+2')).map((mask) => mask.slice(0, 4))).toEqual([
    [1, 1, 1, 0],
    [1, 0, 1, 1],
  ])
})

test('what nobody annotated is in neither mask, as the reference says, or else the prediction', async () => {
  const [own, truth] = await masks('pred/a.nii', 'ref/a.nii', '1')
  expect([own[4], truth[4]]).toEqual([1, 0])
  row('model/a.nii', 1, 1, 2, 0, 1, 0)
  write('model/dataset.json', withIgnore(9))
  expect((await masks('model/a.nii', 'ref/a.nii', '1'))[0]).toEqual([1, 1, 0, 0, 0, 0])
  row('truth/a.nii', 1, 0, 2, 2, 9, 9)
  write('truth/dataset.json', withIgnore(9))
  expect((await masks('pred/a.nii', 'truth/a.nii', '1'))[0]).toEqual([1, 1, 0, 0, 0, 0])
  // The reference's own word counts before the prediction's.
  write('other/dataset.json', withIgnore(2))
  row('other/a.nii', 1, 1, 2, 0, 1, 0)
  expect((await masks('other/a.nii', 'truth/a.nii', '1'))[0]).toEqual([1, 1, 0, 0, 0, 0])
})

test('organs with a file each; one that is missing is empty', async () => {
  row('organs/pred/liver.nii', 1, 1, 0)
  row('organs/ref/liver.nii', 0, 1, 1)
  row('organs/ref/spleen.nii', 0, 0, 1)
  expect(await masks('organs/pred', 'organs/ref', 'liver')).toEqual([
    [1, 1, 0],
    [0, 1, 1],
  ])
  expect(await masks('organs/pred', 'organs/ref', 'spleen')).toEqual([
    [0, 0, 0],
    [0, 0, 1],
  ])
})
