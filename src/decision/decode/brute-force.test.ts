import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { softDiceOptimumBySort } from '../soft-dice-by-sort.ts'
import { decodeProbabilities } from './decode-probabilities.ts'
import type { DecodeOptions } from './options.ts'

// Every reported figure is computed again from the mask that was written and the maps, for every way to decode.

const voxels = 12

/** Softmaxes of two classes and a background on a few voxels; levels are coarse, so that ties and halves occur. */
const softmax = fc
  .array(fc.tuple(fc.nat(6), fc.nat(6), fc.nat(6)), { minLength: voxels, maxLength: voxels })
  .map((rows) => {
    const maps = [0, 1, 2].map(() => new Array<number>(voxels).fill(0))
    rows.forEach((row, i) => {
      const sum = row.reduce((a, b) => a + b, 0) || 1
      row.forEach((n, c) => {
        maps[c][i] = Math.fround(n / sum)
      })
    })
    return maps
  })

/** Two nested regions. */
const regions = fc
  .array(fc.tuple(fc.nat(8), fc.nat(8)), { minLength: voxels, maxLength: voxels })
  .map((rows) => [rows.map(([a, b]) => Math.fround(Math.max(a, b) / 8)), rows.map(([a, b]) => Math.min(a, b) / 8)])

const metric = fc.constantFrom('dice' as const, 'iou' as const, 'accuracy' as const, 'volume' as const)
const at = fc.constantFrom(undefined, 0.3, 0.5, 0.8)
const presence = fc.constantFrom('auto' as const, 'always' as const, 'likely' as const)

function check(maps: readonly (readonly number[])[], options: DecodeOptions, labelSets: (number[] | undefined)[]) {
  const data = Float32Array.from(maps.flat())
  const decoded = decodeProbabilities({ data, shape: [maps.length, voxels] }, { ...options, labelSets })
  const separate = decoded.channels === maps.length && options.kind === 'separate'
  const lost: number[] = []
  maps.forEach((m, c) => {
    const labels = labelSets[c]
    const result = decoded.maps[c]
    if (labels === undefined) {
      expect(result).toBeUndefined()
      return
    }
    const inside = m.map((_, i) => (separate ? decoded.data[c * voxels + i] === 1 : labels.includes(decoded.data[i])))
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)
    const count = inside.filter(Boolean).length
    const total = sum(m)
    const inMask = sum(m.filter((_, i) => inside[i]))
    const half = m.map((p) => p >= 0.5)
    const halves = half.filter(Boolean).length
    const dice = (s: number, n: number) => (n + total === 0 ? 1 : (2 * s) / (n + total))
    expect(result).toMatchObject({ volume: count, volumeHalf: halves, present: count > 0, largest: Math.max(...m) })
    expect(result?.softDice).toBeCloseTo(dice(inMask, count), 10)
    expect(result?.diceAtHalf).toBeCloseTo(dice(sum(m.filter((_, i) => half[i])), halves), 10)
    expect(result?.probabilityVolume).toBeCloseTo(total, 10)
    expect(result?.supDice).toBeCloseTo(softDiceOptimumBySort(Float32Array.from(m)).supDice, 10)
    const common = inside.filter((is, i) => is && half[i]).length
    expect(result?.agreementWithHalf).toBeCloseTo(count + halves === 0 ? 1 : (2 * common) / (count + halves), 10)
    const left = result?.presence?.mask === 'empty'
    const threshold = result?.threshold ?? 0.5
    const own = m.map((p) => !left && p >= threshold)
    expect(result?.lostVolume).toBe(own.filter((is, i) => is && !inside[i]).length)
    if (own.some(Boolean)) {
      lost.push(dice(sum(m.filter((_, i) => own[i])), own.filter(Boolean).length) - dice(inMask, count))
    }
  })
  if (decoded.sharingLoss !== undefined) {
    expect(decoded.sharingLoss).toBeCloseTo(lost.length === 0 ? 0 : lost.reduce((a, b) => a + b) / lost.length, 10)
  }
  return decoded
}

describe('what is reported describes the mask that is written', () => {
  test('separate masks', () => {
    fc.assert(
      fc.property(softmax, metric, at, presence, (maps, metric, at, presence) => {
        check(maps, { kind: 'separate', metric, at, presence }, [[1], [2], [3]])
      }),
    )
  })

  test('exclusive classes, with and without a map of the background', () => {
    fc.assert(
      fc.property(softmax, fc.boolean(), metric, at, presence, (maps, whole, metric, at, presence) => {
        const options = { kind: 'exclusive' as const, metric, at, presence }
        check(whole ? maps : maps.slice(1), options, whole ? [undefined, [3], [7]] : [[3], [7]])
      }),
      { numRuns: 500 },
    )
  })

  test('regions, painted in the order of their nesting or against it', () => {
    fc.assert(
      fc.property(regions, fc.boolean(), metric, at, presence, (maps, nested, metric, at, presence) => {
        check(maps, { kind: 'regions', metric, at, presence, paint: nested ? [1, 2] : [2, 1] }, [[1, 2], [2]])
      }),
      { numRuns: 500 },
    )
  })
})

describe('accuracy', () => {
  const argmax = (maps: readonly (readonly number[])[], i: number) =>
    maps.reduce((best, m, c) => (m[i] > maps[best][i] ? c : best), 0)

  test('is the argmax, the background included, whether it has a map or is the rest of 1', () => {
    fc.assert(
      fc.property(softmax, (maps) => {
        const sums = maps[0].map((_, i) => maps.reduce((sum, m) => sum + m[i], 0))
        fc.pre(sums.every((sum) => sum > 0.99))
        const options = { kind: 'exclusive' as const, metric: 'accuracy' as const }
        const whole = check(maps, options, [undefined, [3], [7]])
        expect([...whole.data]).toEqual(maps[0].map((_, i) => [0, 3, 7][argmax(maps, i)]))
        const rest = check(maps.slice(1), options, [[3], [7]])
        maps[0].forEach((background, i) => {
          // Where the background ties with a class, either is as right.
          const best = Math.max(maps[1][i], maps[2][i])
          if (Math.abs(background - best) > 1e-6) expect(rest.data[i]).toBe(whole.data[i])
        })
      }),
    )
  })

  test('0.3, 0.4, 0.3 is the middle class, though no voxel of it reaches ½', () => {
    const data = Float32Array.of(0.3, 0.4, 0.3)
    const options = { kind: 'exclusive' as const, metric: 'accuracy' as const, labelSets: [undefined, [1], [2]] }
    const { data: labels, maps } = decodeProbabilities({ data, shape: [3, 1] }, options)
    expect([...labels]).toEqual([1])
    expect(maps[1]).toMatchObject({ volume: 1, present: true, volumeHalf: 0, threshold: undefined })
    expect(maps[1]?.softDice).toBeCloseTo(0.8 / 1.4, 6)
  })

  test('of nested regions cuts each at ½ and paints the innermost', () => {
    const data = Float32Array.of(0.9, 0.6, 0.4, 0.2, 0.7, 0.3)
    const options = { kind: 'regions' as const, metric: 'accuracy' as const, labelSets: [[1, 2], [2]], paint: [1, 2] }
    expect([...decodeProbabilities({ data, shape: [2, 3] }, options).data]).toEqual([1, 2, 0])
  })
})

test('a contested voxel goes where it changes the score most: Dice and IoU disagree', () => {
  // The third voxel. Dice: 2/7.6·(0.7 − 0.474) = 0.060 against 2/1.3·(0.3 − 0.231) = 0.106; IoU: (4 + 3.6)/16·(0.7 −
  // 0.474) = 0.107 against (1 + 0.3)/1·(0.3 − 0.231) = 0.090.
  const data = Float32Array.of(0.9, 1, 0.7, 1, 0, 0, 0.3, 0)
  const labels = (metric: 'dice' | 'iou') => [
    ...decodeProbabilities({ data, shape: [2, 4] }, { kind: 'exclusive', metric, presence: 'always' }).data,
  ]
  expect(labels('dice')).toEqual([1, 1, 2, 1])
  expect(labels('iou')).toEqual([1, 1, 1, 1])
})
