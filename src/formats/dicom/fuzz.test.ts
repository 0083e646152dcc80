/** Damage to the bytes before the pixels: an InputError, or what the file says all the same. */
import { describe, expect, test } from 'vitest'
import { InputError } from '../../volume/errors.ts'
import type { Volume } from '../../volume/volume.ts'
import { bigEndian, dicomFile, frameElements, implicit, packBits, segmentsOf } from '../testing/dicom-bytes.ts'
import { decodeDicom } from './read.ts'

const measures = [
  [0x00180050, 'DS', '2.5'],
  [0x00180088, 'DS', '2.5'],
] as const
const enhanced = frameElements({
  rows: 3,
  columns: 4,
  pixels: Array.from({ length: 48 }, (_, n) => n),
  positions: [0, 1, 2, 3].map((k) => [-3, -4, 10 + 2.5 * k]),
  measures,
})
const segmentation = frameElements({
  rows: 3,
  columns: 5,
  pixels: packBits(Array.from({ length: 60 }, (_, n) => Number(n % 4 === Math.floor(n / 15)))),
  positions: [0, 2.5, 2.5, 5].map((z) => [-3, -4, z]),
  measures,
  ...segmentsOf({ 1: 'aa', 2: 'bb' }, [1, 1, 2, 2]),
})
const elements = { enhanced, segmentation }

async function outcome(bytes: Uint8Array): Promise<Volume | undefined> {
  try {
    return await decodeDicom(bytes, 'fuzz.dcm')
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return undefined
  }
}

/** Everything but the names of labels, which nothing else in a file repeats. */
const summary = (volume: Volume | undefined) =>
  volume && JSON.stringify([volume.grid, volume.channels, volume.scaling, [...volume.data]])

/** Where the numbers stand that nothing else in the file repeats: pixels' spacing, and positions. */
function unrepeated(bytes: Buffer): (at: number) => boolean {
  const texts = ['0.9\\0.7', ...[10, 12.5, 15, 17.5, 0, 2.5, 5].map((z) => `-3\\-4\\${z}`)]
  const free = new Set<number>()
  for (const text of texts) {
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
      // A pad character may become a digit.
      for (let n = 0; n < text.length + (text.length % 2); n++) free.add(at + n)
    }
  }
  return (at) => free.has(at)
}

describe.each(['enhanced', 'segmentation'] as const)('%s', (kind) => {
  test.each(['1.2.840.10008.1.2.1', implicit, bigEndian])('one flipped bit anywhere, %s', async (syntax) => {
    for (const delimited of [false, true]) {
      const bytes = Buffer.from(dicomFile(elements[kind], { syntax, delimited }))
      const right = summary(await outcome(bytes))
      const free = unrepeated(bytes)
      const pixels = bytes.length - (kind === 'enhanced' ? 96 : 8)
      const wrong: string[] = []
      let refused = 0
      for (let at = 128; at < pixels; at++) {
        for (let bit = 0; bit < 8; bit++) {
          bytes[at] ^= 1 << bit
          const seen = summary(await outcome(bytes))
          if (seen === undefined) refused++
          else if (seen !== right && !free(at)) wrong.push(`byte ${at} bit ${bit}: ${seen.slice(0, 150)}`)
          bytes[at] ^= 1 << bit
        }
      }
      expect(wrong).toEqual([])
      expect(refused).toBeGreaterThan(4 * (pixels - 128))
    }
  })
  test('5,000 files with several bytes changed, moved or cut', async () => {
    const whole = Buffer.from(dicomFile(elements[kind], { delimited: true }))
    let state = 1
    const random = (n: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * n)
    }
    for (let n = 0; n < 5000; n++) {
      const bytes = Buffer.from(whole.subarray(0, random(3) ? whole.length : random(whole.length)))
      for (let k = random(6); k >= 0; k--) {
        const [from, to] = [random(bytes.length), random(bytes.length)]
        if (random(2)) bytes.copyWithin(to, from, from + random(40))
        else bytes.fill([0, 255, random(256)][random(3)], to, Math.min(bytes.length, to + 1 + random(4)))
      }
      const volume = await outcome(bytes)
      if (volume) expect(volume.data.length).toBe(volume.channels * volume.grid.shape.reduce((a, b) => a * b, 1))
    }
  })
})
