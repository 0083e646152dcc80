import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encapsulatedFile, frameElements, sliceElements, withElements } from '../testing/dicom-bytes.ts'
import { readVolume } from '../volume-file.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(root, { recursive: true }))

/**
 * Two frames of 8 columns × 6 rows: pixel n of the 96 is (37·n mod 1000) − 300, in 16 bits; for JPEG baseline 40 and
 * 200 all over, in 8. Compressed by gdcmconv 3.0.21 (JPEG 2000: see pydicom.test.ts).
 */
const coded = {
  '1.2.840.10008.1.2.4.70': [
    '/9j/wwALEAAGAAgBAREA/8QAFwABAQEBAAAAAAAAAAAAAAAABgkKD//aAAgBAQABAADv2olSpUqVKlpQlSpUqVKlpQlSpUqVKlpQ' +
      'lSpcHiVKlyfpUqVKlSpaUJUqVKlSpf/ZAA==',
    '/9j/wwALEAAGAAgBAREA/8QAFwABAQEBAAAAAAAAAAAAAAAABgoJD//aAAgBAQABAADgO2lSpUqVLB5J+lSpUqVKl0oSpUqVKlS6' +
      'UJUqVKlSpdKEsHiVKlSpZP0qVKlSpUv/2Q==',
  ],
  '1.2.840.10008.1.2.4.80': [
    '/9j/9wALEAAGAAgBAREA//gADQH//wASAEMBFABA/9oACAEBAAAAAGVokxHkWQ6DP57lCJUAIAgCAQCAGT8oRIkaRKFQIlZOn08n' +
      'QDLzqcRIWBm00iVEqAQCAMnQEBADJkymEjD/2QA=',
    '/9j/9wALEAAGAAgBAREA//gADQH//wASAEMBFABA/9oACAEBAAAAAHt4kxHkWQ6DPwGSV/iVEiRpEoUSolZSgBAEAQCAQAyjlCgT' +
      '6eTqcW0SsoWgAAnZpMphLokLAxIiVAIBAQEAAP/ZAA==',
  ],
  '1.2.840.10008.1.2.5': [
    'AgAAAEAAAABaAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAP/++/8A//oA+wH/' +
      'Av0CAP7+//3//QD+APwBB9T5HkNojbLXB/whRmuQtdr/ByRJbpO43QInB0xxlrv4HUJnB4yx1vsgRWqPB7TZ/iNIbZK3',
    'AgAAAEAAAABcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB+wIA/vr/AAD7' +
      'AP8B/QH9Av8CAP78////+wAH3AEmS3CVuvcHHEFmi7DV+h8HRGmOs9j9IkcHbJG22wAlSm8HlLn2G0Bliq8H1PkeQ2iNstc=',
  ],
  '1.2.840.10008.1.2.4.50': [
    '/9j/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAAL' +
      'CAAGAAgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEG' +
      'E1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4' +
      'eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6' +
      '/9oACAEBAAA/AP5P6//ZAA==',
    '/9j/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAAL' +
      'CAAGAAgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEG' +
      'E1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4' +
      'eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6' +
      '/9oACAEBAAA/AP6QK//ZAA==',
  ],
}
const sixteen = Array.from({ length: 96 }, (_, n) => ((37 * n) % 1000) - 300)
const eight = Array.from({ length: 96 }, (_, n) => (n < 48 ? 40 : 200))
const cases = Object.entries(coded).map(([syntax, coded]) => {
  const bits = syntax.endsWith('.50') ? 8 : 16
  return { syntax, bits, parts: coded.map((part) => Buffer.from(part, 'base64')), truth: bits === 8 ? eight : sixteen }
})

/** Frames from head to foot, so that the first one stored is the last slice. */
const twoFrames = (bits: number) =>
  withElements(
    frameElements({
      rows: 6,
      columns: 8,
      bits,
      pixels: [],
      positions: [
        [0, 0, 5],
        [0, 0, 0],
      ],
    }),
    [0x00280103, 'US', [bits === 16 ? 1 : 0]],
  )

test.each(cases)('two frames of one file, $syntax', async ({ syntax, bits, parts, truth }) => {
  const path = join(root, `${syntax}.dcm`)
  const slices = [...truth.slice(48), ...truth.slice(0, 48)]
  writeFileSync(path, encapsulatedFile(twoFrames(bits), parts, syntax))
  expect([...(await readVolume(path)).data]).toEqual(slices)
  // A frame in several fragments, which the offset table keeps apart.
  const split = parts.flatMap((part) => [part.subarray(0, 40), part.subarray(40)])
  const table = new Uint8Array(8)
  new DataView(table.buffer).setUint32(4, 8 + 40 + 8 + parts[0].length - 40, true)
  writeFileSync(path, encapsulatedFile(twoFrames(bits), split, syntax, table))
  expect([...(await readVolume(path)).data]).toEqual(slices)
  writeFileSync(path, encapsulatedFile(twoFrames(bits), split, syntax))
  await expect(readVolume(path)).rejects.toThrow('has 4 fragments of pixels for 2 frames')
  for (const length of [2, 10, 30]) {
    const cut = [parts[0], parts[1].subarray(0, parts[1].length - length)]
    writeFileSync(path, encapsulatedFile(twoFrames(bits), cut, syntax))
    await expect(readVolume(path), `${length} bytes less`).rejects.toThrow('has pixels that cannot be decoded as')
  }
})

test('the slices of a folder; a damaged one is named', async () => {
  const { syntax, parts } = cases[0]
  const folder = join(root, 'folder')
  mkdirSync(folder)
  const slice = (k: number) =>
    sliceElements({ rows: 6, columns: 8, pixels: new Int16Array(0), position: [0, 0, 2 * k], slope: 2, intercept: 1 })
  const put = (k: number, part: Uint8Array) =>
    writeFileSync(join(folder, `${k}.dcm`), encapsulatedFile(slice(k), [part], syntax))
  put(1, parts[0])
  put(0, parts[1])
  put(2, parts[1])
  const { data, scaling } = await readVolume(folder)
  expect([[...data], scaling]).toEqual([[...sixteen.slice(48), ...sixteen], { slope: 2, intercept: 1 }])
  for (const bad of [parts[1].subarray(0, 60), parts[1].subarray(0, -4), Buffer.from(parts[1]).fill(0xff, 30, 60)]) {
    put(2, bad)
    await expect(readVolume(folder)).rejects.toThrow(
      `${join(folder, '2.dcm')}: has pixels that cannot be decoded as JPEG lossless, first-order prediction`,
    )
  }
})
