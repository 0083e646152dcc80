import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { softDiceOptimumBySort } from '../src/decision/soft-dice-by-sort.ts'
import { volumeCut } from '../src/decision/volume-cut.ts'
import { readVolume } from '../src/formats/volume-file.ts'
import { createGrid, voxelCount, voxelVolumeMm3 } from '../src/volume/grid.ts'
import {
  expectRefusal,
  halfdice,
  halfdiceJson,
  hasSharedData,
  sharedData,
  temporaryFolder,
} from './support/halfdice.ts'
import { obliqueGrid, softBall, writeImage } from './support/images.ts'

interface MapSummary {
  threshold: number
  supDice: number
  softDice: number
  diceAtHalf: number
  volumeMl: number
  volumeHalfMl: number
  probabilityVolumeMl: number
}
interface Result {
  scope: string
  dataset?: MapSummary
  cases: (MapSummary & { input: string; output: string; maps: MapSummary[] })[]
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}

const folder = temporaryFolder()
const ball = softBall(obliqueGrid, 7, 8)
const prob = writeImage(join(folder, 'ball.nii.gz'), ball)
const n = voxelCount(obliqueGrid)

describe('one map', () => {
  test('is cut at t*, and the geometry is kept', async () => {
    const output = join(folder, 'mask.nii.gz')
    const { scope, cases } = await halfdiceJson<Result>(['threshold', prob, '-o', output])
    const best = softDiceOptimumBySort(ball)
    const ml = voxelVolumeMm3(obliqueGrid) / 1000
    expect(scope).toBe('case')
    expect(cases).toHaveLength(1)
    expect(cases[0]).toMatchObject({ input: prob, output })
    const close: Partial<MapSummary> = {
      threshold: best.threshold,
      supDice: best.supDice,
      softDice: best.supDice,
      diceAtHalf: best.diceAtHalf,
      volumeMl: best.volume * ml,
      volumeHalfMl: best.volumeHalf * ml,
      probabilityVolumeMl: best.probabilityVolume * ml,
    }
    // The spacing is stored as float32, and so are the volumes.
    for (const [key, value] of Object.entries(close)) {
      expect(cases[0][key as keyof MapSummary] / value, key).toBeCloseTo(1, 6)
    }
    const mask = await readVolume(output)
    expect(mask.data).toBeInstanceOf(Uint8Array)
    expect([...mask.data]).toEqual([...ball].map((p) => (p >= best.threshold ? 1 : 0)))
    expect(mask.grid).toEqual((await readVolume(prob)).grid)
  })

  test('of a pattern is called as the pattern says', async () => {
    const output = join(folder, 'called')
    const { cases } = await halfdiceJson<Result>(['threshold', join(folder, '{case}all.nii.gz'), '-o', output])
    expect(cases.map((one) => one.output)).toEqual([join(output, 'b.nii.gz')])
  })

  test('accuracy cuts at ½, --at where it is told to', async () => {
    const output = join(folder, 'other.nii.gz')
    const half = await halfdiceJson<Result>(['threshold', prob, '-o', output, '--metric', 'accuracy'])
    expect(half.cases[0]).toMatchObject({ threshold: 0.5, softDice: half.cases[0].diceAtHalf })
    const at = await halfdiceJson<Result>(['threshold', prob, '-o', output, '--at', '0.9'])
    expect(at.cases[0].threshold).toBe(0.9)
    expect(at.cases[0].softDice).toBeLessThan(half.cases[0].softDice)
    expect((await readVolume(output)).data.filter((v) => v === 1)).toHaveLength(ball.filter((p) => p >= 0.9).length)
  })

  test('--metric volume: as many voxels as the probabilities add up to', async () => {
    const output = join(folder, 'volume.nii.gz')
    const { cases } = await halfdiceJson<Result>(['threshold', prob, '-o', output, '--metric', 'volume'])
    const { threshold, volume } = volumeCut(ball)
    expect(cases[0].threshold).toBe(threshold)
    expect((await readVolume(output)).data.filter((v) => v === 1)).toHaveLength(volume)
    expect(cases[0].volumeMl).toBeCloseTo(cases[0].probabilityVolumeMl, 1)
    const told = await halfdice(['threshold', prob, '-o', output, '--metric', 'volume'])
    expect(told.stdout).toMatch(/each cut where its mask has the expected volume/)
    const pooled = await halfdice(['threshold', prob, '-o', output, '--metric', 'volume', '--scope', 'dataset'])
    expectRefusal(pooled, '--metric volume: asks for the volume of each case')
  })

  test('IoU has the mask of Dice', async () => {
    await halfdice(['threshold', prob, '-o', join(folder, 'dice.nii')])
    await halfdice(['threshold', prob, '-o', join(folder, 'iou.nii'), '--metric', 'iou'])
    expect(readFileSync(join(folder, 'iou.nii'))).toEqual(readFileSync(join(folder, 'dice.nii')))
  })

  test('nothing gives an empty mask, and no division by zero', async () => {
    const zero = writeImage(join(folder, 'zero.nii'), new Float32Array(n))
    const { cases } = await halfdiceJson<Result>(['threshold', zero, '-o', join(folder, 'empty.nii')])
    expect(cases[0]).toMatchObject({ supDice: 1, diceAtHalf: 1, volumeMl: 0, probabilityVolumeMl: 0 })
    expect((await readVolume(join(folder, 'empty.nii'))).data.some((v) => v !== 0)).toBe(false)
  })

  test('a table for people names the file and the gain', async () => {
    const { code, stdout, stderr } = await halfdice(['threshold', prob, '-o', join(folder, 'mask.nii.gz')])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^case +cut at +Dice at 1\/2 +Dice here/m)
  })
})

describe('several', () => {
  const maps = [softBall(obliqueGrid, 7, 8), softBall(obliqueGrid, 4, 9), softBall(obliqueGrid, 9, 2)]

  test('maps in one file are cut one by one', async () => {
    const input = writeImage(
      join(folder, 'three.nii.gz'),
      Float32Array.from(maps.flatMap((m) => [...m])),
      obliqueGrid,
      {
        channels: 3,
      },
    )
    const output = join(folder, 'three_masks.nii.gz')
    const { cases } = await halfdiceJson<Result>(['threshold', input, '-o', output])
    const masks = await readVolume(output)
    expect(masks.channels).toBe(3)
    for (const [channel, m] of maps.entries()) {
      const best = softDiceOptimumBySort(m)
      expect(cases[0].maps[channel].threshold).toBeCloseTo(best.threshold, 12)
      expect(sum(masks.data.subarray(channel * n, (channel + 1) * n))).toBe(best.volume)
    }
  })

  test('files go to a folder, each with its own threshold or with one for all', async () => {
    const inputs = maps.map((m, i) => writeImage(join(folder, `case${i}.nii.gz`), m))
    const own = await halfdiceJson<Result>(['threshold', ...inputs, '-o', join(folder, 'own')])
    expect(own.cases.map(({ output }) => output)).toEqual(maps.map((_, i) => join(folder, 'own', `case${i}.nii.gz`)))
    expect(new Set(own.cases.map(({ threshold }) => threshold)).size).toBe(3)

    const one = await halfdiceJson<Result>(['threshold', ...inputs, '-o', join(folder, 'one'), '--scope', 'dataset'])
    const best = softDiceOptimumBySort(maps)
    expect(one.scope).toBe('dataset')
    expect(one.dataset?.threshold).toBeCloseTo(best.threshold, 12)
    expect(one.dataset?.supDice).toBeCloseTo(best.supDice, 12)
    for (const [i, each] of one.cases.entries()) {
      expect(each.threshold).toBeCloseTo(best.threshold, 12)
      expect(each.softDice).toBeLessThanOrEqual(each.supDice)
      const mask = await readVolume(each.output)
      expect(sum(mask.data)).toBe(maps[i].filter((p) => p >= best.threshold).length)
    }
  })
})

describe('integers', () => {
  const stored = Uint8Array.from(ball, (p) => Math.round(p * 255))

  test('with a slope in the header are probabilities', async () => {
    const input = writeImage(join(folder, 'sloped.nii'), stored, obliqueGrid, {
      scaling: { slope: 1 / 255, intercept: 0 },
    })
    const { cases } = await halfdiceJson<Result>(['threshold', input, '-o', join(folder, 'sloped_mask.nii')])
    expect(cases[0].threshold).toBeCloseTo(
      softDiceOptimumBySort(stored.length ? Float32Array.from(stored, (v) => v / 255) : ball).threshold,
      6,
    )
    expect((await readVolume(join(folder, 'sloped_mask.nii'))).scaling).toBeUndefined()
  })

  test('without one are refused with the remedy, and taken with it', async () => {
    const input = writeImage(join(folder, 'bytes.nii'), stored)
    const output = join(folder, 'bytes_mask.nii')
    expectRefusal(await halfdice(['threshold', input, '-o', output]), '--scale 255')
    const { cases } = await halfdiceJson<Result>(['threshold', input, '-o', output, '--scale', '255'])
    expect(cases[0].supDice).toBeGreaterThan(0.5)
  })
})

describe('--like', () => {
  test('gives the masks another geometry', async () => {
    const image = writeImage(join(folder, 'image.nii'), new Int16Array(n), { ...obliqueGrid, origin: [1, 2, 3] })
    await halfdice(['threshold', prob, '-o', join(folder, 'like.nii'), '--like', image])
    expect((await readVolume(join(folder, 'like.nii'))).grid.origin).toEqual([1, 2, 3])
  })
  test('must have the same voxels', async () => {
    const grid = createGrid([4, 4, 4])
    const image = writeImage(join(folder, 'small.nii'), new Int16Array(64), grid)
    const output = join(folder, 'unlike.nii')
    expectRefusal(await halfdice(['threshold', prob, '-o', output, '--like', image]), '24×20×16 voxels')
  })
})

describe('where the output goes', () => {
  test('one input into a folder that exists keeps its name', async () => {
    mkdirSync(join(folder, 'there'))
    const { cases } = await halfdiceJson<Result>(['threshold', prob, '-o', join(folder, 'there')])
    expect(cases[0].output).toBe(join(folder, 'there', 'ball.nii.gz'))
  })
  test('several inputs into a file name are refused', async () => {
    expectRefusal(await halfdice(['threshold', prob, prob, '-o', join(folder, 'x.nii')]), 'give a folder')
  })
  test('onto an input is refused', async () => {
    expectRefusal(await halfdice(['threshold', prob, '-o', folder]), 'would overwrite the input')
  })
})

describe.skipIf(!hasSharedData)('on the shared data', () => {
  test('a bladder stored as 0…252 names its scale and is accepted with it', async () => {
    const input = sharedData('innereye_posterior/posterior_bladder.nii.gz')
    const output = join(folder, 'bladder.nii.gz')
    expectRefusal(await halfdice(['threshold', input, '-o', output]), '--scale 255')
    const { cases } = await halfdiceJson<Result>(['threshold', input, '-o', output, '--scale', '252'])
    expect(cases[0].supDice).toBeGreaterThan(cases[0].diceAtHalf)
    expect((await readVolume(output)).grid).toEqual((await readVolume(input)).grid)
  })

  test('three maps of a hippocampus', async () => {
    const input = sharedData('hippocampus_probabilities/hippocampus_001_ce.nii.gz')
    const { cases } = await halfdiceJson<Result>(['threshold', input, '-o', join(folder, 'hippocampus.nii.gz')])
    expect(cases[0].maps).toHaveLength(3)
    for (const { threshold, supDice, diceAtHalf } of cases[0].maps) {
      expect(threshold).toBeCloseTo(supDice / 2, 12)
      expect(supDice).toBeGreaterThan(diceAtHalf)
    }
  })
})
