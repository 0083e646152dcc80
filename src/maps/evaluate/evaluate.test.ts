import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { findLabelCases } from '../../datasets/label-cases.ts'
import { parseCsv } from '../../formats/csv.ts'
import { encodeNifti } from '../../formats/nifti.ts'
import { createGrid } from '../../volume/grid.ts'
import { cohortCsv } from './cohort-csv.ts'
import { type EvaluateCohortOptions, evaluateCohort } from './evaluate-cohort.ts'
import { nnunetSummary } from './nnunet-summary.ts'
import { pairCases } from './pair-cases.ts'
import { compareCohorts } from './versus.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-evaluate-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Label maps of one row of voxels. */
function row(path: string, ...labels: number[]): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  const data = Uint8Array.from(labels)
  writeFileSync(
    join(folder, path),
    encodeNifti({ grid: createGrid([labels.length, 1, 1], [2, 1, 1]), channels: 1, data }),
  )
}
const cases = async (path: string) => (await findLabelCases([join(folder, path)])).cases
const evaluated = async (pred: string, ref: string, options: EvaluateCohortOptions = {}) =>
  evaluateCohort(await cases(pred), await cases(ref), options)

row('ref/a.nii', 1, 1, 0, 2, 0, 0)
row('ref/b.nii', 1, 1, 1, 1, 0, 0)
row('ref/c.nii', 0, 0, 1, 1, 0, 0)
row('pred/a.nii', 1, 0, 0, 2, 2, 0)
row('pred/b.nii', 1, 1, 1, 1, 0, 2)
row('pred/d.nii', 0, 0, 0, 0, 0, 0)

describe('a cohort', () => {
  test('pairs cases by name, and names those in one folder only', async () => {
    const { cases: scored, missing, unpaired, failures, patients } = await evaluated('pred', 'ref')
    expect(scored.map((one) => one.case)).toEqual(['a', 'b'])
    expect(missing.map(({ name }) => name)).toEqual(['c'])
    expect(unpaired.map(({ name }) => name)).toEqual(['d'])
    expect([failures, patients]).toEqual([[], 2])
  })

  test('sums scores up over cases; a label in neither map of a case counts as empty maps do', async () => {
    row('two/ref/x.nii', 1, 1, 0)
    row('two/ref/y.nii', 1, 0, 2)
    row('two/pred/x.nii', 1, 0, 0)
    row('two/pred/y.nii', 1, 0, 2)
    const { summary, cases: scored } = await evaluated('two/pred', 'two/ref')
    const [one, two] = summary
    expect([one.label, two.label]).toEqual(['1', '2'])
    const dice = one.metrics.get('dice')
    expect(dice?.mean).toBeCloseTo((2 / 3 + 1) / 2, 12)
    expect(dice?.sd).toBeCloseTo(Math.abs(2 / 3 - 1) / Math.sqrt(2), 12)
    expect([dice?.n, dice?.low, dice?.high]).toEqual([2, 2 / 3, 1])
    expect([one.absent, two.absent]).toEqual([0, 1])
    expect(two.metrics.get('dice')?.mean).toBe(1)
    expect(two.metrics.get('hd95Mm')?.n).toBe(1)
    expect(scored[0].scores[1]).toMatchObject({ label: '2', dice: 1, volumePredMl: 0, hd95Mm: null, nsd: { 1: 1 } })
  })

  test('intervals are over patients: two cases of one patient have none', async () => {
    const { summary, patients } = await evaluated('two/pred', 'two/ref', { patientOf: () => 'p' })
    const { mean = 0, low, high } = summary[0].metrics.get('dice') ?? {}
    expect([low, high, patients]).toEqual([mean, mean, 1])
  })

  test('a missing prediction may count as an empty one', async () => {
    const { cases: scored } = await evaluated('pred', 'ref', { missing: 'empty' })
    expect(scored.map((one) => [one.case, one.prediction === undefined])).toEqual([
      ['a', false],
      ['b', false],
      ['c', true],
    ])
    expect(scored[2].scores[0]).toMatchObject({ dice: 0, recall: 0, volumePredMl: 0, volumeRefMl: 0.004, hd95Mm: null })
  })

  test('a bad case is named, the others are scored', async () => {
    row('bad/ref/a.nii', 1, 0)
    row('bad/ref/b.nii', 1, 0, 0)
    row('bad/pred/a.nii', 1, 0)
    row('bad/pred/b.nii', 1, 0)
    const { cases: scored, failures } = await evaluated('bad/pred', 'bad/ref')
    expect(scored.map((one) => one.case)).toEqual(['a'])
    expect(failures.map((one) => [one.case, one.error.fault])).toEqual([['b', expect.stringContaining('another grid')]])
  })

  test('labels that are asked for, joined and named', async () => {
    const labels = [{ name: 'both', labels: [1, 2] }]
    const { cases: scored } = await evaluated('pred', 'ref', {
      labels,
      nameOf: (all) => (all.length > 1 ? 'both' : undefined),
    })
    expect(scored.map(({ scores }) => scores.map(({ label, name }) => [label, name]))).toEqual([
      [['1+2', 'both']],
      [['1+2', 'both']],
    ])
    // a: 1, 4, 5 against 1, 2, 4.
    expect(scored[0].scores[0].dice).toBeCloseTo(4 / 6, 12)
  })

  test('organs with files of their own, some of them missing', async () => {
    row('t/ref/s1/segmentations/liver.nii', 1, 1, 0, 0)
    row('t/ref/s1/segmentations/spleen.nii', 0, 0, 0, 1)
    row('t/pred/s1/segmentations/liver.nii', 1, 1, 1, 0)
    row('t/pred/s1/segmentations/kidney.nii', 0, 0, 1, 0)
    const { cases: scored } = await evaluated('t/pred', 't/ref')
    expect(scored[0].scores.map(({ label, dice, recall, precision }) => [label, dice, recall, precision])).toEqual([
      ['kidney', 0, 0, 0],
      ['liver', 0.8, 1, 2 / 3],
      ['spleen', 0, 0, 0],
    ])
    const labels = [{ name: 'spleen', labels: [3] }]
    const spleen = await evaluated('t/pred', 't/ref', { labels })
    expect(spleen.cases[0].scores.map(({ label, volumeRefMl }) => [label, volumeRefMl])).toEqual([['spleen', 0.002]])
    const liver = { name: 'lung', labels: [9] }
    await expect(evaluated('t/pred', 't/ref', { labels: [liver] })).rejects.toThrow("no case has a mask of 'lung'")
    const mixed = await evaluateCohort(await cases('t/pred'), [{ name: 's1', input: join(folder, 'ref/a.nii') }], {})
    expect(mixed.failures[0].error.fault).toMatch(/has a file for each organ/)
  })
})

describe('pairs', () => {
  const named = (...names: string[]) => names.map((name) => ({ name, input: `${name}.nii` }))
  test('one of each is a pair, whatever the names', () => {
    expect(pairCases(named('x'), named('y')).pairs).toHaveLength(1)
    expect(() => pairCases(named('x', 'z'), named('y'))).toThrow('no prediction (x, z) is called as a reference (y)')
  })
})

describe('two predictions', () => {
  test('are compared over the cases of both, metric by metric', async () => {
    const n = 8
    for (let i = 0; i < n; i++) {
      row(`v/ref/c${i}.nii`, 1, 1, 1, 1, 0, 0)
      row(`v/good/c${i}.nii`, 1, 1, 1, 1, i === 0 ? 1 : 0, 0)
      row(`v/poor/c${i}.nii`, 1, 1, 0, 0, 0, i % 2)
    }
    row('v/ref/only.nii', 1, 0)
    row('v/good/only.nii', 1, 0)
    const [good, poor] = [await evaluated('v/good', 'v/ref'), await evaluated('v/poor', 'v/ref')]
    const { labels, leftOut, margin } = compareCohorts(good, poor, 0.01)
    expect([leftOut, margin, labels.map(({ label }) => label)]).toEqual([['only'], 0.01, ['1']])
    const { metrics } = labels[0]
    expect([...metrics.keys()]).toEqual([
      'dice',
      'iou',
      'precision',
      'recall',
      'hd95Mm',
      'hdMm',
      'assdMm',
      'nsd.1',
      'nsd.3',
    ])
    expect(metrics.get('dice')).toMatchObject({ cases: n, betterCases: n, worseCases: 0, verdict: 'better' })
    // Of distances less is better.
    expect(metrics.get('assdMm')).toMatchObject({ betterCases: n, verdict: 'better' })
    expect(compareCohorts(good, poor, 0.9).labels[0].metrics.get('dice')?.verdict).toBe('equivalent')
    // The margin is none of lengths.
    expect(compareCohorts(good, poor, 1000).labels[0].metrics.get('hd95Mm')?.verdict).toBe('better')
    expect(() => compareCohorts(good, { ...poor, cases: [] }, 0.01)).toThrow('has no case of the first prediction')
  })
})

describe('files of scores', () => {
  test('CSV has a row for each case and label', async () => {
    const found = await evaluated('pred', 'ref', { tolerancesMm: [2, 0.5], lesions: {} })
    const rows = parseCsv(cohortCsv(found))
    expect(rows.map(({ case: name, label }) => `${name} ${label}`)).toEqual(['a 1', 'a 2', 'b 1', 'b 2'])
    expect(Object.keys(rows[0])).toEqual(
      (
        'case patient label name dice iou precision recall volume_pred_ml volume_ref_ml volume_difference_ml ' +
        'relative_volume_difference hd95_mm hd_mm assd_mm nsd_0.5_mm nsd_2_mm lesions_pred lesions_ref lesions_tp ' +
        'lesions_fp lesions_fn lesions_f1 lesions_sq lesions_rq lesions_pq prediction reference'
      ).split(' '),
    )
    expect([rows[0].dice, rows[0].volume_ref_ml, rows[3].hd95_mm]).toEqual([String(2 / 3), '0.004', ''])
  })

  test("nnU-Net's summary: its counts, NaN of labels in neither map, means without them", async () => {
    row('n/ref/a.nii', 1, 1, 0, 0)
    row('n/ref/b.nii', 0, 0, 0, 2)
    row('n/pred/a.nii', 1, 0, 1, 0)
    row('n/pred/b.nii', 0, 0, 2, 2)
    const text = nnunetSummary(await evaluated('n/pred', 'n/ref'))
    expect(text).toContain('"Dice": NaN')
    const summary = JSON.parse(text.replaceAll('NaN', 'null'))
    expect(Object.keys(summary)).toEqual(['foreground_mean', 'mean', 'metric_per_case'])
    expect(summary.metric_per_case[0]).toEqual({
      metrics: {
        1: { Dice: 0.5, FN: 1, FP: 1, IoU: 1 / 3, TN: 1, TP: 1, n_pred: 2, n_ref: 2 },
        2: { Dice: null, FN: 0, FP: 0, IoU: null, TN: 4, TP: 0, n_pred: 0, n_ref: 0 },
      },
      prediction_file: join(folder, 'n/pred/a.nii'),
      reference_file: join(folder, 'n/ref/a.nii'),
    })
    expect(summary.mean[1]).toMatchObject({ Dice: 0.5, TP: 0.5, n_ref: 1 })
    expect(summary.mean[2].Dice).toBeCloseTo(2 / 3, 12)
    expect(summary.foreground_mean.Dice).toBeCloseTo((0.5 + 2 / 3) / 2, 12)
    const region = nnunetSummary(await evaluated('n/pred', 'n/ref', { labels: [{ name: 'x', labels: [1, 2] }] }))
    expect(Object.keys(JSON.parse(region.replaceAll('NaN', 'null')).mean)).toEqual(['(1, 2)'])
  })
})
