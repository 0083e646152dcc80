import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { encapsulatedFile, sliceElements } from '../testing/dicom-bytes.ts'
import { compressedCases as cases, sixteen, twoFrames } from '../testing/dicom-compressed.ts'
import { readVolume } from '../volume-file.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(root, { recursive: true }))

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
