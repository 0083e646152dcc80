import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { largestComponent, withHolesFilled, withoutSmallComponents } from '../../volume/components.ts'
import type { Vec3 } from '../../volume/grid.ts'
import { rmaOptimum } from '../rma.ts'
import { CaseDecoder, type DecodedCase } from './case-decoder.ts'
import type { DecodeOptions, TunedOptions } from './options.ts'
import { type PostProcessing, postProcessLabels } from './post-process.ts'

const largest: PostProcessing = { holes: false, keep: 'largest' }
const line = (n: number) => ({ shape: [n, 1, 1] as Vec3, voxelMm3: 2 })
const labelled = (
  data: readonly number[],
  regions: readonly (readonly number[] | undefined)[],
  posts: readonly (PostProcessing | undefined)[],
  shape?: Vec3,
): number[] => {
  const out = Uint8Array.from(data)
  postProcessLabels(out, shape ? { shape, voxelMm3: 2 } : line(data.length), regions, posts)
  return [...out]
}

describe('label maps', () => {
  test('what a class loses is background, and other classes keep what they have', () => {
    const before = [1, 0, 1, 1, 2, 0, 2, 2, 2]
    expect(labelled(before, [undefined, [1], [2]], [undefined, largest, largest])).toEqual([0, 0, 1, 1, 0, 0, 2, 2, 2])
    expect(labelled(before, [[1], [2]], [undefined, { holes: false, keep: 4 }])).toEqual([1, 0, 1, 1, 0, 0, 2, 2, 2])
  })

  test('holes are filled with what is background, not with other classes', () => {
    const ring = [1, 1, 1, 1, 0, 1, 1, 2, 1, 1, 1, 1]
    const filled = labelled(ring, [[1], [2]], [{ holes: true, keep: 'all' }, undefined], [3, 4, 1])
    expect(filled).toEqual([1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1])
  })

  test('of nested regions, what is lost belongs to the region around it, and holes to all of them', () => {
    const nested = [[1, 2, 3], [2, 3], [3]]
    // whole: the last voxel goes; core: the lone 3 becomes 1; enhancing: nothing left of it but that.
    expect(labelled([1, 3, 1, 2, 2, 0, 3], nested, [largest, largest, undefined])).toEqual([1, 1, 1, 2, 2, 0, 0])
    expect(labelled([2, 3, 2, 3, 3], nested, [undefined, undefined, largest])).toEqual([2, 2, 2, 3, 3])
    const hole = (around: number, within: number) => [
      around,
      around,
      around,
      around,
      within,
      around,
      around,
      around,
      around,
    ]
    const fill = [0, 1, 2].map((own) =>
      nested.map((_, r) => (r === own ? { holes: true, keep: 'all' as const } : undefined)),
    )
    expect(labelled(hole(1, 0), nested, fill[0], [3, 3, 1])[4]).toBe(1)
    expect(labelled(hole(2, 0), nested, fill[0], [3, 3, 1])[4]).toBe(1)
    expect(labelled(hole(3, 1), nested, fill[1], [3, 3, 1])[4]).toBe(2)
    expect(labelled(hole(3, 2), nested, fill[2], [3, 3, 1])[4]).toBe(3)
  })

  test('each class is what its own mask becomes', () => {
    const keep = fc.constantFrom<PostProcessing['keep']>('all', 'largest', 3, 6)
    const post = fc.record({ holes: fc.boolean(), keep })
    const shape: Vec3 = [5, 4, 3]
    const data = fc.array(fc.constantFrom(0, 0, 1, 2), { minLength: 60, maxLength: 60 })
    fc.assert(
      fc.property(data, post, (before, own) => {
        const mask = Uint8Array.from(before, (label) => Number(label === 1))
        const filled = own.holes ? withHolesFilled(mask, shape) : mask
        const kept =
          own.keep === 'all'
            ? filled
            : own.keep === 'largest'
              ? largestComponent(filled, shape)
              : withoutSmallComponents(filled, shape, own.keep / 2)
        const expected = before.map((label, v) => (label === 2 ? 2 : kept[v]))
        expect(labelled(before, [[1], [2]], [own, undefined], shape)).toEqual(expected)
      }),
    )
  })
})

function decoded(maps: readonly Float32Array[], options: DecodeOptions & TunedOptions): DecodedCase {
  const decoder = new CaseDecoder(maps[0].length, maps.length, options)
  for (const map of maps) decoder.add(map)
  if (decoder.needsReview) for (const [i, map] of maps.entries()) decoder.review(i, map)
  return decoder.finish()
}

describe('what is told of masks is told of those that are written', () => {
  const one = Float32Array.of(0.9, 0, 0.9, 0.8, 0.6, 0.1)
  const two = Float32Array.of(0.1, 0, 0.1, 0.2, 0.4, 0.9)
  const postProcessing = { grid: line(6), maps: [largest, undefined] }
  test.each(['separate', 'exclusive', 'regions'] as const)('%s', (kind) => {
    const labelSets = [[1], [2]]
    const plain = decoded([one, two], { kind, labelSets, at: 0.5 })
    const cleaned = decoded([one, two], { kind, labelSets, at: 0.5, postProcessing })
    const expected = kind === 'separate' ? [0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1] : [0, 0, 1, 1, 1, 2]
    expect([...cleaned.data]).toEqual(expected)
    expect(cleaned.maps[0]).toMatchObject({ volume: 3, present: true, lostVolume: 0, volumeHalf: 4 })
    expect(cleaned.maps[0]?.softDice).toBeCloseTo((2 * 2.3) / (3 + 3.3), 6)
    expect(cleaned.maps[0]?.agreementWithHalf).toBeCloseTo(6 / 7, 12)
    // What is removed is no loss to other classes.
    expect(cleaned.sharingLoss).toEqual(plain.sharingLoss)
    expect(cleaned.maps[1]).toEqual(plain.maps[1])
  })

  test('an argmax too', () => {
    const background = one.map((p, i) => 1 - p - two[i])
    const maps = [background, one, two]
    const options = { kind: 'exclusive', labelSets: [undefined, [1], [2]], metric: 'accuracy' } as const
    const cleaned = decoded(maps, {
      ...options,
      postProcessing: { grid: line(6), maps: [undefined, largest, largest] },
    })
    expect([...cleaned.data]).toEqual([0, 0, 1, 1, 1, 2])
    expect(cleaned.maps[1]).toMatchObject({ volume: 3, threshold: undefined, lostVolume: 0 })
  })

  test('voxels that other classes took are counted before components are removed', () => {
    const [a, b] = [Float32Array.of(0.9, 0, 0.9, 0.9, 0.4), Float32Array.of(0, 0, 0, 0, 0.9)]
    const post = { grid: line(5), maps: [largest, undefined] }
    const { maps } = decoded([a, b], { kind: 'exclusive', labelSets: [[1], [2]], at: 0.3, postProcessing: post })
    expect(maps[0]).toMatchObject({ volume: 2, lostVolume: 1 })
  })
})

test('½ of the map as it was given is another number after calibration', () => {
  const half = Math.fround(0.2)
  const map = Float32Array.of(0.9, 0.4, half, 0.15, 0.01)
  const own = decoded([map], { halves: [half] }).maps[0]
  expect(own).toMatchObject({ volumeHalf: 3 })
  expect(own?.diceAtHalf).toBeCloseTo((2 * 1.5) / (3 + 1.66), 6)
  expect(own?.supDice).toBe(decoded([map], {}).maps[0]?.supDice)
  // The mask at t* = 0.36 lies in that cut.
  expect(own).toMatchObject({ volume: 2, agreementWithHalf: 4 / 5 })
  for (const kind of ['exclusive', 'regions'] as const) {
    expect(decoded([map], { kind, halves: [half] }).maps[0]).toMatchObject({ volume: 2, agreementWithHalf: 4 / 5 })
  }
})

test('the reciprocal-moment approximation cuts where it says', () => {
  const map = Float32Array.of(1, 0.3, 0.05)
  const [own, rma] = [decoded([map], {}), decoded([map], { criteria: ['rma'] })].map(({ maps }) => maps[0])
  expect(own?.threshold).toBeGreaterThan(rma?.threshold ?? 1)
  expect(rma?.threshold).toBe(rmaOptimum(map).threshold)
  expect(rma?.volume).toBe(rmaOptimum(map).volume)
})
