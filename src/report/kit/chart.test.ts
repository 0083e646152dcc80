import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { describe, expect, test } from 'vitest'
import { createAxis } from './axis.ts'
import { chart } from './chart.ts'
import type { Mark } from './marks.ts'
import { textWidth } from './markup.ts'

const options = {
  description: 'Dice <by> "noise" & organ',
  x: { label: 'σ (mm)', scale: 'log', ticks: [1, 2, 4, 8] },
  y: { label: 'Dice', domain: [0, 1] },
} as const

const allMarks: readonly Mark[] = [
  {
    kind: 'band',
    colour: '#07b',
    points: [
      { x: 1, y: 0.5, low: 0.4, high: 0.6 },
      { x: 8, y: 0.3, low: 0.2, high: 0.4 },
    ],
  },
  {
    kind: 'line',
    colour: '#07b',
    label: 'a < b & "c"',
    points: [
      [1, 0.9],
      [2, Number.NaN],
      [4, 0.5],
      [8, 0.25],
    ],
    marker: 'diamond',
  },
  { kind: 'dots', colour: '#07b', label: 'dots', marker: 'triangle', points: [[2, 0.5]] },
  {
    kind: 'intervals',
    colour: '#e73',
    label: 'study',
    marker: 'square',
    points: [{ x: 4, y: 0.75, low: 0.5, high: 0.875 }],
  },
  { kind: 'bars', colour: '#098', label: 'bars', bars: [{ x0: 1, x1: 2, y: 0.2 }] },
  { kind: 'rule', colour: '#888', label: 'half', y: 0.5, dash: '4 3' },
]

/** The inner svg element that holds the marks: its size and its content. */
function plotArea(svg: string): { width: number; height: number; content: string } {
  const found = /<svg x="[^"]*" y="[^"]*" width="([^"]*)" height="([^"]*)"[^>]*>(.*)<\/svg><\/svg>$/.exec(svg)
  if (!found) throw new Error('no plot area')
  return { width: Number(found[1]), height: Number(found[2]), content: found[3] }
}

describe('chart', () => {
  const svg = chart({ ...options, title: 'All & sundry', marks: allMarks })

  test('is well-formed XML that reads back its own texts', () => {
    expect(XMLValidator.validate(svg)).toBe(true)
    const parsed = new XMLParser({ ignoreAttributes: false, processEntities: true }).parse(svg)
    expect(parsed.svg['@_aria-label']).toBe(options.description)
    expect(parsed.svg.text.map((t: { '#text': unknown }) => String(t['#text']))).toContain('All & sundry')
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  })

  test('the same data give the same bytes, and nothing is fetched', () => {
    expect(chart({ ...options, title: 'All & sundry', marks: allMarks })).toBe(svg)
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|url\(|@import/)
  })

  test('puts every point where its number belongs', () => {
    const points = [
      [1.2, 0.9],
      [2, 0.63],
      [4, 0.5],
      [7.9, 0.01],
    ] as const
    const domain = [1, 8] as const
    const drawn = chart({ ...options, x: { ...options.x, domain }, marks: [{ kind: 'dots', colour: '#000', points }] })
    const { width, height, content } = plotArea(drawn)
    const read = [...content.matchAll(/cx="([^"]*)" cy="([^"]*)"/g)].map(([, cx, cy]) => [
      8 ** (Number(cx) / width),
      1 - Number(cy) / height,
    ])
    expect(read).toHaveLength(points.length)
    // Coordinates have two decimals on about 400 px and three octaves.
    read.forEach(([x, y], i) => {
      expect(Math.abs(Math.log(x / points[i][0]))).toBeLessThan(1e-4)
      expect(Math.abs(y - points[i][1])).toBeLessThan(1e-4)
    })
  })

  test('the name of a tick at the right edge stays inside', () => {
    const svg = chart({ ...options, x: { label: 'step', domain: [0, 1200], ticks: [0, 1200] }, marks: [] })
    const centre = Number(/<text x="([\d.]+)"[^>]*>1200</.exec(svg)?.[1])
    expect(centre + textWidth('1200', 12) / 2).toBeLessThanOrEqual(460)
    expect(centre).toBeGreaterThan(440)
  })

  test('an empty chart still draws', () => {
    expect(XMLValidator.validate(chart({ description: '', x: { label: 'x' }, y: { label: 'y' }, marks: [] }))).toBe(
      true,
    )
  })
})

describe('createAxis', () => {
  const texts = (axis: ReturnType<typeof createAxis>): string[] => axis.ticks.map((t) => t.text)
  test('round ticks, with the decimals they need and a true minus sign', () => {
    expect(texts(createAxis({ label: '' }, [-0.4, 0.6]))).toEqual(['−0.4', '−0.2', '0.0', '0.2', '0.4', '0.6'])
    expect(texts(createAxis({ label: '' }, [3, 97]))).toEqual(['0', '20', '40', '60', '80', '100'])
  })
  test('log axes: 1-2-5 in few decades, powers of ten in many', () => {
    expect(texts(createAxis({ label: '', scale: 'log', domain: [0.1, 10] }, [0, 0]))).toEqual([
      '0.1',
      '0.2',
      '0.5',
      '1',
      '2',
      '5',
      '10',
    ])
    expect(texts(createAxis({ label: '', scale: 'log', domain: [1e-6, 1] }, [0, 0]))[0]).toBe('10⁻⁶')
  })
  test('categories stand at whole numbers', () => {
    const axis = createAxis({ label: '', categories: ['a', 'b'] }, [0, 0])
    expect(axis.ticks.map((t) => axis.at(t.value))).toEqual([0.25, 0.75])
  })
})
