// Scores of 40 cases (two raters of kidneys, in memory): Dice, HD95, Hausdorff, ASSD and surface Dice at 1 and 3 mm,
// against numpy and scipy's erosion and distance transform on the same masks, cropped to their box, in one run. Needs a
// built tree, ../shared/data and a Python with numpy, scipy and nibabel: PYTHON=/usr/bin/python3 node bench/cohort.mjs
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createGrid, evaluateCase } from '../dist/index.js'

const script = `
import glob, json, os, sys, time
import numpy as np, nibabel as nib
from scipy.ndimage import binary_erosion, distance_transform_edt
folder, data = sys.argv[1:]
cases = []
for n, case in enumerate(sorted(glob.glob(os.path.join(data, 'case_*')))[:40]):
    images = [nib.load(os.path.join(case, 'rater%d.nii.gz' % r)) for r in (1, 2)]
    masks = [(np.asarray(image.dataobj) > 0).astype(np.uint8) for image in images]
    spacing = [float(s) for s in images[0].header.get_zooms()[:3]]
    np.stack(masks).transpose(0, 3, 2, 1).tofile(os.path.join(folder, str(n)))
    cases.append((masks, spacing))
print(json.dumps([{'shape': a.shape, 'spacing': spacing} for (a, b), spacing in cases]), flush=True)

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

for line in sys.stdin:
    start = time.perf_counter()
    found = [scores(a, b, spacing) for (a, b), spacing in cases]
    print(json.dumps({'ms': 1000 * (time.perf_counter() - start), 'scores': found}), flush=True)
`
const data = fileURLToPath(new URL('../../shared/data/kits23_raters', import.meta.url))
if (!existsSync(data)) {
  console.log('skipped: ../shared/data is absent')
  process.exit()
}
const folder = mkdtempSync(join(tmpdir(), 'halfdice-bench-'))
const peer = spawn(process.env.PYTHON ?? 'python3', ['-c', script, folder, data], {
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
} finally {
  peer.kill()
  rmSync(folder, { recursive: true })
}
