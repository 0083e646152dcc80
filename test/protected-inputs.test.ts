import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { createGrid } from '../src/volume/grid.ts'
import { expectRefusal, halfdice, temporaryFolder } from './support/halfdice.ts'
import { distanceMm, writeImage } from './support/images.ts'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const grid = createGrid([12, 12, 12])
const distance = distanceMm(grid, [6, 6, 6])

beforeAll(() => {
  for (const name of ['in', 'refs', 'likes']) mkdirSync(at(name))
  for (const name of ['a', 'b']) {
    const map = Float32Array.from(distance, (d) => Math.min(1, Math.max(0, 1.1 - d / 5)))
    const mask = Uint8Array.from(distance, (d) => Number(d < 3))
    writeImage(at(`in/${name}.nii.gz`), map, grid)
    writeImage(at(`refs/${name}.nii.gz`), mask, grid)
    writeImage(at(`likes/${name}.nii.gz`), mask, grid)
  }
  copyFileSync(at('likes/a.nii.gz'), at('ct.nii.gz'))
})

test.each([
  ['--like FILE', ['in/a.nii.gz', '-o', 'ct.nii.gz', '--like', 'ct.nii.gz'], 'ct.nii.gz'],
  ['--like FOLDER', ['in', '-o', 'likes', '--like', 'likes'], 'likes/a.nii.gz'],
  ['--references', ['in', '-o', 'refs', '--references', 'refs', '--report', 'r.html'], 'refs/b.nii.gz'],
  ['the input itself', ['in', '-o', 'in'], 'in/b.nii.gz'],
])('threshold never writes over %s', async (_, args, victim) => {
  const before = readFileSync(at(victim))
  expectRefusal(await halfdice(['threshold', ...args], { cwd: folder }), 'would overwrite the input')
  expect(readFileSync(at(victim))).toEqual(before)
})

test('phantom does not write into a data set that is there', async () => {
  mkdirSync(at('set/labelsTr'), { recursive: true })
  writeFileSync(at('set/labelsTr/phantom_000.nii.gz'), 'mine')
  expectRefusal(await halfdice(['phantom', '-o', at('set'), '-n', '1']), 'holds a data set already')
  expect(readFileSync(at('set/labelsTr/phantom_000.nii.gz'), 'utf8')).toBe('mine')
})

test('folders of outputs are made, of files and pages too', async () => {
  const { code, stderr } = await halfdice(
    ['threshold', 'in/a.nii.gz', '-o', 'new/deep/a.nii.gz', '--report', 'r0/x.html'],
    { cwd: folder },
  )
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(readFileSync(at('new/deep/a.nii.gz')).length).toBeGreaterThan(0)
  expect(readFileSync(at('r0/x.csv')).length).toBeGreaterThan(0)
})

test.skipIf(process.platform === 'win32')(
  'pipes are refused wherever a file is read, and never waited for',
  async () => {
    const pipe = (name: string) => {
      execFileSync('mkfifo', [at(name)])
      return at(name)
    }
    const dataset = pipe('dataset.json')
    const runs = [
      ['threshold', pipe('p.nii.gz'), '-o', at('x.nii.gz')],
      ['threshold', pipe('p.nrrd'), '-o', at('x.nii.gz')],
      ['threshold', pipe('p.mha'), '-o', at('x.nii.gz')],
      ['threshold', pipe('p.npz'), '-o', at('x.nii.gz')],
      ['threshold', pipe('p.npy'), '-o', at('x.nii.gz')],
      ['threshold', at('in/a.nii.gz'), '-o', at('x.nii.gz'), '--dataset-json', dataset],
      ['predict', pipe('m.onnx'), at('in/a.nii.gz'), '-o', at('x.nii.gz')],
      ['study', pipe('study.yaml')],
    ]
    const outcomes = await Promise.all(runs.map((args) => halfdice(args)))
    for (const outcome of outcomes) expectRefusal(outcome, 'is a pipe, not a regular file; save its data in a file')
  },
)
