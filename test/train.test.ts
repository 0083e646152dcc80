import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { readVolume } from '../src/formats/volume-file.ts'
import { discCase } from '../src/study/testing/discs.ts'
import { gridDifference } from '../src/volume/grid.ts'
import { expectRefusal, filesBelow, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'
import { writeImage } from './support/images.ts'

interface TrainResult {
  model: string
  epochs: { step: number; loss: number; validationDice: number[] }[]
  outputs: { name: string; threshold: number; dice: number }[]
}

const folder = temporaryFolder()
const dataset = join(folder, 'Dataset900_Discs')
const image0 = join(dataset, 'imagesTr/disc_000_0000.nii.gz')
const index = { channel_names: { 0: 'MRI' }, labels: { background: 0, ring: 1, core: 2 }, file_ending: '.nii.gz' }
const common = ['--channels', '4,8', '--steps', '12', '--epoch-steps', '3', '--threads', '2', '--seed', '3']

beforeAll(() => {
  mkdirSync(join(dataset, 'imagesTr'), { recursive: true })
  mkdirSync(join(dataset, 'labelsTr'))
  writeFileSync(join(dataset, 'dataset.json'), JSON.stringify(index))
  for (let i = 0; i < 6; i++) {
    const { image, label } = discCase(i)
    const id = `disc_${String(i).padStart(3, '0')}`
    writeImage(join(dataset, `imagesTr/${id}_0000.nii.gz`), image.data, image.grid)
    writeImage(join(dataset, `labelsTr/${id}.nii.gz`), label.data, label.grid)
  }
})

const sha = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

test('train writes a model and its log; predict reads nothing but that file', async () => {
  const run = join(folder, 'run')
  const result = await halfdiceJson<TrainResult>(['train', dataset, '-o', run, ...common, '--folds', '3'])
  expect(result.epochs.map(({ step }) => step)).toEqual([3, 6, 9, 12])
  expect(result.outputs.map(({ name }) => name)).toEqual(['ring', 'core'])
  expect(filesBelow(run)).toEqual(['log.jsonl', 'model.onnx'])
  const model = join(folder, 'moved.onnx')
  copyFileSync(result.model, model)
  const probability = join(folder, 'prob.nii.gz')
  await halfdiceJson(['predict', model, image0, '-o', probability])
  const [image, map] = [await readVolume(image0), await readVolume(probability)]
  expect(gridDifference(image.grid, map.grid)).toBeUndefined()
  expect(map.channels).toBe(2)
  expect(map.data).toBeInstanceOf(Float32Array)
  const mask = join(folder, 'mask.nii.gz')
  const cut = await halfdiceJson<{ outputs: { threshold: number }[] }>([
    'predict',
    model,
    image0,
    '-o',
    mask,
    '--threshold',
    'auto',
  ])
  for (const { threshold } of cut.outputs) expect(threshold).toBeLessThanOrEqual(0.5)
  for (const label of new Set((await readVolume(mask)).data)) expect([0, 1, 2]).toContain(label)
})

test('killed with SIGKILL and started again, a run ends in the model of an undisturbed one', async () => {
  const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')]
  const args = (output: string) => ['train', dataset, '-o', output, ...common, '--fold', 'none']
  await halfdiceJson(args(whole))
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, ...args(killed)], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.on('close', resolve))
  while (!existsSync(join(killed, 'checkpoint.bin'))) await new Promise((resolve) => setTimeout(resolve, 2))
  child.kill('SIGKILL')
  await ended
  expect(existsSync(join(killed, 'model.onnx'))).toBe(false)
  await halfdiceJson(args(killed))
  expect(sha(join(killed, 'model.onnx'))).toBe(sha(join(whole, 'model.onnx')))
})

test('bad input is one line and leaves nothing behind', async () => {
  const output = join(folder, 'none')
  const refuse = async (args: string[], says: string | RegExp) => expectRefusal(await halfdice(args), says)
  await refuse(['train', join(folder, 'nowhere'), '-o', output], 'dataset.json: cannot be read')
  await refuse(
    ['train', dataset, '-o', output, '--outputs', 'liver'],
    "--outputs: 'liver' is no label of this data set; it has ring, core",
  )
  await refuse(['train', dataset, '-o', output, '--fold', '7'], '--fold')
  await refuse(['train', dataset, '-o', output, '--device', 'cuda', ...common], /--device cuda: .*install/)
  expect(existsSync(join(output, 'model.onnx'))).toBe(false)

  const broken = join(folder, 'Dataset901_Broken')
  mkdirSync(join(broken, 'imagesTr'), { recursive: true })
  mkdirSync(join(broken, 'labelsTr'))
  writeFileSync(join(broken, 'dataset.json'), JSON.stringify(index))
  await refuse(['train', broken, '-o', output], 'has no label maps')
  const { image, label } = discCase(0)
  writeImage(join(broken, 'labelsTr/a.nii.gz'), label.data, label.grid)
  await refuse(['train', broken, '-o', output], 'a_0000.nii.gz: is missing')
  writeImage(join(broken, 'imagesTr/a_0000.nii.gz'), image.data, { ...image.grid, spacing: [1, 1, 3] })
  await refuse(['train', broken, '-o', output], '1 patients cannot be split into 5 folds; give fewer, or --fold none')
  await refuse(['train', broken, '-o', output, '--fold', 'none'], 'a: its label map lies on another grid')

  const foreign = join(folder, 'foreign.onnx')
  writeFileSync(foreign, 'this is no model')
  const prob = join(folder, 'refused.nii.gz')
  await refuse(['predict', foreign, image0, '-o', prob], 'foreign.onnx: is no')
  await refuse(['predict', join(folder, 'missing.onnx'), image0, '-o', prob], 'missing.onnx')
  await refuse(['predict', join(folder, 'moved.onnx'), image0, image0, '-o', prob], 'has 2 channels')
  await refuse(['predict', join(folder, 'moved.onnx'), image0, '-o', prob, '--threshold', '2'], '--threshold')
  expect(existsSync(prob)).toBe(false)
})
