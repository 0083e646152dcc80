import { describe, expect, test } from 'vitest'
import { createGrid, type Vec3 } from '../volume/grid.ts'
import { sampleDisplacement } from './displacement.ts'

interface Setting {
  readonly spacing: Vec3
  readonly lengthMm: number
  readonly lags: readonly Vec3[]
}

/** Means of products of the field with itself at each lag, over voxels, components and samples, against ρ. */
function lagCovariances({ spacing, lengthMm, lags }: Setting, shape: Vec3, samples: number) {
  const [nx, ny, nz] = shape
  const sigmaMm: Vec3 = [2, 1, 0.5]
  const means: number[][] = lags.map(() => [])
  for (let s = 0; s < samples; s++) {
    const field = sampleDisplacement(createGrid(shape, spacing), { sigmaMm, lengthMm }, 7, s)
    for (const [i, [lx, ly, lz]] of lags.entries()) {
      let sum = 0
      for (let c = 0; c < 3; c++) {
        const values = field[c]
        let component = 0
        for (let z = 0; z + lz < nz; z++) {
          for (let y = 0; y + ly < ny; y++) {
            const at = (z * ny + y) * nx
            const shifted = ((z + lz) * ny + y + ly) * nx + lx
            for (let x = 0; x + lx < nx; x++) component += values[at + x] * values[shifted + x]
          }
        }
        sum += component / sigmaMm[c] ** 2
      }
      means[i].push(sum / (3 * (nx - lx) * (ny - ly) * (nz - lz)))
    }
  }
  return lags.map((lag, i) => {
    const rho = Math.exp(-lag.reduce((sum, n, axis) => sum + (n * spacing[axis]) ** 2, 0) / (2 * lengthMm ** 2))
    const mean = means[i].reduce((a, b) => a + b) / samples
    const variance = means[i].reduce((a, b) => a + (b - mean) ** 2, 0) / (samples - 1)
    return { lag, error: mean - rho, standardError: Math.sqrt(variance / samples) }
  })
}

// The bound itself is proved pair by pair in axis.test.ts; this shows that what comes out is that construction.
describe('the field that comes out has the covariance σ²ρ', () => {
  test.each<Setting>([
    {
      spacing: [1, 1, 1],
      lengthMm: 1.5,
      lags: [
        [0, 0, 0],
        [1, 0, 0],
        [0, 2, 1],
      ],
    }, // lattice = voxels
    {
      spacing: [0.5, 0.6, 2],
      lengthMm: 2,
      lags: [
        [0, 0, 0],
        [3, 0, 0],
        [0, 4, 1],
        [2, 2, 1],
      ],
    }, // splines along i, j
  ])('ℓ = $lengthMm mm, spacing $spacing', (setting) => {
    for (const { error, standardError } of lagCovariances(setting, [96, 88, 48], 40)) {
      // An error of 1 % would stand out by four standard errors.
      expect(standardError).toBeLessThan(0.0025)
      expect(Math.abs(error)).toBeLessThan(4 * standardError + 1e-3)
    }
  })
})

test('components are independent, and so are samples and seeds', () => {
  const grid = createGrid([64, 64, 40])
  const noise = { sigmaMm: [1, 1, 1], lengthMm: 1 } as const
  const a = sampleDisplacement(grid, noise, 1, 0)
  const others = [sampleDisplacement(grid, noise, 1, 1)[0], sampleDisplacement(grid, noise, 2, 0)[0], a[1], a[2]]
  others.push(sampleDisplacement(grid, noise, 1 + 2 ** 40, 0)[0])
  for (const other of others) {
    let sum = 0
    for (let i = 0; i < other.length; i++) sum += a[0][i] * other[i]
    // About 64·64·40 / (2π^1.5·…) ≈ 3·10⁴ independent values: a correlation of 0.03 would be five standard errors.
    expect(Math.abs(sum / other.length)).toBeLessThan(0.03)
  }
})

test('values are normal: moments and tails', () => {
  const grid = createGrid([128, 128, 64])
  const [x] = sampleDisplacement(grid, { sigmaMm: [1, 1, 1], lengthMm: 0.5 }, 3, 0)
  const moment = (p: number) => x.reduce((sum, v) => sum + v ** p, 0) / x.length
  expect(moment(1)).toBeCloseTo(0, 2)
  expect(moment(2)).toBeCloseTo(1, 2)
  expect(moment(3)).toBeCloseTo(0, 1.5)
  expect(Math.abs(moment(4) - 3)).toBeLessThan(0.05)
  const beyond3 = x.reduce((n, v) => n + (Math.abs(v) > 3 ? 1 : 0), 0) / x.length
  expect(Math.abs(beyond3 - 0.0027)).toBeLessThan(0.0003)
})

test('an axis of one voxel or of strength 0 does not move', () => {
  const [x, y, z] = sampleDisplacement(createGrid([30, 30, 1]), { sigmaMm: [1, 0, 1], lengthMm: 4 }, 0, 0)
  expect(x.some((v) => v !== 0)).toBe(true)
  expect(y.every((v) => v === 0)).toBe(true)
  expect(z.every((v) => v === 0)).toBe(true)
})

test('every index and seed up to 2^53 has its own field; others are refused', () => {
  const grid = createGrid([9, 8, 7])
  const noise = { sigmaMm: [2, 2, 2], lengthMm: 5 } as const
  const numbers = [0, 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 53 - 1]
  const fields = [
    ...numbers.map((index) => sampleDisplacement(grid, noise, 0, index)[0]),
    ...numbers.slice(1).map((seed) => sampleDisplacement(grid, noise, seed, 0)[0]),
  ]
  expect(new Set(fields.map((field) => field.join())).size).toBe(fields.length)
  for (const bad of [0.5, -1, 2 ** 53, Number.NaN]) {
    expect(() => sampleDisplacement(grid, noise, bad, 0)).toThrow('seed: is')
    expect(() => sampleDisplacement(grid, noise, 0, bad)).toThrow('index: is')
  }
})
