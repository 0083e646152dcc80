import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../../volume/errors.ts'
import { labelMapOf } from '../../volume/labels.ts'
import {
  dicomFile,
  type Elements,
  type FramesRecipe,
  frameElements,
  packBits,
  segmentsOf,
  withElements,
} from '../testing/dicom-bytes.ts'
import { readVolume } from '../volume-file.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(root, { recursive: true }))

let count = 0
function read(elements: Elements, options = {}) {
  const path = join(root, `${count++}.dcm`)
  writeFileSync(path, dicomFile(elements, options))
  return readVolume(path)
}
async function fault(elements: Elements): Promise<string> {
  const error = await read(elements).catch((error) => error)
  expect(error).toBeInstanceOf(InputError)
  return error.fault
}

/** A frame of 5 columns × 3 rows (15 bits, so that frames do not begin with a byte) where some pixels are set. */
const frame = (...set: number[]) => Array.from({ length: 15 }, (_, n) => Number(set.includes(n)))
const at = (z: number) => [0, 0, z]
const spacing = (mm: number): Elements => [[0x00180088, 'DS', String(mm)]]
const thickness = (mm: number): Elements => [[0x00180050, 'DS', String(mm)]]
const binary = (
  names: Record<number, string>,
  owned: readonly (readonly [segment: number, z: number, bits: readonly number[]])[],
  more: Partial<FramesRecipe> = {},
) =>
  frameElements({
    rows: 3,
    columns: 5,
    pixels: packBits(owned.flatMap(([, , bits]) => bits)),
    positions: owned.map(([, z]) => at(z)),
    ...segmentsOf(
      names,
      owned.map(([segment]) => segment),
    ),
    ...more,
  })
const places = (data: ArrayLike<number>, label: number) =>
  Array.from(data).flatMap((value, n) => (value === label ? [n] : []))

describe('BINARY', () => {
  const two = [
    [1, 20, frame(0, 14)],
    [1, 22, frame(3)],
    [1, 24, frame(7)],
    [2, 24, frame(8, 9)],
    [2, 22, frame(1)],
  ] as const
  test('several segments become a label map, in whatever order their frames are', async () => {
    for (const frames of [two, [...two].reverse()]) {
      for (const delimited of [false, true]) {
        const volume = await read(binary({ 1: 'liver', 2: 'tumour' }, frames), { delimited })
        expect([volume.grid.shape, volume.grid.spacing, volume.grid.origin]).toEqual([
          [5, 3, 3],
          [0.7, 0.9, 2],
          [0, 0, 20],
        ])
        expect(places(volume.data, 1)).toEqual([0, 14, 15 + 3, 30 + 7])
        expect(places(volume.data, 2)).toEqual([15 + 1, 30 + 8, 30 + 9])
        expect([...(volume.labelNames ?? [])]).toEqual([
          [1, 'liver'],
          [2, 'tumour'],
        ])
      }
    }
  })
  test('slices without a frame are background', async () => {
    const sparse = [
      [1, 10, frame(0)],
      [1, 12.5, frame(1)],
      [1, 20, frame(2)],
    ] as const
    for (const measures of [spacing(2.5), thickness(2.5), [], thickness(5)]) {
      const { grid, data } = await read(binary({ 1: 'a' }, sparse, { measures }))
      expect([grid.shape, grid.spacing[2]]).toEqual([[5, 3, 5], 2.5])
      expect(places(data, 1)).toEqual([0, 16, 62])
    }
  })
  test('the step is the one that is stated, the thickness, or the least distance; else there is none', async () => {
    const far = [
      [1, 0, frame(0)],
      [1, 5, frame(1)],
    ] as const
    const step = async (measures: Elements, frames: readonly (readonly [number, number, number[]])[] = far as never) =>
      (await read(binary({ 1: 'a' }, frames, { measures }))).grid.spacing[2]
    expect(await step(spacing(2.5))).toBe(2.5)
    expect(await step([])).toBe(5)
    expect(await step(thickness(7))).toBe(5)
    expect(await step(spacing(3))).toBe(5) // wrong, as SpacingBetweenSlices often is
    expect(await step([...thickness(1), ...spacing(5)])).toBe(5)
    expect(await step([...thickness(2.5), ...spacing(2.5)])).toBe(2.5)
    expect(await fault(binary({ 1: 'a' }, far, { measures: [...thickness(5), ...spacing(2.5)] }))).toContain(
      '5.00 mm apart and 5.00 mm thick, but have a SpacingBetweenSlices of 2.5 mm',
    )
    const uneven = [...far, [1, 12.5, frame(2)] as const] as never
    expect(await step(thickness(2.5), uneven)).toBe(2.5)
    expect(await step(spacing(-2.5), uneven)).toBe(2.5)
    expect(await fault(binary({ 1: 'a' }, far, { measures: thickness(2.5) }))).toContain('no SpacingBetweenSlices says')
    expect(await fault(binary({ 1: 'a' }, uneven))).toContain('5.00 to 7.50 mm apart, not multiples of one step')
    expect(await step(thickness(4), [[1, 0, frame(0)]])).toBe(4)
  })
  test('segments that overlap become a 0/1 channel each', async () => {
    const overlapping = binary({ 1: 'liver', 3: 'tumour' }, [
      [1, 0, frame(0, 1)],
      [1, 2, frame(4)],
      [3, 0, frame(1, 2)],
    ])
    const volume = await read(overlapping)
    expect([volume.channels, volume.scaling]).toEqual([2, undefined])
    expect(places(volume.data, 1)).toEqual([0, 1, 15 + 4, 30 + 1, 30 + 2])
    expect([...(volume.labelNames?.values() ?? [])]).toEqual(['liver', 'tumour'])
    expect(() => labelMapOf(volume, 'seg.dcm')).toThrow(
      'seg.dcm: has 2 channels, not one (its segments liver, tumour overlap, or are fractions); give a 3-D label map',
    )
  })
  test('numbers above 255, and names in their own characters', async () => {
    const many = binary({ 1: 'a', 300: 'Leber größer' }, [
      [1, 0, frame(0)],
      [300, 2, frame(1)],
    ])
    const volume = await read(withElements(many, [0x00080005, 'CS', 'ISO_IR 192']))
    expect(volume.data).toBeInstanceOf(Uint16Array)
    expect(places(volume.data, 300)).toEqual([16])
    expect(volume.labelNames?.get(300)).toBe('Leber größer')
  })
  test('segments of one name get their numbers', async () => {
    const frames = [
      [1, 0, frame(0)],
      [2, 0, frame(1)],
      [5, 0, frame(2)],
    ] as const
    const { labelNames } = await read(binary({ 5: 'lesion', 1: 'lesion', 2: 'liver' }, frames))
    expect([...(labelNames ?? [])]).toEqual([
      [1, 'lesion 1'],
      [2, 'liver'],
      [5, 'lesion 5'],
    ])
  })
  test('what contradicts itself is refused', async () => {
    const one = [
      [1, 0, frame(0)],
      [1, 2, frame(1)],
    ] as const
    expect(await fault(binary({ 1: 'a' }, [...one, [2, 4, frame(1)]]))).toContain('a frame of segment 2')
    expect(await fault(binary({ 1: 'a' }, [...one, [1, 2, frame(1)]]))).toContain(
      'several frames of one segment at one place',
    )
    expect(await fault(binary({ 1: 'a' }, one, { pixels: new Uint8Array(5) }))).toContain('6 bytes of pixels')
    expect(await fault(binary({}, one))).toContain('describes no segments')
    const type = withElements(binary({ 1: 'a' }, one), [0x00620001, 'CS', 'SURFACE'])
    expect(await fault(type)).toContain('SegmentationType SURFACE')
    const twice = segmentsOf({ 1: 'a' }, []).more?.[1][2] as Elements[]
    const repeated = withElements(binary({ 1: 'a' }, one), [0x00620002, 'SQ', [...twice, ...twice]])
    expect(await fault(repeated)).toContain('describes segment 1 twice')
  })
})

describe('FRACTIONAL and LABELMAP', () => {
  const fractional = (owners: number[], zs: number[], pixels: number[], most = 200) => {
    const { more = [], ...rest } = segmentsOf({ 1: 'a', 2: 'b' }, owners, 'FRACTIONAL')
    const maximum = [0x0062000e, 'US', [most]] as const
    return frameElements({
      rows: 1,
      columns: 3,
      pixels: Uint8Array.from(pixels),
      positions: zs.map(at),
      ...rest,
      more: [...more, maximum],
    })
  }
  test('fractions become a channel of 0 to 1 for each segment', async () => {
    const { channels, data, scaling, labelNames } = await read(
      fractional([2, 1, 2], [0, 2, 2], [200, 100, 0, 50, 0, 0, 20, 10, 0]),
    )
    expect([channels, scaling, labelNames?.get(2)]).toEqual([2, { slope: 1 / 200, intercept: 0 }, 'b'])
    expect([...data]).toEqual([0, 0, 0, 50, 0, 0, 200, 100, 0, 20, 10, 0])
    expect(await fault(fractional([1], [0], [201, 0, 0]))).toContain('holds the value 201, where 200 is the largest')
    expect(await fault(fractional([1], [0], [0, 0, 0], 0))).toContain('MaximumFractionalValue of 0')
  })
  const labelMap = (pixels: readonly number[], bits = 8, more: Elements = []) => {
    const recipe = segmentsOf({ 1: 'a', 7: 'b' }, [], 'LABELMAP')
    const all = [...(recipe.more ?? []), ...more]
    return frameElements({ rows: 1, columns: 3, positions: [at(2), at(0)], pixels, ...recipe, bits, more: all })
  }
  const place: Elements = [[0x00209113, 'SQ', [[[0x00200032, 'DS', '0\\0\\2']]]]]
  const samePlaces = [[0x52009230, 'SQ', [place, place]]] as const
  test('bytes of a BINARY segmentation are 0 or 1', async () => {
    const bytes = (high: number) =>
      withElements(binary({ 1: 'a' }, [[1, 0, []]], { bits: 8, pixels: new Uint8Array(15).fill(high, 3, 4) }))
    expect(places((await read(bytes(1))).data, 1)).toEqual([3])
    expect(await fault(bytes(255))).toContain('holds the value 255, where 1 is the largest')
  })
  test('labels stay what they are', async () => {
    for (const bits of [8, 16]) {
      const pixels = bits === 8 ? Uint8Array.of(7, 0, 1, 0, 0, 7) : [7, 0, 1, 0, 0, 7]
      const volume = await read(labelMap(pixels as number[], bits))
      expect(volume.data).toEqual((bits === 8 ? Uint8Array : Uint16Array).of(0, 0, 7, 7, 0, 1))
      expect(volume.labelNames?.get(7)).toBe('b')
    }
    const padded = labelMap(Uint8Array.of(7, 9, 1, 9, 9, 7) as never, 8, [[0x00280120, 'US', [9]]])
    expect([...(await read(padded)).data]).toEqual([0, 0, 7, 7, 0, 1])
    const twice = withElements(labelMap(Uint8Array.of(1, 0, 0, 0, 0, 1) as never), ...samePlaces)
    expect(await fault(twice)).toContain('has several frames at one place')
    expect(await fault(labelMap(Uint8Array.of(7, 2, 1, 0, 0, 0) as never))).toContain(
      'holds the value 2, which none of its',
    )
  })
})
