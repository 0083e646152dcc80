import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Connectivity, connectedComponents } from '../volume/components.ts'
import { createGrid, type Vec3, vec3 } from '../volume/grid.ts'
import { evaluateCase } from './evaluate-case.ts'
import { evaluateLabels } from './evaluate-labels.ts'
import type { LesionOptions } from './lesions.ts'

const scores = (pred: Uint8Array, ref: Uint8Array, shape: Vec3, lesions: LesionOptions = {}) =>
  evaluateLabels(pred, ref, createGrid(shape, [1, 2, 5]), { lesions, labels: [1], surfaces: false })[0].lesions

/** The definition, from sets of voxels. */
function bySets(
  pred: Uint8Array,
  ref: Uint8Array,
  shape: Vec3,
  { connectivity = 26, matching = 'iou', minIou = 0.5 }: LesionOptions,
) {
  const componentsOf = (mask: Uint8Array) => {
    const { numbers, sizes } = connectedComponents(
      mask.map((label) => Number(label === 1)),
      shape,
      connectivity,
    )
    return sizes.map((_, n) => new Set([...numbers.keys()].filter((v) => numbers[v] === n + 1)))
  }
  const [preds, refs] = [componentsOf(pred), componentsOf(ref)]
  const iou = (a: Set<number>, b: Set<number>) => {
    const both = [...a].filter((v) => b.has(v)).length
    return both / (a.size + b.size - both)
  }
  const [foundPreds, foundRefs] = [new Set<Set<number>>(), new Set<Set<number>>()]
  let iouSum = 0
  if (matching === 'overlap') {
    for (const r of refs) {
      const touching = preds.filter((p) => iou(p, r) > 0)
      if (touching.length === 0) continue
      foundRefs.add(r)
      for (const p of touching) foundPreds.add(p)
      iouSum += iou(new Set(touching.flatMap((p) => [...p])), r)
    }
  } else {
    for (;;) {
      const left = refs
        .filter((r) => !foundRefs.has(r))
        .flatMap((r) => preds.filter((p) => !foundPreds.has(p)).map((p) => ({ r, p, iou: iou(p, r) })))
        .filter((pair) => pair.iou > minIou)
      const best = left.find((pair) => pair.iou === Math.max(...left.map((each) => each.iou)))
      if (best === undefined) break
      foundRefs.add(best.r)
      foundPreds.add(best.p)
      iouSum += best.iou
    }
  }
  const [tp, fp, fn] = [foundRefs.size, preds.length - foundPreds.size, refs.length - foundRefs.size]
  const nothing = preds.length + refs.length === 0
  const lesion = (voxels: Set<number>) => {
    const mean = (of: (v: number) => number) => [...voxels].reduce((sum, v) => sum + of(v), 0) / voxels.size
    const [i, j, k] = [
      mean((v) => v % shape[0]),
      mean((v) => Math.floor(v / shape[0]) % shape[1]),
      mean((v) => Math.floor(v / (shape[0] * shape[1]))),
    ]
    return {
      volumeMl: expect.closeTo(voxels.size / 100, 12),
      centre: [expect.closeTo(i, 9), expect.closeTo(j, 9), expect.closeTo(k, 9)],
    }
  }
  const rq = nothing ? 1 : tp / (tp + fp / 2 + fn / 2)
  return {
    lesionsPred: preds.length,
    lesionsRef: refs.length,
    tp,
    fp,
    fn,
    f1: expect.closeTo(rq, 12),
    rq: expect.closeTo(rq, 12),
    sq: tp === 0 ? null : expect.closeTo(iouSum / tp, 12),
    pq: expect.closeTo(nothing ? 1 : iouSum / (tp + fp / 2 + fn / 2), 12),
    missed: refs.filter((r) => !foundRefs.has(r)).map(lesion),
    falseAlarms: preds.filter((p) => !foundPreds.has(p)).map(lesion),
  }
}

test('any masks and rules, against sets of voxels', () => {
  const scene = fc.record({
    shape: fc.tuple(...[12, 5, 3].map((max) => fc.integer({ min: 1, max }))),
    density: fc.constantFrom(0.05, 0.2, 0.4),
    agreement: fc.constantFrom(0, 0.7, 0.95),
    seed: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
    options: fc.record({
      connectivity: fc.constantFrom<Connectivity>(6, 18, 26),
      matching: fc.constantFrom('iou' as const, 'overlap' as const),
      minIou: fc.constantFrom(0, 0.2, 0.5, 0.8),
    }),
  })
  fc.assert(
    fc.property(scene, ({ shape: sides, density, agreement, seed, options }) => {
      const shape = vec3((axis) => sides[axis])
      const draw = () => Number(seed.next().value < density)
      const ref = Uint8Array.from({ length: shape[0] * shape[1] * shape[2] }, draw)
      // Label 2 is background to label 1.
      const pred = ref.map((label) => (seed.next().value < agreement ? label : 2 * draw() || draw()))
      expect(scores(pred, ref, shape, options)).toEqual(bySets(pred, ref, shape, options))
    }),
    { numRuns: 300 },
  )
})

test('panoptic quality is that of MONAI', () => {
  const shape: Vec3 = [20, 16, 9]
  const places = Array.from({ length: 2880 }, (_, v) => [v % 20, Math.floor(v / 20) % 16, Math.floor(v / 320)])
  const ref = Uint8Array.from(places, ([i, j, k]) => Number((7 * i * i + 13 * j * j + 5 * k * k + 3 * i * j) % 11 < 2))
  const pred = Uint8Array.from(places, ([i, j, k], v) =>
    (i * j + 3 * k) % 7 === 0 ? Number((i + j + k) % 5 === 0) : ref[v],
  )
  // tp, fp, fn and Σ IoU, in float32, of compute_panoptic_quality(output_confusion_matrix=True), June 2025, on the
  // components of scipy.ndimage.label.
  const expected: [Connectivity, number, number[]][] = [
    [6, 0.5, [189, 77, 57, 178.883545]],
    [6, 0.75, [160, 106, 86, 159.077774]],
    [18, 0.5, [33, 22, 42, 29.017965]],
    [18, 0.75, [22, 33, 53, 21.633333]],
    [26, 0.5, [20, 7, 28, 17.984684]],
    [26, 0.75, [15, 12, 33, 14.8]],
  ]
  for (const [connectivity, minIou, [tp, fp, fn, iouSum]] of expected) {
    const found = scores(pred, ref, shape, { connectivity, minIou })
    expect(found).toMatchObject({ tp, fp, fn })
    expect(found?.sq).toBeCloseTo(iouSum / tp, 6)
    expect(found?.pq).toBeCloseTo(iouSum / (tp + fp / 2 + fn / 2), 6)
  }
})

describe('by hand', () => {
  const row = (text: string) => Uint8Array.from(text, (c) => Number(c !== '.'))
  const shape: Vec3 = [16, 1, 1]
  const ref = row('.1111...11...1..')
  const pred = row('.111..1.1111....')

  test('one to one above one half', () => {
    expect(scores(pred, ref, shape)).toEqual({
      lesionsPred: 3,
      lesionsRef: 3,
      tp: 1,
      fp: 2,
      fn: 2,
      f1: 1 / 3,
      rq: 1 / 3,
      sq: 0.75,
      pq: 0.25,
      // 2/4 is not above one half.
      missed: [
        { volumeMl: 0.02, centre: [8.5, 0, 0] },
        { volumeMl: 0.01, centre: [13, 0, 0] },
      ],
      falseAlarms: [
        { volumeMl: 0.01, centre: [6, 0, 0] },
        { volumeMl: 0.04, centre: [9.5, 0, 0] },
      ],
    })
    expect(scores(pred, ref, shape, { minIou: 0.49 })).toMatchObject({ tp: 2, fp: 1, fn: 1, sq: 0.625 })
  })

  test('one to one below one half: the best pair first, whatever comes first in memory', () => {
    const [two, one] = [row('.111.1111.......'), row('..1111111.......')]
    expect(scores(one, two, shape, { minIou: 0.2 })).toMatchObject({ tp: 1, fp: 0, fn: 1, sq: 4 / 7 })
    expect(scores(two, one, shape, { minIou: 0.2 })).toMatchObject({ tp: 1, fp: 1, fn: 0, sq: 4 / 7 })
    // Equally good ones: the first.
    const even = scores(row('.1111111........'), row('.111.111........'), shape, { minIou: 0.2 })
    expect(even?.missed).toEqual([{ volumeMl: 0.03, centre: [6, 0, 0] }])
    const odd = scores(row('.111.111........'), row('.1111111........'), shape, { minIou: 0.2 })
    expect(odd?.falseAlarms).toEqual([{ volumeMl: 0.03, centre: [6, 0, 0] }])
  })

  test('any overlap; one predicted lesion over two of the reference finds both', () => {
    expect(scores(pred, ref, shape, { matching: 'overlap' })).toMatchObject({ tp: 2, fp: 1, fn: 1, sq: 0.625 })
    const bridge = row('...11111111111..')
    const bridged = scores(bridge, ref, shape, { matching: 'overlap' })
    expect(bridged).toMatchObject({ lesionsPred: 1, tp: 3, fp: 0, fn: 0, f1: 1 })
    expect(bridged?.sq).toBeCloseTo((2 / 13 + 2 / 11 + 1 / 11) / 3, 12)
    const pieces = scores(row('.1..1...........'), ref, shape, { matching: 'overlap' })
    expect(pieces).toMatchObject({ lesionsPred: 2, tp: 1, fp: 0, fn: 2, sq: 0.5 })
  })

  test('without lesions', () => {
    const none = new Uint8Array(16)
    expect(scores(none, none, shape)).toMatchObject({ lesionsPred: 0, lesionsRef: 0, f1: 1, sq: null, pq: 1 })
    expect(scores(none, ref, shape)).toMatchObject({ tp: 0, fn: 3, f1: 0, rq: 0, sq: null, pq: 0, falseAlarms: [] })
    expect(scores(pred, none, shape)).toMatchObject({ tp: 0, fp: 3, f1: 0, pq: 0, missed: [] })
    expect(scores(ref, ref, shape)).toMatchObject({ tp: 3, f1: 1, sq: 1, pq: 1, missed: [], falseAlarms: [] })
  })

  test('corners join lesions by default', () => {
    const diagonal = Uint8Array.of(1, 0, 0, 1)
    expect(scores(diagonal, diagonal, [2, 2, 1])).toMatchObject({ lesionsRef: 1 })
    expect(scores(diagonal, diagonal, [2, 2, 1], { connectivity: 6 })).toMatchObject({ lesionsRef: 2 })
  })

  test('options that cannot be are refused; without the option there are no lesions', () => {
    expect(() => scores(pred, ref, shape, { connectivity: 8 as 6 })).toThrow('connectivity: is 8; give 6, 18 or 26')
    expect(() => scores(pred, ref, shape, { matching: 'dice' as 'iou' })).toThrow('matching: is dice; give iou or ov')
    for (const minIou of [-0.1, 1, Number.NaN]) expect(() => scores(pred, ref, shape, { minIou })).toThrow('minIou: is')
    expect(scores(pred, ref, shape, { minIou: 0 })?.tp).toBe(2)
    expect(evaluateLabels(pred, ref, createGrid(shape))[0]).not.toHaveProperty('lesions')
  })

  test('evaluateCase passes the question on, for labels, for several together and for probabilities', () => {
    const volume = (data: Uint8Array | Float32Array) => ({ grid: createGrid(shape, [1, 2, 5]), channels: 1, data })
    const options = { lesions: { matching: 'overlap' }, tolerancesMm: [2] } as const
    const expected = { lesions: scores(pred, ref, shape, options.lesions), nsd: { 2: expect.any(Number) } }
    const one = { name: 'lesion', labels: [1] }
    const of = (data: Uint8Array | Float32Array, labels?: { name: string; labels: number[] }[]) =>
      evaluateCase(volume(data), volume(ref), { ...options, ...(labels && { labels }) }).scores[0]
    expect(of(pred)).toMatchObject(expected)
    expect(of(pred, [{ name: 'both', labels: [1, 2] }])).toMatchObject(expected)
    expect(
      of(
        Float32Array.from(pred, (p) => 0.9 * p),
        [one],
      ),
    ).toMatchObject(expected)
    const channels = { ...volume(Uint8Array.of(...pred, ...pred)), channels: 2 }
    const masks = evaluateCase(channels, volume(ref), { ...options, labels: [one, one] }).scores
    expect(masks[1]).toMatchObject(expected)
  })
})
