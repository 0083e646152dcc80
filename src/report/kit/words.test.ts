import { expect, test } from 'vitest'
import { counted, pText, signed, strengthText } from './words.ts'

test('counted', () => {
  expect([0, 1, 2].map((n) => counted(n, 'case'))).toEqual(['0 cases', '1 case', '2 cases'])
})

test('strengthText', () => {
  expect(['4', '1.5', '8x8x0', '0.5x0.5x2'].map(strengthText)).toEqual(['4', '1.5', '8 × 8 × 0', '0.5 × 0.5 × 2'])
})

test('pText never says zero', () => {
  expect([0, 1e-300, 0.00009999, 0.0001, 0.05, 1].map(pText)).toEqual([
    '< 0.0001',
    '< 0.0001',
    '< 0.0001',
    '0.0001',
    '0.0500',
    '1.0000',
  ])
})

test('differences have a sign by a true minus, and none where they round to 0', () => {
  expect([0.0125, -0.2, 0.0004, -0.0004, 0].map((x) => signed(x))).toEqual([
    '+0.013',
    '−0.200',
    '0.000',
    '0.000',
    '0.000',
  ])
  expect(signed(-0.00012, 4)).toBe('−0.0001')
})
