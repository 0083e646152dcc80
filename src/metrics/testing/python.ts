import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Real data beside the repository, or undefined (see CONTRIBUTING.md). */
export const sharedData = [fileURLToPath(new URL('../../../../shared/data', import.meta.url))].find(existsSync)

/** A Python with scipy and nibabel, or undefined; none for mutation tests, which would start it each time. */
export const python = ['/usr/bin/python3', 'python3'].find((name) => {
  if (process.env.HALFDICE_IN_PROCESS) return false
  try {
    execFileSync(name, ['-c', 'import scipy.ndimage, nibabel'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

/** The reference: surfaces by erosion, distances by scipy's exact transform, percentiles by numpy. */
export const surfaceScript = `
import json, sys
import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt

def surface_distances(a, b, spacing):
    keep = [n for n, size in enumerate(a.shape) if size > 1] or [0]
    squeeze = tuple(n for n in range(a.ndim) if n not in keep)
    a, b = a.squeeze(squeeze), b.squeeze(squeeze)
    spacing = [spacing[n] for n in keep]
    if not a.any() or not b.any():
        return None
    sa, sb = a & ~binary_erosion(a), b & ~binary_erosion(b)
    ab = distance_transform_edt(~sb, sampling=spacing)[sa]
    ba = distance_transform_edt(~sa, sampling=spacing)[sb]
    both = np.concatenate([ab, ba])
    within = [(both <= mm).mean() for mm in (0, 0.7, 2, 100)]
    return [max(np.percentile(ab, 95), np.percentile(ba, 95)), both.mean(), both.max(), *within]
`
