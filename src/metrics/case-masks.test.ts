import { expect, test } from 'vitest'
import { createGrid } from '../volume/grid.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'
import { scoredMasks } from './case-masks.ts'
import { type EvaluateCaseOptions, evaluateCase } from './evaluate-case.ts'

const grid = createGrid([6, 5, 4], [1, 2, 3])
const voxels = 120
const volume = (data: VoxelArray, channels = 1): Volume => ({ grid, channels, data })
const random = (i: number) => ((Math.imul(i + 1, 2654435761) >>> 8) % 1000) / 1000
const set = (...labels: number[]) => ({ name: labels.join('+'), labels })

const labels = Uint8Array.from({ length: voxels }, (_, i) => Math.floor(3 * random(i)))
/** Agrees in part; label 9 was never annotated. */
const reference = labels.map((label, i) => (i >= 90 ? 9 : random(i + 500) < 0.3 ? (label + 1) % 3 : label))
const binary = reference.map((label) => Number(label === 1))
const probabilities = Float32Array.from({ length: 2 * voxels }, (_, i) => random(i + 7))
const twoMasks = Uint8Array.from({ length: 2 * voxels }, (_, i) => Number(random(i) > 0.4))

const runs: [string, Volume, Volume, EvaluateCaseOptions][] = [
  ['all labels', volume(labels), volume(reference), {}],
  ['voxels that nobody has annotated', volume(labels), volume(reference), { ignore: 9 }],
  ['labels together', volume(labels), volume(reference), { ignore: 9, labels: [set(1, 2), set(2)] }],
  ['a label that is nowhere', volume(labels), volume(reference), { labels: [set(7)] }],
  ['a reference of 0 and 255', volume(binary), volume(binary.map((x) => 255 * x)), {}],
  ['a prediction of 0 and 255', volume(binary.map((x) => 255 * x)), volume(binary), {}],
  ['both of 0 and 255', volume(binary.map((x) => 255 * x)), volume(binary.map((x) => 255 * x)), { labels: [set(1)] }],
  ['a mask a channel', volume(twoMasks, 2), volume(reference), { labels: [set(1), set(2)], ignore: 9 }],
  ['probabilities', volume(probabilities, 2), volume(reference), { labels: [set(1), set(1, 2)], ignore: 9 }],
  ['probabilities at t*', volume(probabilities, 2), volume(reference), { labels: [set(1), set(2)], at: 'auto' }],
  [
    'a scale',
    volume(
      probabilities.map((p) => 255 * p),
      2,
    ),
    volume(reference),
    { labels: [set(1), set(2)], scale: 255 },
  ],
]

test.each(runs)('%s: the masks have the Dice that was scored', (_, prediction, truth, options) => {
  const { scores } = evaluateCase(prediction, truth, options)
  expect(scores.length).toBeGreaterThan(0)
  for (const [index, score] of scores.entries()) {
    const masks = scoredMasks(prediction, truth, score, index, options)
    let [own, both, theirs] = [0, 0, 0]
    for (let i = 0; i < voxels; i++) {
      const [p, r] = [masks.prediction[i] > 0, masks.reference[i] > 0]
      own += Number(p)
      theirs += Number(r)
      both += Number(p && r)
    }
    expect(own + theirs === 0 ? 1 : (2 * both) / (own + theirs)).toBeCloseTo(score.dice, 12)
    expect((own * 6) / 1000).toBeCloseTo(score.volumePredMl, 12)
    expect((theirs * 6) / 1000).toBeCloseTo(score.volumeRefMl, 12)
  }
})

test('a class that was left out has no mask', () => {
  const faint = volume(new Float32Array(voxels).fill(0.02))
  const truth = volume(binary)
  const { scores } = evaluateCase(faint, truth, { at: 'auto' })
  expect(scores[0].volumePredMl).toBe(0)
  expect(scoredMasks(faint, truth, scores[0], 0).prediction.every((value: number) => value === 0)).toBe(true)
})
