import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../../volume/errors.ts'
import { worldPosition } from '../../volume/grid.ts'
import { dicomSlice, type SliceRecipe } from '../testing/dicom-bytes.ts'
import { readVolume } from '../volume-file.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(root, { recursive: true }))

/** Four slices of 4×3, 2.5 mm apart; slice k holds the values 100·k + pixel. */
const recipe = (k: number): SliceRecipe => ({
  rows: 3,
  columns: 4,
  pixels: new Int16Array(12).map((_, n) => 100 * k + n),
  position: [1, 2, 10 + 2.5 * k],
  pixelSpacing: [0.7, 0.8],
  instance: k + 1,
})
const values = Array.from({ length: 48 }, (_, n) => 100 * Math.floor(n / 12) + (n % 12))

let count = 0
function series(slices: readonly SliceRecipe[], names = (n: number) => `${n}.dcm`): string {
  const folder = join(root, `series-${count++}`)
  mkdirSync(folder)
  for (const [n, slice] of slices.entries()) writeFileSync(join(folder, names(n)), dicomSlice(slice))
  return folder
}
const four = [0, 1, 2, 3].map(recipe)

describe('a series', () => {
  test('is stacked by position, whatever the names and the order of acquisition', async () => {
    for (const slices of [four, [...four].reverse(), [four[2], four[0], four[3], four[1]]]) {
      const folder = series(slices, (n) => `IM${n}`)
      writeFileSync(join(folder, 'notes.txt'), 'not a slice')
      const { grid, channels, data } = await readVolume(folder)
      expect([grid.shape, grid.spacing, channels]).toEqual([[4, 3, 4], [0.8, 0.7, 2.5], 1])
      expect([...data]).toEqual(values)
      expect(worldPosition(grid, [0, 0, 0])).toEqual([-1, -2, 10])
      worldPosition(grid, [3, 2, 3]).forEach((mm, axis) => {
        expect(mm).toBeCloseTo([-1 - 2.4, -2 - 1.4, 17.5][axis], 10)
      })
    }
  })

  test('gets the rescale slope and intercept of each slice', async () => {
    const { data } = await readVolume(
      series(four.map((slice, k) => ({ ...slice, slope: k === 2 ? 1.5 : 2, intercept: -1024 }))),
    )
    expect([...data]).toEqual(values.map((value, n) => value * (n >= 24 && n < 36 ? 1.5 : 2) - 1024))
  })

  test('in sagittal planes, and sheared by a tilted gantry', async () => {
    // Rows run to the posterior, columns to the feet; slices step to the left.
    const orientation = [0, 1, 0, 0, 0, -1]
    const sagittal = await readVolume(
      series(four.map((s, k) => ({ ...s, orientation, position: [5 - 3 * k, 6, 7] as const }))),
    )
    expect(sagittal.grid.spacing).toEqual([0.8, 0.7, 3])
    expect(worldPosition(sagittal.grid, [1, 0, 0])[1]).toBeCloseTo(worldPosition(sagittal.grid, [0, 0, 0])[1] - 0.8, 10)
    expect(worldPosition(sagittal.grid, [0, 1, 0])[2]).toBeCloseTo(7 - 0.7, 10)
    expect([...sagittal.data]).toEqual(values)
    const tilted = await readVolume(
      series(four.map((s, k) => ({ ...s, position: [1, 2 + 0.5 * k, 10 + 2.5 * k] as const }))),
    )
    worldPosition(tilted.grid, [0, 0, 2]).forEach((mm, axis) => {
      expect(mm).toBeCloseTo([-1, -3, 15][axis], 10)
    })
  })

  test('of one slice, and one file by itself', async () => {
    const folder = series([recipe(1)])
    for (const path of [folder, join(folder, '0.dcm')]) {
      const volume = await readVolume(path)
      expect(volume.grid.shape).toEqual([4, 3, 1])
      expect([...volume.data]).toEqual(values.slice(12, 24))
    }
  })
})

describe('no volume, but a sentence', () => {
  const fault = async (folder: string) => {
    const error = await readVolume(folder).catch((error) => error)
    expect(error).toBeInstanceOf(InputError)
    expect(error.subject).toMatch(new RegExp(`^${folder}`))
    return error.fault
  }
  test('for a folder that is not one series', async () => {
    expect(await fault(series([...four, ...four.slice(1).map((slice) => ({ ...slice, series: '1.2.3.5' }))]))).toBe(
      'holds 2 DICOM series: 1.2.3.4 (4 files), 1.2.3.5 (3 files); give a folder with one series',
    )
    expect(await fault(series([]))).toBe(
      'is a folder without DICOM files; give an image file or the folder of a DICOM series',
    )
  })
  test('for a missing or doubled slice', async () => {
    expect(await fault(series([four[0], four[1], four[3], recipe(4)]))).toBe(
      'its slices are 5.00 mm apart after 2 slices, elsewhere 2.50 mm: one is missing or too many; complete the series',
    )
    expect(await fault(series([...four, recipe(2)]))).toBe(
      'has two slices at 15.00 mm (several time points?); give the folder of one volume',
    )
  })
  test('for slices that do not match', async () => {
    const small = { ...recipe(4), rows: 2, pixels: new Int16Array(8) }
    expect(await fault(series([...four, small]))).toBe('its slices differ in size; give the folder of one volume')
    const turned = { ...recipe(4), orientation: [0, 1, 0, 0, 0, -1] }
    expect(await fault(series([...four, turned]))).toContain('its slices differ in orientation')
    const finer = { ...recipe(4), pixelSpacing: [0.7, 0.4] as const }
    expect(await fault(series([...four, finer]))).toContain('its slices differ in spacing')
  })
  test('for a damaged slice, naming its file', async () => {
    const folder = series(four)
    writeFileSync(join(folder, '2.dcm'), dicomSlice(recipe(2)).subarray(0, 500))
    await expect(readVolume(folder)).rejects.toThrow(`${join(folder, '2.dcm')}: cannot be read as DICOM`)
  })
})
