import { expect, test } from 'vitest'
import { InputError, OutputError } from '../volume/errors.ts'
import { inputFault, outputFault } from './file-faults.ts'

const error = (code: string) => Object.assign(new Error(code), { code })

test('a full disk is the machine’s fault, a missing folder the user’s, anything else ours', () => {
  expect(outputFault(error('ENOSPC'), 'a.nii')).toEqual(
    new OutputError('a.nii', 'the disk is full; free some space and run again'),
  )
  expect(outputFault(error('EIO'), 'a.nii')).toBeInstanceOf(OutputError)
  expect(outputFault(error('EACCES'), 'a.nii')).toBeInstanceOf(InputError)
  expect(outputFault(error('EROFS'), 'a.nii')).toBeInstanceOf(InputError)
  expect(inputFault(error('EACCES'), 'a.nii')).toEqual(
    new InputError('a.nii', 'may not be read; check its permissions'),
  )
  const defect = new TypeError('x is undefined')
  expect(outputFault(defect, 'a.nii')).toBe(defect)
  expect(inputFault(error('EMFILE'), 'a.nii')).not.toBeInstanceOf(InputError)
})
