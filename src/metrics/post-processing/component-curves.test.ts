import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PostProcessing } from '../../decision/decode/post-process.ts'
import { largestComponent, withHolesFilled, withoutSmallComponents } from '../../volume/components.ts'
import { type Vec3, vec3 } from '../../volume/grid.ts'
import { CutTable, diceAtCuts, halfCut, tableCuts } from '../cut-table.ts'
import { python } from '../testing/python.ts'
import { componentCurves, componentVolumesMm3, postProcessedDice } from './component-curves.ts'

/** The definition: the mask of one cut, post-processed as such, against the reference. */
function diceAt(cut: number, map: Float32Array, shape: Vec3, voxelMm3: number, truth: Int8Array, post: PostProcessing) {
  let mask = Uint8Array.from(map, (p) => Number(p >= tableCuts[cut]))
  if (post.holes) mask = Uint8Array.from(withHolesFilled(mask, shape))
  if (post.keep === 'largest') mask = Uint8Array.from(largestComponent(mask, shape))
  else if (post.keep !== 'all') mask = Uint8Array.from(withoutSmallComponents(mask, shape, post.keep / voxelMm3))
  let [volume, size, both] = [0, 0, 0]
  for (const [v, label] of truth.entries()) {
    if (label < 0) continue
    volume += mask[v]
    size += label
    both += mask[v] * label
  }
  return volume + size === 0 ? 1 : (2 * both) / (volume + size)
}

const posts = [false, true].flatMap((holes) =>
  (['all', 'largest', ...componentVolumesMm3] as const).map((keep): PostProcessing => ({ holes, keep })),
)

const scene = fc
  .record({
    shape: fc.tuple(...[7, 6, 5].map((max) => fc.integer({ min: 1, max }))),
    values: fc.constantFrom([0, 0.2, 0.9], [0, 0.3, 0.6, 0.99], [0.002, 0.4, 0.5, 0.7, 1]),
    ignored: fc.constantFrom(0, 0.2),
    voxelMm3: fc.constantFrom(0.9, 5, 20),
    random: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })),
  })
  .map(({ shape, values, ignored, voxelMm3, random }) => {
    const n = shape[0] * shape[1] * shape[2]
    const next = () => random.next().value
    return {
      shape: vec3((axis) => shape[axis]),
      voxelMm3,
      map: Float32Array.from({ length: n }, () => values[Math.floor(next() ** 2 * values.length)]),
      truth: Int8Array.from({ length: n }, () => (next() < ignored ? -1 : Number(next() < 0.3))),
    }
  })

test('at every cut the Dice is that of the mask, post-processed', () => {
  fc.assert(
    fc.property(scene, fc.constantFrom(...posts), ({ shape, voxelMm3, map, truth }, post) => {
      const table = new CutTable()
      table.add(map, truth, (label) => label === 1)
      const curves = componentCurves(map, { shape, voxelMm3 }, truth, (label) => label === 1)
      const dice = postProcessedDice(diceAtCuts(table), curves, post)
      for (const p of [0.0101, 0.25, 0.5, 0.65, 0.8, 0.95, 0.9999]) {
        const cut = tableCuts.findIndex((each) => each >= p)
        // Changes are kept as float32.
        expect(dice[cut]).toBeCloseTo(diceAt(cut, map, shape, voxelMm3, truth, post), 6)
      }
    }),
    { numRuns: 400 },
  )
})

test('what changes nothing is not kept, and cuts below 0.01 are taken to change nothing', () => {
  const map = Float32Array.of(0.005, 0.002, 0.9, 0.9, 0.1)
  const truth = Uint8Array.of(0, 0, 1, 1, 0)
  const curves = componentCurves(map, { shape: [5, 1, 1], voxelMm3: 1 }, truth, (label) => label === 1)
  expect([...curves.keys()].sort()).toEqual(
    ['3', '10', '30', '100', '300', '1000', '3000', '10000', '30000'].flatMap((v) => [v, `filled ${v}`]).sort(),
  )
  const below = tableCuts.findLastIndex((cut) => cut < 0.005)
  expect(curves.get('10')?.[below]).toBe(0)
  expect(curves.get('10')?.[halfCut]).toBe(-1)
  expect(componentCurves(new Float32Array(5), { shape: [5, 1, 1], voxelMm3: 1 }, truth, () => true).size).toBe(0)
})

test.skipIf(python === undefined)('blobs: label and binary_fill_holes of scipy (needs Python with scipy)', () => {
  const script = `
import json, sys
import numpy as np
from scipy import ndimage
rng = np.random.default_rng(5)
cuts = json.loads(sys.argv[1])
scenes = []
for shape in [(24, 20, 14), (30, 26, 1)]:
    noise = ndimage.gaussian_filter(rng.normal(size=shape), (1.2, 1.2, 1.2 if shape[2] > 1 else 0))
    p = (1 / (1 + np.exp(-(8 * noise - 0.5)))).astype(np.float32)
    truth = ndimage.gaussian_filter(rng.normal(size=shape), 2) > 0.02
    full = np.ones((3,) * 3)
    rows = []
    for cut in cuts:
        for holes in (False, True):
            mask = p.astype(float) >= cut
            if holes:
                flat = shape[2] == 1
                mask = ndimage.binary_fill_holes(mask[..., 0] if flat else mask).reshape(shape)
            # Numbered in Fortran order, as halfdice numbers components: the first of equally large ones.
            labels, n = ndimage.label(mask.T, full)
            labels = labels.T
            sizes = np.bincount(labels.ravel(), minlength=n + 1)
            sizes[0] = 0
            for keep in ('all', 'largest', 10, 100):
                if keep == 'all': kept = mask
                elif keep == 'largest': kept = labels == sizes.argmax() if n else mask
                else: kept = (sizes[labels] * 2.0 >= keep) & mask
                rows.append([cut, holes, keep, 2 * float((kept & truth).sum()) / float(kept.sum() + truth.sum())])
    flat = lambda a: a.ravel(order='F').tolist()
    scenes.append({'shape': shape, 'p': flat(p), 'truth': flat(truth.astype(int)), 'rows': rows})
print(json.dumps(scenes))
`
  const cuts = [halfCut - 60, halfCut, halfCut + 60].map((cut) => tableCuts[cut])
  const scenes: {
    shape: [number, number, number]
    p: number[]
    truth: number[]
    rows: [number, boolean, PostProcessing['keep'], number][]
  }[] = JSON.parse(
    execFileSync(python ?? '', ['-c', script, JSON.stringify(cuts)], { encoding: 'utf8', maxBuffer: 1 << 26 }),
  )
  for (const { shape, p, truth, rows } of scenes) {
    const map = Float32Array.from(p)
    const labels = Uint8Array.from(truth)
    const table = new CutTable()
    table.add(map, labels, (label) => label === 1)
    const curves = componentCurves(map, { shape, voxelMm3: 2 }, labels, (label) => label === 1)
    for (const [at, holes, keep, expected] of rows) {
      const dice = postProcessedDice(diceAtCuts(table), curves, { holes, keep })[tableCuts.indexOf(at)]
      expect(dice).toBeCloseTo(expected, 6)
    }
  }
})
