// `halfdice threshold` as a whole process (start, read, optimum, mask, write) against the same script in Python with
// nibabel and numpy (sort, cumsum, cut, save), on the marginal of s0004's liver (255×177×440 float32, σ = 4 mm,
// .nii.gz), in one run. Needs a built tree (npm run build), ../shared/data, and a Python with numpy and nibabel:
//   PYTHON=/usr/bin/python3 node bench/threshold-process.mjs
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { python, sayPeer } from './peers/python.mjs'

const script = `
import sys
import nibabel as nib, numpy as np
image = nib.load(sys.argv[1])
m = np.asarray(image.dataobj)
s = np.sort(m, axis=None)[::-1]
c = np.cumsum(s, dtype=np.float64)
t = (c / (np.arange(1, c.size + 1) + c[-1])).max()
nib.save(nib.Nifti1Image((m >= t).astype(np.uint8), image.affine), sys.argv[2])
print(t)
`
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const liver = fileURLToPath(
  new URL('../../shared/data/Totalsegmentator_dataset/s0004/segmentations/liver.nii.gz', import.meta.url),
)
sayPeer()
const folder = mkdtempSync(join(tmpdir(), 'halfdice-bench-'))
const [input, ours, theirs] = ['marginal.nii.gz', 'ours.nii.gz', 'theirs.nii.gz'].map((name) => join(folder, name))
const halfdice = (...args) => execFileSync(process.execPath, [main, ...args], { encoding: 'utf8' })

/** Seconds, and the peak of resident memory where GNU time is installed. */
function measure(command, args) {
  const start = performance.now()
  const { stdout, stderr, status } = spawnSync('/usr/bin/time', ['-f', '%M', command, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return {
    seconds: (performance.now() - start) / 1000,
    megabytes: Number(stderr.trim().split('\n').pop()) / 1024,
    stdout,
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

try {
  halfdice('marginal', liver, '-o', input, '--sigma', '4', '--labels', '1')
  const runs = { halfdice: [], python: [] }
  for (let repeat = 0; repeat < 5; repeat++) {
    runs.halfdice.push(measure(process.execPath, [main, 'threshold', input, '-o', ours, '--json']))
    runs.python.push(measure(python, ['-c', script, input, theirs]))
  }
  const t = [JSON.parse(runs.halfdice[0].stdout).cases[0].threshold, Number(runs.python[0].stdout)]
  const [a, b] = [ours, theirs].map((path) => gunzipSync(readFileSync(path)).subarray(352))
  console.log(
    `input ${(statSync(input).size / 1e6).toFixed(1)} MB compressed; thresholds ${t.join(' and ')}; ` +
      `masks ${a.equals(b) ? 'equal' : 'DIFFER'}`,
  )
  const seconds = {}
  for (const [name, each] of Object.entries(runs)) {
    seconds[name] = median(each.map((run) => run.seconds))
    const megabytes = Math.max(...each.map((run) => run.megabytes))
    console.log(
      `${name.padEnd(9)} ${seconds[name].toFixed(2)} s median of ${each.length}, peak ${megabytes.toFixed(0)} MB`,
    )
  }
  const start = performance.now()
  gunzipSync(readFileSync(input))
  console.log(`floor     ${((performance.now() - start) / 1000).toFixed(2)} s (decompression alone)`)
  console.log(`ratio     ${(seconds.halfdice / seconds.python).toFixed(3)} of the time of Python (bar: at most 0.5)`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
