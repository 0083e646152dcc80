import { XMLParser } from 'fast-xml-parser'
import { expect, test } from 'vitest'
import { boxOf, stripChart } from './strips.ts'

test('boxes are those of R’s boxplot: quartiles of type 7, whiskers within one and a half boxes', () => {
  // boxplot.stats with quantile(type = 7): 1 … 9 and an outlier.
  const values = [9, 2, 4, 1, 3, 5, 7, 8, 6, 40]
  expect(boxOf(values, 2)).toEqual({ y: 2, low: 1, q1: 3.25, median: 5.5, q3: 7.75, high: 9 })
  expect(boxOf([3], 0)).toEqual({ y: 0, low: 3, q1: 3, median: 3, q3: 3, high: 3 })
  expect(boxOf([Number.NaN], 0)).toBeUndefined()
})

const strips = (values: readonly (readonly number[])[]): string =>
  stripChart({
    title: 'Dice',
    description: 'd',
    x: { label: 'Dice', domain: [0, 1] },
    groups: values.map((_, g) => `organ ${g}`),
    series: [
      { groups: values.map((own, g) => ({ values: own, names: own.map((value, i) => `case ${g}.${i}: ${value}`) })) },
    ],
  })

/** The dots of a chart by their titles: where they stand in the plot, 0 to 1. */
function dots(svg: string): Map<string, [number, number]> {
  const [, width, height] = /<svg x="[^"]*" y="[^"]*" width="([^"]*)" height="([^"]*)"/.exec(svg) ?? []
  const found = [...svg.matchAll(/<title>([^<]*)<\/title><circle cx="([^"]*)" cy="([^"]*)"/g)]
  return new Map(found.map(([, name, x, y]) => [name, [Number(x) / Number(width), Number(y) / Number(height)]]))
}

test('each value stands at its number, in the band of its group, the first group on top', () => {
  const values = [
    [0.1, 0.5, 0.9],
    [0.3, 0.31],
  ]
  const svg = strips(values)
  const drawn = dots(svg)
  expect(drawn.size).toBe(5)
  for (const [g, own] of values.entries()) {
    for (const [i, value] of own.entries()) {
      const [x, y] = drawn.get(`case ${g}.${i}: ${value}`) ?? []
      expect(x).toBeCloseTo(value, 3)
      expect(y).toBeGreaterThan(g / 2)
      expect(y).toBeLessThan((g + 1) / 2)
    }
  }
  const texts = new XMLParser({ ignoreAttributes: false })
    .parse(svg)
    .svg.text.map((t: { '#text': unknown }) => t['#text'])
  expect(texts).toEqual(expect.arrayContaining(['organ 0', 'organ 1', 'Dice']))
})

test('of many values, only those beyond the whiskers are drawn one by one; empty groups stay empty', () => {
  const many = Array.from({ length: 200 }, (_, i) => (i === 7 ? 0 : 0.8 + 0.0005 * i))
  const drawn = dots(strips([many, [], [0.5]]))
  expect([...drawn.keys()]).toEqual(['case 0.7: 0', 'case 2.0: 0.5'])
  expect(strips([[], []])).not.toMatch(/NaN|Infinity/)
})
