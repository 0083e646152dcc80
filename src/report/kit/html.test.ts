import { type ParserError, parse } from 'parse5'
import { describe, expect, test } from 'vitest'
import { chart } from './chart.ts'
import { htmlReport, type ReportOptions } from './html.ts'
import { cellText, type Table, tableCsv, tableLatex } from './table.ts'

const table: Table = {
  columns: [{ key: 'organ' }, { key: 'dice', title: 'Dice at ½', decimals: 2 }],
  rows: [
    { organ: 'liver, "left"', dice: 0.12345 },
    { organ: 'a_b & c', dice: Number.NaN },
    { organ: 'minus', dice: -0.001 },
    { organ: 'loss', dice: -0.5 },
  ],
}

const options: ReportOptions = {
  title: 'Report <x> & "y"',
  summary: ['It holds that 1 < 2 & 3 > 2.'],
  footer: ['halfdice'],
  sections: [
    {
      title: 'One',
      blocks: [
        { kind: 'text', text: '<script>alert(1)</script>' },
        { kind: 'list', items: ['a', 'b'] },
      ],
    },
    {
      title: 'Two',
      blocks: [
        { kind: 'note', tone: 'warning', text: 'careful' },
        {
          kind: 'figure',
          svgs: [chart({ description: 'c', x: { label: 'x' }, y: { label: 'y' }, marks: [] })],
          caption: 'A figure.',
        },
        { kind: 'details', summary: 'more', blocks: [{ kind: 'code', text: 'halfdice --help' }] },
      ],
    },
    { title: 'Three', blocks: [{ kind: 'table', table, caption: 'A table.', name: 'dice' }] },
  ],
}

describe('htmlReport', () => {
  const html = htmlReport(options)

  test('parses without an error', () => {
    const errors: ParserError[] = []
    parse(html, { onParseError: (error) => errors.push(error) })
    expect(errors).toEqual([])
  })

  test('runs nothing, fetches nothing, escapes everything', () => {
    expect(html).not.toContain('<script')
    expect(html).not.toMatch(/ on\w+=|<link|@import|url\(/)
    for (const [, href] of html.matchAll(/(?:href|src)="([^"]*)"/g)) expect(href).toMatch(/^(#|data:)/)
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//)
  })

  test('the same content gives the same bytes', () => {
    expect(htmlReport(options)).toBe(html)
  })

  test('what is closed on the screen lies where every browser prints it', () => {
    // Browsers before 2025 leave out what lies in a closed <details>, whatever a style sheet says.
    expect(html).toContain(
      '<details><summary>more</summary></details><div class="more"><pre><code>halfdice --help</code></pre></div>',
    )
    expect(html).toContain('@media screen{details:not([open])+.more{display:none}}')
    expect(html.match(/\.more\{display:none\}/g)?.length).toBe(1)
  })

  test('the saved CSV is the table', () => {
    const [, data] = /download="dice.csv" href="data:[^,]*,([^"]*)"/.exec(html)!
    expect(Buffer.from(data, 'base64').toString('utf8')).toBe(tableCsv(table))
  })
})

test('tableCsv keeps every digit and quotes as RFC 4180', () => {
  expect(tableCsv(table)).toBe('organ,dice\r\n"liver, ""left""",0.12345\r\na_b & c,\r\nminus,-0.001\r\nloss,-0.5\r\n')
})

test('tableLatex escapes and aligns', () => {
  expect(tableLatex(table).split('\n')).toEqual([
    '\\begin{tabular}{lr}',
    '\\toprule',
    'organ & Dice at $\\frac12$ \\\\',
    '\\midrule',
    'liver, "left" & 0.12 \\\\',
    'a\\_b \\& c & -- \\\\',
    'minus & 0.00 \\\\',
    'loss & $-$0.50 \\\\',
    '\\bottomrule',
    '\\end{tabular}',
    '',
  ])
})

test('a column may have words of its own for a cell; CSV keeps the value', () => {
  const small: Table = {
    columns: [{ key: 'p', show: (p) => (Number(p) < 0.01 ? '< 0.01' : String(p)) }],
    rows: [{ p: 1e-9 }, { p: 0.5 }, { p: undefined }],
  }
  expect(small.rows.map(({ p }) => cellText(p, small.columns[0]))).toEqual(['< 0.01', '0.5', '–'])
  expect(tableCsv(small)).toBe('p\r\n1e-9\r\n0.5\r\n\r\n')
  expect(tableLatex(small)).toContain('$<$ 0.01 \\\\\n0.5 \\\\\n-- \\\\')
})

test('cellText shows what is missing as a dash', () => {
  expect(cellText(undefined, { key: 'x' })).toBe('–')
  expect(cellText(-1.5, { key: 'x', decimals: 1 })).toBe('−1.5')
})
