import { describe, expect, test } from 'vitest'
import { attribute, elements, readPage, tableOf, textOf } from '../../../test/support/page.ts'
import { createGrid } from '../../volume/grid.ts'
import { errorSlice } from './error-slice.ts'
import { mostDifferent, type PageMean, type PageScores, type PageVersus, worstCases } from './model.ts'
import { type EvaluationPage, evaluationReport } from './page.ts'

const metrics: PageScores['metrics'] = [
  { key: 'dice', title: 'Dice', better: 'high', decimals: 3, drawn: true },
  { key: 'hd95Mm', title: 'HD95 (mm)', better: 'low', decimals: 2, drawn: true },
  { key: 'precision', title: 'precision', better: 'high', decimals: 3, drawn: false },
]

/** Case i has Dice 0.9 − 0.05 i of the liver and, from the third on, a tumour that was missed. */
const cases: PageScores['cases'] = Array.from({ length: 8 }, (_, i) => ({
  name: `case_${i} <b>`,
  missing: i === 7,
  values: [
    i === 7 ? [0, undefined, 0] : [0.9 - 0.05 * i, 2 + i, 0.95],
    i < 2 ? undefined : i === 2 ? [0.5, 9, 0.4] : [0, undefined, 0],
  ],
}))
const mean = (l: number, m: number): PageMean | undefined => {
  const own = cases.flatMap(({ values }) => values[l]?.[m] ?? [])
  if (own.length === 0) return undefined
  const value = own.reduce((a, b) => a + b, 0) / own.length
  return { cases: own.length, mean: value, sd: 0.123, low: value - 0.0012, high: value + 0.0034 }
}
const means = [0, 1].map((l) => metrics.map((_, m) => mean(l, m)))
const scores: PageScores = { name: 'nnunet', labels: ['liver', 'tumour & more'], metrics, cases, means, absent: [0, 0] }
const grid = createGrid([12, 12, 4])
const mask = Uint8Array.from({ length: 576 }, (_, at) => Number(at % 12 > 3 && at % 12 < 8))
const slice = errorSlice({ grid, prediction: mask, reference: mask.map((v, at) => (at < 300 ? v : 0)), other: mask })
const page: EvaluationPage = {
  scores,
  worst: [
    { index: 6, label: 0, slice },
    { index: 3, label: 1, slice },
  ],
  different: [],
  missing: { cases: ['case_7 <b>'], rule: 'empty' },
  unpaired: ['stray'],
  failures: ['bad.nii.gz: is truncated; copy it again'],
  conventions: ['Dice is 1 where both are empty.'],
  reference: 'labelsTs',
  version: '1.2.3',
}
const numbers = (row: readonly string[]) => row.map((cell) => Number(cell.replace('−', '-')))

describe('the page', () => {
  const html = evaluationReport(page)
  const { page: tree, faults } = readPage(html)

  test('is sound, self-contained and says what it is about', () => {
    expect(faults).toEqual([])
    expect(html).not.toMatch(/NaN|undefined|Infinity|<script/)
    for (const [, address] of html.matchAll(/(?:href|src)="([^"]*)"/g)) expect(address).toMatch(/^(#|data:)/)
    expect(textOf(elements(tree, 'h1')[0])).toBe('nnunet against labelsTs')
    expect(elements(tree, 'h2').map(textOf)).toEqual([
      'Cases without scores of their own',
      'Scores',
      'Worst cases',
      'All cases',
      'How to read this',
    ])
    expect(elements(tree, 'li').map(textOf)).toEqual(expect.arrayContaining(['case_7 <b>', page.failures[0]]))
  })

  test('can be read without seeing it: every picture has words, every table its headers', () => {
    for (const svg of elements(tree, 'svg').filter((each) => attribute(each, 'role') !== undefined)) {
      expect(attribute(svg, 'role')).toBe('img')
      expect(attribute(svg, 'aria-label')?.length).toBeGreaterThan(10)
    }
    for (const table of elements(tree, 'table')) {
      for (const head of elements(table, 'th')) expect(attribute(head, 'scope')).toBe('col')
    }
  })

  test('the numbers are those of the evaluation, an estimate within its interval', () => {
    const [head, ...rows] = tableOf(tree, 'summary-all')
    expect(tableOf(tree, 'summary')).toEqual([head, ...rows.filter(([, metric]) => metric !== 'precision')])
    expect(head.slice(0, 6)).toEqual(['label', 'metric', 'cases', 'mean', '± SD', '95 %'])
    expect(rows.map((row) => row.slice(0, 2))).toEqual(
      scores.labels.flatMap((label) => metrics.map(({ title }) => [label, title])),
    )
    for (const [r, row] of rows.entries()) {
      const own = means[Math.floor(r / 3)][r % 3]
      const [low, high] = numbers(row[5].split('\u00a0to\u00a0'))
      const [count, value] = numbers(row.slice(2, 4))
      expect(count).toBe(own?.cases)
      expect(Math.abs(value - (own?.mean ?? 0))).toBeLessThanOrEqual(
        0.50001 * 10 ** -(row[3].split('.')[1]?.length ?? 0),
      )
      expect(low).toBeLessThanOrEqual(value)
      expect(high).toBeGreaterThanOrEqual(value)
    }
    expect(tableOf(tree, 'cases')).toHaveLength(1 + 8 + 6)
  })

  test('the worst cases come by Dice, then by distance; those without a prediction are told apart', () => {
    expect(worstCases(scores, 0, 3)).toEqual([6, 5, 4])
    // All missed: the surface that is nowhere is the farthest.
    expect(worstCases(scores, 1, 9)).toEqual([3, 4, 5, 6, 2])
    const worst = tableOf(tree, 'worst').slice(1)
    expect(worst.map((row) => row.slice(0, 3))).toContainEqual(['liver', 'case_6 <b>', '0.600'])
    expect(worst.map(([, name]) => name).join()).not.toContain('case_7')
    expect(tableOf(tree, 'cases').map(([name]) => name)).toContain('case_7 <b> (no prediction)')
    const pictures = elements(tree, 'svg').map((svg) => attribute(svg, 'aria-label') ?? '')
    expect(pictures.filter((text) => text.includes('outlines of'))).toEqual([
      expect.stringMatching(
        /^case_6 <b>, liver: axial slice \d of 4, outlines of the reference and nnunet.*Dice 0\.600/,
      ),
      expect.stringMatching(/^case_3 <b>, tumour & more: axial slice .*Dice 0\.000$/),
    ])
  })
})

test('two predictions: differences, verdicts, and where they differ most', () => {
  const other: PageScores = {
    ...scores,
    name: 'baseline',
    cases: cases.map((each, i) => ({
      ...each,
      values: [each.values[0]?.map((v) => v && v - 0.01 * (i % 3)), undefined],
    })),
  }
  const paired = {
    cases: 8,
    meanFirst: 0.75,
    meanSecond: 0.746,
    difference: { value: 0.004, low: 0.0012, high: 0.0081 },
    pValue: 0.00001,
    better: 5,
    worse: 1,
    verdict: 'better',
  }
  const versus: PageVersus = {
    other,
    differences: [[paired, undefined, undefined]],
    margin: 0.01,
  }
  const html = evaluationReport({ ...page, versus, different: [{ index: 2, label: 0, slice }] })
  const { page: tree, faults } = readPage(html)
  expect(faults).toEqual([])
  expect(html).not.toMatch(/NaN|undefined|Infinity/)
  expect(textOf(elements(tree, 'h1')[0])).toBe('nnunet and baseline against labelsTs')
  const [head, row, ...more] = tableOf(tree, 'versus')
  expect(more).toEqual([])
  expect(head.slice(2, 4)).toEqual(['nnunet', 'baseline'])
  expect(row.slice(2)).toEqual([
    '0.750',
    '0.746',
    '+0.004',
    '+0.001\u00a0to\u00a0+0.008',
    '< 0.0001',
    '5 / 1 of 8',
    'better',
  ])
  expect(textOf(elements(tree, 'header')[0])).toContain(
    'nnunet against baseline is better for liver +0.004 (95 % +0.001 to +0.008)',
  )
  expect(mostDifferent(scores, other, 0, 2)).toEqual([2, 5])
  expect(mostDifferent(scores, other, 1, 2)).toEqual([])
  const dots = elements(tree, 'title').map(textOf)
  expect(dots).toContain('case_2 <b>, liver: 0.800 against 0.780')
})

test('cases in which a label is in neither map are counted, in words and in the table', () => {
  const html = evaluationReport({ ...page, scores: { ...scores, absent: [0, 2] } })
  expect(html).toContain('In neither map, which counts as Dice 1: of 8 cases tumour &amp; more in 2.')
  const [head, ...rows] = tableOf(readPage(html).page, 'summary')
  const column = head.indexOf('in neither map')
  expect(rows.map((row) => row[column])).toEqual(['–', '–', '2', '2'])
  expect(evaluationReport(page)).not.toContain('In neither map')
})

test('a cohort of many labels tells the lowest and the highest, one of none says so', () => {
  const names = Array.from({ length: 30 }, (_, l) => `organ ${l}`)
  const many: PageScores = {
    ...scores,
    labels: names,
    cases: [{ name: 'only', missing: false, values: names.map((_, l) => [0.5 + l / 100, undefined, undefined]) }],
    means: names.map((_, l) => [
      { cases: 1, mean: 0.5 + l / 100, sd: Number.NaN, low: 0.5 + l / 100, high: 0.5 + l / 100 },
    ]),
  }
  const html = evaluationReport({
    ...page,
    scores: many,
    worst: [],
    missing: { cases: [], rule: 'skip' },
    failures: [],
  })
  expect(html).toContain('The lowest and the highest mean: organ 0: mean Dice 0.500')
  expect(html).toContain('organ 29: mean Dice 0.790')
  expect(html).not.toMatch(/NaN|undefined|Infinity/)
  const none = { ...scores, labels: [], cases: [], means: [], absent: [] }
  expect(evaluationReport({ ...page, scores: none, worst: [] })).toContain('0 cases, 0 labels.')
})
