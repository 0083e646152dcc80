// Decoding one class of a network's probabilities, in memory: optimum and mask, against RankSEG's reciprocal-moment
// approximation (RMA: sort, cumulative sum, best k, mask; Wang & Dai, NeurIPS 2025) in PyTorch and against the same in
// numpy, on the same arrays and the same cores, in one run. Then what each loses: mean regret against the exact
// optimum, for a few independent voxels and under the field noise of docs/theory.md, "A noise model for contours".
// Needs a built tree and a Python with torch, numpy and scipy: PYTHON=/usr/bin/python3 node bench/decode.mjs
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { independentExpectedDice } from '../dist/decision/independent-dice.js'
import {
  createGrid,
  createSampler,
  decodeProbabilities,
  independentDiceOptimum,
  marginal,
  rmaOptimum,
  softDiceOptimum,
  thresholdMask,
} from '../dist/index.js'
import { python, sayPeer } from './peers/python.mjs'

const script = `
import json, os, sys, time
import numpy as np, torch
from scipy.ndimage import gaussian_filter
folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
torch.set_grad_enabled(False)

def rma_torch(p):
    s, index = torch.sort(p, descending=True)
    c = torch.cumsum(s, 0, dtype=torch.float64)
    k = torch.arange(1, p.numel() + 1, dtype=torch.float64)
    best = int(torch.argmax(2 * c / (k + c[-1] + 1)))
    mask = torch.zeros(p.numel(), dtype=torch.bool)
    mask[index[:best + 1]] = True
    return mask

def soft_numpy(p):
    s = np.sort(p)[::-1]
    c = np.cumsum(s, dtype=np.float64)
    d = 2 * c / (np.arange(1, c.size + 1) + c[-1])
    return p >= d.max() / 2

def organ():
    x, y, z = np.ogrid[:255, :177, :440]
    ball = ((x - 130) / 60) ** 2 + ((y - 90) / 50) ** 2 + ((z - 300) / 50) ** 2 < 1
    return gaussian_filter(ball.astype(np.float32), 4 / 1.5, truncate=6)

def network():
    # A softmax of one organ: saturated inside, a soft rim, faint noise everywhere.
    x, y, z = np.ogrid[:255, :177, :440]
    r = np.sqrt(((x - 130) / 60) ** 2 + ((y - 90) / 50) ** 2 + ((z - 300) / 50) ** 2)
    noise = np.random.default_rng(1).normal(0, 1, r.shape)
    return 1 / (1 + np.exp(-(25 * (1 - r) + noise)))

arrays = (('organ', organ), ('network', network), ('uniform', lambda: np.random.default_rng(0).random(20_000_000)))
for name, make in arrays:
    p = np.clip(make(), 0, 1).astype(np.float32).ravel()
    p.tofile(os.path.join(folder, name))
    t = torch.from_numpy(p)
    def best(run, repeats):
        times = []
        for _ in range(repeats):
            start = time.perf_counter(); result = run(); times.append(time.perf_counter() - start)
        return 1000 * min(times), int(result.sum())
    torch_ms, torch_volume = best(lambda: rma_torch(t), 3)
    numpy_ms, numpy_volume = best(lambda: soft_numpy(p), 2)
    print(json.dumps({'name': name, 'torch': torch_ms, 'numpy': numpy_ms, 'volumes': [torch_volume, numpy_volume]}))
`

sayPeer()
const cores = availableParallelism()
const folder = mkdtempSync(join(tmpdir(), 'halfdice-bench-'))
try {
  const output = execFileSync(python, ['-c', script, folder, String(cores)], {
    encoding: 'utf8',
  })
  console.log(`Optimum and mask of one class; PyTorch on ${cores} threads, halfdice on one`)
  for (const line of output.trim().split('\n')) {
    const peer = JSON.parse(line)
    const p = new Float32Array(readFileSync(join(folder, peer.name)).buffer)
    const mask = new Uint8Array(p.length)
    const core = best(7, () => thresholdMask(p, softDiceOptimum(p).threshold, mask))
    const whole = best(5, () => decodeProbabilities({ data: p, shape: [1, p.length] }))
    const volume = mask.reduce((a, b) => a + b, 0)
    if (volume !== peer.volumes[1]) throw new Error(`${peer.name}: ${volume} voxels, numpy ${peer.volumes[1]}`)
    console.log(`${peer.name}, ${(p.length / 1e6).toFixed(1)} million voxels (mask ${volume}, RMA ${peer.volumes[0]})`)
    console.log(`  RMA in PyTorch ${peer.torch.toFixed(0)} ms, numpy ${peer.numpy.toFixed(0)} ms`)
    console.log(
      `  softDiceOptimum and thresholdMask ${core.toFixed(1)} ms: ` +
        `1/${(peer.torch / core).toFixed(0)} of RMA's time, ` +
        `1/${(peer.numpy / core).toFixed(0)} of numpy's (bar 1/20)`,
    )
    console.log(
      `  decodeProbabilities, presence and all ${whole.toFixed(1)} ms: ` +
        `1/${(peer.torch / whole).toFixed(0)} of RMA's time`,
    )
  }
} finally {
  rmSync(folder, { recursive: true })
}

/** Deterministic uniform numbers (mulberry32). */
function uniform(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

console.log('\nMean regret of expected Dice against the exact optimum, independent voxels (2000 maps each)')
for (const [label, power] of [
  ['even', 1],
  ['mostly small', 4],
  ['mostly large', 0.3],
]) {
  for (const n of [4, 12, 40, 200]) {
    const random = uniform(n + 1000 * power)
    let [soft, ours, rma] = [0, 0, 0]
    const maps = 2000
    for (let i = 0; i < maps; i++) {
      const p = Float32Array.from({ length: n }, () => random() ** power)
      const exact = independentDiceOptimum(p).expectedDice
      const at = (threshold) => independentExpectedDice(p, threshold)
      const t = softDiceOptimum(p).threshold
      soft += exact - at(t)
      // With the rule of presence: an empty mask is a cut above every value.
      const { volume } = decodeProbabilities({ data: p, shape: [1, n] }).maps[0]
      ours += exact - at(volume === 0 ? 1.000001 : t)
      rma += exact - at(rmaOptimum(p).threshold)
    }
    console.log(
      `  ${label.padEnd(12)} n = ${String(n).padStart(3)}: ` +
        `soft-Dice ${(soft / maps).toExponential(2)}, ` +
        `with presence ${(ours / maps).toExponential(2)}, RMA ${(rma / maps).toExponential(2)}`,
    )
  }
}

console.log('\nMean regret against the best threshold under field noise (200 labels each; Dice of sampled labels)')
const grid = createGrid([64, 64, 48], [1, 1, 1])
for (const radius of [3, 8, 16]) {
  const labels = new Uint8Array(64 * 64 * 48)
  for (let i = 0; i < labels.length; i++) {
    const [x, y, z] = [i % 64, Math.floor(i / 64) % 64, Math.floor(i / 4096)]
    if ((x - 32) ** 2 + (y - 32) ** 2 + (z - 24) ** 2 <= radius ** 2) labels[i] = 1
  }
  for (const sigma of [1, 2, 4]) {
    const m = marginal(labels, grid, 1, [sigma, sigma, sigma])
    const sampler = createSampler(labels, grid, { sigmaMm: [sigma, sigma, sigma], lengthMm: 3 * sigma })
    const [soft, rma] = [softDiceOptimum(m).threshold, rmaOptimum(m).threshold]
    const thresholds = [...new Set([...Array.from({ length: 98 }, (_, i) => (i + 1) / 100), soft, rma])].sort(
      (a, b) => a - b,
    )
    const sums = new Float64Array(thresholds.length)
    const samples = 200
    for (let i = 0; i < samples; i++) {
      const label = sampler.sample(1, i)
      dices(m, label, thresholds).forEach((value, k) => {
        sums[k] += value / samples
      })
    }
    const most = Math.max(...sums)
    const regret = (t) => (most - sums[thresholds.indexOf(t)]).toExponential(2)
    console.log(
      `  radius ${radius}, σ ${sigma}: t* ${soft.toFixed(3)}, ` +
        `regret of soft-Dice ${regret(soft)}, of RMA ${regret(rma)}`,
    )
  }
}

/** Dice of {m ≥ t} with a label for ascending thresholds. */
function dices(m, label, thresholds) {
  const [volume, both] = [new Float64Array(thresholds.length + 1), new Float64Array(thresholds.length + 1)]
  let size = 0
  for (let i = 0; i < m.length; i++) {
    size += label[i]
    if (m[i] < thresholds[0]) continue
    let [low, high] = [0, thresholds.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (m[i] >= thresholds[middle]) low = middle + 1
      else high = middle
    }
    volume[low]++
    both[low] += label[i]
  }
  let [v, b] = [0, 0]
  const out = new Float64Array(thresholds.length)
  for (let k = thresholds.length - 1; k >= 0; k--) {
    v += volume[k + 1]
    b += both[k + 1]
    out[k] = v + size === 0 ? 1 : (2 * b) / (v + size)
  }
  return out
}

function best(repeats, run) {
  let time = Number.POSITIVE_INFINITY
  for (let i = 0; i < repeats; i++) {
    const start = performance.now()
    run()
    time = Math.min(time, performance.now() - start)
  }
  return time
}
