import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { createGrid } from '../volume/grid.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'
import { CutTable, diceAtCuts, halfCut } from './cut-table.ts'
import { evaluateCase } from './evaluate-case.ts'
import { evaluateLabels } from './evaluate-labels.ts'
import { surfaceDistances } from './surface-distances.ts'

const grid = createGrid([6, 5, 4], [1, 2, 3])
const voxels = 120
const volume = (data: VoxelArray, more: Partial<Volume> = {}): Volume => ({ grid, channels: 1, data, ...more })
const random = (i: number) => ((Math.imul(i + 1, 2654435761) >>> 8) % 1000) / 1000
const set = (...labels: number[]) => ({ name: labels.join('+'), labels })
const prediction = Uint8Array.from({ length: voxels }, (_, i) => Math.floor(3 * random(i)))
/** Agrees in part; the last slice was never annotated. */
const reference = prediction.map((label, i) => (i >= 90 ? 9 : random(i + 500) < 0.3 ? (label + 1) % 3 : label))
const probabilities = Float32Array.from({ length: voxels }, (_, i) => random(i + 7))

describe('voxels of the label ignore', () => {
  const inside = (values: VoxelArray, label: number) =>
    Uint8Array.from(values, (value, i) => Number(reference[i] !== 9 && value === label))

  test('count in no score of a label map, as in nnUNetv2_evaluate_folder', () => {
    const { scores, voxels: counted } = evaluateCase(volume(prediction), volume(reference), { ignore: 9 })
    expect(counted).toBe(90)
    expect(evaluateCase(volume(prediction), volume(reference)).voxels).toBe(voxels)
    expect(scores.map(({ labels }) => labels)).toEqual([[1], [2]])
    for (const { labels, dice, iou, precision, recall, volumePredMl, volumeRefMl, ...more } of scores) {
      // compute_tp_fp_fn_tn of nnunetv2/evaluation/evaluate_predictions.py.
      let [tp, fp, fn] = [0, 0, 0]
      for (let i = 0; i < voxels; i++) {
        if (reference[i] === 9) continue
        const [p, r] = [prediction[i] === labels[0], reference[i] === labels[0]]
        if (p && r) tp++
        else if (p) fp++
        else if (r) fn++
      }
      expect([dice, iou]).toEqual([(2 * tp) / (2 * tp + fp + fn), tp / (tp + fp + fn)])
      expect([precision, recall]).toEqual([tp / (tp + fp), tp / (tp + fn)])
      expect([volumePredMl, volumeRefMl]).toEqual([((tp + fp) * 6) / 1000, ((tp + fn) * 6) / 1000])
      const expected = surfaceDistances(inside(prediction, labels[0]), inside(reference, labels[0]), grid)
      expect(more).toMatchObject(expected)
    }
    const everywhere = evaluateCase(volume(prediction), volume(reference)).scores
    expect(everywhere.map(({ labels }) => labels)).toEqual([[1], [2], [9]])
    expect(everywhere[0].dice).not.toBe(scores[0].dice)
  })

  test('count neither where regions or the background are asked for', () => {
    const options = { ignore: 9, labels: [set(1, 2), set(0)] }
    const [both, background] = evaluateCase(volume(prediction), volume(reference), options).scores
    const kept = (values: VoxelArray) => Uint8Array.from(values.subarray(0, 90), (value) => Number(value > 0))
    const flat = createGrid([90, 1, 1])
    expect(both.dice).toBe(evaluateLabels(kept(prediction), kept(reference), flat)[0].dice)
    expect(background.dice).toBe(evaluateLabels(kept(prediction), kept(reference), flat, { labels: [0] })[0].dice)
    expect(() => evaluateCase(volume(prediction), volume(reference), { ignore: 9, labels: [set(9)] })).toThrow(
      /label 9 marks voxels that nobody has annotated/,
    )
  })

  test('count in no score of probabilities', () => {
    const options = { ignore: 9, labels: [set(1)] }
    const [score] = evaluateCase(volume(probabilities), volume(reference), options).scores
    const part = createGrid([6, 5, 3], [1, 2, 3])
    const cut = (data: VoxelArray) => ({ grid: part, channels: 1, data: data.subarray(0, 90) as VoxelArray })
    const [alone] = evaluateCase(cut(probabilities), cut(reference), { labels: [set(1)] }).scores
    expect(score.probabilities).toEqual(alone.probabilities)
    expect(score.dice).toBe(alone.dice)
    // Where a mask is cut does not depend on what was annotated: `halfdice threshold` sees the whole map.
    const at = (volumes: [Volume, Volume]) =>
      evaluateCase(...volumes, { ...options, at: 'auto' }).scores[0].probabilities?.threshold
    expect(at([volume(probabilities), volume(reference)])).not.toBe(at([cut(probabilities), cut(reference)]))
  })

  test('count in no table of cuts', () => {
    const [whole, alone] = [new CutTable(), new CutTable()]
    const negative = Int16Array.from(reference, (label) => (label === 9 ? -1 : label))
    whole.add(probabilities, negative, (label) => label === 1)
    alone.add(probabilities.subarray(0, 90), reference.subarray(0, 90), (label) => label === 1)
    expect(whole).toEqual(alone)
    expect(diceAtCuts(whole)[halfCut]).toBeGreaterThan(0)
  })
})

describe('what a prediction is', () => {
  const masks = new Uint8Array(2 * voxels)
  for (let i = 0; i < voxels; i++) {
    masks[i] = Number(prediction[i] === 1)
    masks[voxels + i] = Number(prediction[i] > 0)
  }
  const truth = volume(reference.map((label) => (label === 9 ? 0 : label)))

  test.each([
    ['bytes', masks],
    ['float32', Float32Array.from(masks)],
  ])('several channels of 0 and 1 are masks, not probabilities: %s', (_, data) => {
    const options = { labels: [set(1), set(1, 2)] }
    const { scores } = evaluateCase(volume(data, { channels: 2 }), truth, options)
    expect(scores).toEqual(evaluateCase(volume(prediction), truth, options).scores)
    expect(scores[0].probabilities).toBeUndefined()
  })

  test('whole numbers are probabilities where a scale is named', () => {
    const stored = volume(Uint8Array.from(probabilities, (p) => Math.round(250 * p)))
    const { scores } = evaluateCase(stored, truth, { labels: [set(1)], scale: 250 })
    const exact = volume(Float32Array.from(stored.data, (value) => value / 250))
    expect(scores).toEqual(evaluateCase(exact, truth, { labels: [set(1)] }).scores)
    expect(scores[0].probabilities?.brier).toBeGreaterThan(0)
  })

  test('masks need to be told which labels they are', () => {
    expect(() => evaluateCase(volume(masks, { channels: 2 }), truth)).toThrow(
      'prediction: has 2 masks, reference holds 0, 1, 2; say with --labels which label each map is',
    )
    expect(() => evaluateCase(volume(probabilities), truth)).toThrow('has one map of probabilities, reference holds')
    const two = volume(Float32Array.of(...probabilities, ...probabilities), { channels: 2 })
    expect(() => evaluateCase(two, truth, { labels: [set(1)] })).toThrow(
      'has 2 maps of probabilities, --labels names 1',
    )
  })

  test('several channels of other whole numbers are neither', () => {
    const wrong = volume(
      masks.map((value) => 2 * value),
      { channels: 2 },
    )
    expect(() => evaluateCase(wrong, truth, { labels: [set(1), set(2)] })).toThrow(InputError)
  })
})

test('a mask of 0 and 255 is compared with the one label of the other map', () => {
  const one = prediction.map((label) => Number(label === 1))
  const bytes = one.map((value) => 255 * value)
  const both = [evaluateCase(volume(one), volume(bytes)), evaluateCase(volume(bytes), volume(one))]
  for (const [i, name] of ['reference', 'prediction'].entries()) {
    expect(both[i].scores).toMatchObject([{ labels: [1], dice: 1, hd95Mm: 0, assdMm: 0, hdMm: 0 }])
    expect(both[i].notes).toEqual([`${name}: holds 0 and 255 only: 255 is read as label 1`])
  }
  expect(evaluateCase(volume(bytes), volume(bytes))).toMatchObject({ scores: [{ labels: [255], dice: 1 }], notes: [] })
  const soft = evaluateCase(volume(probabilities), volume(bytes), { labels: [{ name: 'liver', labels: [4] }] })
  expect(soft.notes).toEqual(['reference: holds 0 and 255 only: 255 is read as liver (label 4)'])
  expect(soft.scores[0].volumeRefMl).toBeGreaterThan(0)
})

test('auto decides about presence as masks are written: by the map, by its neighbours, or as asked', () => {
  // 0.25 in 40 of 100 voxels: taken as there where it is the only map, a haze where it is one of two.
  const map = Float32Array.from({ length: 100 }, (_, i) => (i < 40 ? 0.25 : 0))
  const grid = createGrid([100, 1, 1])
  const one = { grid, channels: 1, data: map }
  const two = { grid, channels: 2, data: Float32Array.from([...map, ...map]) }
  const reference = { grid, channels: 1, data: Uint8Array.from(map, (p) => Number(p > 0)) }
  const labels = [1, 2].map((label) => ({ name: `organ ${label}`, labels: [label] }))
  const alone = evaluateCase(one, reference, { labels: labels.slice(0, 1), at: 'auto' })
  expect(alone.scores[0].dice).toBe(1)
  expect(alone.notes).toEqual([expect.stringMatching(/organ 1: kept, .*--presence likely/)])
  const together = evaluateCase(two, reference, { labels, at: 'auto' })
  expect(together.scores.map(({ dice }) => dice)).toEqual([0, 1])
  expect(together.scores.map(({ probabilities }) => probabilities?.softDice)).toEqual([0, 0])
  expect(together.notes[0]).toMatch(/organ 1: left empty, .*--presence always/)
  const asked = evaluateCase(two, reference, { labels, at: 'auto', presence: 'always' })
  expect(asked.scores.map(({ dice }) => dice)).toEqual([1, 0])
  expect(asked.notes).toEqual([])
})

test('scores do not depend on how the grid lies in space', () => {
  const turned = { ...grid, origin: [30, -20, 5], direction: [0, -0.6, 0.8, 1, 0, 0, 0, 0.8, 0.6] } as const
  const options = { lesions: { matching: 'overlap' }, distances: 'area' } as const
  const upright = evaluateCase(volume(prediction), volume(reference), options)
  const slanted = [prediction, reference].map((data) => ({ grid: turned, channels: 1, data }))
  expect(evaluateCase(slanted[0], slanted[1], options)).toEqual(upright)
  // The conventions differ, and both are asked for by name.
  const byVoxel = evaluateCase(volume(prediction), volume(reference), { distances: 'voxel' }).scores[0]
  expect(byVoxel.assdMm).toBe(evaluateCase(volume(prediction), volume(reference)).scores[0].assdMm)
  expect(upright.scores[0].assdMm).not.toBe(byVoxel.assdMm)
  const wrong = { distances: 'surface' as 'area' }
  expect(() => evaluateCase(volume(prediction), volume(reference), wrong)).toThrow(
    'distances: is surface; give voxel or area',
  )
})
