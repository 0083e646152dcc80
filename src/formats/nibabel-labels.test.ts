import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { labelMapOf } from '../volume/labels.ts'
import { nibabelPython, runPython } from './testing/peers.ts'
import { readVolume } from './volume-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Label maps in float64 saved with the header of an integer type, as "get_fdata, edit, save" does; files by name. */
const save = `
import sys, json, numpy as np, nibabel as nib
out = {}
for kind in ('uint8', 'int16', 'int32'):
    for top in (1, 2, 3, 4, 5, 7, 13, 24, 117):
        data = np.arange(top + 1, dtype=float).reshape(-1, 1, 1)
        image = nib.Nifti1Image(data, np.eye(4))
        image.set_data_dtype(kind)
        path = f'{sys.argv[1]}/{kind}_{top}.nii'
        nib.save(image, path)
        out[path] = top
        again = f'{sys.argv[1]}/again_{kind}_{top}.nii.gz'
        if kind == 'int32':
            nib.save(nib.Nifti1Image(nib.load(path).get_fdata(), np.eye(4)), again)
            out[again] = top
print(json.dumps(out))
`

test.skipIf(!nibabelPython)('label maps that nibabel scaled are read as the labels that were saved', async () => {
  const files = runPython(nibabelPython ?? '', save, folder) as Record<string, number>
  expect(Object.keys(files)).toHaveLength(36)
  let scaled = 0
  for (const [path, top] of Object.entries(files)) {
    const volume = await readVolume(path)
    if (volume.scaling) scaled++
    expect([...labelMapOf(volume, path).values], path).toEqual(Array.from({ length: top + 1 }, (_, i) => i))
  }
  expect(scaled).toBe(27)
})
