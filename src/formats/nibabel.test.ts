/**
 * nibabel as the oracle for geometry, voxels and round trips: on headers that it generates, and on the shared data.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { worldPosition } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { hasSharedData, nibabelPython, runPython, sharedData } from './testing/peers.ts'
import { readVolume, writeVolume } from './volume-file.ts'
import { bytesOf } from './voxel-types.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Truth {
  shape: number[]
  affine: number[][]
  sha: string
  type: string
  slope: number | null
  inter: number | null
  unit: number
}

/** What nibabel sees in each file; voxels as the SHA-256 of their unscaled values in little-endian Fortran order. */
const describeScript = `
import sys, json, hashlib, numpy as np, nibabel as nib
out = []
for path in sys.argv[1:]:
    im = nib.load(path)
    raw = np.asanyarray(im.dataobj.get_unscaled())
    wide = {'i8': 'f8', 'u8': 'f8'}.get(raw.dtype.str[1:], raw.dtype.str[1:])
    slope, inter = im.dataobj._slope, im.dataobj._inter
    out.append(dict(
        shape=list(im.shape), affine=im.affine.tolist(), type=wide,
        sha=hashlib.sha256(raw.astype('<' + wide).tobytes(order='F')).hexdigest(),
        slope=float(slope), inter=float(inter),
        unit={'meter': 1000, 'micron': 0.001}.get(im.header.get_xyzt_units()[0], 1)))
print(json.dumps(out))
`
/** Names the header fields, extensions, voxels or affines in which pairs of files differ; NaN equals NaN. */
const compare = `
import sys, json, numpy as np, nibabel as nib
out = []
for a, b in zip(sys.argv[1::2], sys.argv[2::2]):
    ia, ib = nib.load(a), nib.load(b)
    ha, hb = ia.header.structarr, ib.header.structarr
    differing = [n for n in ha.dtype.names if n != 'bitpix' and not np.array_equal(
        np.nan_to_num(ha[n], nan=-99) if ha[n].dtype.kind == 'f' else ha[n],
        np.nan_to_num(hb[n], nan=-99) if hb[n].dtype.kind == 'f' else hb[n])]
    ea, eb = [[(e.get_code(), e.get_content()) for e in i.header.extensions] for i in (ia, ib)]
    if ea != eb:
        differing.append('extensions')
    if ia.header.endianness != ib.header.endianness: differing.append('endianness')
    if not np.array_equal(ia.dataobj.get_unscaled(), ib.dataobj.get_unscaled(), equal_nan=True):
        differing.append('voxels')
    if (ia.dataobj._slope, ia.dataobj._inter) != (ib.dataobj._slope, ib.dataobj._inter): differing.append('scaling')
    if not np.array_equal(ia.affine, ib.affine): differing.append('affine')
    out.append(differing)
print(json.dumps(out))
`

/** Headers of every type, version, byte order, code, unit, sign of qfac and shape, made by nibabel from a seed. */
const generate = `
import sys, json, numpy as np, nibabel as nib
folder, count = sys.argv[1], int(sys.argv[2])
rng = np.random.default_rng(7)
types = ['u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'f4', 'f8', 'i8', 'u8']
shapes = [(4, 3), (4, 3, 2), (2, 3, 4, 3), (3, 2, 2, 1, 2), (5,), (2, 2, 1)]
names = []
for n in range(count):
    kind, pair = 2 - n % 2, n % 5 == 0
    cls = {(1, False): nib.Nifti1Image, (2, False): nib.Nifti2Image,
           (1, True): nib.Nifti1Pair, (2, True): nib.Nifti2Pair}[kind, pair]
    dtype, shape = types[n % len(types)], shapes[n % len(shapes)]
    info = np.iinfo(dtype) if dtype[0] in 'iu' else None
    low, high = (max(info.min, -2**52), min(info.max, 2**52)) if info else (0, 0)
    data = rng.integers(low, high, shape).astype(dtype) if info else rng.normal(size=shape).astype(dtype)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = q * rng.uniform(0.3, 6, 3)
    affine[:3, 3] = rng.normal(size=3) * 100
    header = cls.header_class(endianness='<>'[n // 2 % 2])
    header.set_data_dtype(dtype)
    im = cls(data, None, header)
    zooms = list(rng.uniform(0.3, 6, min(3, len(shape)))) + [1] * (len(shape) - 3)
    im.header.set_zooms(zooms)
    mode = n % 7
    if mode in (1, 2, 3):
        im.header.set_qform(affine, int(rng.integers(1, 5)))
    if mode in (2, 4, 5):
        sheared = affine.copy()
        sheared[:3, :3] += rng.normal(size=(3, 3)) * 0.05
        im.header.set_sform(sheared, int(rng.integers(1, 5)))
    im._affine = im.header.get_best_affine()
    im.header.set_xyzt_units(['unknown', 'meter', 'mm', 'micron'][n // 3 % 4], ['unknown', 'sec', 'msec'][n % 3])
    im.header['descrip'] = b'case %d' % n
    im.header['aux_file'] = b'aux'
    im.header['cal_max'] = 3.5
    im.header['intent_code'] = 1002
    im.header['intent_name'] = b'name'
    im.header['toffset'] = 1.25
    im.header['slice_code'] = 3
    im.header['dim_info'] = 57
    if n % 3 == 0:
        im.header.extensions.append(nib.nifti1.Nifti1Extension(6, b'a comment, %d' % n))
    if n % 4 == 0 and info and info.bits < 64:
        im.header.set_slope_inter(0.25, -3)
    name = '%s/%d%s' % (folder, n, ('.img' if pair else '.nii') + ('.gz' if n % 3 == 1 else ''))
    nib.save(im, name)
    names.append(name)
print(json.dumps(names))
`

/** Affines of NIfTI-1 are float32; nibabel rebuilds rotations from quaternions in double precision, as we do. */
function expectSame(path: string, volume: Volume, truth: Truth): void {
  const [nx, ny = 1, nz = 1, ...rest] = truth.shape
  expect([...volume.grid.shape, volume.channels], path).toEqual([nx, ny, nz, rest.reduce((a, b) => a * b, 1)])
  const scale = Math.max(...truth.affine.flat().map(Math.abs)) * truth.unit
  for (const voxel of [
    [0, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [nx - 1, ny - 1, nz - 1],
  ] as const) {
    const got = worldPosition(volume.grid, voxel)
    for (let row = 0; row < 3; row++) {
      const [a, b, c, d] = truth.affine[row]
      const expected = (a * voxel[0] + b * voxel[1] + c * voxel[2] + d) * truth.unit
      expect(Math.abs(got[row] - expected), path).toBeLessThan(1e-9 * scale)
    }
  }
  expect(createHash('sha256').update(bytesOf(volume.data)).digest('hex'), path).toBe(truth.sha)
  expect(volume.scaling?.slope ?? 1, path).toBe(truth.slope)
  expect(volume.scaling?.intercept ?? 0, path).toBe(truth.inter)
}

async function roundTrip(paths: readonly string[], python: string): Promise<void> {
  const truths = runPython(python, describeScript, ...paths) as Truth[]
  const pairs: string[] = []
  for (const [n, path] of paths.entries()) {
    const volume = await readVolume(path)
    expectSame(path, volume, truths[n])
    const copy = join(folder, `copy-${n}${/(\.nii|\.img)(\.gz)?$/.exec(path)?.[0]}`)
    await writeVolume(copy, volume)
    pairs.push(path, copy)
  }
  // 64-bit integers are written as the float64 that they became.
  const differences = runPython(python, compare, ...pairs) as string[][]
  for (const [n, fields] of differences.entries()) {
    const wide = truths[n].type === 'f8' && fields.includes('datatype')
    expect(fields, paths[n]).toEqual(wide ? ['datatype'] : [])
  }
}

describe.skipIf(!nibabelPython)('against nibabel (skipped where no Python with nibabel is installed)', () => {
  const python = nibabelPython as string
  test('210 generated headers', async () => {
    const made = mkdtempSync(join(folder, 'made-'))
    await roundTrip(runPython(python, generate, made, '210') as string[], python)
  })

  test.skipIf(!hasSharedData)('the shared data (skipped where it is absent)', async () => {
    const all = readdirSync(sharedData, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.nii.gz'),
    )
    all.sort()
    // Every 23rd file (about 50), and the largest and oddest by name.
    const chosen = all.filter((name, n) => n % 23 === 0 || /posterior|example|s0009\/ct|liver/.test(name))
    expect(chosen.length).toBeGreaterThan(20)
    await roundTrip(
      chosen.map((name) => join(sharedData, name)),
      python,
    )
  })
})
