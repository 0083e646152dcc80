// Noisy labels and marginals against the scipy recipe, in one run. Usage: node bench/noise.mjs [LABELS.nii.gz]
import { execFileSync } from 'node:child_process'
import { createSampler, labelMapOf, marginal, marginalInBox, voxelCount } from '../dist/index.js'
import { readVolume } from '../dist/node.js'
import { python, sayPeer } from './peers/python.mjs'

sayPeer()
const path = process.argv[2] ?? '../shared/data/Totalsegmentator_dataset/s0004/segmentations/liver.nii.gz'
const sigma = 4
const length = 12
const { grid, ...volume } = await readVolume(path)
const { values: labels } = labelMapOf({ grid, ...volume }, path)
const noise = { sigmaMm: [sigma, sigma, sigma], lengthMm: length }

const median = (n, f) => {
  const times = Array.from({ length: n }, (_, i) => {
    const start = performance.now()
    f(i)
    return performance.now() - start
  }).sort((a, b) => a - b)
  return times[n >> 1]
}

const peer = JSON.parse(execFileSync(python, ['bench/noise.py', path, sigma, length, 1], { encoding: 'utf8' }))
const first = median(1, () => createSampler(labels, grid, noise).sample(0, 0))
const setUp = median(7, () => createSampler(labels, grid, noise))
const sampler = createSampler(labels, grid, noise)
const out = labels.slice()
const one = median(15, (i) => sampler.sample(0, i))
const reused = median(15, (i) => sampler.sample(0, i, out))
const boxed = median(15, (i) => sampler.sampleBox(0, i))
const together = median(7, (i) => createSampler(labels, grid, noise).sample(0, i))
const marginalMs = median(9, () => marginal(labels, grid, 1, noise.sigmaMm))
const field = new Float32Array(voxelCount(grid))
const reusedMarginalMs = median(9, () => marginal(labels, grid, 1, noise.sigmaMm, field))
const boxedMarginalMs = median(9, () => marginalInBox(labels, grid, 1, noise.sigmaMm))
const floor = median(9, () => labels.slice())
const probabilities = new Float32Array(voxelCount(grid)).fill(0.5)
const floatFloor = median(9, () => probabilities.slice())

const row = (name, ms, seconds, goal) => {
  const bar = goal ? ` (goal 1/${goal})` : ''
  const ratio = seconds ? `   1/${((seconds * 1000) / ms).toFixed(0)}${bar}` : ''
  console.log(`${name.padEnd(58)}${ms.toFixed(1).padStart(9)} ms${ratio}`)
}
console.log(
  `${path}\n${grid.shape.join('×')} voxels, σ = ${sigma} mm, ℓ = ${length} mm, one thread; scipy ${peer.scipy}\n`,
)
console.log(
  `scipy, noisy label, full grid ${peer.sampleFull.toFixed(2)} s; ` +
    `cropped to ${peer.crop.join('×')} ${peer.sampleCrop.toFixed(2)} s; ` +
    `gaussian_filter ${peer.marginal.toFixed(2)} s\n`,
)
row('first sample of the process, set-up and compilation included', first, peer.sampleFull)
row('set-up of a sampler', setUp)
row('set-up and one sample', together, peer.sampleFull)
row('one more sample, against the full grid', one, peer.sampleFull, 300)
row('one more sample, against the cropped recipe', one, peer.sampleCrop, 40)
row('… into memory that is reused', reused, peer.sampleFull)
row('… the box alone, against the cropped recipe', boxed, peer.sampleCrop)
row('floor: copying the label map', floor)
row('marginal, whole volume (a fresh array each time)', marginalMs, peer.marginal, 15)
row('… into memory that is reused, as SciPy’s', reusedMarginalMs, peer.marginalReused, 15)
row('… the box where it is not 0', boxedMarginalMs, peer.marginal, 15)
row('floor: copying a float32 volume', floatFloor)

console.log('\nOne sample as ℓ grows (σ = 4 mm):')
for (const l of [1, 2, 4, 8, 16, 32, 64, 128, 500]) {
  const s = createSampler(labels, grid, { sigmaMm: noise.sigmaMm, lengthMm: l })
  row(
    `  ℓ = ${l} mm`,
    median(15, (i) => s.sample(0, i, out)),
  )
}
