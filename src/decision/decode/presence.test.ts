import { describe, expect, test } from 'vitest'
import { marginal } from '../../noise/marginal.ts'
import { createGrid } from '../../volume/grid.ts'
import { softDiceOptimum } from '../soft-dice.ts'
import { decodeProbabilities } from './decode-probabilities.ts'
import { type PresenceEvidence, type PresenceRule, presenceOf } from './presence.ts'

const evidenceOf = (m: Float32Array): PresenceEvidence => {
  const { supDice, volume, probabilityVolume: total } = softDiceOptimum(m)
  const sum = (supDice * (volume + total)) / 2
  return { largest: m.reduce((a, b) => Math.max(a, b), 0), total, sum, count: volume, voxels: m.length }
}
const of = (m: Float32Array, rule: PresenceRule = 'auto') => presenceOf(evidenceOf(m), rule)
const blob = (p: number, background = 0) => Float32Array.from({ length: 1000 }, (_, i) => (i < 100 ? p : background))

/** Marginals of an ellipsoid of these semi-axes (voxels of 1 mm) whose outline strays by σ mm. */
function ellipsoid(axes: readonly [number, number, number], sigmaMm: number): Float32Array {
  const n = 40
  const labels = new Uint8Array(n ** 3)
  for (let i = 0; i < labels.length; i++) {
    const at = [i % n, Math.floor(i / n) % n, Math.floor(i / n / n)].map((x, axis) => (x - (n - 1) / 2) / axes[axis])
    labels[i] = Number(at[0] ** 2 + at[1] ** 2 + at[2] ** 2 <= 1)
  }
  return marginal(labels, createGrid([n, n, n]), 1, [sigmaMm, sigmaMm, sigmaMm])
}

describe('an organ that is certainly there is never left out', () => {
  // From the size of a hippocampus part to strongly flattened, with noise up to its own size.
  for (const axes of [
    [8, 5, 5],
    [12, 4, 6],
    [6, 6, 6],
    [14, 5, 3],
  ] as const) {
    test.each([1, 2, 3, 4, 5, 6])(`semi-axes ${axes.join(', ')} mm, σ = %d mm`, (sigma) => {
      const m = ellipsoid(axes, sigma)
      const { largest } = evidenceOf(m)
      expect(of(m)).toMatchObject({ mask: 'optimal', doubtful: largest < 0.5 })
      // As one of several classes too, and told where no voxel reaches ½.
      const rest = m.map((p) => 1 - p)
      const data = new Float32Array(2 * m.length)
      data.set(rest)
      data.set(m, m.length)
      const labelSets = [undefined, [1]]
      const { maps } = decodeProbabilities({ data, shape: [2, m.length] }, { kind: 'exclusive', labelSets })
      expect(maps[1]?.present).toBe(true)
    })
  }

  test('beside others of its kind, even if it is the smallest by far', () => {
    const m = ellipsoid([6, 6, 6], 5)
    const evidence = evidenceOf(m)
    expect(evidence.largest).toBeLessThan(0.5)
    // Others are up to four times as large.
    const others = { smallestElsewhere: 3.9 * evidence.total }
    expect(presenceOf({ ...evidence, ...others }, 'auto').mask).toBe('optimal')
  })
})

describe('a haze is never painted', () => {
  test.each([0.01, 0.02, 0.05, 1 / 12, 0.2, 1 / 3, 0.49])('p = %d everywhere', (p) => {
    expect(of(new Float32Array(64_000).fill(p)).mask).toBe('empty')
  })

  test('a softmax that says nothing, of 12 classes', () => {
    const data = new Float32Array(12 * 1000).fill(1 / 12)
    const labelSets = [undefined, ...Array.from({ length: 11 }, (_, c) => [c + 1])]
    const decoded = decodeProbabilities({ data, shape: [12, 1000] }, { kind: 'exclusive', labelSets })
    expect(decoded.data.every((label) => label === 0)).toBe(true)
  })

  test.each([0.1, 0.2, 0.3])('salt and pepper up to %d', (most) => {
    let state = 1
    const next = () => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff
    expect(of(Float32Array.from({ length: 64_000 }, () => most * next())).mask).toBe('empty')
  })

  test('the only map of an image is a haze beyond half of it: a crop may hold little else', () => {
    const crop = { ...evidenceOf(blob(0.25)), voxels: 250 }
    expect(presenceOf(crop, 'auto')).toMatchObject({ mask: 'empty', reason: 'haze' })
    expect(presenceOf({ ...crop, alone: true }, 'auto').mask).toBe('optimal')
    expect(presenceOf({ ...crop, voxels: 190, alone: true }, 'auto')).toMatchObject({ mask: 'empty', reason: 'haze' })
    // The decoder says which it is: 40 of 100 voxels.
    const map = Float32Array.from({ length: 100 }, (_, i) => (i < 40 ? 0.25 : 0))
    const data = Float32Array.from([...map, ...map])
    expect(decodeProbabilities({ data: map, shape: [1, 100] }).maps[0]?.present).toBe(true)
    expect(decodeProbabilities({ data, shape: [2, 100] }).maps.map((each) => each?.present)).toEqual([false, false])
  })

  test('around a sure voxel: that voxel is cut at ½', () => {
    const m = new Float32Array(64_000).fill(0.01)
    m[7] = 0.9
    expect(of(m)).toEqual({ mask: 'half', reason: 'promises next to nothing', doubtful: true })
    const { data, maps } = decodeProbabilities({ data: m, shape: [1, m.length] })
    expect(Array.from(data).filter((label) => label > 0)).toEqual([1])
    expect(maps[0]).toMatchObject({ threshold: 0.5, volume: 1, present: true })
  })
})

describe('other evidence', () => {
  test('far less than the class has elsewhere: left out; without other cases: kept and told', () => {
    const faint = { ...evidenceOf(blob(0.2)), voxels: 1000 }
    expect(presenceOf(faint, 'auto')).toMatchObject({ mask: 'optimal', reason: 'no evidence against', doubtful: true })
    const beside = { ...faint, smallestElsewhere: 2000 }
    // ‖m‖ = 20 of at least 500: q ≤ 0.2, worth 2·20/(100 + 100) = 0.2 against 0.8.
    expect(presenceOf(beside, 'auto')).toMatchObject({ mask: 'empty', reason: 'too little', doubtful: true })
  })

  test('less than one voxel in all cannot be certain', () => {
    const few = (...p: number[]) => of(Float32Array.from({ length: 100 }, (_, i) => p[i] ?? 0))
    expect(few(0.2)).toMatchObject({ mask: 'empty', reason: 'too little' })
    expect(few(0.2, 0.2, 0.2)).toMatchObject({ mask: 'empty', reason: 'too little' })
    // A single voxel seen through noise: its eight places add up to one, so that it may well be certain.
    expect(few(...new Array<number>(8).fill(0.1875)).mask).toBe('optimal')
  })

  test('the caller decides', () => {
    expect(of(blob(0.01, 0.01), 'always')).toEqual({ mask: 'optimal', reason: 'as asked', doubtful: false })
    expect(of(blob(0.4), 'likely')).toEqual({ mask: 'empty', reason: 'as asked', doubtful: false })
    expect(of(blob(0.6), 'likely').mask).toBe('optimal')
    expect(of(blob(0), 'always').mask).toBe('empty')
  })

  test('nothing needs to be said where nothing is doubtful', () => {
    expect(of(blob(0))).toEqual({ mask: 'empty', reason: 'no probability', doubtful: false })
    expect(of(blob(0.95, 0.01))).toEqual({ mask: 'optimal', reason: 'likely voxel', doubtful: false })
    expect(of(blob(0.001, 0.001)).doubtful).toBe(false)
    expect(of(blob(0.01, 0.01)).doubtful).toBe(true)
  })
})
