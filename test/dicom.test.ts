import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import {
  dicomFile,
  type FramesRecipe,
  frameElements,
  packBits,
  segmentsOf,
  withElements,
} from '../src/formats/testing/dicom-bytes.ts'
import { readVolume, writeVolume } from '../src/formats/volume-file.ts'
import { expectRefusal, halfdice, halfdiceJson, temporaryFolder } from './support/halfdice.ts'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const size = 12
const [FIRST, LAST] = [3, 8]

/** A ball of label 1 with a core of label 2, in slices 3 to 8 of 12. */
const labelAt = (i: number, j: number, k: number) => {
  const r = Math.hypot(i - 5.5, j - 5.5, k - 5.5)
  return r < 1.8 ? 2 : r < 3.2 ? 1 : 0
}
const image = Uint8Array.from({ length: size ** 3 }, (_, n) =>
  labelAt(n % size, Math.floor(n / size) % size, Math.floor(n / size ** 2)),
)
const grid = {
  shape: [size, size, size],
  spacing: [0.7, 0.9, 2.5],
  origin: [3, 4, 10],
  direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1],
} as const

const frames: { segment: number; k: number }[] = []
for (const segment of [1, 2])
  for (let k = FIRST; k <= LAST; k++)
    if (image.subarray(k * size ** 2, (k + 1) * size ** 2).includes(segment)) frames.push({ segment, k })

function segmentation(more: Partial<FramesRecipe> = {}, type = 'BINARY') {
  const bits = frames.flatMap(({ segment, k }) =>
    [...image.subarray(k * size ** 2, (k + 1) * size ** 2)].map((label) => Number(label === segment)),
  )
  const about = segmentsOf(
    { 1: 'liver', 2: 'tumour' },
    frames.map(({ segment }) => segment),
    type,
  )
  return frameElements({
    rows: size,
    columns: size,
    pixels: type === 'BINARY' ? packBits(bits) : Uint8Array.from(bits, (bit) => 200 * bit),
    positions: frames.map(({ k }) => [-3, -4, 10 + 2.5 * k]),
    measures: [[0x00180088, 'DS', '2.5']],
    ...about,
    ...more,
  })
}

beforeAll(async () => {
  await writeVolume(at('image.nii.gz'), { grid, channels: 1, data: image })
  writeFileSync(at('seg.dcm'), dicomFile(segmentation()))
})

test('a segmentation of some slices is compared with a label map of all, by the names of its segments', async () => {
  for (const pair of [
    [at('seg.dcm'), at('image.nii.gz')],
    [at('image.nii.gz'), at('seg.dcm')],
  ]) {
    const { labels } = await halfdiceJson<{ labels: Record<string, { dice: number; volumeRefMl: number }> }>([
      'evaluate',
      ...pair,
    ])
    expect(Object.keys(labels)).toEqual(['1', '2'])
    expect(Object.values(labels).map(({ dice }) => dice)).toEqual([1, 1])
  }
  const one = await halfdice(['evaluate', at('image.nii.gz'), at('seg.dcm'), '--labels', 'tumour'])
  expect(one.stdout).toMatch(/\n +2 +tumour +1\.0000/)
})

test('noise moves objects beyond the slices that a segmentation stores, as in a label map of all', async () => {
  type Row = Record<'supDice' | 'threshold' | 'volumeRatioDice', number> & { readonly name?: string }
  const optimum = async (file: string) => {
    const args = ['optimum', at(file), '--sigma', '1.5', '--labels', '1']
    return (await halfdiceJson<{ rows: Row[] }>(args)).rows[0]
  }
  const [stored, all] = [await optimum('seg.dcm'), await optimum('image.nii.gz')]
  expect([stored.name, all.name]).toEqual(['liver', undefined])
  // NIfTI's spacing is in float32.
  for (const key of ['supDice', 'threshold', 'volumeRatioDice'] as const) expect(stored[key]).toBeCloseTo(all[key], 6)
  for (const [command, ...args] of [
    ['marginal', '--sigma', '1.5', '-o', at('p.nii.gz')],
    ['sample', '--sigma', '1.5', '--length', '6', '-o', at('noisy')],
  ]) {
    expect((await halfdice([command, at('seg.dcm'), ...args])).stderr).toBe('')
    const { grid: wide } = await readVolume(command === 'sample' ? at('noisy/seg_0000.nii.gz') : at('p.nii.gz'))
    expect(wide.shape).toEqual([size, size, LAST - FIRST + 1 + 2 * 3]) // 5 σ are 3 slices
    expect(wide.origin[2]).toBeCloseTo(10 + 2.5 * (FIRST - 3), 4)
  }
})

test('fractions are probability maps for threshold', async () => {
  const maximum = [0x0062000e, 'US', [200]] as const
  writeFileSync(at('fractions.dcm'), dicomFile(withElements(segmentation({}, 'FRACTIONAL'), maximum)))
  await halfdiceJson(['threshold', at('fractions.dcm'), '-o', at('mask.nii.gz')])
  const { data, channels } = await readVolume(at('mask.nii.gz'))
  expect(channels).toBe(2)
  const stored = [...image.subarray(FIRST * size ** 2, (LAST + 1) * size ** 2)]
  expect([...data]).toEqual([1, 2].flatMap((label) => stored.map((each) => Number(each === label))))
})

test('objects that are no image are refused by name', async () => {
  const contours = withElements(segmentation(), [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.481.3'])
  writeFileSync(at('rtstruct.dcm'), dicomFile(contours))
  const refused = await halfdice(['sample', at('rtstruct.dcm'), '-o', at('x'), '--sigma', '1', '--length', '3'])
  expectRefusal(refused, 'is an RT Structure Set')
})
