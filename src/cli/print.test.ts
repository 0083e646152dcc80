import { expect, test } from 'vitest'
import { fixed, millilitres, percent, table } from './print.ts'

test('numbers are set right, text left, and what is missing is a dash', () => {
  expect(
    table(
      ['label', 'dice', 'name'],
      [
        [1, fixed(0.5, 3), 'liver'],
        [12, undefined, 'a'],
      ],
    ),
  ).toBe(['label   dice  name', '    1  0.500  liver', '   12      –  a'].join('\n'))
})

test('millilitres keep three digits', () => {
  expect([0, 1234.4, 56.78, 8.901, 0.01234].map(millilitres)).toEqual(['0', '1234', '56.8', '8.90', '0.012'])
})

test('a small share is not rounded to nothing', () => {
  expect([0, 1, 0.0123, 1e-9].map(percent)).toEqual(['0 %', '100 %', '1.2 %', '< 0.0001 %'])
})
