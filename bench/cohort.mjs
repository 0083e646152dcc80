// Two raters of kidneys: Dice, HD95, Hausdorff, ASSD and surface Dice at 1 and 3 mm, against numpy and scipy's erosion
// and distance transform on the same masks, cropped to their box. First 40 cases in memory; then the whole command
// `evaluate` on the files of all 70, with one process and with all cores, against the same in Python (nibabel, scipy,
// multiprocessing), both from the start of the process to its end. Rounds alternate. Needs a built tree, ../shared/data
// and a Python with numpy, scipy and nibabel: PYTHON=/usr/bin/python3 node bench/cohort.mjs
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createGrid, evaluateCase } from '../dist/index.js'
import { python, sayPeer } from './peers/python.mjs'

const scoring = `
import glob, json, os, sys, time
import numpy as np, nibabel as nib
from scipy.ndimage import binary_erosion, distance_transform_edt

def scores(a, b, spacing):
    a, b = a == 1, b == 1
    dice = 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))
    union = a | b
    crop = []
    for axis in range(3):
        hit = np.nonzero(union.any(axis=tuple(x for x in range(3) if x != axis)))[0]
        crop.append(slice(max(0, hit[0] - 1), hit[-1] + 2))
    a, b = a[tuple(crop)], b[tuple(crop)]
    sa, sb = a & ~binary_erosion(a), b & ~binary_erosion(b)
    ab = distance_transform_edt(~sb, sampling=spacing)[sa]
    ba = distance_transform_edt(~sa, sampling=spacing)[sb]
    both = np.concatenate([ab, ba])
    return [dice, max(np.percentile(ab, 95), np.percentile(ba, 95)), both.mean(), both.max(),
            (both <= 1).mean(), (both <= 3).mean()]

def load(case):
    images = [nib.load(os.path.join(case, 'rater%d.nii.gz' % r)) for r in (1, 2)]
    masks = [(np.asarray(image.dataobj) > 0).astype(np.uint8) for image in images]
    return masks, [float(s) for s in images[0].header.get_zooms()[:3]]
`
const inMemory = `${scoring}
folder, data = sys.argv[1:]
cases = []
for n, case in enumerate(sorted(glob.glob(os.path.join(data, 'case_*')))[:40]):
    masks, spacing = load(case)
    np.stack(masks).transpose(0, 3, 2, 1).tofile(os.path.join(folder, str(n)))
    cases.append((masks, spacing))
print(json.dumps([{'shape': a.shape, 'spacing': spacing} for (a, b), spacing in cases]), flush=True)

for line in sys.stdin:
    start = time.perf_counter()
    found = [scores(a, b, spacing) for (a, b), spacing in cases]
    print(json.dumps({'ms': 1000 * (time.perf_counter() - start), 'scores': found}), flush=True)
`
const wholeProgram = `${scoring}
from multiprocessing import Pool

def one(case):
    (a, b), spacing = load(case)
    return scores(a, b, spacing)

if __name__ == '__main__':
    cases = sorted(glob.glob(os.path.join(sys.argv[1], 'case_*')))
    processes = int(sys.argv[2])
    if processes > 1:
        with Pool(processes) as pool:
            print(json.dumps(pool.map(one, cases, chunksize=1)))
    else:
        print(json.dumps([one(case) for case in cases]))
`
const data = fileURLToPath(new URL('../../shared/data/kits23_raters', import.meta.url))
if (!existsSync(data)) {
  console.log('skipped: ../shared/data is absent')
  process.exit()
}
sayPeer()
const folder = mkdtempSync(join(tmpdir(), 'halfdice-bench-'))
const peer = spawn(python, ['-c', inMemory, folder, data], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
try {
  const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]()
  const answer = async () => JSON.parse((await lines.next()).value)
  const volumes = (await answer()).map(({ shape, spacing }, n) => {
    const masks = new Uint8Array(readFileSync(join(folder, String(n))))
    const grid = createGrid(shape, spacing)
    return [masks.subarray(0, masks.length / 2), masks.subarray(masks.length / 2)].map((mask) => ({
      grid,
      channels: 1,
      data: mask,
    }))
  })
  const evaluate = (options) => {
    const start = performance.now()
    const scores = volumes.map(([prediction, reference]) => evaluateCase(prediction, reference, options).scores[0])
    return { ms: performance.now() - start, scores }
  }
  const rounds = []
  for (let round = 0; round < 3; round++) {
    peer.stdin.write('\n')
    const theirs = await answer()
    const ours = evaluate({})
    rounds.push({ theirs: theirs.ms, ours: ours.ms, area: evaluate({ distances: 'area' }).ms })
    for (const [n, { dice, hd95Mm, assdMm, hdMm, nsd }] of ours.scores.entries()) {
      for (const [i, x] of [dice, hd95Mm, assdMm, hdMm, nsd[1], nsd[3]].entries()) {
        if (Math.abs(x - theirs.scores[n][i]) > 1e-9) throw new Error(`case ${n}: ${x}, scipy ${theirs.scores[n][i]}`)
      }
    }
  }
  console.log(`${volumes.length} cases in memory, one thread of ours, ms a round (the first with cold code):`)
  for (const { theirs, ours, area } of rounds) {
    const ratio = (ms) => `${ms.toFixed(0)} (1/${(theirs / ms).toFixed(1)})`
    console.log(`  scipy ${theirs.toFixed(0)}, evaluateCase ${ratio(ours)}, with distances by area ${ratio(area)}`)
  }
  wholeCommand()
} finally {
  peer.kill()
  rmSync(folder, { recursive: true })
}

/** The command against the program, each a process of its own, in turns. */
function wholeCommand() {
  const main = fileURLToPath(new URL('../lib/main.cjs', import.meta.url))
  const rater = (r) => join(data, '{case}', `rater${r}.nii.gz`)
  const timed = (file, args) => {
    const start = performance.now()
    const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
    if (status !== 0) throw new Error(stderr)
    return { seconds: (performance.now() - start) / 1000, result: JSON.parse(stdout) }
  }
  const cores = availableParallelism()
  for (const processes of cores > 1 ? [1, cores] : [1]) {
    console.log(`the whole command on 70 cases, ${processes === 1 ? 'one process' : `${processes} processes`}, s:`)
    for (let round = 0; round < 3; round++) {
      const theirs = timed(python, ['-c', wholeProgram, data, String(processes)])
      const args = [main, 'evaluate', rater(1), rater(2), '--json', '--threads', String(processes)]
      const ours = timed(process.execPath, args)
      for (const [n, { labels }] of ours.result.cases.entries()) {
        const { dice, hd95Mm, assdMm, hdMm, nsd } = labels[1]
        for (const [i, x] of [dice, hd95Mm, assdMm, hdMm, nsd[1], nsd[3]].entries()) {
          if (Math.abs(x - theirs.result[n][i]) > 1e-9)
            throw new Error(`case ${n}: ${x}, Python ${theirs.result[n][i]}`)
        }
      }
      const ratio = (theirs.seconds / ours.seconds).toFixed(1)
      console.log(`  Python ${theirs.seconds.toFixed(2)}, halfdice evaluate ${ours.seconds.toFixed(2)} (1/${ratio})`)
    }
  }
}
