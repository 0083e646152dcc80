import { XMLValidator } from 'fast-xml-parser'
import { expect, test } from 'vitest'
import { type OptimumRow, optimumCharts, optimumFigure } from './figure.ts'

const rows: OptimumRow[] = ['liver', 'aorta'].flatMap((label, organ) =>
  [1, 2, 4, 8].map((sigmaMm) => ({
    label,
    sigmaMm,
    supDice: 1 - sigmaMm / (20 - 8 * organ),
    threshold: 0.5 - sigmaMm / (40 - 16 * organ),
    diceAtHalf: 0.99 - sigmaMm / (19 - 8 * organ),
    volumeRatioHalf: 1 - sigmaMm / 30,
    volumeRatioDice: 1 + sigmaMm / 10,
  })),
)

test('draws each organ’s numbers at their place', () => {
  const [dice] = optimumCharts(rows, { width: 400, height: 300 })
  const area = /<svg x="[^"]*" y="[^"]*" width="([^"]*)" height="([^"]*)"/.exec(dice)!
  // The liver is marked by circles, on its solid line.
  const drawn = [...dice.matchAll(/<circle cx="([^"]*)" cy="([^"]*)"/g)].filter((m) => m[1] !== '12')
  const liver = rows.filter((r) => r.label === 'liver')
  expect(drawn).toHaveLength(liver.length)
  drawn.forEach(([, , cy], i) => {
    // The least Dice is 0.26: the axis begins at 0.2.
    expect(1 - (0.8 * Number(cy)) / Number(area[2])).toBeCloseTo(liver[i].supDice, 3)
  })
})

test('one file of four charts, well-formed and in a fixed form', () => {
  const svg = optimumFigure(rows)
  expect(XMLValidator.validate(svg)).toBe(true)
  expect(svg.match(/role="img"/g)).toHaveLength(5)
  expect(optimumFigure(rows)).toBe(svg)
  expect(svg).not.toMatch(/NaN|undefined/)
  // One strength, σ per axis, nothing at all: still figures.
  expect(XMLValidator.validate(optimumFigure([{ ...rows[0], sigmaMm: [4, 4, 6] }]))).toBe(true)
  expect(XMLValidator.validate(optimumFigure([]))).toBe(true)
})
