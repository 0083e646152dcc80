import { describe, expect, test } from 'vitest'
import { normalQuantile } from '../kernels/normal-quantile.ts'
import { createGrid, type Grid, type Vec3, voxelCount } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { labelMarginals } from './label-marginals.ts'
import { marginal, marginalInBox } from './marginal.ts'
import type { NoiseModel } from './model.ts'
import { movedOutline, outlineOf } from './outline.ts'
import { createSampler } from './sampler.ts'

/** Distance of each voxel's centre from a point, in mm. */
function distances(grid: Grid, centre: Vec3): Float64Array {
  const [nx, ny] = grid.shape
  return Float64Array.from({ length: voxelCount(grid) }, (_, i) =>
    Math.hypot(
      ...[i % nx, Math.floor(i / nx) % ny, Math.floor(i / nx / ny)].map((v, a) => (v - centre[a]) * grid.spacing[a]),
    ),
  )
}

/** Two balls that touch, labels 1 and 3. */
function twoBalls(grid: Grid): Uint8Array {
  const [a, b] = [distances(grid, [11.3, 12.4, 8.2]), distances(grid, [21.4, 13.2, 8.3])]
  return Uint8Array.from(a, (r, i) => (r <= 6 ? 1 : b[i] <= 5 ? 3 : 0))
}

describe('the outline', () => {
  test.each<[number, Vec3]>([
    [10, [1, 1, 1]],
    [4, [1, 1, 1]],
    [12, [0.7, 0.9, 1.5]],
  ])('of a ball of radius %f mm with voxels of %j mm: distances within a fraction of a voxel', (radius, spacing) => {
    const shape: Vec3 = [0, 1, 2].map((axis) => Math.ceil((2 * radius + 14) / spacing[axis])) as unknown as Vec3
    const grid = createGrid(shape, spacing)
    const r = distances(grid, [shape[0] / 2 - 0.3, shape[1] / 2 - 0.45, shape[2] / 2 - 0.1])
    const mask = Uint8Array.from(r, (d) => Number(d <= radius))
    const outline = outlineOf(mask, grid, 30)!
    expect(outline.box).toEqual({ start: [0, 0, 0], shape })
    const errors = Float64Array.from(r, (d, i) => outline.distanceMm[i] - (d - radius))
    const size = Math.max(...spacing)
    const near = errors.filter((_, i) => Math.abs(r[i] - radius) < 5)
    const mean = near.reduce((a, b) => a + b, 0) / near.length
    const sd = Math.sqrt(near.reduce((a, b) => a + (b - mean) ** 2, 0) / near.length)
    // Measured: the mean error is the smoothing's pull on a curved surface (σ²/R), the rest the lattice's.
    expect(Math.abs(mean)).toBeLessThan(0.2 * size)
    expect(sd).toBeLessThan(0.2 * size)
  })

  test('takes every voxel’s side from the map, so that moving it by nothing changes nothing', () => {
    const grid = createGrid([12, 9, 5], [1, 1, 4])
    const salt = Uint8Array.from({ length: voxelCount(grid) }, (_, i) =>
      Number((Math.imul(i, 2654435761) >>> 9) % 3 === 0),
    )
    const outline = outlineOf(salt, grid, 5)!
    expect(movedOutline(salt, grid, outline, 0)).toEqual(salt)
    for (const [v, d] of outline.distanceMm.entries()) expect(Math.sign(d)).toBe(salt[v] === 1 ? -1 : 1)
  })

  test('moves by the volume of the shell, outwards and inwards, and not across the border of two labels', () => {
    const grid = createGrid([34, 26, 17])
    const values = twoBalls(grid)
    const outline = outlineOf(values, grid, 4)!
    const count = (map: LabelArray, label: number) => [...map].filter((v) => v === label).length
    const ball = (radius: number) => (4 / 3) * Math.PI * radius ** 3
    const alone = Uint8Array.from(values, (v) => Number(v === 1))
    const own = outlineOf(alone, grid, 4)!
    for (const bias of [-1.5, -0.7, 0.3, 0.8, 1.6]) {
      const shell = ball(6 + bias) - ball(6)
      const change = count(movedOutline(alone, grid, own, bias), 1) - count(alone, 1)
      // Within a shift of the outline by a fifth of a voxel.
      expect(Math.abs(change - shell)).toBeLessThan(0.2 * 4 * Math.PI * (6 + Math.max(0, bias)) ** 2)
    }
    const wide = movedOutline(values, grid, outline, 1)
    values.forEach((v, i) => {
      if (v !== 0) expect(wide[i]).toBe(v)
    })
    expect(count(wide, 3)).toBeGreaterThan(count(values, 3))
    expect(new Set(wide)).toEqual(new Set([0, 1, 3]))
    const tight = movedOutline(values, grid, outline, -1)
    values.forEach((v, i) => {
      expect([0, v]).toContain(tight[i])
    })
  })

  test('is none where nothing can be moved', () => {
    const grid = createGrid([4, 4, 4])
    expect(outlineOf(new Uint8Array(64), grid, 3)).toBeUndefined()
    expect(outlineOf(new Uint8Array(64).fill(2), grid, 3)).toBeUndefined()
    expect(outlineOf(twoBalls(createGrid([34, 26, 17])), createGrid([34, 26, 17]), 0)).toBeUndefined()
    // A map that is all foreground stays so, whatever the bias.
    const full = new Uint8Array(64).fill(2)
    const noise = { sigmaMm: [1, 1, 1], lengthMm: 3, biasMm: -2 } as const
    expect(createSampler(full, grid, noise).sample(0, 0)).toEqual(full)
    expect(marginal(full, grid, 2, noise)).toEqual(new Float32Array(64).fill(1))
  })
})

describe('marginals', () => {
  const grid = createGrid([34, 26, 17], [1, 1, 1.5])
  const values = twoBalls(grid)

  test('of a fixed bias are those of the moved map; of random ones, their mean', () => {
    const sigmaMm: Vec3 = [1, 1.5, 0.8]
    const outline = outlineOf(values, grid, 10)!
    for (const label of [0, 1, 3]) {
      const fixed = marginal(values, grid, label, { sigmaMm, biasMm: 0.7 })
      expect(worst(fixed, marginal(movedOutline(values, grid, outline, 0.7), grid, label, sigmaMm))).toBeLessThan(2e-6)
      const mean = new Float64Array(values.length)
      const nodes = 400
      for (let n = 0; n < nodes; n++) {
        const bias = 0.3 + 0.9 * normalQuantile((n + 0.5) / nodes)
        const m = marginal(movedOutline(values, grid, outline, bias), grid, label, sigmaMm)
        for (let i = 0; i < m.length; i++) mean[i] += m[i] / nodes
      }
      // A mean over 400 quantiles stands off the integral by half a step at most.
      expect(worst(marginal(values, grid, label, { sigmaMm, biasMm: 0.3, biasSdMm: 0.9 }), mean)).toBeLessThan(
        0.5 / nodes,
      )
    }
  })

  test('at the border, where the map goes on with its edge voxels', () => {
    const cut = createGrid([20, 26, 9], [1, 1, 1.5])
    const at = (i: number) => (Math.floor(i / 520) + 4) * 34 * 26 + (Math.floor(i / 20) % 26) * 34 + (i % 20) + 7
    const part = Uint8Array.from({ length: voxelCount(cut) }, (_, i) => values[at(i)])
    const noise = { sigmaMm: [2, 1, 2], biasMm: 0.4, biasSdMm: 0.5 } as const
    const outline = outlineOf(part, cut, 10)!
    for (const label of [0, 1, 3]) {
      const mean = new Float64Array(part.length)
      for (let n = 0; n < 200; n++) {
        const bias = 0.4 + 0.5 * normalQuantile((n + 0.5) / 200)
        const m = marginal(movedOutline(part, cut, outline, bias), cut, label, noise.sigmaMm)
        for (let i = 0; i < m.length; i++) mean[i] += m[i] / 200
      }
      expect(worst(marginal(part, cut, label, noise), mean)).toBeLessThan(0.5 / 200)
    }
  })

  test('of all labels sum to one, whatever the annotators leave out', () => {
    const noise = { sigmaMm: [1, 1, 1], presence: 0.6, biasMm: -0.4, biasSdMm: 0.5 } as const
    const sum = new Float64Array(values.length)
    for (const label of [0, 1, 3]) {
      const m = marginal(values, grid, label, noise)
      for (let i = 0; i < m.length; i++) sum[i] += m[i]
    }
    expect(worst(sum, new Float64Array(values.length).fill(1))).toBeLessThan(2e-6)
  })

  test('with presence are q times those without; in a box, the part that is not negligible', () => {
    const noise = { sigmaMm: [1, 1, 1], biasMm: 0.5, biasSdMm: 0.3 } as const
    const m = marginal(values, grid, 1, { ...noise, presence: 0.25 })
    expect(
      worst(
        m,
        marginal(values, grid, 1, noise).map((p) => p / 4),
      ),
    ).toBeLessThan(1e-7)
    for (const label of [0, 1]) {
      const { box, data } = marginalInBox(values, grid, label, { ...noise, presence: 0.25 })!
      const whole = marginal(values, grid, label, { ...noise, presence: 0.25 })
      let inside = 0
      for (let k = 0, v = 0; k < box.shape[2]; k++) {
        for (let j = 0; j < box.shape[1]; j++) {
          for (let i = 0; i < box.shape[0]; i++, v++) {
            const at = ((box.start[2] + k) * 26 + box.start[1] + j) * 34 + box.start[0] + i
            expect(data[v]).toBeCloseTo(whole[at], 6)
            inside += whole[at]
          }
        }
      }
      expect(inside / whole.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6)
    }
    expect(marginalInBox(values, grid, 9, { ...noise, biasSdMm: 0 })).toBeUndefined()
    const { volumes } = labelMarginals(values, grid, [1], { sigmaMm: [1, 1, 1], presence: 0.5 })
    expect(volumes[0].volumeMl / volumes[0].referenceMl).toBeCloseTo(0.5, 2)
  })
})

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]))
  return most
}

describe('samples', () => {
  const grid = createGrid([34, 26, 17])
  const values = twoBalls(grid)
  const field = { sigmaMm: [1, 1, 1], lengthMm: 5 } as const

  test('of a presence of 1 and no bias are the plain ones', () => {
    const plain = createSampler(values, grid, field)
    const same = createSampler(values, grid, { ...field, presence: 1, biasMm: 0, biasSdMm: 0 })
    expect(same.sample(3, 4)).toEqual(plain.sample(3, 4))
    expect(same.box).toEqual(plain.box)
  })

  test('of a fixed bias are the plain ones of the moved map', () => {
    const moved = movedOutline(values, grid, outlineOf(values, grid, 1)!, 1)
    const biased = createSampler(values, grid, { ...field, biasMm: 1 })
    expect(biased.sample(3, 4)).toEqual(createSampler(moved, grid, field).sample(3, 4))
  })

  test('leave labels out one by one, with probability 1 − q', () => {
    const sampler = createSampler(values, grid, { ...field, presence: 0.7 })
    const plain = createSampler(values, grid, field)
    const out = values.slice()
    const seen = { one: 0, three: 0, both: 0 }
    for (let index = 0; index < 600; index++) {
      sampler.sample(1, index, out)
      const [one, three] = [out.includes(1), out.includes(3)]
      seen.one += Number(one)
      seen.three += Number(three)
      seen.both += Number(one && three)
      const whole = index < 20 ? plain.sample(1, index) : undefined
      if (whole) expect(out).toEqual(whole.map((v) => ((v === 1 && !one) || (v === 3 && !three) ? 0 : v)))
    }
    // Standard errors of 11: four of them.
    expect(Math.abs(seen.one - 420)).toBeLessThan(45)
    expect(Math.abs(seen.three - 420)).toBeLessThan(45)
    expect(Math.abs(seen.both - 294)).toBeLessThan(50)
  })

  test('depend on seed and index only, and the box holds all that changes', () => {
    const noise = { ...field, presence: 0.8, biasMm: 0.5, biasSdMm: 1 }
    const sampler = createSampler(values, grid, noise)
    const [first, out] = [sampler.sample(5, 9), values.slice()]
    sampler.sample(5, 8, out)
    expect(out).not.toEqual(first)
    expect(sampler.sample(5, 9, out)).toBe(out)
    expect(out).toEqual(first)
    const { start, shape } = sampler.box!
    const box = sampler.sampleBox(5, 9)
    const pasted = values.slice()
    box.forEach((v, i) => {
      const [x, y, z] = [i % shape[0], Math.floor(i / shape[0]) % shape[1], Math.floor(i / shape[0] / shape[1])]
      pasted[((start[2] + z) * 26 + start[1] + y) * 34 + start[0] + x] = v
    })
    expect(pasted).toEqual(first)
    expect(() => sampler.sample(5, 9, new Uint8Array(3))).toThrow('out: has 3 values')
    const empty = createSampler(new Uint8Array(8), createGrid([2, 2, 2]), noise)
    expect(empty.box).toBeUndefined()
    expect(empty.sampleBox(0, 0)).toHaveLength(0)
    expect(empty.sample(0, 0)).toEqual(new Uint8Array(8))
  })

  test('what is no probability or no length is refused', () => {
    const make = (more: Partial<NoiseModel>) => () => createSampler(values, grid, { ...field, ...more })
    expect(make({ presence: 1.1 })).toThrow('presence: is 1.1; give a probability from 0 to 1')
    expect(make({ presence: -0.1 })).toThrow('presence')
    expect(make({ biasMm: Number.NaN })).toThrow('bias: is NaN; give a number of mm')
    expect(make({ biasSdMm: -1 })).toThrow('bias: varies by -1')
    expect(() => marginal(values, grid, 1, { sigmaMm: [1, 1, 1], presence: Number.NaN })).toThrow('presence: is NaN')
    expect(make({ presence: 0 })().sample(0, 0)).toEqual(new Uint8Array(values.length))
  })
})

test('frequencies over many annotators agree with the closed-form marginals, voxel by voxel', () => {
  const grid = createGrid([34, 26, 17])
  const [values, labels] = [twoBalls(grid), [1, 3]]
  const noise = { sigmaMm: [1.2, 0.8, 1], lengthMm: 4, presence: 0.75, biasMm: 0.4, biasSdMm: 0.7 } as const
  const sampler = createSampler(values, grid, noise)
  const out = values.slice()
  const n = 1200
  const counts = new Map(labels.map((label) => [label, new Float64Array(values.length)]))
  for (let s = 0; s < n; s++) {
    sampler.sample(17, s, out)
    for (let i = 0; i < out.length; i++) {
      const own = counts.get(out[i])
      if (own) own[i]++
    }
  }
  for (const label of labels) {
    const m = marginal(values, grid, label, noise)
    let [tested, squares, largest] = [0, 0, 0]
    for (let i = 0; i < m.length; i++) {
      const variance = n * m[i] * (1 - m[i])
      const z = Math.abs(counts.get(label)![i] - n * m[i])
      if (variance < 9) {
        expect(z).toBeLessThan(6 * Math.sqrt(variance) + 8)
        continue
      }
      tested++
      squares += z ** 2 / variance
      largest = Math.max(largest, z / Math.sqrt(variance))
    }
    expect(tested).toBeGreaterThan(500)
    // Presence and bias move all voxels of a sample together: their common deviation is one draw, z² on average 1.
    expect(largest).toBeLessThan(5.5)
    expect(squares / tested).toBeLessThan(4)
  }
})
