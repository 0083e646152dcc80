import { describe, expect, test } from 'vitest'
import { createSampler } from '../noise/sampler.ts'
import { createGrid } from '../volume/grid.ts'
import { streamSeed } from '../volume/random.ts'
import { sampleCase } from './sample-case.ts'

const grid = createGrid([28, 26, 24])
const centre = [14, 13, 12]
const position = (i: number) => [i % 28, Math.floor(i / 28) % 26, Math.floor(i / 728)]
const ball = Uint8Array.from({ length: 28 * 26 * 24 }, (_, i) =>
  Number(Math.hypot(...position(i).map((x, axis) => x - centre[axis])) < 6),
)
const model = { sigmaMm: [2, 2, 2], lengthMm: 12 } as const

async function draw(name: string, indices: number[], seed = 0): Promise<Uint8Array[]> {
  const samples: Uint8Array[] = []
  const source = { name, values: ball, grid, labels: [1], model }
  await sampleCase(source, { seed, indices }, async ({ values, overlaps }) => {
    samples.push(Uint8Array.from(values))
    expect(overlaps.get(1)?.voxelsB).toBe(ball.reduce((sum, v) => sum + v, 0))
  })
  return samples
}

function centroid(mask: Uint8Array): number[] {
  const sums = [0, 0, 0]
  let count = 0
  mask.forEach((value, i) => {
    if (value === 0) return
    count++
    position(i).forEach((x, axis) => {
      sums[axis] += x
    })
  })
  return sums.map((sum, axis) => sum / count - centre[axis])
}

describe('the field of a case', () => {
  test('is independent of other cases: 48 equal label maps are not shifted together', async () => {
    const shifts: number[][] = []
    for (let n = 0; n < 48; n++) shifts.push(centroid((await draw(`case_${String(n).padStart(3, '0')}`, [0]))[0]))
    for (const axis of [0, 1, 2]) {
      const values = shifts.map((shift) => shift[axis])
      const mean = values.reduce((sum, v) => sum + v, 0) / values.length
      const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1))
      // A ball much smaller than ℓ moves by nearly the field at its centre, whose deviation is σ = 2 mm.
      expect(deviation).toBeGreaterThan(1)
      expect(deviation).toBeLessThan(2.6)
      expect(Math.abs(mean) / (deviation / Math.sqrt(values.length)), `z along axis ${axis}`).toBeLessThan(3.5)
      // Neighbouring names are as independent as any: the correlation of 47 pairs has deviation 0.15.
      const lag = values.slice(1).reduce((sum, v, i) => sum + (v - mean) * (values[i] - mean), 0)
      expect(Math.abs(lag / ((values.length - 1) * deviation ** 2))).toBeLessThan(0.5)
    }
  })

  test('depends on seed, name and number only, and is the one that the library draws', async () => {
    const [, second] = await draw('liver', [3, 7])
    expect((await draw('liver', [7]))[0]).toEqual(second)
    expect(createSampler(ball, grid, model).sample(streamSeed(0, 'liver'), 7)).toEqual(second)
    for (const other of [await draw('liver', [7], 1), await draw('livers', [7]), await draw('liver', [8])]) {
      expect(other[0]).not.toEqual(second)
    }
  })
})
