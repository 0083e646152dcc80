import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { createGrid, type Vec3, vec3 } from '../volume/grid.ts'
import { type GridSize, surfaceDistances } from './surface-distances.ts'
import { python, sharedData, surfaceScript } from './testing/python.ts'

const tolerancesMm = [0, 0.7, 2, 100]

/** The definition, by comparing all pairs of surface voxels. */
function bruteForce(a: Uint8Array, b: Uint8Array, { shape, spacing }: GridSize) {
  const [nx, ny] = shape
  const position = (v: number) => [v % nx, Math.floor(v / nx) % ny, Math.floor(v / (nx * ny))]
  const surface = (mask: Uint8Array) =>
    [...mask.keys()].filter((v) => {
      if (mask[v] === 0) return false
      return [0, 1, 2].some((axis) => {
        if (shape[axis] === 1) return false
        return [-1, 1].some((step) => {
          const p = position(v)
          p[axis] += step
          if (p[axis] < 0 || p[axis] >= shape[axis]) return true
          return mask[p[0] + nx * (p[1] + ny * p[2])] === 0
        })
      })
    })
  const distance = (v: number, w: number) => {
    const [p, q] = [position(v), position(w)]
    return Math.hypot(...p.map((x, axis) => (x - q[axis]) * spacing[axis]))
  }
  const directed = (from: number[], to: number[]) =>
    from.map((v) => Math.min(...to.map((w) => distance(v, w)))).sort((x, y) => x - y)
  const [surfaceA, surfaceB] = [surface(a), surface(b)]
  if (surfaceA.length === 0 || surfaceB.length === 0) return null
  const [ab, ba] = [directed(surfaceA, surfaceB), directed(surfaceB, surfaceA)]
  const p95 = (x: number[]) => {
    const rank = 0.95 * (x.length - 1)
    const low = Math.floor(rank)
    return x[low] * (1 - (rank - low)) + (x[low + 1] ?? 0) * (rank - low)
  }
  const all = [...ab, ...ba]
  const within = tolerancesMm.map((mm) => all.filter((x) => x <= mm).length / all.length)
  return [Math.max(p95(ab), p95(ba)), all.reduce((x, y) => x + y, 0) / all.length, Math.max(...all), ...within]
}

function measured(a: Uint8Array, b: Uint8Array, grid: GridSize) {
  const { hd95Mm, assdMm, hdMm, nsd } = surfaceDistances(a, b, grid, { tolerancesMm })
  if (hd95Mm === null || assdMm === null || hdMm === null) return null
  return [hd95Mm, assdMm, hdMm, ...tolerancesMm.map((mm) => nsd[mm])]
}

function expectClose(actual: number[] | null, expected: number[] | null) {
  if (expected === null || actual === null) expect(actual).toBe(expected)
  // Square roots and sums of float64 in another order.
  else for (const [i, x] of expected.entries()) expect(Math.abs(actual[i] - x)).toBeLessThanOrEqual(1e-12 * (1 + x))
}

/** Masks of all kinds: noise of any density, and boxes, which have an inside. */
const scene = fc
  .record({
    shape: fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 6 })),
    spacing: fc.tuple(...[1, 2, 3].map(() => fc.double({ min: 0.3, max: 5, noNaN: true }))),
    density: fc.constantFrom(0.02, 0.3, 0.9, 1),
    seed: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map(({ shape, spacing, density, seed }) => {
    const n = shape[0] * shape[1] * shape[2]
    const mask = () => Uint8Array.from({ length: n }, () => (seed.next().value < density ? 1 : 0))
    return { grid: { shape: shape as Vec3, spacing: vec3((axis) => spacing[axis]) }, a: mask(), b: mask() }
  })

test('any masks on any small grid, against all pairs of surface voxels', () => {
  fc.assert(
    fc.property(scene, ({ grid, a, b }) => {
      expectClose(measured(a, b, grid), bruteForce(a, b, grid))
    }),
    { numRuns: 400 },
  )
})

test('two boxes: distances known by hand', () => {
  const grid = createGrid([40, 30, 20], [1, 2, 3])
  const box = (i0: number, k0: number) =>
    Uint8Array.from({ length: 40 * 30 * 20 }, (_, v) => {
      const [i, j, k] = [v % 40, Math.floor(v / 40) % 30, Math.floor(v / 1200)]
      return i >= i0 && i < i0 + 10 && j >= 10 && j < 20 && k >= k0 && k < k0 + 5 ? 1 : 0
    })
  expect(surfaceDistances(box(5, 5), box(5, 5), grid)).toEqual({ hd95Mm: 0, assdMm: 0, hdMm: 0, nsd: { 1: 1, 3: 1 } })
  // Shifted by 4 voxels of 1 mm, the far faces are 4 mm apart, and each is more than 5 % of its surface.
  expect(surfaceDistances(box(5, 5), box(9, 5), grid)).toMatchObject({ hd95Mm: 4, hdMm: 4 })
  expect(surfaceDistances(box(5, 5), box(5, 9), grid)).toMatchObject({ hd95Mm: 12, hdMm: 12 })
})

test('an empty mask has no surface and so no distance', () => {
  const grid = createGrid([3, 3, 3])
  const empty = new Uint8Array(27)
  const one = new Uint8Array(27).fill(1, 4, 5)
  const none = { hd95Mm: null, assdMm: null, hdMm: null }
  expect(surfaceDistances(empty, empty, grid)).toEqual({ ...none, nsd: { 1: 1, 3: 1 } })
  expect(surfaceDistances(one, empty, grid)).toEqual({ ...none, nsd: { 1: 0, 3: 0 } })
  expect(surfaceDistances(empty, one, grid, { tolerancesMm: [0.5] })).toEqual({ ...none, nsd: { 0.5: 0 } })
  expect(surfaceDistances(empty, empty, grid, { tolerancesMm: [] })).toEqual({ ...none, nsd: {} })
  expect(() => surfaceDistances(one, new Uint8Array(26), grid)).toThrow(InputError)
  for (const mm of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => surfaceDistances(one, one, grid, { tolerancesMm: [1, mm] })).toThrow(`tolerance: is ${mm} mm; give a`)
  }
})

describe('against scipy', () => {
  test.skipIf(python === undefined)('random blobs, in 2-D and 3-D, at the edge too (needs Python with scipy)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
    try {
      const script = `${surfaceScript}
import os
from scipy.ndimage import gaussian_filter
rng = np.random.default_rng(5)
results = []
grids = [((60, 50, 40), (0.7, 1.3, 5)), ((33, 64, 1), (2, 0.5, 9)),
         ((20, 20, 90), (1, 1, 0.25)), ((1, 50, 30), (1, 3, 2))]
for n, (shape, spacing) in enumerate(grids):
    field = gaussian_filter(rng.standard_normal((2,) + shape), (0,) + tuple(3 if s > 1 else 0 for s in shape))
    masks = field > np.quantile(field, 0.7)
    masks.astype(np.uint8).transpose(0, 3, 2, 1).tofile(os.path.join(sys.argv[1], str(n)))
    results.append({'shape': shape, 'spacing': spacing, 'expected': surface_distances(masks[0], masks[1], spacing)})
print(json.dumps(results))`
      const output = execFileSync(python!, ['-c', script, folder], { encoding: 'utf8' })
      for (const [n, { expected, ...grid }] of JSON.parse(output).entries()) {
        const masks = new Uint8Array(readFileSync(join(folder, String(n))))
        const half = masks.length / 2
        expectClose(measured(masks.subarray(0, half), masks.subarray(half), grid), expected)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test.skipIf(python === undefined || sharedData === undefined)(
    'pairs of raters on anisotropic kidneys (needs Python with scipy and nibabel, and shared data)',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
      try {
        const script = `${surfaceScript}
import glob, os
import nibabel as nib
results = []
for n, case in enumerate(sorted(glob.glob(os.path.join(sys.argv[2], 'case_*')))[:60:10]):
    images = [nib.load(os.path.join(case, 'rater%d.nii.gz' % r)) for r in (1, 2)]
    masks = [np.asarray(image.dataobj) > 0 for image in images]
    spacing = [float(s) for s in images[0].header.get_zooms()[:3]]
    np.stack(masks).astype(np.uint8).transpose(0, 3, 2, 1).tofile(os.path.join(sys.argv[1], str(n)))
    results.append({'shape': masks[0].shape, 'spacing': spacing, 'expected': surface_distances(*masks, spacing)})
print(json.dumps(results))`
        const kidneys = join(sharedData!, 'kits23_raters')
        const output = execFileSync(python!, ['-c', script, folder, kidneys], { encoding: 'utf8' })
        const cases = JSON.parse(output)
        expect(cases.length).toBe(6)
        for (const [n, { expected, ...grid }] of cases.entries()) {
          const masks = new Uint8Array(readFileSync(join(folder, String(n))))
          const half = masks.length / 2
          expectClose(measured(masks.subarray(0, half), masks.subarray(half), grid), expected)
        }
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )
})
