import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { EpochLog } from '../network/train.ts'
import { createGrid } from '../volume/grid.ts'
import { scoreModel } from './hold-out.ts'
import { openModel } from './model-file.ts'
import { predictProbability } from './predict.ts'
import { predictedMask } from './predicted-mask.ts'
import { discCase } from './testing/discs.ts'
import { trainSegmentation } from './train.ts'
import type { TrainingCase, TrainingConfig } from './training-config.ts'
import { defaultTraining } from './training-defaults.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-training-'))
afterAll(() => rmSync(root, { recursive: true }))

const outputs = [
  { name: 'ring', labels: [1] },
  { name: 'whole', labels: [1, 2] },
]
const small: TrainingConfig = {
  ...defaultTraining,
  outputs,
  channels: [4, 8],
  steps: 12,
  stepsPerEpoch: 4,
  patch: [20, 24, 8],
}
const cases = Array.from({ length: 5 }, (_, i) => discCase(i))
const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

test('learns, scores held-out cases, and writes a model that predicts on the image grid', async () => {
  const folder = join(root, 'learn')
  const config: TrainingConfig = { ...small, channels: [8, 16], steps: 120, stepsPerEpoch: 60 }
  const held = [discCase(20), discCase(21)]
  const { model: path, epochs } = await trainSegmentation(config, cases, { folder, validation: held, threads: 2 })
  expect(epochs.map(({ step }) => step)).toEqual([60, 120])
  expect(epochs[1].loss).toBeLessThan(epochs[0].loss)
  expect(epochs[1].validationDice?.length).toBe(2)
  for (const dice of epochs[1].validationDiceAtCaseThreshold ?? []) expect(dice).toBeGreaterThan(0.8)
  expect(epochs[1].validationDiceAtCaseThreshold).not.toEqual(epochs[1].validationDice)
  const log = readFileSync(join(folder, 'log.jsonl'), 'utf8').trim().split('\n')
  expect(log.map((line) => JSON.parse(line) as EpochLog)).toEqual(epochs)
  expect(existsSync(join(folder, 'checkpoint.bin'))).toBe(false)

  const scores = await scoreModel(path, held, { threads: 2 })
  for (const { dice, diceAtCaseThreshold } of scores) {
    expect(dice).toBeGreaterThan(0.8)
    expect(diceAtCaseThreshold).toBeGreaterThan(0.8)
  }
  const model = await openModel(path, { threads: 2 })
  expect(model.metadata.outputs).toEqual(outputs)
  expect(model.metadata.thresholds?.every((t) => t > 0.2 && t <= 0.5)).toBe(true)
  // Larger than the patch: tiles. The ellipsoid is of the size that the net knows.
  const { image } = discCase(30, [20, 24, 8])
  const probability = await predictProbability(model, image, 'image')
  expect(probability.grid).toBe(image.grid)
  expect(probability.channels).toBe(2)
  expect(probability.data.every((p) => p >= 0 && p <= 1)).toBe(true)
  const { mask, outputs: cuts } = predictedMask(probability, model, 'auto')
  expect(mask.channels).toBe(2)
  expect(cuts.every((cut) => cut?.present && (cut.threshold ?? 0) > 0.2 && (cut.threshold ?? 1) <= 0.5)).toBe(true)
  await model.session.dispose()
})

test('the same seed gives the same model, another seed another', async () => {
  const models = await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      trainSegmentation({ ...small, seed: name === 'c' ? 1 : 0 }, cases, { folder: join(root, name), threads: 2 }),
    ),
  )
  const [a, b, c] = models.map(({ model }) => digest(model))
  expect(b).toBe(a)
  expect(c).not.toBe(a)
})

test('cases that are read when needed give the same model, and their count is known', async () => {
  for (const modality of ['mr', 'ct'] as const) {
    const config = { ...small, modality, steps: 2, stepsPerEpoch: 2 }
    const held = [discCase(20)]
    const given = { folder: join(root, `given-${modality}`), threads: 2, validation: held }
    const read = { folder: join(root, `read-${modality}`), threads: 2, validation: held.map((one) => async () => one) }
    const whole = await trainSegmentation(config, cases, given)
    const reads: number[] = []
    const counts: [number, number][] = []
    const readers = cases.map((one, i) => async () => {
      reads.push(i)
      return one
    })
    const onCase = (done: number, of: number) => counts.push([done, of])
    const again = await trainSegmentation(config, readers, { ...read, onCase })
    expect(digest(again.model)).toBe(digest(whole.model))
    // CT's window of intensities is known when all have been read.
    expect(reads).toEqual(modality === 'ct' ? [0, 1, 2, 3, 4, 0, 1, 2, 3, 4] : [0, 1, 2, 3, 4])
    expect(counts.at(-1)).toEqual([reads.length + 1, reads.length + 1])
  }
})

test('a run that is aborted or killed goes on to the same model', async () => {
  const [whole, stopped] = [join(root, 'whole'), join(root, 'stopped')]
  const { model } = await trainSegmentation(small, cases, { folder: whole, threads: 2 })
  for (const at of [3, 6, 11]) {
    const controller = new AbortController()
    const onStep = (step: number) => step === at && controller.abort()
    const run = trainSegmentation(small, cases, { folder: stopped, threads: 2, onStep, signal: controller.signal })
    await expect(run).rejects.toThrow(/abort/i)
  }
  expect(existsSync(join(stopped, 'model.onnx'))).toBe(false)
  // What a kill between two writes may leave: half a temporary file, and a log that is behind the checkpoint.
  writeFileSync(join(stopped, 'checkpoint.bin.1.tmp'), 'half')
  writeFileSync(join(stopped, 'log.jsonl'), '')
  const second = await trainSegmentation(small, cases, { folder: stopped, threads: 2 })
  expect(digest(second.model)).toBe(digest(model))
  const stable = (path: string) => readFileSync(join(path, 'log.jsonl'), 'utf8').replace(/,"seconds".*?}/g, '}')
  expect(stable(stopped)).toBe(stable(whole))
})

test('a checkpoint of other settings or a damaged one is refused', async () => {
  const folder = join(root, 'refused')
  const controller = new AbortController()
  const onStep = (step: number) => step === 5 && controller.abort()
  const stopped = trainSegmentation(small, cases, { folder, threads: 2, onStep, signal: controller.signal })
  await expect(stopped).rejects.toThrow()
  const other = trainSegmentation({ ...small, batch: 1 }, cases, { folder, threads: 2 })
  await expect(other).rejects.toThrow(/checkpoint.bin: was written by a run with other settings/)
  const bytes = readFileSync(join(folder, 'checkpoint.bin'))
  bytes[bytes.length - 9] ^= 1
  writeFileSync(join(folder, 'checkpoint.bin'), bytes)
  const damaged = trainSegmentation(small, cases, { folder, threads: 2 })
  await expect(damaged).rejects.toThrow(/checkpoint.bin: is a damaged checkpoint/)
})

test('a loss that is not finite stops the run with a reason', async () => {
  const wild = { ...small, optimiser: { ...small.optimiser, learningRate: 1e30, warmUp: 0 } }
  await expect(trainSegmentation(wild, cases, { folder: join(root, 'wild'), threads: 2 })).rejects.toThrow(
    /^training: the loss became .* at step \d+: .*learning rate/,
  )
})

test('bad input is named', async () => {
  const run = { folder: join(root, 'bad'), threads: 2 }
  await expect(trainSegmentation(small, [], run)).rejects.toThrow('training set: is empty')
  const two = { ...cases[1], image: { ...cases[1].image, channels: 2 } }
  await expect(trainSegmentation(small, [cases[0], two], run)).rejects.toThrow('disc1: has 2 channels, disc0 has 1')
  const shifted = { ...cases[1], label: { ...cases[1].label, grid: createGrid([20, 24, 8], [1, 1, 3]) } }
  await expect(trainSegmentation(small, [shifted], run)).rejects.toThrow('disc1: its label map lies on another grid')
  const data = Float32Array.from(cases[0].image.data)
  data[7] = Number.NaN
  const holed = { ...cases[0], image: { ...cases[0].image, data } }
  await expect(trainSegmentation(small, [holed], run)).rejects.toThrow('disc0: holds the intensity NaN')
  expect(existsSync(join(run.folder, 'model.onnx'))).toBe(false)
})

test('held-out cases are checked before the first step, all of them', async () => {
  let steps = 0
  const run = { folder: join(root, 'held'), threads: 2, onStep: () => steps++ }
  const train = (bad: TrainingCase) => {
    // More than the log's curve looks at.
    const validation = [...Array.from({ length: 14 }, (_, i) => discCase(20 + i)), bad]
    return expect(trainSegmentation(small, cases, { ...run, validation })).rejects
  }
  const { id, image, label } = discCase(50)
  const data = Float32Array.from(image.data)
  data[7] = Number.NaN
  await train({ id, label, image: { ...image, data } }).toThrow('disc50: holds the intensity NaN')
  await train({ id, label, image: { ...image, channels: 2 } }).toThrow('disc50: has 2 channels')
  // As many voxels, on another grid: nothing else would notice.
  const grid = createGrid([24, 20, 8], [1, 1, 2])
  await train({ id, image, label: { ...label, grid } }).toThrow('disc50: its label map lies on another grid')
  const fractions = Float32Array.from(label.data, (x) => x / 2)
  await train({ id, image, label: { ...label, data: fractions } }).toThrow('disc50: holds 0.5, which is no integer')
  expect(steps).toBe(0)
  expect(existsSync(run.folder)).toBe(false)
})

test('an output that no training case has is refused', async () => {
  const more = { ...small, outputs: [...outputs, { name: 'tumour', labels: [7] }] }
  const run = { folder: join(root, 'absent'), threads: 2, validation: [discCase(20)] }
  await expect(trainSegmentation(more, cases, run)).rejects.toThrow('tumour: no training case holds label 7')
})

test('what needs more memory than there is is refused before any is taken', async () => {
  const run = { folder: join(root, 'deep/large'), threads: 2 }
  for (const large of [
    { patch: [4096, 4096, 4096] },
    { patch: [2048, 2048, 64], batch: 4096 },
    { channels: [1_000_000, 2] },
    { channels: [50_000, 2] },
  ]) {
    await expect(trainSegmentation({ ...small, ...large }, cases, run)).rejects.toThrow(
      'memory: not enough for this network; use a smaller patch, batch or number of channels',
    )
  }
  expect(existsSync(join(root, 'deep'))).toBe(false)
})

test('more levels than the default patch can have, and a patch of one slice, are refused', async () => {
  const run = { folder: join(root, 'levels'), threads: 2 }
  const { patch: _, ...free } = small
  const deep = { ...free, channels: [2, 2, 2, 2, 2, 2, 2, 2] }
  await expect(trainSegmentation(deep, cases, run)).rejects.toThrow(
    'channels: 8 levels need a patch of at least 128×128×128 voxels',
  )
  const slice = { ...small, channels: [4], patch: [20, 24, 1] }
  await expect(trainSegmentation(slice, cases, run)).rejects.toThrow('patch: is a single slice')
  // 7 levels are 64³ voxels: just what is taken by itself.
  const seven = { ...free, channels: [1, 1, 1, 1, 1, 1, 1], steps: 1, batch: 1 }
  const { metadata } = await trainSegmentation(seven, cases.slice(0, 1), run)
  expect(metadata.patch).toEqual([64, 64, 64])
})

test('a folder that was made for nothing goes again', async () => {
  const run = { folder: join(root, 'nothing/here'), threads: 2, device: 'cuda' as const }
  await expect(trainSegmentation(small, cases, run)).rejects.toThrow('--device cuda')
  expect(existsSync(join(root, 'nothing'))).toBe(false)
})

test('files that are no models of ours are named', async () => {
  const path = join(root, 'foreign.onnx')
  writeFileSync(path, 'not a model')
  await expect(openModel(path)).rejects.toThrow(`${path}: is no`)
  const { model } = await trainSegmentation({ ...small, steps: 1 }, cases, { folder: join(root, 'one'), threads: 2 })
  writeFileSync(path, readFileSync(model).subarray(0, 2000))
  await expect(openModel(path)).rejects.toThrow(`${path}: is`)
  const bytes = readFileSync(model)
  bytes.fill(0xff, 400, 500)
  writeFileSync(path, bytes)
  await expect(openModel(path)).rejects.toThrow(`${path}: is`)
})
