import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeSeries } from '../src/formats/testing/dicom-series.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { decodeModel } from '../src/network/onnx/decode.ts'
import { discCase } from '../src/training/testing/discs.ts'
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

interface Prediction {
  outputs: { threshold: number; volumeMl: number }[]
}

const metadataOf = (path: string) => JSON.parse(decodeModel(new Uint8Array(readFileSync(path))).metadata.halfdice)
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
  // At 0.02 the outputs compete for voxels.
  const voxels = map.data.length / 2
  expect(map.data.some((p, v) => v < voxels && p > 0.02 && map.data[v + voxels] > 0.02)).toBe(true)
  for (const threshold of ['auto', '0.02']) {
    const cut = await halfdiceJson<Prediction>(['predict', model, image0, '-o', mask, '--threshold', threshold])
    const data = Array.from((await readVolume(mask)).data)
    for (const label of new Set(data)) expect([0, 1, 2]).toContain(label)
    for (const [k, output] of cut.outputs.entries()) {
      expect(output.threshold).toBeLessThanOrEqual(0.5)
      // Voxels of 1 × 1 × 2 mm.
      expect(output.volumeMl).toBeCloseTo(data.filter((label) => label === k + 1).length * 0.002, 9)
    }
  }
})

test('predict --labels takes some outputs of a model, by name or number, as if they were all', async () => {
  const model = join(folder, 'moved.onnx')
  const own = join(folder, 'own.nii.gz')
  const whole = (await readVolume(join(folder, 'prob.nii.gz'))).data
  const voxels = whole.length / 2
  for (const [k, label] of ['ring', '2'].entries()) {
    const told = await halfdiceJson<Prediction>(['predict', model, image0, '-o', own, '--labels', label])
    expect(told.outputs).toHaveLength(1)
    const map = await readVolume(own)
    expect(map.channels).toBe(1)
    expect(map.data).toEqual(whole.subarray(k * voxels, (k + 1) * voxels))
    await halfdiceJson(['predict', model, image0, '-o', own, '--labels', label, '--threshold', '0.02'])
    const mask = Array.from((await readVolume(own)).data)
    expect(mask).toEqual(Array.from(map.data, (p) => (p >= Math.fround(0.02) ? k + 1 : 0)))
  }
  const refused = await halfdice(['predict', model, image0, '-o', own, '--labels', '3'])
  expectRefusal(refused, /--labels: '3' is no class of .*moved.onnx; its classes are ring \(1\), core \(2\)/)
})

test('predict warns of images unlike those of training, and refuses what the network cannot take', async () => {
  const model = join(folder, 'moved.onnx')
  const output = join(folder, 'unlike.nii.gz')
  const predict = (image: string) => halfdice(['predict', model, image, '-o', output])
  const { image } = discCase(0)
  const path = join(folder, 'unlike_image.nii.gz')
  expect((await predict(image0)).stderr).toBe('')
  const spaced = await predict(writeImage(path, image.data, { ...image.grid, spacing: [1, 1, 5] }))
  expect(spaced.stderr).toMatch(
    /^halfdice: warning: .*unlike_image.nii.gz: has voxels of 1×1×5 mm where the model was trained on 1×1×2 mm; .*\n$/,
  )
  expect(spaced.code).toBe(0)
  const turned = await predict(
    writeImage(path, image.data, { ...image.grid, direction: [0, 0, 1, 1, 0, 0, 0, 1, 0] as const }),
  )
  expect(turned.stderr).toMatch(/^halfdice: warning: .* has the orientation ASR where .* trained on RAS; .*\n$/)
  writeImage(path, image.data.slice(0, 20 * 24), { ...image.grid, shape: [20, 24, 1] })
  expectRefusal(await predict(path), 'unlike_image.nii.gz: is a single slice, and the network is 3-D')
  expectRefusal(await halfdice(['predict', model, image0, image0, '-o', output]), 'takes 1 channel (MRI)')
  expectRefusal(
    await halfdice(['predict', folder, image0, '-o', join(folder, 'new.nii.gz')]),
    `${folder}: is a folder; give the model file`,
  )
})

test('predict writes segmentations beside DICOM series, one a case', async () => {
  const series = (name: string) => writeSeries(join(folder, 'series', name), { slices: 20, rows: 24, columns: 24 })
  series('a')
  series('b')
  const model = join(folder, 'moved.onnx')
  const out = join(folder, 'segmentations')
  const auto = ['--threshold', '0.2']
  await halfdiceJson(['predict', model, join(folder, 'series'), '-o', join(out, '{case}.dcm'), ...auto])
  expect(filesBelow(out)).toEqual(['a.dcm', 'b.dcm'])
  await halfdiceJson(['predict', model, join(folder, 'series/a'), '-o', join(folder, 'a.nii.gz'), ...auto])
  const [mask, plain] = [await readVolume(join(out, 'a.dcm')), await readVolume(join(folder, 'a.nii.gz'))]
  expect(mask.labelNames).toEqual(
    new Map([
      [1, 'ring'],
      [2, 'core'],
    ]),
  )
  for (const label of [1, 2]) {
    const count = (data: ArrayLike<number>) => Array.from(data).filter((value) => value === label).length
    expect(count(mask.data)).toBe(count(plain.data))
  }
  const x = join(folder, 'x.dcm')
  expectRefusal(await halfdice(['predict', model, join(folder, 'series/a'), '-o', x]), 'x.dcm: is a file of segments')
  expectRefusal(await halfdice(['predict', model, image0, '-o', x, ...auto]), 'x.dcm: is a DICOM segmentation')
})

describe('predict of many cases', () => {
  const model = join(folder, 'moved.onnx')
  const image = (i: number) => join(dataset, `imagesTr/disc_00${i}_0000.nii.gz`)

  test('a folder in, a folder out: as one by one, with the means last', async () => {
    const out = join(folder, 'all/masks')
    const args = ['predict', model, join(dataset, 'imagesTr'), '-o', out, '--threshold', 'auto']
    const { cases } = await halfdiceJson<{ cases: (Prediction & { case: string; output: string })[] }>(args)
    expect(filesBelow(out)).toEqual(['dataset.json', ...[0, 1, 2, 3, 4, 5].map((i) => `disc_00${i}.nii.gz`)])
    const described = JSON.parse(readFileSync(join(out, 'dataset.json'), 'utf8'))
    expect(described).toEqual({ labels: { background: 0, ring: 1, core: 2 }, file_ending: '.nii.gz' })
    const alone = join(folder, 'alone.nii.gz')
    const one = await halfdiceJson<Prediction>(['predict', model, image(3), '-o', alone, '--threshold', 'auto'])
    expect(sha(join(out, 'disc_003.nii.gz'))).toBe(sha(alone))
    expect(cases[3]).toEqual({ ...one, case: 'disc_003', output: join(out, 'disc_003.nii.gz') })
    const { stdout } = await halfdice(args)
    expect(stdout).toMatch(/^mean of 6 +ring .*\nmean of 6 +core .*\n$/m)
    // The data set itself, and several files.
    const whole = await halfdice(['predict', model, dataset, '-o', join(folder, 'whole'), '--json'])
    expect(whole.stderr).toMatch(/took imagesTr \(6 cases\)/)
    expect(JSON.parse(whole.stdout).cases).toHaveLength(6)
    await halfdiceJson(['predict', model, image(0), image(1), '-o', join(folder, 'two')])
    expect(filesBelow(join(folder, 'two'))).toEqual(['disc_000.nii.gz', 'disc_001.nii.gz'])
  })

  test('folders with a case each, by pattern or as they are; one bad case does not cost the others', async () => {
    for (const i of [0, 1, 2]) {
      mkdirSync(join(folder, `monai/p${i}`), { recursive: true })
      copyFileSync(image(i), join(folder, `monai/p${i}/image.nii.gz`))
      copyFileSync(join(dataset, `labelsTr/disc_00${i}.nii.gz`), join(folder, `monai/p${i}/p${i}_seg.nii.gz`))
    }
    writeFileSync(join(folder, 'monai/p1/image.nii.gz'), readFileSync(image(1)).subarray(0, 900))
    for (const [n, input] of [join(folder, 'monai'), join(folder, 'monai/{case}/image.nii.gz')].entries()) {
      const out = join(folder, `monai-out-${n}`)
      const { code, stdout, stderr } = await halfdice(['predict', model, input, '-o', out, '--json'])
      expect(code).toBe(1)
      expect(stderr).toMatch(/p1.image.nii.gz: .*\nhalfdice: predict: 1 of 3 cases failed; the others are done\n$/)
      expect(JSON.parse(stdout).failed).toMatchObject([{ case: 'p1' }])
      expect(filesBelow(out)).toEqual(['p0.nii.gz', 'p2.nii.gz'])
    }
  })

  test('refused before anything is written', async () => {
    const refused = async (args: string[], says: string) => {
      expectRefusal(await halfdice(['predict', model, ...args]), says)
    }
    await refused([dataset, '-o', join(folder, 'x.nii.gz')], 'names one file for 6 images; give a folder')
    for (const name of ['a', 'b']) {
      mkdirSync(join(folder, 'vague/p'), { recursive: true })
      copyFileSync(image(0), join(folder, `vague/p/${name}.nii.gz`))
    }
    await refused([join(folder, 'vague'), '-o', join(folder, 'x')], 'several images each')
    mkdirSync(join(folder, 'hollow'))
    await refused([join(folder, 'hollow'), '-o', join(folder, 'x')], 'holds no images')
    await refused([image(0), '-o', image(0)], 'would overwrite the input')
    expect(existsSync(join(folder, 'x'))).toBe(false)
  })
})

test('what dataset.json says decides: CT is windowed, the label ignore is no structure and is not learnt', async () => {
  const ct = join(folder, 'Dataset902_Ct')
  cpSync(dataset, ct, { recursive: true })
  const labels = { background: 0, ring: 1, ignore: 9 }
  writeFileSync(join(ct, 'dataset.json'), JSON.stringify({ ...index, channel_names: { 0: 'ct' }, labels }))
  const own = [
    '--warm-up',
    '3',
    '--clip',
    '5',
    '--convolutions',
    '1',
    '--fold',
    'none',
    '--channels',
    '4',
    '--steps',
    '4',
  ]
  const { code, stderr } = await halfdice(['train', ct, '-o', join(folder, 'ct'), ...own, '--epoch-steps', '2'])
  expect(code).toBe(0)
  const [first] = stderr.split('\n')
  expect(first).toMatch(/^epoch 1, step 2\/4: loss .*, \d+ s left$/)
  const metadata = metadataOf(join(folder, 'ct/model.onnx'))
  expect(metadata.outputs).toEqual([{ name: 'ring', labels: [1] }])
  expect(metadata.preprocessing.intensities[0].kind).toBe('window')
  expect(metadata.images).toEqual({ spacingMm: [1, 1, 2], orientations: ['RAS'], channelNames: ['ct'] })
  expect(metadata.unet.convolutions).toBe(1)
  expect(metadata.training.optimiser).toMatchObject({ warmUp: 3, clipNorm: 5 })
  expect(metadataOf(join(folder, 'run/model.onnx')).training.optimiser).toMatchObject({ warmUp: 2, clipNorm: 12 })
  const none = join(folder, 'none')
  // Where nobody has annotated there is nothing to learn, and nothing to score.
  writeFileSync(join(ct, 'dataset.json'), JSON.stringify({ ...index, labels: { ...labels, ignore: 2 } }))
  expectRefusal(
    await halfdice(['train', ct, '-o', none, ...own]),
    /labelsTr\/.*\.nii\.gz: has voxels of the label 'ignore'; label them, or leave the case out/,
  )
  writeFileSync(join(ct, 'dataset.json'), JSON.stringify({ ...index, channel_names: { 0: 'ct' }, labels }))
  expectRefusal(
    await halfdice(['train', ct, '-o', none, '--outputs', 'ring+ignore']),
    "--outputs: 'ignore' marks voxels",
  )
  const help = await halfdice(['train', '--help'])
  expect(help.stdout).not.toContain('does not depend')
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
  expect(existsSync(output)).toBe(false)
  const memory = /^halfdice: memory: not enough for this network; use a smaller patch, batch or number of channels\n$/
  const large = [
    ['--patch', '4096,4096,4096'],
    ['--batch', '4096', '--patch', '2048,2048,64'],
    ['--channels', '1000000,2'],
  ]
  for (const more of large) await refuse(['train', dataset, '-o', output, ...more], memory)
  await refuse(['train', dataset, '-o', output, '--channels', '2,2,2,2,2,2,2,2'], 'channels: 8 levels need a patch')
  const absent = { ...index, labels: { ...index.labels, tumour: 7 } }
  writeFileSync(join(dataset, 'dataset.json'), JSON.stringify(absent))
  await refuse(['train', dataset, '-o', output], 'tumour: no training case holds label 7')
  writeFileSync(join(dataset, 'dataset.json'), JSON.stringify(index))

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

  expect(existsSync(output)).toBe(false)

  const foreign = join(folder, 'foreign.onnx')
  writeFileSync(foreign, 'this is no model')
  const prob = join(folder, 'refused.nii.gz')
  const flipped = readFileSync(join(folder, 'moved.onnx'))
  flipped[flipped.length >> 1] ^= 32
  writeFileSync(join(folder, 'flipped.onnx'), flipped)
  await refuse(['predict', join(folder, 'flipped.onnx'), image0, '-o', prob], 'flipped.onnx: is damaged')
  await refuse(['predict', foreign, image0, '-o', prob], 'foreign.onnx: is no')
  await refuse(['predict', join(folder, 'missing.onnx'), image0, '-o', prob], 'missing.onnx')
  await refuse(['predict', join(folder, 'moved.onnx'), image0, image0, '-o', prob], 'has 2 channels')
  await refuse(['predict', join(folder, 'moved.onnx'), image0, '-o', prob, '--threshold', '2'], '--threshold')
  expect(existsSync(prob)).toBe(false)
})
