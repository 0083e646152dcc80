// t* of 20 million probabilities against numpy's sort and cumsum on the same array, in one run. Needs a built tree (npm
// run build) and a Python with numpy, scipy and nibabel: PYTHON=/usr/bin/python3 node bench/threshold.mjs The realistic
// input is the marginal of s0004's liver (255×177×440) at σ = 4 mm; without ../shared/data, of an ellipsoid.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { softDiceOptimum } from '../dist/index.js'
import { python, sayPeer } from './peers/python.mjs'

const script = `
import json, os, sys, time
import numpy as np
folder, liver = sys.argv[1:]

def optimum(m):
    s = np.sort(m, axis=None)[::-1]
    c = np.cumsum(s, dtype=np.float64)
    d = 2 * c / (np.arange(1, c.size + 1) + c[-1])
    return d.max() / 2

def organ():
    from scipy.ndimage import gaussian_filter
    if os.path.exists(liver):
        import nibabel as nib
        mask = np.asarray(nib.load(liver).dataobj) > 0
    else:
        x, y, z = np.ogrid[:255, :177, :440]
        mask = ((x - 130) / 60) ** 2 + ((y - 90) / 50) ** 2 + ((z - 300) / 50) ** 2 < 1
    return gaussian_filter(mask.astype(np.float32), 4 / 1.5, truncate=6).ravel(order='F')

uniform = lambda: np.random.default_rng(0).random(20_000_000, dtype=np.float32)
for name, make in (('uniform', uniform), ('organ', organ)):
    m = np.clip(make(), 0, 1)
    m.tofile(os.path.join(folder, name))
    times, floors = [], []
    for _ in range(3):
        start = time.perf_counter(); t = optimum(m); times.append(time.perf_counter() - start)
        start = time.perf_counter(); m.sum(); floors.append(time.perf_counter() - start)
    print(json.dumps({'name': name, 'ms': 1000 * min(times), 'sumMs': 1000 * min(floors), 'threshold': t}))
`

/** Times of repeated calls in ms, the first one apart: it includes the just-in-time compiler. */
function timed(run, repeats) {
  const times = Array.from({ length: repeats }, () => {
    const start = performance.now()
    run()
    return performance.now() - start
  })
  return { first: times[0], best: Math.min(...times) }
}

/** The floor: one pass of additions over memory, in JavaScript. */
function sum(m) {
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let i = 0; i + 4 <= m.length; i += 4) {
    a += m[i]
    b += m[i + 1]
    c += m[i + 2]
    d += m[i + 3]
  }
  return a + b + c + d
}

sayPeer()
const folder = mkdtempSync(join(tmpdir(), 'halfdice-bench-'))
try {
  const liver = fileURLToPath(
    new URL('../../shared/data/Totalsegmentator_dataset/s0004/segmentations/liver.nii.gz', import.meta.url),
  )
  const output = execFileSync(python, ['-c', script, folder, liver], { encoding: 'utf8' })
  for (const line of output.trim().split('\n')) {
    const peer = JSON.parse(line)
    const m = new Float32Array(readFileSync(join(folder, peer.name)).buffer)
    let optimum
    const ours = timed(() => {
      optimum = softDiceOptimum(m)
    }, 15)
    const floor = timed(() => sum(m), 15)
    if (Math.abs(optimum.threshold - peer.threshold) > 1e-9) throw new Error(`${optimum.threshold} ${peer.threshold}`)
    console.log(
      `${peer.name}: ${m.length} voxels, t* = ${optimum.threshold.toFixed(6)} (numpy ${peer.threshold.toFixed(6)})`,
    )
    console.log(`  numpy sort and cumsum ${peer.ms.toFixed(0)} ms (best of 3)`)
    console.log(`  softDiceOptimum ${ours.best.toFixed(1)} ms (best of 15; first call ${ours.first.toFixed(1)} ms)`)
    console.log(
      `  ratio 1/${(peer.ms / ours.best).toFixed(0)} (first call 1/${(peer.ms / ours.first).toFixed(0)}); bar 1/50`,
    )
    console.log(`  one pass of sums: JavaScript ${floor.best.toFixed(1)} ms, numpy ${peer.sumMs.toFixed(1)} ms`)
  }
} finally {
  rmSync(folder, { recursive: true })
}
