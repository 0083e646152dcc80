import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { exportModel } from '../network/model.ts'
import { initialParameters } from '../network/parameters.ts'
import { createGrid } from '../volume/grid.ts'
import { faultyKey } from './model-check.ts'
import { encodeModelFile, type ModelMetadata, openModel } from './model-file.ts'
import { describeImages } from './trained-images.ts'
import { defaultTraining } from './training-defaults.ts'
import { unlikeTraining } from './unlike-training.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-model-'))
afterAll(() => rmSync(root, { recursive: true }))

const metadata: ModelMetadata = {
  format: 1,
  unet: {
    dimensions: 3,
    inputChannels: 2,
    outputs: 1,
    channels: [4, 8],
    convolutions: 1,
    down: 'max-pool',
    up: 'transposed',
  },
  patch: [20, 24, 8],
  outputs: [{ name: 'liver', labels: [1] }],
  preprocessing: {
    crop: 'none',
    spacingMm: [null, null, 3],
    intensities: [{ kind: 'z-score' }, { kind: 'window', lower: -100, upper: 200, mean: 40, deviation: 30 }],
  },
  images: { spacingMm: [1, 1, 3], orientations: ['LPS', 'RAS'], channelNames: ['MR', 'CT'] },
  loss: defaultTraining.loss,
  training: {},
  thresholds: [0.4],
}
const parameters = initialParameters(metadata.unet, [0.1], 0)
const bytes = encodeModelFile(parameters, metadata)

function written(name: string, content: Uint8Array | string): string {
  const path = join(root, name)
  writeFileSync(path, content)
  return path
}

/** A file with odd metadata and the right seal, as another version of halfdice might write it. */
const odd = (more: object) => written('odd.onnx', encodeModelFile(parameters, { ...metadata, ...more }))

test('a model file gives back its metadata', async () => {
  const model = await openModel(written('good.onnx', bytes))
  expect(model.metadata).toEqual(metadata)
  await model.session.dispose()
})

test('a flipped bit anywhere is noticed', async () => {
  // Most of the file is weights: none of these can be told from a good one by looking at it.
  for (let at = 5; at < bytes.length; at += Math.floor(bytes.length / 40)) {
    const flipped = bytes.slice()
    flipped[at] ^= 4
    const path = written('flipped.onnx', flipped)
    await expect(openModel(path), `byte ${at}`).rejects.toThrow(
      /flipped.onnx: is (damaged|no ONNX model or is damaged)/,
    )
  }
  const weight = bytes.indexOf(new Uint8Array(parameters.buffer, 0, 1)[0], bytes.length / 4)
  const flipped = bytes.slice()
  flipped[weight] ^= 64
  await expect(openModel(written('weight.onnx', flipped))).rejects.toThrow(
    'weight.onnx: is damaged or was changed after training (its SHA-256 differs); copy or train it again',
  )
})

test('what is cut off, glued on or without a seal is damaged; what is foreign is called so', async () => {
  const opening = (name: string, content: Uint8Array | string) => expect(openModel(written(name, content))).rejects
  // The seal is cut off whole: still a good ONNX file.
  const bare = exportModel(metadata.unet, parameters, { halfdice: JSON.stringify(metadata) })
  expect(bytes.subarray(0, bare.length)).toEqual(bare)
  await opening('bare.onnx', bare).toThrow('is damaged')
  await opening('half.onnx', bytes.subarray(0, bytes.length / 2)).toThrow('is no ONNX model or is damaged')
  await opening('longer.onnx', Uint8Array.from([...bytes, 8, 8])).toThrow('is damaged')
  const foreign = exportModel(metadata.unet, parameters, { author: 'somebody' })
  await opening('foreign.onnx', foreign).toThrow("is no model of halfdice's")
  await opening('empty.onnx', '').toThrow("is no model of halfdice's")
  mkdirSync(join(root, 'run'))
  await expect(openModel(join(root, 'run'))).rejects.toThrow(
    `${join(root, 'run')}: is a folder; give the model file in it`,
  )
})

test.each<[key: string, more: object]>([
  ['unet.dimensions', { unet: { ...metadata.unet, dimensions: 4 } }],
  ['unet.inputChannels', { unet: { ...metadata.unet, inputChannels: 1 } }],
  ['unet.outputs', { unet: { ...metadata.unet, outputs: 2 } }],
  ['unet.channels', { unet: { ...metadata.unet, channels: [] } }],
  ['patch', { patch: [20, 24, 1] }],
  ['patch', { patch: [20, 25, 8] }],
  ['patch', { patch: [20, 24] }],
  ['patch', { patch: undefined }],
  ['outputs', { outputs: [] }],
  ['outputs', { outputs: [{ name: 'liver' }] }],
  ['preprocessing.crop', { preprocessing: null }],
  ['preprocessing.spacingMm', { preprocessing: { ...metadata.preprocessing, spacingMm: [1, 1, 0] } }],
  ['preprocessing.intensities', { preprocessing: { ...metadata.preprocessing, intensities: [{ kind: 'z-score' }] } }],
  ['images.spacingMm', { images: 'unknown' }],
  ['images.channelNames', { images: { ...metadata.images, channelNames: ['CT'] } }],
  ['thresholds', { thresholds: [2] }],
])('metadata with an odd %s are refused', (key, more) => {
  const ends = (name: string, channels: number) => [{ name, shape: ['batch', channels, 'depth', 'height', 'width'] }]
  const graph = { metadata: {}, inputs: ends('image', 2), outputs: ends('probability', 1) }
  expect(faultyKey(metadata, graph)).toBeUndefined()
  expect(faultyKey({ ...metadata, ...more }, graph)).toBe(key)
})

test('odd metadata are input errors of openModel', async () => {
  await expect(openModel(odd({ patch: [20, 24, 1] }))).rejects.toThrow(
    "odd.onnx: holds metadata whose 'patch' is missing",
  )
  await expect(openModel(odd({ format: 2 }))).rejects.toThrow('odd.onnx: has model format 2')
})

test('images unlike those of training are told by spacing and orientation', () => {
  const grid = createGrid([20, 20, 10], [1, 1, 3])
  expect(describeImages([grid, { ...grid, spacing: [2, 1, 3] }, grid])).toEqual({
    spacingMm: [1, 1, 3],
    orientations: ['RAS'],
  })
  expect(unlikeTraining(metadata, grid)).toEqual([])
  // The third axis is resampled.
  expect(unlikeTraining(metadata, { ...grid, spacing: [1.4, 0.7, 9] })).toEqual([])
  expect(unlikeTraining(metadata, { ...grid, spacing: [1, 0.5, 3] })).toEqual([
    expect.stringMatching(/^has voxels of 1×0.5×3 mm where the model was trained on 1×1×3 mm; /),
  ])
  expect(unlikeTraining(metadata, { ...grid, direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1] })).toEqual([])
  const coronal = { ...grid, direction: [1, 0, 0, 0, 0.1, 1, 0, -1, 0.1] } as const
  expect(unlikeTraining(metadata, coronal)).toEqual([
    'has the orientation RIA where the model was trained on LPS, RAS; reorient it',
  ])
})
