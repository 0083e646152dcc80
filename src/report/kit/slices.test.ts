import { XMLValidator } from 'fast-xml-parser'
import { PNG } from 'pngjs'
import { describe, expect, test } from 'vitest'
import { createGrid, type Mat3 } from '../../volume/grid.ts'
import { acquisitionView, cropPlane, largestSlice, planePixels, viewPlane } from './plane.ts'
import { encodePng } from './png.ts'
import { slicePanels } from './slices.ts'

const grid = createGrid([5, 4, 3], [1, 2, 4])
const ramp = Float32Array.from({ length: 60 }, (_, at) => at)

describe('viewPlane', () => {
  test('axial: the patient’s right on the left of the screen, front up', () => {
    const { width, height, values } = planePixels(grid, viewPlane(grid, 'axial', 1), (at) => at)
    expect([width, height]).toEqual([5, 4])
    // RAS: i grows to the right of the patient, j to the front. Top left is the largest i and j of slice 1.
    expect(values[0]).toBe(20 + 3 * 5 + 4)
    expect(values[values.length - 1]).toBe(20)
  })

  test('the same picture whatever way the file stores the axes', () => {
    // LPS storage: voxel (i, j) is RAS voxel (4 − i, 3 − j).
    const lps = { ...grid, direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1] as Mat3, origin: [4, 6, 0] as const }
    const flipped = (at: number): number => {
      const [i, j, k] = [at % 5, Math.floor(at / 5) % 4, Math.floor(at / 20)]
      return ramp[(k * 4 + (3 - j)) * 5 + 4 - i]
    }
    for (const view of ['axial', 'coronal', 'sagittal'] as const) {
      const straight = planePixels(grid, viewPlane(grid, view, 1), (at) => ramp[at])
      // Slices of a flipped axis are counted from the other end.
      const index = view === 'axial' ? 1 : view === 'coronal' ? 2 : 3
      expect(planePixels(lps, viewPlane(lps, view, index), flipped)).toEqual(straight)
    }
  })

  test('axes in another order are found by the direction', () => {
    // Voxel axes i, j, k run along world z, x, y.
    const turned = { ...createGrid([3, 5, 4], [4, 1, 2]), direction: [0, 1, 0, 0, 0, 1, 1, 0, 0] as Mat3 }
    const axial = viewPlane(turned, 'axial', 0)
    expect([axial.axis, axial.across.axis, axial.down.axis]).toEqual([0, 1, 2])
    expect(acquisitionView(turned)).toBe('axial')
    expect(acquisitionView(createGrid([5, 1, 5]))).toBe('coronal')
  })
})

test('largestSlice and cropPlane find the organ', () => {
  const inside = (at: number): boolean => (at >= 40 && at % 5 === 2) || at === 0
  const plane = largestSlice(grid, 'axial', inside)
  expect(plane.index).toBe(2)
  const cropped = cropPlane(grid, plane, inside, 1)
  expect(cropped.acrossRange).toEqual([1, 4])
  expect(cropped.downRange).toEqual([0, 4])
  expect(cropPlane(grid, { ...plane, index: 1 }, inside, 1)).toEqual({ ...plane, index: 1 })
})

test('a PNG decodes to the raster that went in, by a decoder of other hands', () => {
  for (const channels of [1, 3, 4] as const) {
    const data = Uint8Array.from({ length: 7 * 5 * channels }, (_, i) => (i * 37) % 256)
    const decoded = PNG.sync.read(Buffer.from(encodePng({ width: 7, height: 5, channels, data })))
    expect([decoded.width, decoded.height]).toEqual([7, 5])
    for (let p = 0; p < 35; p++) {
      const pixel = [...data.subarray(p * channels, (p + 1) * channels)]
      const rgba = channels === 1 ? [pixel[0], pixel[0], pixel[0], 255] : channels === 3 ? [...pixel, 255] : pixel
      expect([...decoded.data.subarray(4 * p, 4 * p + 4)]).toEqual(rgba)
    }
  }
})

describe('slicePanels', () => {
  const plane = viewPlane(grid, 'axial', 1)
  const mask = Uint8Array.from({ length: 60 }, (_, at) =>
    Number([1, 2, 3].includes(at % 5) && [1, 2].includes(Math.floor(at / 5) % 4)),
  )
  const svg = slicePanels({
    description: 'd',
    heatLabel: 'probability',
    width: 500,
    panels: [
      {
        title: 'grey & mask',
        note: 'n',
        grid,
        plane,
        layers: [
          { kind: 'grey', values: ramp, window: [20, 40] },
          { kind: 'heat', values: ramp.map((v) => v / 60) },
          { kind: 'fill', inside: (at) => mask[at] > 0, colour: '#fff' },
          { kind: 'contour', values: mask, level: 0.5, colour: '#0af', label: 'mask' },
        ],
      },
    ],
  })

  test('is well-formed, deterministic in form and self-contained', () => {
    expect(XMLValidator.validate(svg)).toBe(true)
    for (const [, href] of svg.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^data:image\/png;base64,/)
  })

  test('keeps millimetres: 5 × 1 mm by 4 × 2 mm is 5 : 8', () => {
    const [, width, height] = /width="([\d.]+)" height="([\d.]+)" viewBox="0 0 5 8"/.exec(svg)!
    expect(Number(width) / Number(height)).toBeCloseTo(5 / 8, 3)
  })

  test('the grey picture is the windowed slice', () => {
    const [, data] = /href="data:image\/png;base64,([^"]*)"/.exec(svg)!
    const png = PNG.sync.read(Buffer.from(data, 'base64'))
    const expected = planePixels(grid, plane, (at) => ramp[at]).values
    expected.forEach((v, p) => {
      expect(png.data[4 * p]).toBe(Math.min(255, Math.max(0, Math.round(((v - 20) / 20) * 255))))
    })
  })

  test('the contour encloses the mask, in mm', () => {
    const [, d] = /<path d="([^"]*)"[^>]* stroke="#0af"/.exec(svg)!
    const xy = [...d.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)])
    // Marching squares at ½ of a 0/1 mask passes midway between voxel centres: along the voxels' own borders.
    expect(Math.min(...xy.map((p) => p[0]))).toBe(1)
    expect(Math.max(...xy.map((p) => p[0]))).toBe(4)
    expect(Math.min(...xy.map((p) => p[1]))).toBe(2)
    expect(Math.max(...xy.map((p) => p[1]))).toBe(6)
  })
})
