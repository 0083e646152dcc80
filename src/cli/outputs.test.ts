import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkOutputFolder, checkOutputImage, imageEnding, outputsInFolder, stem } from './outputs.ts'

const dir = mkdtempSync(join(tmpdir(), 'halfdice-outputs-'))
const input = join(dir, 'in.nii.gz')
beforeAll(() => {
  writeFileSync(input, 'x')
  mkdirSync(join(dir, 'folder'))
})
afterAll(() => rmSync(dir, { recursive: true }))

test('the ending is the whole ending', () => {
  expect(imageEnding('a/liver.nii.gz')).toBe('.nii.gz')
  expect(imageEnding('a/LIVER.NII')).toBe('.nii')
  expect(imageEnding('a/liver.txt')).toBeUndefined()
  expect(imageEnding('.nii')).toBeUndefined()
})

test('stem drops the folder and the ending, and nothing else', () => {
  expect(stem('a.b/liver.1.nii.gz')).toBe('liver.1')
  expect(stem('case.npz')).toBe('case')
  expect(stem('.hidden')).toBe('.hidden')
})

describe('an input is never an output', () => {
  test('by another spelling', () => {
    expect(() => checkOutputImage(join(dir, 'folder/../in.nii.gz'), [input])).toThrow('would overwrite the input')
  })
  test('through a symbolic link to the file or its folder', () => {
    symlinkSync(input, join(dir, 'link.nii.gz'))
    symlinkSync(dir, join(dir, 'here'))
    expect(() => checkOutputImage(join(dir, 'link.nii.gz'), [input])).toThrow('would overwrite')
    expect(() => checkOutputImage(join(dir, 'here/in.nii.gz'), [input])).toThrow('would overwrite')
  })
  test('as a hard link', () => {
    linkSync(input, join(dir, 'hard.nii.gz'))
    expect(() => checkOutputImage(join(dir, 'hard.nii.gz'), [input])).toThrow('would overwrite')
  })
  test('as the second file of a pair', () => {
    writeFileSync(join(dir, 'pair.hdr'), 'x')
    expect(() => checkOutputImage(join(dir, 'pair.img'), [join(dir, 'pair.hdr')])).toThrow('would overwrite')
  })
  test('in an output folder that holds it', () => {
    expect(() => outputsInFolder(dir, [input], ['in.nii.gz'])).toThrow('would overwrite')
    expect(outputsInFolder(join(dir, 'new'), [input], ['in.nii.gz'])).toEqual([join(dir, 'new/in.nii.gz')])
  })
})

test('two inputs of one name cannot share a folder', () => {
  expect(() => outputsInFolder('out', ['a/x.nii', 'b/x.nii'], ['x.nii', 'x.nii'])).toThrow('b/x.nii: would be written')
})

test('faults of the output path are named before any work', () => {
  expect(() => checkOutputImage(join(dir, 'mask.txt'), [])).toThrow('does not name an image format')
  expect(() => checkOutputImage(join(dir, 'none/mask.nii'), [])).not.toThrow()
  expect(() => checkOutputImage(join(input, 'mask.nii'), [])).toThrow('is a file, not a folder')
  mkdirSync(join(dir, 'named.nii'))
  expect(() => checkOutputImage(join(dir, 'named.nii'), [])).toThrow('is a folder')
  expect(() => checkOutputFolder(input)).toThrow('is a file, not a folder')
  expect(() => checkOutputFolder(join(input, 'deeper'))).toThrow('in.nii.gz is a file')
  expect(() => checkOutputFolder(join(dir, 'a/b/c'))).not.toThrow()
})
