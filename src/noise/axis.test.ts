import { describe, expect, test } from 'vitest'
import { designAxis } from './axis.ts'

/** The covariance between voxels x and y that the construction gives, by brute force from taps and weights. */
function covariance(axis: ReturnType<typeof designAxis>, x: number, y: number): number {
  const response = (v: number) => {
    const noise = new Map<number, number>()
    for (let t = 0; t < axis.support; t++) {
      const knot = Math.floor(v / axis.stride) + axis.offset + t
      for (let k = 0; k < axis.taps.length; k++) {
        const node = knot + k - axis.radius
        noise.set(node, (noise.get(node) ?? 0) + axis.weights[v * axis.support + t] * axis.taps[k])
      }
    }
    return noise
  }
  const b = response(y)
  let sum = 0
  for (const [node, weight] of response(x)) sum += weight * (b.get(node) ?? 0)
  return sum
}

describe('the covariance is the Gaussian’s', () => {
  // From half a voxel to longer than the image, with the change to splines at 2.5.
  const lengths = [0.5, 0.75, 1, 1.5, 2, 2.49, 2.5, 3, 4, 5.5, 8, 9.61, 12.9, 20, 33.3, 64, 150]
  test.each(lengths)('ℓ = %f voxels: within 1.5·10⁻⁴ at every pair of voxels', (length) => {
    const extent = Math.min(200, Math.ceil(6 * length) + 8)
    const axis = designAxis(extent, length)
    let worst = 0
    for (let x = 0; x < Math.min(extent, 2 * axis.stride + 8); x++) {
      for (let y = 0; y < extent; y++) {
        const rho = Math.exp(-((x - y) ** 2) / (2 * length ** 2))
        worst = Math.max(worst, Math.abs(covariance(axis, x, y) - rho))
      }
    }
    expect(worst).toBeLessThan(1.5e-4)
  })
})

test('the variance is one at every voxel, to float32', () => {
  for (const length of [0.5, 2, 7.3, 41]) {
    const axis = designAxis(50, length)
    for (let x = 0; x < 50; x++) expect(covariance(axis, x, x)).toBeCloseTo(1, 6)
  }
})

test('the work per voxel does not grow with ℓ', () => {
  for (const length of [1, 10, 100, 1000, 1e6]) {
    const { taps, support } = designAxis(64, length)
    expect(support).toBeLessThanOrEqual(6)
    expect(taps.length).toBeLessThanOrEqual(23)
  }
})
