import { PNG } from 'pngjs'
import { describe, expect, test } from 'vitest'
import { createGrid, type Grid, type Mat3, voxelCount, worldPosition } from '../../volume/grid.ts'
import { errorPicture, errorSlice } from './error-slice.ts'

const names = { prediction: 'mine' }

/** Voxels of a box, from the first to the last of each axis. */
function box(grid: Grid, low: readonly number[], high: readonly number[]): Uint8Array {
  const [nx, ny] = grid.shape
  return Uint8Array.from({ length: voxelCount(grid) }, (_, at) => {
    const voxel = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / nx / ny)]
    return Number(voxel.every((v, axis) => v >= low[axis] && v <= high[axis]))
  })
}

/** The outlines of a picture in mm, by colour: their least and largest x and y. */
function outlines(svg: string): Map<string, number[]> {
  const found = [...svg.matchAll(/<path d="([^"]*)"[^>]* stroke="(#[^"]*)"/g)].filter(
    ([, , colour]) => colour !== '#000',
  )
  return new Map(
    found.map(([, d, colour]) => {
      const points = [...d.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)])
      const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]))
      return [colour, [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]]
    }),
  )
}

test('the slice is that with the most voxels that differ, and outlines have their size in mm', () => {
  const grid = createGrid([60, 50, 12], [0.5, 1, 4])
  const reference = box(grid, [20, 20, 3], [39, 29, 8])
  // Slice 6 lacks half of the organ.
  const prediction = reference.map((value, at) => (Math.floor(at / 3000) === 6 && at % 60 >= 30 ? 0 : value))
  const drawn = errorSlice({ grid, prediction, reference })
  expect([drawn.slice.index, drawn.slice.view]).toEqual([6, 'axial'])
  const { svg, note } = errorPicture(drawn, 'a', 'Dice 0.9', names)
  expect(note).toBe('Dice 0.9; axial slice 7 of 12')
  const [reach, own] = ['#ffb000', '#33bbee'].map((colour) => outlines(svg).get(colour) ?? [])
  expect(reach[1] - reach[0]).toBeCloseTo(10, 6)
  expect(reach[3] - reach[2]).toBeCloseTo(10, 6)
  // x falls to the right of the screen: the half that is left lies on the right.
  expect(own[1] - own[0]).toBeCloseTo(5, 6)
  expect(own[1]).toBeCloseTo(reach[1], 6)
  expect(svg).toContain('aria-label="a: axial slice 7 of 12, outlines of the reference and mine; Dice 0.9"')
})

test('two predictions: the slice on which these differ, with three outlines', () => {
  const grid = createGrid([20, 20, 10], [1, 1, 3])
  const reference = box(grid, [5, 5, 0], [14, 14, 9])
  const prediction = box(grid, [5, 5, 0], [14, 14, 4])
  const other = prediction.map((value, at) => (Math.floor(at / 400) === 2 && at % 20 > 9 ? 0 : value))
  const drawn = errorSlice({ grid, prediction, reference, other })
  expect(drawn.slice.index).toBe(2)
  expect(outlines(errorPicture(drawn, 'a', '', { ...names, other: 'theirs' }).svg).size).toBe(3)
})

test('the picture is the same whatever way the voxels run, with the patient’s sides at its edges', () => {
  const ras = createGrid([30, 30, 5], [1, 1, 5])
  // Stored slice by slice, head first, back to front, right to left: axes k, j, i of the first.
  const turned: Grid = {
    shape: [5, 30, 30],
    spacing: [5, 1, 1],
    origin: [29, 29, 20],
    direction: [0, 0, -1, 0, -1, 0, -1, 0, 0] as Mat3,
  }
  const inside = (grid: Grid, low: number): Uint8Array => {
    const [nx, ny] = grid.shape
    return Uint8Array.from({ length: voxelCount(grid) }, (_, at) => {
      const [x, y, z] = worldPosition(grid, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / nx / ny)])
      return Number(x >= low && x < 20 && y >= 12 && y < 16 && z === 10)
    })
  }
  const [a, b] = [ras, turned].map((grid) => {
    const drawn = errorSlice({ grid, prediction: inside(grid, 9), reference: inside(grid, 6) })
    return errorPicture(drawn, 'a', '', names).svg
  })
  expect(b.replace(/aria-label="[^"]*"/, '')).toBe(a.replace(/aria-label="[^"]*"/, ''))
  const letters = [...a.matchAll(/<text [^>]*>([RLAPSI])<\/text>/g)].map(([, letter]) => letter)
  expect(letters.sort()).toEqual(['A', 'L', 'P', 'R'])
  // The patient's right lies on the left of the screen: what the prediction lacks, at small x, is on the right.
  const [reach, own] = ['#ffb000', '#33bbee'].map((colour) => outlines(a).get(colour) ?? [])
  expect(own[0]).toBe(reach[0])
  expect(reach[1] - own[1]).toBeCloseTo(3, 6)
})

test('over an image, the image is drawn under the outlines', () => {
  const grid = createGrid([8, 8, 1])
  const mask = box(grid, [2, 2, 0], [5, 5, 0])
  const image = Float32Array.from({ length: 64 }, (_, at) => (at % 8 < 4 ? 0 : 100))
  const { svg } = errorPicture({ ...errorSlice({ grid, prediction: mask, reference: mask }), image }, 'a', '', names)
  const [, data] = /href="data:image\/png;base64,([^"]*)"/.exec(svg) ?? []
  const png = PNG.sync.read(Buffer.from(data ?? '', 'base64'))
  expect([...Array(8).keys()].map((x) => png.data[4 * x])).toEqual([255, 255, 255, 255, 0, 0, 0, 0])
})

describe('what is hardly there', () => {
  const pictured = (grid: Grid, prediction: Uint8Array, reference: Uint8Array): string =>
    errorPicture(errorSlice({ grid, prediction, reference }), 'a', '', names).svg

  test.each([
    ['a 2-D image', createGrid([12, 10, 1], [0.3, 0.4, 1])],
    ['a 2-D image in another plane', createGrid([12, 1, 10])],
    ['a line', createGrid([12, 1, 1])],
    ['an oblique grid', { ...createGrid([12, 10, 6]), direction: [0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1] as Mat3 }],
    ['a micrograph', createGrid([12, 10, 4], [0.0003, 0.0003, 0.001])],
  ])('%s: one voxel, no voxel, no prediction', (_, grid) => {
    const n = voxelCount(grid)
    const [none, one] = [new Uint8Array(n), Uint8Array.from({ length: n }, (_, at) => Number(at === 3))]
    for (const [p, r] of [
      [one, one],
      [none, one],
      [one, none],
      [none, none],
    ]) {
      expect(pictured(grid, p, r)).not.toMatch(/NaN|Infinity|undefined/)
    }
  })
})
