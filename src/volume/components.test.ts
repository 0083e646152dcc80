import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Connectivity,
  connectedComponents,
  largestComponent,
  withHolesFilled,
  withoutSmallComponents,
} from './components.ts'
import { type Vec3, vec3 } from './grid.ts'

/** The definition: voxels whose places differ by at most 1 along each axis, and along at most so many axes. */
function neighbours(v: number, shape: Vec3, connectivity: Connectivity): number[] {
  const most = { 6: 1, 18: 2, 26: 3 }[connectivity]
  const place = [v % shape[0], Math.floor(v / shape[0]) % shape[1], Math.floor(v / (shape[0] * shape[1]))]
  const found: number[] = []
  for (let n = 0; n < 27; n++) {
    const step = [(n % 3) - 1, (Math.floor(n / 3) % 3) - 1, Math.floor(n / 9) - 1]
    const axes = step.filter((d) => d !== 0).length
    const [i, j, k] = place.map((x, axis) => x + step[axis])
    const within = [i, j, k].every((x, axis) => x >= 0 && x < shape[axis])
    if (axes > 0 && axes <= most && within) found.push(i + shape[0] * (j + shape[1] * k))
  }
  return found
}

/** Components by flooding from every voxel, numbered in order. */
function flood(inside: readonly boolean[], shape: Vec3, connectivity: Connectivity) {
  const numbers = new Int32Array(inside.length)
  const members: number[][] = []
  for (let seed = 0; seed < inside.length; seed++) {
    if (!inside[seed] || numbers[seed] !== 0) continue
    const found = [seed]
    members.push(found)
    numbers[seed] = members.length
    for (let next = 0; next < found.length; next++) {
      for (const v of neighbours(found[next], shape, connectivity)) {
        if (!inside[v] || numbers[v] !== 0) continue
        numbers[v] = members.length
        found.push(v)
      }
    }
  }
  return { numbers, members }
}

const connectivity = fc.constantFrom<Connectivity>(6, 18, 26)
const scene = fc
  .record({
    shape: fc.tuple(...[9, 6, 5].map((max) => fc.integer({ min: 1, max }))),
    density: fc.constantFrom(0, 0.1, 0.3, 0.5, 0.8, 1),
    seed: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })),
  })
  .map(({ shape, density, seed }) => {
    const inside = Array.from({ length: shape[0] * shape[1] * shape[2] }, () => seed.next().value < density)
    return { shape: vec3((axis) => shape[axis]), inside, mask: Int16Array.from(inside, (yes) => (yes ? -3 : 0)) }
  })

test('components, the largest and the large ones are those of flooding', () => {
  fc.assert(
    fc.property(scene, connectivity, fc.integer({ min: 0, max: 6 }), ({ shape, inside, mask }, reach, least) => {
      const { numbers, members } = flood(inside, shape, reach)
      const sizes = members.map(({ length }) => length)
      expect(connectedComponents(mask, shape, reach)).toEqual({ numbers, sizes })
      const part = (voxels: readonly number[]) => {
        const out = new Uint8Array(mask.length)
        for (const v of voxels) out[v] = 1
        return out
      }
      const largest = members.find(({ length }) => length === Math.max(...sizes)) ?? []
      expect(largestComponent(mask, shape, reach)).toEqual(part(largest))
      const large = members.filter(({ length }) => length >= least)
      expect(withoutSmallComponents(mask, shape, least, reach)).toEqual(part(large.flat()))
    }),
    { numRuns: 300 },
  )
})

test('holes are the background that flooding from the edge does not reach', () => {
  fc.assert(
    fc.property(scene, connectivity, ({ shape, inside, mask }, reach) => {
      const outside = inside.map((yes) => !yes)
      const filled = Uint8Array.from(inside, Number)
      for (const members of flood(outside, shape, reach).members) {
        const reachesEdge = members.some((v) => {
          const place = [v % shape[0], Math.floor(v / shape[0]) % shape[1], Math.floor(v / (shape[0] * shape[1]))]
          return place.some((x, axis) => shape[axis] > 1 && (x === 0 || x === shape[axis] - 1))
        })
        if (!reachesEdge && inside.includes(true)) for (const v of members) filled[v] = 1
      }
      expect(withHolesFilled(mask, shape, reach)).toEqual(filled)
    }),
    { numRuns: 300 },
  )
})

test('defaults: corners join a mask, and close it around a hole', () => {
  // Two voxels that share a corner only.
  const pair = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 1)
  expect(connectedComponents(pair, [2, 2, 2]).sizes).toEqual([2])
  expect(connectedComponents(pair, [2, 2, 2], 18).sizes).toEqual([1, 1])
  expect(largestComponent(pair, [2, 2, 2])).toEqual(pair)
  expect(withoutSmallComponents(pair, [2, 2, 2], 2)).toEqual(pair)
  // A diamond around one pixel, in a plane and as one slice of a volume, where its middle is open to both sides.
  const diamond = Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1, 0)
  const full = Uint8Array.of(0, 1, 0, 1, 1, 1, 0, 1, 0)
  expect(withHolesFilled(diamond, [3, 3, 1])).toEqual(full)
  expect(withHolesFilled(diamond, [3, 3, 1], 26)).toEqual(diamond)
  expect(withHolesFilled(diamond, [3, 1, 3])).toEqual(full)
  const slice = new Uint8Array(27)
  slice.set(diamond, 9)
  expect(withHolesFilled(slice, [3, 3, 3])).toEqual(slice)
})

test('a mask of more runs than are expected of one', () => {
  const shape: Vec3 = [64, 64, 3]
  const dots = Uint8Array.from({ length: 64 * 64 * 3 }, (_, v) => (v + (v >> 6)) & 1)
  const { numbers, members } = flood(Array.from(dots, Boolean), shape, 6)
  expect(connectedComponents(dots, shape, 6)).toEqual({ numbers, sizes: members.map(({ length }) => length) })
})

const python = ['/usr/bin/python3', 'python3'].find((name) => {
  try {
    execFileSync(name, ['-c', 'import scipy.ndimage'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

test.skipIf(python === undefined)('blobs: label and binary_fill_holes of scipy (needs Python with scipy)', () => {
  const script = `
import json
import numpy as np
from scipy.ndimage import binary_fill_holes, gaussian_filter, generate_binary_structure, label
rng = np.random.default_rng(3)
out = []
for shape in [(40, 33, 21), (60, 50, 1)]:
    flat = shape[2] == 1
    field = gaussian_filter(rng.standard_normal(shape), (1.2, 1.2, 0 if flat else 1.2))
    mask = np.abs(field) < np.quantile(np.abs(field), 0.3)
    plain = mask[:, :, 0] if flat else mask
    results = {}
    for connectivity, rank in [(6, 1), (18, 2), (26, 3)]:
        structure = generate_binary_structure(3, rank)
        numbers, count = label(mask, structure)
        background = generate_binary_structure(plain.ndim, min(rank, plain.ndim))
        filled = binary_fill_holes(plain, background)
        results[connectivity] = {'numbers': numbers.flatten('F').tolist(),
                                 'filled': filled.flatten('F').astype(int).tolist()}
    out.append({'shape': shape, 'mask': mask.flatten('F').astype(int).tolist(), 'results': results})
print(json.dumps(out))`
  const scenes = JSON.parse(execFileSync(python ?? '', ['-c', script], { encoding: 'utf8', maxBuffer: 1 << 26 }))
  for (const { shape, mask, results } of scenes) {
    for (const reach of [6, 18, 26] as const) {
      const { numbers, sizes } = connectedComponents(Uint8Array.from(mask), shape, reach)
      // The same components, whatever their numbers.
      const pairs = new Set(results[reach].numbers.map((n: number, v: number) => `${n} ${numbers[v]}`))
      expect(pairs.size).toBe(sizes.length + 1)
      expect(new Set(results[reach].numbers).size).toBe(sizes.length + 1)
      expect(withHolesFilled(Uint8Array.from(mask), shape, reach)).toEqual(Uint8Array.from(results[reach].filled))
    }
    expect(new Set(results[6].numbers).size).toBeGreaterThan(new Set(results[26].numbers).size)
    expect(results[6].filled).not.toEqual(mask)
  }
})
