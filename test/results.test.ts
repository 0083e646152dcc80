import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { verdictSentences } from '../src/report/study-words.ts'
import { parseCsv } from '../src/study/score-table.ts'
import type { ComparisonRow, SummaryRow } from '../src/study/summary.ts'

const folder = fileURLToPath(new URL('../docs/results/', import.meta.url))

test.each(readdirSync(folder))('the page of %s says what its tables say', (name) => {
  const read = (file: string) => readFileSync(`${folder}${name}/${file}`, 'utf8')
  const page = read('README.md').replaceAll('\\*', '*').replace(/\n> ?/g, ' ').replaceAll(/\s+/g, ' ')
  const [summary, comparisons] = [rows<SummaryRow>(read('summary.csv')), rows<ComparisonRow>(read('comparisons.csv'))]
  for (const sentence of verdictSentences(summary, comparisons)) expect(page).toContain(sentence)
  // Means in the table of the page: organ, σ, theory and the four cuts, as the page rounds them.
  for (const { organ, sigma_mm, target, method, dice_mean } of summary) {
    if (target !== 'noisy' || method !== 'ce@case') continue
    const line = page.match(new RegExp(`\\| ${organLabel(organ)} \\| ${sigmaLabel(sigma_mm)} \\|[^a-z]*`))?.[0]
    expect(line, `${organ} at σ ${sigma_mm}`).toContain(` ${dice_mean.toFixed(3)} `)
  }
})

function organLabel(organ: string): string {
  return organ.includes('+') ? 'whole' : organ
}

function sigmaLabel(sigma: string): string {
  return sigma.split('x')[0]
}

/** Rows of a table that `study` wrote, numbers as numbers. */
function rows<T>(text: string): T[] {
  const value = (cell: string) => (cell === '' || Number.isNaN(Number(cell)) ? cell : Number(cell))
  return parseCsv(text).map((row) => {
    const cells = Object.entries(row).map(([key, cell]) => [key, key === 'sigma_mm' ? cell : value(cell)])
    return Object.fromEntries(cells) as T
  })
}
