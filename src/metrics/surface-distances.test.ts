import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { createGrid, type Vec3, vec3 } from '../volume/grid.ts'
import { elementAreas } from './surface/element-areas.ts'
import { type DistanceConvention, type GridSize, surfaceDistances } from './surface-distances.ts'
import { python, sharedData, surfaceScript } from './testing/python.ts'

const tolerancesMm = [0, 0.7, 2, 100]

interface Point {
  /** In mm. */
  readonly place: readonly number[]
  readonly weight: number
}

const isInside = (mask: Uint8Array, shape: Vec3, p: readonly number[]) =>
  p.every((x, axis) => x >= 0 && x < shape[axis]) && mask[p[0] + shape[0] * (p[1] + shape[1] * p[2])] !== 0

/** Voxels with a neighbour outside. */
function surfaceVoxels(mask: Uint8Array, { shape, spacing }: GridSize): Point[] {
  const steps = [0, 1, 2].flatMap((axis) => (shape[axis] === 1 ? [] : [-1, 1].map((step) => ({ axis, step }))))
  return placesUpTo(shape)
    .filter((p) => isInside(mask, shape, p))
    .filter((p) => steps.some(({ axis, step }) => !isInside(mask, shape, p.with(axis, p[axis] + step))))
    .map((p) => ({ place: p.map((x, axis) => x * spacing[axis]), weight: 1 }))
}

/** Corners between voxels of which some, not all, are inside. On a flat axis the mask goes on. */
function surfaceElements(mask: Uint8Array, { shape, spacing }: GridSize): Point[] {
  const flat = shape.map((n) => n === 1)
  const areas = elementAreas(vec3((axis) => (flat[axis] ? 1 : spacing[axis])))
  return placesUpTo(vec3((axis) => (flat[axis] ? 1 : shape[axis] + 1))).flatMap((p) => {
    const code = [0, 1, 2, 3, 4, 5, 6, 7].reduce((sum, corner) => {
      const voxel = p.map((x, axis) => (flat[axis] ? x : x - 1 + ((corner >> axis) & 1)))
      return sum + (isInside(mask, shape, voxel) ? 1 << corner : 0)
    }, 0)
    const place = p.map((x, axis) => x * spacing[axis])
    return code === 0 || code === 255 ? [] : [{ place, weight: areas[code] }]
  })
}

function placesUpTo([nx, ny, nz]: Vec3): number[][] {
  return Array.from({ length: nx * ny * nz }, (_, v) => [v % nx, Math.floor(v / nx) % ny, Math.floor(v / (nx * ny))])
}

/** The definition, by comparing all pairs of points of the surfaces. */
function bruteForce(a: Uint8Array, b: Uint8Array, grid: GridSize, convention: DistanceConvention) {
  const [pointsA, pointsB] = [a, b].map((mask) => (convention === 'area' ? surfaceElements : surfaceVoxels)(mask, grid))
  if (pointsA.length === 0 || pointsB.length === 0) return null
  const directed = (from: Point[], to: Point[]) =>
    from
      .map(({ place, weight }) => ({
        weight,
        mm: Math.min(...to.map((other) => Math.hypot(...place.map((x, axis) => x - other.place[axis])))),
      }))
      .sort((x, y) => x.mm - y.mm)
  const [ab, ba] = [directed(pointsA, pointsB), directed(pointsB, pointsA)]
  const sum = (points: { weight: number }[]) => points.reduce((all, { weight }) => all + weight, 0)
  const p95 = (x: typeof ab) => {
    // A hair less than 95 %, so that sums in another order do not decide.
    if (convention === 'area') return x.find((_, n) => sum(x.slice(0, n + 1)) >= (0.95 - 1e-12) * sum(x))?.mm ?? 0
    const rank = 0.95 * (x.length - 1)
    const low = Math.floor(rank)
    return x[low].mm * (1 - (rank - low)) + (x[low + 1]?.mm ?? 0) * (rank - low)
  }
  const all = [...ab, ...ba]
  const within = tolerancesMm.map((mm) => sum(all.filter((x) => x.mm <= mm)) / sum(all))
  const mean = all.reduce((total, { mm, weight }) => total + mm * weight, 0) / sum(all)
  return [Math.max(p95(ab), p95(ba)), mean, Math.max(...all.map(({ mm }) => mm)), ...within]
}

function measured(a: Uint8Array, b: Uint8Array, grid: GridSize, distances: DistanceConvention = 'voxel') {
  const { hd95Mm, assdMm, hdMm, nsd } = surfaceDistances(a, b, grid, { tolerancesMm, distances })
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

test.each<DistanceConvention>(['voxel', 'area'])(
  'any masks on any small grid, against all pairs of points: %s',
  (of) => {
    fc.assert(
      fc.property(scene, ({ grid, a, b }) => {
        expectClose(measured(a, b, grid, of), bruteForce(a, b, grid, of))
      }),
      { numRuns: 150 },
    )
  },
)

test.each<DistanceConvention>(['voxel', 'area'])(
  'symmetric, and the same wherever on the image masks lie: %s',
  (of) => {
    const shift = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3))
    fc.assert(
      fc.property(scene, shift, shift, ({ grid, a, b }, before, behind) => {
        const expected = measured(a, b, grid, of)
        expectClose(measured(b, a, grid, of), expected)
        // Flat axes stay flat.
        const pad = [before, behind].map((n) => vec3((axis) => (grid.shape[axis] === 1 ? 0 : n[axis])))
        const shape = vec3((axis) => grid.shape[axis] + pad[0][axis] + pad[1][axis])
        const [wideA, wideB] = [a, b].map((mask) => {
          const wide = new Uint8Array(shape[0] * shape[1] * shape[2])
          for (const [v, [i, j, k]] of placesUpTo(grid.shape).entries()) {
            wide[i + pad[0][0] + shape[0] * (j + pad[0][1] + shape[1] * (k + pad[0][2]))] = mask[v]
          }
          return wide
        })
        expectClose(measured(wideA, wideB, { shape, spacing: grid.spacing }, of), expected)
      }),
      { numRuns: 100 },
    )
  },
)

type Inside = (i: number, j: number, k: number) => boolean
const blob =
  (ci: number, cj: number, ck: number, phase: number): Inside =>
  (i, j, k) =>
    ((i - ci) / 9) ** 2 +
      ((j - cj) / 7) ** 2 +
      ((k - ck) / 4) ** 2 +
      0.4 * Math.sin(1.7 * i + j + phase) * Math.cos(0.9 * k) <
    1
const noise =
  (s: number): Inside =>
  (i, j, k) =>
    (7 * i * i + 13 * j * j + 5 * k * k + 3 * i * j + 11 * j * k + s * i + k) % 11 < 3
const only =
  (...place: number[]): Inside =>
  (...voxel) =>
    voxel.every((x, axis) => x === place[axis])

/**
 * HD95, ASSD, Hausdorff distance and surface Dice at the tolerances, from MONAI (June 2025), in float32:
 * compute_hausdorff_distance(percentile=95), compute_average_surface_distance(symmetric=True), compute_surface_dice.
 * And from google-deepmind/surface-distance (December 2024): compute_robust_hausdorff,
 * compute_average_surface_distance, both directions weighted by their areas, compute_surface_dice_at_tolerance. The
 * plane was given as 2-D arrays.
 */
const others: { shape: Vec3; spacing: Vec3; masks: [Inside, Inside]; monai: number[]; deepmind: number[] }[] = [
  {
    shape: [24, 20, 14],
    spacing: [0.7, 1.3, 2.5],
    masks: [blob(11, 9, 6, 0), blob(12, 10, 6.5, 1)],
    monai: [1.9104973, 0.5801213, 2.9529645, 0.5009488, 0.7609108, 0.9620494, 1],
    deepmind: [1.47648230602, 0.34285886111, 2.90344622819, 0.70024669834, 0.8441098354, 0.98642663594, 1],
  },
  {
    shape: [24, 20, 1],
    spacing: [2, 0.5, 7],
    masks: [blob(11, 9, 0, 0), blob(13, 10, 0.5, 1)],
    monai: [2.5656843, 0.7910199, 4.1231055, 0.4125, 0.60625, 0.89375, 1],
    deepmind: [2.5, 0.5834104342, 4.12310562562, 0.5283672312, 0.71800060048, 0.92383555551, 1],
  },
  {
    shape: [9, 8, 7],
    spacing: [1, 2, 3],
    masks: [noise(1), noise(4)],
    monai: [3, 1.2319181, 3.6055512, 0.3146068, 0.3146068, 0.8689138, 1],
    deepmind: [2, 0.15601093722, 3, 0.89280895313, 0.89280895313, 0.98761579726, 1],
  },
  {
    shape: [5, 4, 3],
    spacing: [1, 2, 3],
    masks: [only(0, 0, 0), only(4, 3, 1)],
    monai: [7.8102498, 7.8102498, 7.8102498, 0, 0, 0, 1],
    deepmind: [7.81024967591, 6.49611947118, 7.81024967591, 0, 0, 0, 1],
  },
  {
    shape: [5, 4, 3],
    spacing: [1, 2, 3],
    masks: [() => true, (i) => i < 4],
    monai: [1, 0.1428571, 1, 0.8571429, 0.8571429, 1, 1],
    deepmind: [1, 0.21320547275, 1, 0.78679452725, 0.78679452725, 1, 1],
  },
]

test('the numbers of MONAI and of google-deepmind/surface-distance', () => {
  for (const { shape, spacing, masks, monai, deepmind } of others) {
    const [a, b] = masks.map((inside) => Uint8Array.from(placesUpTo(shape), ([i, j, k]) => Number(inside(i, j, k))))
    const [byVoxel, byArea] = (['voxel', 'area'] as const).map((of) => measured(a, b, { shape, spacing }, of))
    expect(byVoxel).toEqual(monai.map((x) => expect.closeTo(x, 5)))
    expect(byArea).toEqual(deepmind.map((x) => expect.closeTo(x, 10)))
  }
})

test.each<DistanceConvention>(['voxel', 'area'])('the same however the axes are called: %s', (of) => {
  fc.assert(
    fc.property(scene, ({ grid, a, b }) => {
      const turn = (v: Vec3): Vec3 => [v[1], v[2], v[0]]
      const shape = turn(grid.shape)
      const [turnedA, turnedB] = [a, b].map((mask) => {
        const turned = new Uint8Array(mask.length)
        for (const [v, [i, j, k]] of placesUpTo(grid.shape).entries()) {
          turned[j + shape[0] * (k + shape[1] * i)] = mask[v]
        }
        return turned
      })
      const expected = measured(a, b, grid, of)
      expectClose(measured(turnedA, turnedB, { shape, spacing: turn(grid.spacing) }, of), expected)
    }),
    { numRuns: 100 },
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
        // google-deepmind/surface-distance, as above.
        const byArea = [
          [0.9765625, 0.05254867151, 2.762135864, 0.9493107869, 0.9493107869, 0.999795588, 1.0],
          [1.129713568, 0.1900337708, 3.491508537, 0.8120503196, 0.8120503196, 0.9936768671, 1.0],
          [0.9391261938, 0.2014019293, 2.670572599, 0.7549447076, 0.9318180292, 0.9966785295, 1.0],
          [0.7421875, 0.149661696, 3.060117457, 0.8271662956, 0.8271662956, 0.9989512777, 1.0],
          [0.0, 0.04960237698, 5.0, 0.9709668373, 0.9709668373, 0.9937096959, 1.0],
          [1.6796875, 0.2816361374, 12.00841545, 0.8076556478, 0.8076556478, 0.9761380691, 1.0],
        ]
        const kidneys = join(sharedData!, 'kits23_raters')
        const output = execFileSync(python!, ['-c', script, folder, kidneys], { encoding: 'utf8' })
        const cases = JSON.parse(output)
        expect(cases.length).toBe(6)
        for (const [n, { expected, ...grid }] of cases.entries()) {
          const masks = new Uint8Array(readFileSync(join(folder, String(n))))
          const half = masks.length / 2
          const [a, b] = [masks.subarray(0, half), masks.subarray(half)]
          expectClose(measured(a, b, grid), expected)
          expect(measured(a, b, grid, 'area')).toEqual(byArea[n].map((x) => expect.closeTo(x, 8)))
        }
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )
})
