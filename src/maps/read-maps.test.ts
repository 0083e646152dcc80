import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { createGrid, type Grid, type Vec3 } from '../volume/grid.ts'
import type { VoxelArray } from '../volume/volume.ts'
import { type CaseMaps, type NumberOptions, type Placement, placedAt } from './case-maps.ts'
import { openImageMaps } from './image-maps.ts'
import { readMaps } from './read-maps.ts'

/** Maps in memory, in the pieces given. */
function maps(grid: Grid, placement: Placement, parts: readonly VoxelArray[], numbers: NumberOptions = {}): CaseMaps {
  const voxels = placement.shape[0] * placement.shape[1] * placement.shape[2]
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return {
    input: 'x',
    name: 'x',
    grid,
    hasGeometry: true,
    channels: length / voxels,
    stored: [
      {
        subject: 'x.npz',
        async *chunks() {
          yield* parts
        },
      },
    ],
    placement,
    numbers,
    warnings: [],
  }
}

/** Two maps, of which the first is the background unless labels say otherwise. */
const softmax = { maps: [undefined, { name: 'a', labels: [1] }] }
const regions = {
  maps: [
    { name: 'whole', labels: [1, 2] },
    { name: 'core', labels: [2] },
  ],
}

async function collect(source: CaseMaps, scheme: Parameters<typeof readMaps>[1] = softmax): Promise<number[][]> {
  const out: number[][] = []
  for await (const map of readMaps(source, scheme)) out.push([...map])
  return out
}

test('pieces of any length and type become the same maps', async () => {
  const grid = createGrid([3, 2, 1])
  const bytes = Uint8Array.of(0, 51, 102, 153, 204, 255, 255, 204, 153, 102, 51, 0)
  const expected = [0, 6].map((at) => [...bytes.subarray(at, at + 6)].map((byte) => Math.fround(byte / 255)))
  for (const lengths of [[12], [5, 7], [1, 1, 10], [6, 6]]) {
    let at = 0
    const parts = lengths.map((length) => bytes.subarray(at, (at += length)))
    expect(await collect(maps(grid, placedAt(grid), parts, { scale: 255 }))).toEqual(expected)
    const floats = parts.map((part) => Float32Array.from(part, (byte) => byte / 255))
    expect(await collect(maps(grid, placedAt(grid), floats))).toEqual(expected)
  }
})

test('numbers that a file reads to where they belong', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
  try {
    // Two maps longer than a piece, and numbers to be scaled and clamped in place.
    const grid = createGrid([128, 100, 60])
    const voxels = 128 * 100 * 60
    const data = Float32Array.from({ length: 2 * voxels }, (_, n) => ((n * 37) % 1001) / 10 - (n === 5 ? 1e-7 : 0))
    const path = join(folder, 'maps.nii')
    await writeVolume(path, { grid, channels: 2, data })
    let channel = 0
    for await (const map of readMaps(await openImageMaps(path, { scale: 100 }), softmax)) {
      const own = data.subarray(channel * voxels, ++channel * voxels)
      const wrong = map.findIndex((p, n) => p !== Math.min(1, Math.max(0, Math.fround(own[n] * (1 / 100)))))
      expect(wrong === -1 ? undefined : [wrong, map[wrong], own[wrong]]).toBeUndefined()
    }
    expect(channel).toBe(2)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('round-off beyond 0 and 1 is clamped; the stored numbers stay as they are', async () => {
  const grid = createGrid([2, 1, 1])
  const stored = Float32Array.of(-1e-6, 1.00001, 0.5, 0.25)
  expect(await collect(maps(grid, placedAt(grid), [stored]))).toEqual([
    [0, 1],
    [0.5, 0.25],
  ])
  expect(stored[1]).toBeGreaterThan(1)
})

test('a crop: outside, a known background is certain and nothing else is there, with logits too', async () => {
  const grid = createGrid([3, 2, 2])
  const placement = placedAt(grid, [2, 1, 1], [1, 1, 0])
  const crop = [Float32Array.of(0.25, 0.5, 0.75, 0.5)]
  // (1, 1, 0) and (2, 1, 0) are voxels 4 and 5.
  const at = (outside: number, a: number, b: number) => Array.from({ length: 12 }, (_, i) => [a, b][i - 4] ?? outside)
  expect(await collect(maps(grid, placement, crop))).toEqual([at(1, 0.25, 0.5), at(0, 0.75, 0.5)])
  expect(await collect(maps(grid, placement, crop), regions)).toEqual([at(0, 0.25, 0.5), at(0, 0.75, 0.5)])
  const logits = [Float32Array.of(0, 0, 0, 0)]
  for (const kind of ['softmax', 'sigmoid'] as const) {
    const source = maps(grid, placement, logits, { logits: kind })
    expect(await collect(source)).toEqual([at(1, 0.5, 0.5), at(0, 0.5, 0.5)])
    expect(await collect(source, regions)).toEqual([at(0, 0.5, 0.5), at(0, 0.5, 0.5)])
  }
})

test('axes in any order and direction, in pieces that end within a row', async () => {
  const shape: Vec3 = [2, 3, 4]
  // Stored axis 0 runs backwards along the grid's z, 1 along x, 2 backwards along y: the grid has 3 × 4 × 2 voxels.
  const grid = createGrid([3, 4, 2])
  const placement = { shape, strides: [-12, 1, -3], offset: 12 + 9 } as const
  const values = Float32Array.from({ length: 24 }, (_, i) => i / 32)
  const expected = new Array<number>(24)
  for (let n = 0; n < 24; n++) {
    const [i, j, k] = [n % 2, Math.floor(n / 2) % 3, Math.floor(n / 6)]
    expected[((1 - i) * 4 + (3 - k)) * 3 + j] = n / 32
  }
  for (const cut of [24, 5, 13]) {
    const parts = [values.subarray(0, cut), values.subarray(cut)]
    expect(await collect(maps(grid, placement, parts))).toEqual([expected])
  }
})

test('what is no probability is refused by what the whole file looks like', async () => {
  const grid = createGrid([2, 1, 1])
  const refused = (parts: VoxelArray[], numbers?: NumberOptions) =>
    expect(collect(maps(grid, placedAt(grid), parts, numbers))).rejects
  await refused([Float32Array.of(0, 2.5), Float32Array.of(0.5, 99.5)]).toThrow(/run from 0 to 99\.5.*--scale 100$/)
  await refused([Float32Array.of(0, 2.5), Float32Array.of(0.5, -9.5)]).toThrow(
    /run from -9\.5 to 2\.5.*--logits softmax/,
  )
  await refused([Float32Array.of(0, 1), Float32Array.of(0.5, Number.NaN)]).toThrow(/x\.npz: voxel 1 of map 2 is NaN/)
  await refused([Float32Array.of(0, Number.NaN, 0, 0)], { logits: 'softmax' }).toThrow(InputError)
})

test('softmax and sigmoid of logits', async () => {
  const logits = [1, -2, 800, 0, 3, -800]
  const grid = createGrid([3, 1, 1])
  const parts = [logits.slice(0, 1), logits.slice(1, 5), logits.slice(5)].map((part) => Float32Array.from(part))
  const read = async (logits: 'softmax' | 'sigmoid') =>
    (await collect(maps(grid, placedAt(grid), parts, { logits }))).flat()
  const pair = (a: number, b: number) => [1 / (1 + Math.exp(b - a)), 1 / (1 + Math.exp(a - b))]
  const both = [0, 1, 2].map((i) => pair(logits[i], logits[i + 3]))
  const expected = [...both.map(([a]) => a), ...both.map(([, b]) => b)]
  for (const [i, p] of (await read('softmax')).entries()) expect(p).toBeCloseTo(expected[i], 6)
  for (const [i, p] of (await read('sigmoid')).entries()) expect(p).toBeCloseTo(1 / (1 + Math.exp(-logits[i])), 6)
})

test('what a header says of the stored numbers comes before the scale that the user gives', async () => {
  const grid = createGrid([3, 1, 1])
  const source = maps(grid, placedAt(grid), [Uint8Array.of(0, 20, 80)], { scale: 100 })
  const stored = source.stored.map((each) => ({ ...each, scaling: { slope: 1.25, intercept: -0 } }))
  expect(await collect({ ...source, stored })).toEqual([[0, Math.fround(0.25), 1]])
  const shifted = source.stored.map((each) => ({ ...each, scaling: { slope: 0.5, intercept: 50 } }))
  expect(await collect({ ...source, stored: shifted })).toEqual([[0.5, Math.fround(0.6), Math.fround(0.9)]])
  const logits = maps(grid, placedAt(grid), [Float32Array.of(-2, 0, 2)], { logits: 'softmax' })
  // One map alone: its logits are of a class against the rest.
  const [[low, half, high]] = await collect(logits, { maps: [{ name: 'a', labels: [1] }] })
  expect([low, half, high]).toEqual([Math.fround(1 / (1 + Math.exp(2))), 0.5, Math.fround(1 / (1 + Math.exp(-2)))])
})
