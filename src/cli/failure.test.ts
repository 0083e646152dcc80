import { expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { describe } from './failure.ts'

test('input errors are shown as they are, also from another thread', () => {
  expect(describe(new InputError('a.nii', 'is empty; give another'))).toEqual({
    code: 2,
    text: 'a.nii: is empty; give another',
  })
  const crossed = Object.assign(new Error('a.nii: is empty; give another'), { name: 'InputError' })
  expect(describe(crossed).code).toBe(2)
})

test('errors of the system name the path and a remedy', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
    syscall: 'write',
    path: '/x/y.nii',
  })
  expect(describe(full)).toEqual({
    code: 2,
    text: '/x/y.nii: no space left on the disk; free some or write somewhere else',
  })
})

test('a defect asks to be reported, and memory that runs out does not', () => {
  expect(describe(new TypeError('x is not a function'))).toEqual({
    code: 1,
    text: 'internal error: x is not a function; run again with HALFDICE_DEBUG=1 and report what it prints',
  })
  expect(describe(new RangeError('Array buffer allocation failed')).text).toMatch(/^halfdice: memory ran out/)
})
