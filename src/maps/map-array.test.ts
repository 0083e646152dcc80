import { expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { mapShape } from './map-array.ts'

test('shapes of arrays', () => {
  expect(mapShape([3, 4, 5, 6], 'x')).toEqual({ channels: 3, shape: [4, 5, 6] })
  expect(mapShape([1, 3, 4, 5, 6], 'x')).toEqual({ channels: 3, shape: [4, 5, 6] })
  expect(mapShape([4, 5, 6], 'x')).toEqual({ channels: 1, shape: [4, 5, 6] })
  for (const axes of [[], [5], [5, 6], [2, 3, 4, 5, 6], [3, 0, 5, 6]])
    expect(() => mapShape(axes, 'x')).toThrow(InputError)
})
