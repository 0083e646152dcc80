// HD95 and mean surface distance of two livers (255×177×440) against scipy's erosion and distance transform on the same
// masks, cropped to their box, in one run. Needs a built tree, ../shared/data and a Python with numpy, scipy and
// nibabel: PYTHON=/usr/bin/python3 node bench/surface.mjs
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { surfaceDistances } from '../dist/index.js'
import { python, sayPeer } from './peers/python.mjs'

const script = `
import json, os, sys, time
import numpy as np, nibabel as nib
from scipy.ndimage import binary_erosion, distance_transform_edt
a = np.asarray(nib.load(sys.argv[2]).dataobj) > 0
b = np.roll(a, (2, -1, 1), (0, 1, 2))
spacing = (1.5, 1.5, 1.5)

def distances(a, b):
    box = np.nonzero(a | b)
    crop = tuple(slice(max(0, i.min() - 1), i.max() + 2) for i in box)
    a, b = a[crop], b[crop]
    sa, sb = a & ~binary_erosion(a), b & ~binary_erosion(b)
    ab = distance_transform_edt(~sb, sampling=spacing)[sa]
    ba = distance_transform_edt(~sa, sampling=spacing)[sb]
    return max(np.percentile(ab, 95), np.percentile(ba, 95))

np.stack([a, b]).astype(np.uint8).transpose(0, 3, 2, 1).tofile(os.path.join(sys.argv[1], 'masks'))
times = []
for _ in range(3):
    start = time.perf_counter(); hd95 = distances(a, b); times.append(time.perf_counter() - start)
print(json.dumps({'ms': 1000 * min(times), 'hd95': hd95, 'shape': a.shape, 'spacing': spacing}))
`
const liver = fileURLToPath(
  new URL('../../shared/data/Totalsegmentator_dataset/s0004/segmentations/liver.nii.gz', import.meta.url),
)
if (!existsSync(liver)) {
  console.log('skipped: ../shared/data is absent')
  process.exit()
}
sayPeer()
const folder = mkdtempSync(join(tmpdir(), 'halfdice-bench-'))
try {
  const output = execFileSync(python, ['-c', script, folder, liver], { encoding: 'utf8' })
  const peer = JSON.parse(output)
  const masks = new Uint8Array(readFileSync(join(folder, 'masks')))
  const [a, b] = [masks.subarray(0, masks.length / 2), masks.subarray(masks.length / 2)]
  const times = Array.from({ length: 8 }, () => {
    const start = performance.now()
    const { hd95Mm } = surfaceDistances(a, b, peer)
    if (Math.abs(hd95Mm - peer.hd95) > 1e-9) throw new Error(`${hd95Mm} ${peer.hd95}`)
    return performance.now() - start
  })
  const best = Math.min(...times)
  console.log(`HD95 ${peer.hd95.toFixed(3)} mm: scipy, cropped ${peer.ms.toFixed(0)} ms (best of 3)`)
  console.log(
    `  surfaceDistances ${best.toFixed(0)} ms (best of 8; first call ${times[0].toFixed(0)} ms), ` +
      `ratio 1/${(peer.ms / best).toFixed(1)}`,
  )
} finally {
  rmSync(folder, { recursive: true })
}
