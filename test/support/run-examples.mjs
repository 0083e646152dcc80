// Runs the modules of test/examples.test.ts, compiled into the current folder, one after the other: lays out the files
// that examples read, and writes what each example showed, or its error, into `shown` (as v8.serialize has it).
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { serialize } from 'node:v8'
import { createGrid, phantomCase } from 'halfdice'
import { completeTraining, defaultTraining, trainSegmentation, writeNpy, writeNpz, writeVolume } from 'halfdice/node'

const names = process.argv.slice(2)
await layOut()
console.log = () => {}
const shown = {}
for (const name of names) {
  const values = []
  try {
    const { example } = await import(pathToFileURL(join(process.cwd(), 'compiled', `${name}.js`)).href)
    await example((value) => values.push(plain(value)))
    shown[name] = { values }
  } catch (error) {
    shown[name] = { values, error: String(error?.stack ?? error) }
  }
}
writeFileSync('shown', serialize(shown))

async function layOut() {
  const grid = createGrid([4, 1, 1])
  await writeVolume('liver.nii.gz', { grid, channels: 1, data: Uint8Array.of(0, 1, 1, 0) })
  await writeVolume('probabilities.nii.gz', { grid, channels: 1, data: Float32Array.of(0, 0.9, 0.8, 0.2) })
  // Two classes, as nnU-Net stores them: (classes, z, y, x).
  const p = { shape: [2, 1, 1, 4], data: Float32Array.of(0.9, 0.2, 0.1, 0.9, 0.1, 0.8, 0.9, 0.1) }
  const dataset = { channel_names: { 0: 'CT' }, labels: { background: 0, liver: 1 }, file_ending: '.nii.gz' }
  mkdirSync('predictions')
  for (const where of ['.', 'predictions']) {
    await writeNpz(join(where, 'case.npz'), { probabilities: p })
    writeFileSync(join(where, 'dataset.json'), JSON.stringify(dataset))
  }
  await writeNpy('p.npy', p)
  const { image, labels } = phantomCase(0, 0, { shape: [24, 20, 8], spacing: [12, 12, 24] })
  await writeVolume('image.nii.gz', image)
  const network = completeTraining({ dimensions: 2, modality: 'ct', steps: 1, batch: 1, channels: [4, 8] })
  const outputs = [{ name: 'liver', labels: [1] }]
  const config = { ...defaultTraining, ...network, outputs }
  const { model } = await trainSegmentation(config, [{ id: 'phantom', image, label: labels }], { folder: '.' })
  if (model !== 'model.onnx') throw new Error(`the model is ${model}`)
}

/** What can be handed to another process. */
function plain(value) {
  try {
    serialize(value)
    return value
  } catch {
    return String(value)
  }
}
