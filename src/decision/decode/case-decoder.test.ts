import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError } from '../../volume/errors.ts'
import { createGrid } from '../../volume/grid.ts'
import { nearOptimalThresholds } from '../dice-curve.ts'
import { softDiceOptimumBySort } from '../soft-dice-by-sort.ts'
import { CaseDecoder } from './case-decoder.ts'
import { decodeProbabilities } from './decode-probabilities.ts'
import type { DecodeOptions } from './options.ts'

const data = (...maps: number[][]) => ({
  data: Float32Array.from(maps.flat()),
  shape: [maps.length, maps[0].length],
})

describe('separate maps', () => {
  test('each has its own optimum, and the mask is worth what is said', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: Math.fround(0.3), max: 1, noNaN: true }), { minLength: 1, maxLength: 30 }),
        (p) => {
          const { data: mask, maps } = decodeProbabilities(data(p), { flatness: true, presence: 'always' })
          const best = softDiceOptimumBySort(Float32Array.from(p))
          expect([...mask]).toEqual(p.map((value) => Number(value >= best.threshold)))
          expect(maps[0]).toMatchObject({
            volume: best.volume,
            lostVolume: 0,
            near: nearOptimalThresholds(Float32Array.from(p)),
          })
          expect(maps[0]?.softDice).toBeCloseTo(best.supDice, 12)
          expect(maps[0]?.largest).toBe(Math.max(...p.map(Math.fround)))
          const half = p.filter((value) => value >= 0.5).length
          expect(maps[0]?.agreementWithHalf).toBeCloseTo((2 * Math.min(half, best.volume)) / (half + best.volume), 12)
        },
      ),
    )
  })

  test('an absent class has an empty mask, unless it is known to be there or a threshold is given', () => {
    const haze = data(new Array(500).fill(0.01))
    const volumes = [{}, { presence: 'always' as const }, { at: 0.005 }, { metric: 'accuracy' as const }].map(
      (options) => decodeProbabilities(haze, options).maps[0]?.volume,
    )
    expect(volumes).toEqual([0, 500, 500, 0])
    expect(decodeProbabilities(haze).maps[0]).toMatchObject({
      softDice: 0,
      present: false,
      presence: { mask: 'empty' },
    })
  })

  test('nothing but zeros: empty, and worth 1 by convention', () => {
    expect(decodeProbabilities(data([0, 0])).maps[0]).toMatchObject({ softDice: 1, volume: 0, agreementWithHalf: 1 })
  })
})

describe('label maps', () => {
  const softmax = data([0.1, 0.2, 0.9, 0.1], [0.8, 0.45, 0.05, 0.1], [0.1, 0.35, 0.05, 0.8])
  const labelSets = [undefined, [3], [7]]

  test('of exclusive classes, with the labels asked for', () => {
    const { data: map, maps, channels } = decodeProbabilities(softmax, { kind: 'exclusive', labelSets })
    expect(channels).toBe(1)
    expect([...map]).toEqual([3, 3, 0, 7])
    expect(maps[0]).toBeUndefined()
  })

  test('accuracy is argmax with the background; each class may have a threshold of its own', () => {
    expect([...decodeProbabilities(softmax, { kind: 'exclusive', labelSets, metric: 'accuracy' }).data]).toEqual([
      3, 3, 0, 7,
    ])
    const even = data([0.4, 0.5], [0.35, 0.3], [0.25, 0.2])
    expect([...decodeProbabilities(even, { kind: 'exclusive', labelSets, metric: 'accuracy' }).data]).toEqual([0, 0])
    expect([...decodeProbabilities(softmax, { kind: 'exclusive', labelSets, at: [undefined, 0.9, 0.3] }).data]).toEqual(
      [0, 7, 0, 7],
    )
  })

  test('of regions: what they are worth after nesting is counted again', () => {
    const whole = [0.9, 0.9, 0.1, 0.3]
    const core = [0.1, 0.9, 0.1, 0.9]
    const { data: map, maps } = decodeProbabilities(data(whole, core), {
      kind: 'regions',
      labelSets: [[1, 2], [2]],
      paint: [1, 2],
    })
    expect([...map]).toEqual([1, 2, 0, 2])
    // The last voxel is core and so belongs to the whole, though 0.3 is below the whole's own threshold.
    expect(maps[0]?.softDice).toBeCloseTo((2 * (0.9 + 0.9 + 0.3)) / (3 + 2.2), 6)
    expect(maps[0]?.softDice).toBeLessThan(maps[0]?.supDice ?? 0)
    expect(maps[1]?.softDice).toBeCloseTo(maps[1]?.supDice ?? 0, 12)
  })

  test('IoU has the sets of Dice', () => {
    const dice = decodeProbabilities(softmax, { kind: 'exclusive', labelSets })
    const iou = decodeProbabilities(softmax, { kind: 'exclusive', labelSets, metric: 'iou' })
    expect(iou.data).toEqual(dice.data)
  })
})

test('what does not fit is refused', () => {
  expect(() => decodeProbabilities({ data: new Float32Array(5), shape: [2, 3] })).toThrow(InputError)
  expect(() => decodeProbabilities({ data: new Float32Array(6), shape: [2, 3] }, { labelSets: [[1]] })).toThrow(
    InputError,
  )
  expect(() => decodeProbabilities(data([0.5, Number.NaN]))).toThrow(InputError)
  expect(() => decodeProbabilities(data([0.5, 1.5]))).toThrow(InputError)
})

describe('options that do not fit are refused, with what would', () => {
  const two = data([0.9, 0.1], [0.1, 0.9])
  test.each([
    [{ kind: 'labels' }, /kind: is 'labels'; give separate, exclusive, regions/],
    [{ metric: 'f1' }, /metric: is 'f1'/],
    [{ presence: 'sometimes' }, /presence: is 'sometimes'/],
    [{ labelSets: [[1], [2], [3]] }, /labelSets: has 3 entries for 2 maps/],
    [{ labelSets: [[70_000], [1]] }, /labelSets: a label is 70000/],
    [{ labelSets: [[-1], [1]] }, /labelSets: a label is -1/],
    [{ labelSets: [[1.5], [1]] }, /labelSets: a label is 1.5/],
    [{ labelSets: [[], [1]] }, /labelSets: has an empty set/],
    [{ kind: 'exclusive', labelSets: [[0], [1]] }, /labelSets: gives a class label 0/],
    [{ kind: 'exclusive', labelSets: [[1, 2], [3]] }, /labelSets: gives one class the labels 1 and 2/],
    [{ kind: 'exclusive', labelSets: [[1], [1]] }, /labelSets: gives label 1 to two classes/],
    [{ kind: 'regions', paint: [1, 99_999] }, /paint: a label is 99999/],
    [{ at: 0 }, /at: is 0/],
    [{ at: 1.5 }, /at: is 1.5; give a threshold above 0/],
    [{ at: [0.5] }, /at: has 1 entries for 2 maps/],
    [{ smallestElsewhere: [1] }, /smallestElsewhere: has 1 entries/],
  ])('%j', (options, message) => {
    const decode = () => decodeProbabilities(two, options as DecodeOptions)
    expect(decode).toThrow(InputError)
    expect(decode).toThrow(message)
  })

  test('arrays: float64 is rounded to float32, anything else is refused', () => {
    const p = [0.9, 0.2]
    const expected = decodeProbabilities({ data: Float32Array.from(p), shape: [1, 2] })
    expect(decodeProbabilities({ data: Float64Array.from(p), shape: [1, 2] })).toEqual(expected)
    for (const wrong of [p, Uint8Array.of(1, 0), undefined]) {
      expect(() => decodeProbabilities({ data: wrong as unknown as Float32Array, shape: [1, 2] })).toThrow(InputError)
    }
  })

  test('a volume has one channel a class', () => {
    const grid = createGrid([2, 1, 1])
    const volume = { grid, channels: 2, data: two.data }
    expect(decodeProbabilities(volume, { kind: 'exclusive' })).toEqual(decodeProbabilities(two, { kind: 'exclusive' }))
    const bytes = { grid, channels: 1, data: Uint8Array.of(255, 51), scaling: { slope: 1 / 255, intercept: 0 } }
    expect(decodeProbabilities(bytes).maps[0]?.supDice).toBeCloseTo(2 / 2.2, 6)
    expect(() => decodeProbabilities({ ...volume, channels: 3 })).toThrow('has 4 numbers for 3 channels of 2 voxels')
  })

  test('maps of another size, too many or too few', () => {
    const decoder = new CaseDecoder(2, 2, {})
    expect(() => decoder.add(new Float32Array(3))).toThrow(/map 0: has 3 voxels, not 2/)
    decoder.add(new Float32Array(2))
    expect(() => decoder.finish()).toThrow(/1 too few/)
    decoder.add(new Float32Array(2))
    expect(() => decoder.add(new Float32Array(2))).toThrow(/more than the 2 announced/)
  })
})

test('labels beyond 255 need 16 bits', () => {
  const regions = { kind: 'regions' as const, labelSets: [[1000, 2000], [2000]], paint: [1000, 2000] }
  expect([...decodeProbabilities(data([0.9, 0.9], [0, 0.9]), regions).data]).toEqual([1000, 2000])
})
