import { expect, test } from 'vitest'
import type { MapResult } from '../decision/decode/result.ts'
import { mapWarnings } from './map-warnings.ts'

const told = (...maps: ([largest: number, supDice: number] | undefined)[]) =>
  mapWarnings({ maps: maps.map((each) => each && ({ largest: each[0], supDice: each[1] } as MapResult)) })
const nothing = ['its probabilities are 0 everywhere, so that the mask is empty']
const certain = ['holds only 0 and 1, so that every threshold gives the same mask: is it a segmentation?']

test('maps whose masks do not depend on any threshold; a background, and a class that is absent, say nothing', () => {
  expect(told([0, 0], [0, 0])).toEqual(nothing)
  expect(told(undefined, [0, 0])).toEqual(nothing)
  expect(told(undefined, [1, 1], [0, 0])).toEqual(certain)
  expect(told([1, 1], [0.4, 0.3])).toEqual([])
  expect(told([0, 0], [0.4, 0.3])).toEqual([])
  expect(told(undefined)).toEqual([])
})
