import { describe, expect, test } from 'vitest'
import { createGrid, type Vec3 } from '../volume/grid.ts'
import { NormalWindow, windowMm } from './normal-window.ts'

const grid = createGrid([40, 40, 20], [1, 1, 2])
const centre: Vec3 = [19.7, 20.2, 19.4]

function ball(radiusMm: number): Uint8Array {
  return Uint8Array.from({ length: 32000 }, (_, v) => {
    const [x, y, z] = [v % 40, Math.floor(v / 40) % 40, 2 * Math.floor(v / 1600)]
    return Number(Math.hypot(x - centre[0], y - centre[1], z - centre[2]) < radiusMm)
  })
}

describe('normals of a surface of voxels', () => {
  test('seen through a window of two voxels are those of the ball within a few degrees', () => {
    const mask = ball(12)
    const wide = new NormalWindow(mask, grid, 2)
    const angles: number[] = []
    for (const theta of [0.2, 0.7, 1.2, 1.6, 2.2, 2.8]) {
      for (let phi = 0; phi < 6; phi += 0.35) {
        const radial: Vec3 = [Math.sin(theta) * Math.cos(phi), Math.sin(theta) * Math.sin(phi), Math.cos(theta)]
        const at: Vec3 = [
          Math.round(centre[0] + 12 * radial[0]),
          Math.round(centre[1] + 12 * radial[1]),
          Math.round((centre[2] + 12 * radial[2]) / 2),
        ]
        const slope = wide.slope(at)
        // The voxel's own direction: rounding moves it by up to half a voxel.
        const own = [at[0] - centre[0], at[1] - centre[1], 2 * at[2] - centre[2]]
        const cosine =
          slope.reduce((sum, s, axis) => sum + s * own[axis], 0) / (Math.hypot(...slope) * Math.hypot(...own))
        angles.push((Math.acos(Math.min(1, cosine)) * 180) / Math.PI)
      }
    }
    const mean = angles.reduce((a, b) => a + b, 0) / angles.length
    expect(mean).toBeLessThan(4)
    expect(Math.max(...angles)).toBeLessThan(10)
  })

  test('the slope is the derivative of a Gaussian share: of a half space 1/(√2π w) at its face', () => {
    const half = Uint8Array.from({ length: 32000 }, (_, v) => Number(v % 40 < 20))
    // Between voxels 19 and 20 the share falls most; at voxel 19 it is the density half a voxel off.
    const [x, y, z] = new NormalWindow(half, grid, 3).slope([19, 20, 10])
    const exact = Math.exp(-(0.5 ** 2) / (2 * 9)) / (Math.sqrt(2 * Math.PI) * 3)
    // The window ends at 2 of its standard deviations and looks at every second voxel.
    expect(Math.abs(x / exact - 1)).toBeLessThan(0.2)
    expect(Math.abs(y)).toBeLessThan(1e-12)
    expect(Math.abs(z)).toBeLessThan(1e-12)
  })
})

describe('the width of the window', () => {
  test('is two voxels, more where annotators differ more, and half of the radius at most', () => {
    const middle = ball(12)
    expect(windowMm(middle, [middle, middle], grid)).toBe(2)
    // Shells of ±3 mm: a pair differs by 6 mm everywhere, σ of 5.3 mm; half of the radius is less.
    expect(windowMm(middle, [ball(9), ball(15)], grid)).toBeCloseTo(6, 0)
    // Of ±2 mm: E|a − b| = 4 = 2σ/√π, 1.3 σ = 4.6 mm.
    expect(windowMm(middle, [ball(10), ball(14)], grid)).toBeCloseTo(4.6, 0)
    const small = ball(3)
    expect(windowMm(small, [small, small], grid)).toBeLessThan(1.6)
  })
})
