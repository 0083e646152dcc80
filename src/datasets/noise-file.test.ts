import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../test/support/halfdice.ts'
import { borrowedNoise, noiseOfLabels, readNoiseFile } from './noise-file.ts'

const folder = temporaryFolder()
const path = join(folder, 'fit.json')
const read = (json: unknown) => {
  writeFileSync(path, typeof json === 'string' ? json : JSON.stringify(json))
  return readNoiseFile(path)
}
const noise = { sigmaMm: [1, 1, 2], lengthMm: 6, presence: 0.8, biasMm: 0, biasSdMm: 0.3 }

describe('the noise of a fit', () => {
  test('serves any label where it is the only one, and says so', () => {
    const file = read({ labels: { 3: { noise } } })
    const model = { sigmaMm: [1, 1, 2], lengthMm: 6, presence: 0.8, biasSdMm: 0.3 }
    expect(noiseOfLabels(file, [3])).toEqual(model)
    expect(noiseOfLabels(file, [1, 2, 3])).toEqual(model)
    expect(noiseOfLabels(file, [])).toEqual(model)
    expect(borrowedNoise(file, [0, 3])).toBeUndefined()
    expect(borrowedNoise(file, [0, 1, 2, 3])).toBe(`${path}: is of label 3; label 1, 2 takes its noise`)
  })

  test('of several labels is each label’s own', () => {
    const file = read({ labels: { 1: { noise }, 2: { noise: { sigmaMm: 3, lengthMm: 9 } }, 4: { reason: 'too few' } } })
    expect(noiseOfLabels(file, [2])).toEqual({ sigmaMm: [3, 3, 3], lengthMm: 9 })
    expect(() => noiseOfLabels(file, [1, 2])).toThrow('has a noise for each of the labels 1, 2, 4')
    expect(() => noiseOfLabels(file, [])).toThrow('choose one of them')
    expect(() => noiseOfLabels(file, [7])).toThrow('has no noise of label 7, only of 1, 2, 4')
    expect(() => noiseOfLabels(file, [4])).toThrow('holds no noise (too few)')
    expect(borrowedNoise(file, [7])).toBeUndefined()
  })

  test('may be written by hand', () => {
    const file = read({ noise: { sigmaMm: 2, lengthMm: 6 } })
    expect(noiseOfLabels(file, [5, 6])).toEqual({ sigmaMm: [2, 2, 2], lengthMm: 6 })
    expect(borrowedNoise(file, [5])).toBeUndefined()
  })

  test.each([
    ['text', 'σ is two', 'is not JSON'],
    ['a list', [1], 'is no fit of annotators'],
    ['another object', { labels: { liver: 1 } }, 'has no noise of annotators'],
    ['σ below 0', { noise: { sigmaMm: -1, lengthMm: 6 } }, "'noise': sigma is -1,-1,-1;"],
    ['no ℓ', { noise: { sigmaMm: 1 } }, "'noise': length is undefined;"],
    ['σ as text', { noise: { sigmaMm: '1', lengthMm: 6 } }, "'noise': sigma is 1; give three numbers"],
    ['q above 1', { noise: { ...noise, presence: 1.5 } }, "'noise': presence is 1.5;"],
  ])('is refused where it is %s', (_, json, says) => {
    expect(() => read(json)).toThrow(says)
  })

  test('that could not be made says why', () => {
    const file = read({ labels: { 1: { sigmaMm: { estimate: 0 } } } })
    expect(() => noiseOfLabels(file, [1])).toThrow('holds no noise (its annotators do not differ)')
  })
})
