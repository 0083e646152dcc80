// Reading and writing a 255×177×440 probability map (float32) and its mask (uint8) as .nii.gz against nibabel, in one
// run. Needs a built tree (npm run build) and a Python with numpy, scipy and nibabel: PYTHON=/usr/bin/python3 node
// bench/formats.mjs The map is the marginal of s0004's liver at σ = 4 mm; without ../shared/data, of an ellipsoid.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openVolume, readVolume, writeVolume } from '../dist/node.js'
import { python, sayPeer } from './peers/python.mjs'

const script = `
import json, os, sys, time
import numpy as np, nibabel as nib
from scipy.ndimage import gaussian_filter
folder, liver = sys.argv[1:]
affine = np.eye(4)
if os.path.exists(liver):
    image = nib.load(liver)
    mask, affine = np.asarray(image.dataobj) > 0, image.affine
else:
    x, y, z = np.ogrid[:255, :177, :440]
    mask = ((x - 130) / 60) ** 2 + ((y - 90) / 50) ** 2 + ((z - 300) / 50) ** 2 < 1
m = np.clip(gaussian_filter(mask.astype(np.float32), 4 / 1.5, truncate=6), 0, 1)

def best(run):
    times = []
    for _ in range(5):
        start = time.perf_counter(); run(); times.append(time.perf_counter() - start)
    return 1000 * min(times)

for name, data in (('map', m), ('mask', (m > 0.5).astype(np.uint8))):
    path = os.path.join(folder, name + '.nii.gz')
    write = best(lambda: nib.save(nib.Nifti1Image(data, affine), path))
    read = best(lambda: np.asarray(nib.load(path).dataobj))
    print(json.dumps({'name': name, 'readMs': read, 'writeMs': write}))
`

async function best(run) {
  const times = []
  for (let n = 0; n < 5; n++) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  return Math.min(...times)
}

sayPeer()
const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
try {
  const data = fileURLToPath(new URL('../../shared/data/Totalsegmentator_dataset/s0004/', import.meta.url))
  const options = { encoding: 'utf8' }
  const lines = execFileSync(python, ['-c', script, folder, join(data, 'segmentations/liver.nii.gz')], options)
  for (const peer of lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))) {
    const path = join(folder, `${peer.name}.nii.gz`)
    const ours = join(folder, `${peer.name}-ours.nii.gz`)
    const volume = await readVolume(path)
    const readMs = await best(() => readVolume(path))
    const streamMs = await best(async () => {
      for await (const _ of (await openVolume(path)).chunks());
    })
    const writeMs = await best(() => writeVolume(ours, volume))
    // The floor: one pass over the voxels in memory.
    const copyMs = await best(() => volume.data.slice())
    const row = (what, our, theirs) =>
      console.log(
        `${peer.name} ${what}: ${our.toFixed(0)} ms, nibabel ${theirs.toFixed(0)} ms, ` +
          `ratio ${(our / theirs).toFixed(2)}; ` +
          `a copy in memory ${copyMs.toFixed(0)} ms`,
      )
    row('read', readMs, peer.readMs)
    row('read in chunks', streamMs, peer.readMs)
    row('written', writeMs, peer.writeMs)
    console.log(`${peer.name} size: ${statSync(ours).size} bytes, nibabel ${statSync(path).size}`)
  }
} finally {
  rmSync(folder, { recursive: true })
}
