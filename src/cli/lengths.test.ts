import { expect, test } from 'vitest'
import { createGrid } from '../volume/grid.ts'
import { lengthMm, lengthPerAxisMm, parseLength } from './lengths.ts'

const grid = createGrid([10, 20, 30], [0.5, 1, 3])

test.each([
  ['4', [4, 4, 4]],
  ['4mm', [4, 4, 4]],
  ['2vx', [1, 2, 6]],
  ['4,4,6', [4, 4, 6]],
  ['1vx,2mm,.5', [0.5, 2, 0.5]],
  ['1e1', [10, 10, 10]],
  ['4,4,0', [4, 4, 0]],
  [' 4 , 5 , 6 mm', [4, 5, 6]],
])('%s along each axis', (text, expected) => {
  expect(lengthPerAxisMm('--sigma', parseLength('--sigma', text), grid)).toEqual(expected)
})

test('two lengths are enough for a 2-D image, and only there', () => {
  const two = parseLength('--sigma', '4,5')
  expect(lengthPerAxisMm('--sigma', two, createGrid([10, 10, 1]))).toEqual([4, 5, 5])
  expect(() => lengthPerAxisMm('--sigma', two, grid)).toThrow('2 lengths for 3 axes; give 1 or 3')
})

test.each(['0', '-1', '0vx', '0,0,0', '4,-1,4', '-0', '1e999'])('%s is not positive', (text) => {
  expect(() => parseLength('--sigma', text)).toThrow('--sigma: ')
  expect(() => parseLength('--sigma', text)).toThrow('greater than zero')
})

test.each(['', 'four', '4cm', '4,,4', 'nan', 'Infinity', '4;5', '0x10'])("'%s' is no length", (text) => {
  expect(() => parseLength('--sigma', text)).toThrow('is not a length')
})

test('four parts are refused', () => {
  expect(() => parseLength('--sigma', '1,2,3,4')).toThrow('has 4 parts')
})

test('a length scale in voxels needs cubic voxels', () => {
  const length = parseLength('--length', '4vx')
  expect(lengthMm('--length', length, createGrid([9, 9, 9], [1.5, 1.5, 1.5]))).toBe(6)
  expect(lengthMm('--length', length, createGrid([9, 9, 1], [1.5, 1.5, 7]))).toBe(6)
  expect(() => lengthMm('--length', length, grid)).toThrow('0.5×1×3 mm; give it in mm')
  expect(() => lengthMm('--length', parseLength('--length', '4,5,6'), grid)).toThrow('is one number')
})
