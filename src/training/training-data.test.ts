import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Session } from '../network/runtime/session.ts'
import { createGrid, type Vec3, vec3 } from '../volume/grid.ts'
import { randomStream } from '../volume/random.ts'
import { defaultAugmentation, drawSample, noAugmentation } from './augment.ts'
import { fitWindow, normalise } from './intensity.ts'
import { labelBits } from './label-bits.ts'
import type { PreparedCase } from './patch.ts'
import { predictPrepared } from './predict.ts'
import { prepareImage, prepareLabels, restoreMap } from './preprocess.ts'
import { resampledSize, resampleLinear, resampleNearest } from './resample.ts'
import { predictTiles, tileStarts } from './tiles.ts'

const plain = { crop: 'none', spacingMm: [null, null, null], intensities: [{ kind: 'z-score' }] } as const

function ramp(size: Vec3, f: (i: number, j: number, k: number) => number): Float32Array {
  const data = new Float32Array(size[0] * size[1] * size[2])
  let at = 0
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++) for (let i = 0; i < size[0]; i++) data[at++] = f(i, j, k)
  return data
}

function preparedCase(size: Vec3, image: Float32Array, bits: Uint32Array, spacingMm: Vec3 = [1, 1, 1]): PreparedCase {
  const placement = { full: size, start: [0, 0, 0], region: size, size, spacingMm } as const
  const foreground = Int32Array.from([...bits.keys()].filter((v) => bits[v] !== 0))
  return { id: 'case', image: { data: image, channels: 1, outside: [-1], placement }, bits, foreground }
}

describe('resampling', () => {
  test('a linear ramp stays one where it gets finer, away from the border', () => {
    const fine = resampleLinear(
      ramp([8, 4, 4], (i, j, k) => i + 10 * j + 100 * k),
      [8, 4, 4],
      [16, 8, 8],
    )
    const expected = ramp(
      [16, 8, 8],
      (i, j, k) => (i + 0.5) / 2 - 0.5 + 10 * ((j + 0.5) / 2 - 0.5) + 100 * ((k + 0.5) / 2 - 0.5),
    )
    for (let k = 1; k < 7; k++) {
      for (let j = 1; j < 7; j++) {
        for (let i = 1; i < 15; i++) expect(fine[(k * 8 + j) * 16 + i]).toBeCloseTo(expected[(k * 8 + j) * 16 + i], 3)
      }
    }
  })

  test('keeps constants and stays within the range of the input', () => {
    const size = fc.tuple(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
    )
    fc.assert(
      fc.property(size, size, fc.integer(), (from, to, seed) => {
        const random = randomStream(seed)
        const data = Float32Array.from({ length: from[0] * from[1] * from[2] }, () => random.uniform())
        const result = resampleLinear(data, from, to)
        expect(result.length).toBe(to[0] * to[1] * to[2])
        expect(Math.min(...result)).toBeGreaterThan(Math.min(...data) - 1e-6)
        expect(Math.max(...result)).toBeLessThan(Math.max(...data) + 1e-6)
        for (const x of resampleLinear(data.fill(3), from, to)) expect(x).toBeCloseTo(3, 5)
      }),
      { numRuns: 50 },
    )
  })

  test('nearest labels: each new voxel takes the old one that holds its centre', () => {
    expect([...resampleNearest(Uint8Array.of(1, 2, 3), [3, 1, 1], [6, 1, 1])]).toEqual([1, 1, 2, 2, 3, 3])
    expect([...resampleNearest(Uint8Array.of(1, 2, 3, 4), [4, 1, 1], [2, 1, 1])]).toEqual([2, 4])
    expect(resampledSize([10, 10, 1], [1, 1, 8], [2, 0.5, 8])).toEqual([5, 20, 1])
  })
})

describe('preparing images', () => {
  test('crop and restore put a map back where it was', () => {
    const size: Vec3 = [9, 8, 7]
    const data = ramp(size, (i, j, k) => (i > 1 && i < 7 && j > 0 && j < 6 && k > 2 ? 1 + i + j * k : 0))
    const prepared = prepareImage({ grid: createGrid(size), channels: 1, data }, { ...plain, crop: 'nonzero' }, 'x')
    expect(prepared.placement).toMatchObject({ full: size, start: [2, 1, 3], region: [5, 5, 4], size: [5, 5, 4] })
    const restored = restoreMap(new Float32Array(100).fill(1), prepared.placement)
    expect([...restored]).toEqual([...data].map((x) => (x === 0 ? 0 : 1)))
    const bits = prepareLabels(
      Uint32Array.from(data, (x) => (x === 0 ? 0 : 1)),
      prepared.placement,
    )
    expect(bits.every((b) => b === 1)).toBe(true)
  })

  test('scaled data are read as their real values, and z-scores have mean 0 and deviation 1', () => {
    const grid = createGrid([4, 3, 2])
    const data = Int16Array.from({ length: 24 }, (_, i) => i)
    const scaled = prepareImage({ grid, channels: 1, data, scaling: { slope: 2, intercept: -5 } }, plain, 'x')
    const real = prepareImage({ grid, channels: 1, data: Float32Array.from(data, (x) => 2 * x - 5) }, plain, 'x')
    expect([...scaled.data]).toEqual([...real.data])
    const mean = scaled.data.reduce((a, b) => a + b, 0) / 24
    expect(mean).toBeCloseTo(0, 5)
    expect(scaled.data.reduce((a, b) => a + b * b, 0) / 24).toBeCloseTo(1, 5)
  })

  test('the CT window is cut at percentiles of the samples', () => {
    const window = fitWindow(Float32Array.from({ length: 1001 }, (_, i) => i))
    expect(window).toMatchObject({ kind: 'window', lower: 5, upper: 995 })
    const [low, high] = normalise(Float32Array.of(-1e6, 1e6), window)
    expect(low).toBeCloseTo(-high, 4)
  })

  test('label bits name every output that holds the label', () => {
    expect([...labelBits(Uint8Array.of(0, 1, 2, 1, 7), [[1], [2], [1, 2]])]).toEqual([0, 5, 6, 5, 0])
  })

  test('another number of channels is refused', () => {
    const image = { grid: createGrid([2, 2, 2]), channels: 2, data: new Float32Array(16) }
    expect(() => prepareImage(image, plain, 'scan.nii')).toThrow(
      'scan.nii: has 2 channels where the network takes 1 channel',
    )
  })
})

describe('samples', () => {
  const size: Vec3 = [10, 8, 6]
  const image = ramp(size, (i, j, k) => i + 20 * j + 400 * k)
  const bits = Uint32Array.from(image, (_, v) => (v % 7 === 0 ? 1 : 0))
  const source = preparedCase(size, image, bits)
  const draw = (patch: Vec3, augmentation: typeof noAugmentation, seed: number) => {
    const voxels = patch[0] * patch[1] * patch[2]
    const [x, t] = [new Float32Array(voxels), new Float32Array(voxels)]
    drawSample(source, patch, augmentation, randomStream(seed), x, t)
    return { x, t }
  }

  test('without augmentation a patch is a part of the image, with its labels', () => {
    for (let seed = 0; seed < 30; seed++) {
      const { x, t } = draw([4, 4, 4], noAugmentation, seed)
      const start = x[0]
      const [i, j, k] = [start % 20, Math.floor(start / 20) % 20, Math.floor(start / 400)]
      for (let w = 0, at = 0; w < 4; w++) {
        for (let v = 0; v < 4; v++) {
          for (let u = 0; u < 4; u++, at++) {
            expect(x[at]).toBe(i + u + 20 * (j + v) + 400 * (k + w))
            expect(t[at]).toBe(bits[((k + w) * 8 + j + v) * 10 + i + u])
          }
        }
      }
    }
  })

  test('a patch larger than the image is filled up evenly', () => {
    const { x, t } = draw([12, 8, 6], noAugmentation, 1)
    expect(x[0]).toBe(-1)
    expect(t[0]).toBe(0)
    expect([...x.subarray(1, 11)]).toEqual([...image.subarray(0, 10)])
    expect(x[11]).toBe(-1)
  })

  test('mirroring both ways occurs and reverses rows', () => {
    const seen = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const { x } = draw(size, { ...noAugmentation, flip: [true, false, false] }, seed)
      seen.add(x[0])
      expect([...x.subarray(0, 10)].map((v) => v % 20).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    }
    expect(seen).toEqual(new Set([0, 9]))
  })

  test('rotation and scaling keep a ball a ball of the scaled size, and labels follow the image', () => {
    const wide = ramp([40, 40, 40], (i, j, k) => (Math.hypot(i - 19.5, j - 19.5, k - 19.5) < 12 ? 1 : 0))
    const ball = preparedCase([40, 40, 40], wide, Uint32Array.from(wide))
    const only = { ...noAugmentation, probability: 1, rotationDegrees: 30, scale: [0.8, 1.25] as const }
    for (let seed = 0; seed < 5; seed++) {
      const [x, t] = [new Float32Array(64000), new Float32Array(64000)]
      drawSample(ball, [40, 40, 40], only, randomStream(seed), x, t)
      const volume = t.reduce((a, b) => a + b, 0)
      const ratio = volume / wide.reduce((a, b) => a + b, 0)
      expect(ratio).toBeGreaterThan(0.8 ** 3 * 0.97)
      expect(ratio).toBeLessThan(1.25 ** 3 * 1.03)
      let wrong = 0
      for (const [v, target] of t.entries()) if (Math.abs(Math.max(0, x[v]) - target) > 0.75) wrong++
      expect(wrong).toBeLessThan(0.01 * volume)
    }
  })

  // Variances of a ball of radius 15 mm, in mm², whatever the voxels: r²/5 along every axis.
  test.each([
    [[1, 1, 2], true],
    [[2, 1, 1], true],
    [[1, 1, 5], false],
  ] as const)('a ball stays a ball with voxels of %j mm; thick slices stay whole: %s', (spacing, turns) => {
    const size = vec3((axis) => 2 * Math.floor(24 / spacing[axis]))
    // An ellipsoid twice as long along i, to see it turn.
    const inside = (scale: Vec3) => (i: number, j: number, k: number) =>
      Math.hypot(...[i, j, k].map((v, a) => ((v - (size[a] - 1) / 2) * spacing[a]) / scale[a])) < 1 ? 1 : 0
    const covariance = (scale: Vec3, seed: number) => {
      const volume = ramp(size, inside(scale))
      const source = preparedCase(size, volume, Uint32Array.from(volume), spacing)
      const only = { ...noAugmentation, probability: 1, rotationDegrees: 30 }
      const [x, t] = [new Float32Array(volume.length), new Float32Array(volume.length)]
      drawSample(source, size, only, randomStream(seed), x, t)
      const sums = new Float64Array(9)
      let count = 0
      for (const [v, label] of t.entries()) {
        if (label === 0) continue
        const at = [v % size[0], Math.floor(v / size[0]) % size[1], Math.floor(v / size[0] / size[1])]
        const p = at.map((n, a) => (n - (size[a] - 1) / 2) * spacing[a])
        for (let k = 0; k < 9; k++) sums[k] += p[Math.floor(k / 3)] * p[k % 3]
        count++
      }
      return sums.map((sum) => sum / count)
    }
    let turned = 0
    for (let seed = 0; seed < 6; seed++) {
      const ball = covariance([15, 15, 15], seed)
      // Voxels round the ball's edge: a tenth of its variance.
      for (const k of [0, 4, 8]) expect(Math.abs(ball[k] - 45)).toBeLessThan(4.5)
      for (const k of [1, 2, 5]) expect(Math.abs(ball[k])).toBeLessThan(2)
      turned = Math.max(turned, Math.abs(covariance([20, 10, 10], seed)[2]))
    }
    if (turns) expect(turned).toBeGreaterThan(5)
    else expect(turned).toBeLessThan(1)
  })

  test('the same stream gives the same sample', () => {
    expect(draw([6, 6, 4], defaultAugmentation, 3)).toEqual(draw([6, 6, 4], defaultAugmentation, 3))
    expect(draw([6, 6, 4], defaultAugmentation, 3)).not.toEqual(draw([6, 6, 4], defaultAugmentation, 4))
  })

  test('a patch of depth 1 is a slice', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { x } = draw([10, 8, 1], noAugmentation, seed)
      const k = Math.floor(x[0] / 400)
      expect([...x]).toEqual([...image.subarray(k * 80, (k + 1) * 80)])
    }
  })
})

describe('tiles', () => {
  test('starts cover the axis with the overlap asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 64 }), (n, patch) => {
        const starts = tileStarts(n, patch, 0.5)
        if (n <= patch) {
          expect(starts.length).toBe(1)
          return
        }
        expect(starts[0]).toBe(0)
        expect(starts.at(-1)).toBe(n - patch)
        for (let i = 1; i < starts.length; i++) {
          const step = starts[i] - starts[i - 1]
          expect(step).toBeGreaterThan(0)
          expect(step).toBeLessThanOrEqual(Math.max(1, Math.ceil(patch / 2)))
        }
      }),
    )
  })

  test.each([
    [
      [10, 9, 8],
      [16, 16, 8],
    ],
    [
      [30, 17, 12],
      [8, 8, 8],
    ],
    [
      [33, 20, 5],
      [16, 12, 1],
    ],
  ] as [Vec3, Vec3][])('an image of %j in tiles of %j comes back whole', async (size, patch) => {
    const data = ramp(size, (i, j, k) => Math.sin(i) + j + 3 * k)
    const image = preparedCase(size, data, new Uint32Array(data.length)).image
    const maps = await predictTiles(image, { patch, outputs: 2 }, async (batch, shape) => {
      expect(shape.slice(2)).toEqual(patch[2] === 1 ? [patch[1], patch[0]] : [...patch].reverse())
      const voxels = patch[0] * patch[1] * patch[2]
      const result = new Float32Array(2 * batch.length)
      for (let n = 0; n < shape[0]; n++) {
        for (let v = 0; v < voxels; v++) {
          result[2 * n * voxels + v] = batch[n * voxels + v]
          result[(2 * n + 1) * voxels + v] = 2 * batch[n * voxels + v]
        }
      }
      return result
    })
    for (const [v, x] of data.entries()) {
      expect(maps[v]).toBeCloseTo(x, 4)
      expect(maps[data.length + v]).toBeCloseTo(2 * x, 4)
    }
  })

  test('a sigmoid that rounds to more than 1 gives no more than 1', async () => {
    const size: Vec3 = [50, 40, 1]
    const { image } = preparedCase(size, new Float32Array(2000), new Uint32Array(2000))
    const run: Session['run'] = async ({ image: { data, shape } }) => ({
      probability: { data: data.map(() => 1 + 2 ** -23), shape },
    })
    const session: Session = { run, carried: async () => ({}), dispose: async () => {} }
    const model = { patch: [32, 32, 1], outputs: [{ name: 'organ', labels: [1] }] } as const
    expect(new Set(await predictPrepared(session, model, image))).toEqual(new Set([1]))
  })
})
