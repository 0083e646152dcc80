import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readVolume } from '../src/formats/volume-file.ts'
import { gridDifference } from '../src/volume/grid.ts'
import { filesBelow, halfdice, halfdiceJson, hasSharedData, sharedData, temporaryFolder } from './support/halfdice.ts'

// Real images from ../shared/data; skipped where that folder is absent. The commands in a row, as a user would run
// them.

interface Stats {
  name?: string
  voxels: number
  volumeMl: number
  dice: number
}
interface Row {
  label: number
  name?: string
  supDice: number
  threshold: number
  diceAtHalf: number
  volumeRatioHalf: number
  volumeRatioDice: number
}
interface Case {
  threshold: number
  supDice: number
  diceAtHalf: number
  volumeMl: number
  probabilityVolumeMl: number
}
interface Score {
  dice: number
  hd95Mm: number
  softDice: number
  ece: number
}

const folder = temporaryFolder()
const organ = (subject: string, name: string) =>
  sharedData(`Totalsegmentator_dataset/${subject}/segmentations/${name}.nii.gz`)

const images: [what: string, path: string, sigma: string, length: string, names: Record<string, string>][] = [
  ['a spleen on a rotated grid', organ('s0004', 'spleen'), '4', '16', { 1: 'spleen' }],
  ['a thin gland', organ('s0327', 'adrenal_gland_left'), '2', '8', { 1: 'adrenal_gland_left' }],
  [
    'a heart of three classes, σ in voxels',
    sharedData('Dataset027_ACDC/labelsTr/patient001_frame01.nii.gz'),
    '2vx',
    '8vx',
    { 1: 'RV', 2: 'MYO', 3: 'LV' },
  ],
  [
    'a hippocampus of two classes',
    sharedData('Dataset004_Hippocampus/labelsTr/hippocampus_001.nii.gz'),
    '1.5',
    '6',
    { 1: 'anterior', 2: 'posterior' },
  ],
]
if (hasSharedData) {
  const kidney = readdirSync(sharedData('kits23_raters')).sort()[0]
  images.push(['an anisotropic kidney', sharedData(`kits23_raters/${kidney}/rater1.nii.gz`), '2,2,3', '10', {}])
}

describe.skipIf(!hasSharedData).each(images)('%s', (_, input, sigma, length, names) => {
  test('sample, marginal, optimum, threshold and evaluate agree with one another', async () => {
    const work = join(folder, String(images.findIndex(([, path]) => path === input)))
    const noise = ['--sigma', sigma]
    const drawn = await halfdiceJson<{
      foldProbability: number
      samples: { file: string; labels: Record<string, Stats> }[]
    }>(['sample', input, '-o', work, ...noise, '--length', length, '-n', '3'])
    expect(drawn.foldProbability).toBeLessThan(0.01)
    const reference = await readVolume(input)
    for (const { file, labels } of drawn.samples) {
      const sample = await readVolume(file)
      expect(gridDifference(sample.grid, reference.grid, 1e-6)).toBeUndefined()
      expect(sample.data.constructor).toBe(reference.data.constructor)
      for (const [label, name] of Object.entries(names)) expect(labels[label].name).toBe(name)
      for (const stats of Object.values(labels)) {
        expect(stats.dice).toBeGreaterThan(0.3)
        expect(stats.dice).toBeLessThan(1)
      }
    }

    const { rows } = await halfdiceJson<{ rows: Row[] }>(['optimum', input, ...noise])
    const labels = rows.map(({ label }) => label)
    expect(labels).toEqual(Object.keys(drawn.samples[0].labels).map(Number))
    const probabilities = join(work, 'probabilities.nii.gz')
    const { labels: volumes } = await halfdiceJson<{
      labels: Record<string, { volumeMl: number; referenceMl: number }>
    }>(['marginal', input, '-o', probabilities, ...noise])
    const { cases } = await halfdiceJson<{ cases: (Case & { maps?: Case[] })[] }>([
      'threshold',
      probabilities,
      '-o',
      join(work, 'masks.nii.gz'),
    ])
    const maps: Case[] = cases[0].maps ?? cases
    for (const [i, row] of rows.entries()) {
      // The optimum is computed in the box around the class, the threshold from the whole map in the file.
      expect(maps[i].supDice).toBeCloseTo(row.supDice, 6)
      expect(maps[i].threshold).toBeCloseTo(row.threshold, 6)
      expect(maps[i].diceAtHalf).toBeCloseTo(row.diceAtHalf, 6)
      expect(maps[i].volumeMl / maps[i].probabilityVolumeMl).toBeCloseTo(row.volumeRatioDice, 6)
      expect(volumes[row.label].volumeMl).toBeCloseTo(maps[i].probabilityVolumeMl, 6)
      expect(row.threshold).toBeCloseTo(row.supDice / 2, 12)
      expect(row.diceAtHalf).toBeLessThanOrEqual(row.supDice)
      expect(row.volumeRatioHalf).toBeLessThanOrEqual(row.volumeRatioDice)
    }

    const { labels: scores } = await halfdiceJson<{ labels: Record<string, Score> }>([
      'evaluate',
      probabilities,
      drawn.samples[0].file,
      '--at',
      'auto',
      '--labels',
      ...labels.map(String),
    ])
    for (const [i, row] of rows.entries()) {
      const score = scores[row.label]
      expect(score.softDice).toBeCloseTo(maps[i].supDice, 12)
      expect(score.dice).toBeGreaterThan(0.3)
      // One label drawn from the map itself: calibrated but for chance.
      expect(score.ece).toBeLessThan(0.05)
      expect(score.hd95Mm).toBeGreaterThan(0)
    }
    expect(filesBelow(work).filter((name) => name.includes('.tmp'))).toEqual([])
  })
})

test.skipIf(!hasSharedData)('network outputs against noisy and clean labels', async () => {
  const at = (suffix: string) => sharedData(`hippocampus_probabilities/hippocampus_001_${suffix}.nii.gz`)
  const score = (prediction: string, threshold: string) =>
    halfdiceJson<{ labels: Record<string, Score> }>([
      'evaluate',
      at(prediction),
      at('noisy'),
      '--labels',
      '1',
      '2',
      '1+2',
      '--at',
      threshold,
    ])
  const half = (await score('ce', '0.5')).labels['1+2']
  const best = (await score('ce', 'auto')).labels['1+2']
  expect(best.softDice).toBeGreaterThan(half.softDice)
  expect(best.dice).toBeGreaterThan(half.dice)
})

test.skipIf(!hasSharedData)('an organ against itself', async () => {
  const input = organ('s0004', 'spleen')
  const { labels } = await halfdiceJson<{ labels: Record<string, Score> }>(['evaluate', input, input])
  expect(labels['1']).toMatchObject({ name: 'spleen', dice: 1, iou: 1, hd95Mm: 0, assdMm: 0 })
  const { code, stdout } = await halfdice(['evaluate', input, organ('s0004', 'liver')])
  expect({ code, dice: / 0\.0000 /.test(stdout) }).toEqual({ code: 0, dice: true })
})
