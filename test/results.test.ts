import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { parseCsv } from '../src/formats/csv.ts'
import { signed } from '../src/report/kit/words.ts'
import { methodNames, verdictSentences } from '../src/report/study/words.ts'
import type { StudyMethod } from '../src/study/score-case.ts'
import { parseScoresCsv } from '../src/study/score-table.ts'
import { type ComparisonRow, compare, type SummaryRow, summarise, type Target } from '../src/study/summary.ts'

const folder = fileURLToPath(new URL('../docs/results/', import.meta.url))

/** Resamples of the studies' intervals. */
const draws = 2000

/** Pages of studies; that of annotators has no study's tables. */
const studies = readdirSync(folder).filter((name) => existsSync(`${folder}${name}/summary.csv`))

describe.each(studies)('the page of %s says what its tables say', (name) => {
  const read = (file: string) => readFileSync(`${folder}${name}/${file}`, 'utf8')
  const page = read('README.md').replaceAll('\\*', '*')
  const [summary, comparisons] = [rows<SummaryRow>(read('summary.csv')), rows<ComparisonRow>(read('comparisons.csv'))]
  const settings = summary.filter(({ target, method }) => target === 'noisy' && method === 'ce@case')
  /**
   * Rows of the page's tables that begin with the setting: Dice, differences, and the shorter study beside this one.
   */
  const lines = ({ organ, sigma_mm }: SummaryRow) => {
    const head = `| ${organ.includes('+') ? 'whole' : organ} | ${sigma_mm.split('x')[0]} |`
    return page.split('\n').filter((line) => line.startsWith(head))
  }
  const cells = (line: string) =>
    line
      .split('|')
      .slice(3, -1)
      .map((cell) => cell.trim())
  const mean = (
    table: readonly SummaryRow[],
    { organ, sigma_mm }: SummaryRow,
    method: StudyMethod,
    target: Target = 'noisy',
  ) => {
    const found = table.find(
      (row) => row.target === target && row.organ === organ && row.sigma_mm === sigma_mm && row.method === method,
    )
    return found?.dice_mean ?? Number.NaN
  }
  /** The page calls both parts together `whole`. */
  const fullName = (organ: string) =>
    organ === 'whole' ? (settings.find((row) => row.organ.includes('+'))?.organ ?? '') : organ

  test('in words', () => {
    const words = page.replace(/\n> ?/g, ' ').replaceAll(/\s+/g, ' ')
    for (const sentence of verdictSentences(summary, comparisons, 0.01)) expect(words).toContain(sentence)
  })

  test('mean Dice of every method that a table names', () => {
    const names = new Map(Object.entries(methodNames).map(([method, words]) => [words, method as StudyMethod]))
    const checked = { noisy: new Set<string>(), clean: new Set<string>() }
    for (const { heading, header, body } of tablesIn(page)) {
      const columns = header.map((cell) => names.get(cell.replace('data-set t*', 't* data set')))
      if (columns.filter((method) => method !== undefined).length < 3) continue
      const target = /clean/.test(heading) ? 'clean' : 'noisy'
      const settingsOf = body.map(([organ, sigma]) =>
        settings.find((each) => each.organ === fullName(organ) && each.sigma_mm.split('x')[0] === sigma),
      )
      expect(settingsOf).toEqual(settings)
      for (const [n, row] of body.entries()) {
        for (const [c, method] of columns.entries()) {
          if (method === undefined) continue
          checked[target].add(method)
          const value = row[c].replaceAll('*', '')
          expect(value, `${heading}: ${row}`).toBe(mean(summary, settings[n], method, target).toFixed(3))
        }
      }
    }
    const methods = ['theory@half', 'theory@case', 'soft-dice@half', 'ce@half', 'ce@case', 'ce@dataset', 'ce@oracle']
    // Networks that were not trained here have no threshold of the training cases.
    const scored = methods.filter((method) => summary.some((row) => row.method === method))
    expect([...checked.noisy]).toEqual(expect.arrayContaining(scored))
  })

  test.runIf(existsSync(`${folder}${name}/results.csv.gz`))('every mean comes from the rows beside it', () => {
    const results = parseScoresCsv(gunzipSync(readFileSync(`${folder}${name}/results.csv.gz`)).toString())
    const rounded = (table: readonly object[]) =>
      table.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([key, value]) => [
            key,
            typeof value === 'number' ? Number(value.toPrecision(7)) : value,
          ]),
        ),
      )
    const bare = (table: readonly object[]) => table.map(({ dataset: _, ...row }: { dataset?: unknown }) => row)
    expect(rounded(summarise(results, draws))).toEqual(rounded(bare(summary)))
    expect(rounded(compare(results, draws))).toEqual(rounded(bare(comparisons)))
  })

  test('differences, thresholds and volumes', () => {
    for (const setting of settings) {
      const { organ, sigma_mm, soft_dice_mean, threshold_mean, volume_ratio_mean } = setting
      const of = <T extends Pick<SummaryRow, 'target' | 'organ' | 'sigma_mm'>>(table: readonly T[]) =>
        table.filter((row) => row.target === 'noisy' && row.organ === organ && row.sigma_mm === sigma_mm)
      const [half, gain, left] = [
        ['ce@half', 'soft-dice@half'],
        ['ce@case', 'ce@half'],
        ['ce@case', 'soft-dice@half'],
      ].map(([a, b]) => of(comparisons).find(({ first, second }) => first === a && second === b) as ComparisonRow)
      const interval = ({ difference, low, high }: ComparisonRow) =>
        `${signed(difference)} (${signed(low)} to ${signed(high)})`
      const atHalf = of(summary).find(({ method }) => method === 'ce@half')?.volume_ratio_mean
      expect(cells(lines(setting)[1]), lines(setting)[1]).toEqual([
        interval(half),
        interval(gain),
        `${gain.better} / ${gain.worse}`,
        interval(left),
        soft_dice_mean.toFixed(3),
        threshold_mean.toFixed(3),
        atHalf?.toFixed(2),
        volume_ratio_mean.toFixed(2),
      ])
    }
  })

  const [shorter] = readdirSync(`${folder}${name}`).filter((file) => /^summary-\d+-steps\.csv$/.test(file))
  test.runIf(shorter)('gain over the shorter study', () => {
    const before = rows<SummaryRow>(read(shorter))
    for (const setting of settings) {
      const expected = (['ce@half', 'ce@case', 'soft-dice@half'] as const).flatMap((method) => {
        const [a, b] = [before, summary].map((table) => mean(table, setting, method))
        return [a.toFixed(3), b.toFixed(3), signed(b - a)]
      })
      expect(cells(lines(setting)[2]), lines(setting)[2]).toEqual(expected)
    }
  })
})

/** The tables of a page, each with the heading that it stands under. */
function tablesIn(page: string): { heading: string; header: string[]; body: string[][] }[] {
  const tables: { heading: string; header: string[]; body: string[][] }[] = []
  let [heading, last] = ['', '']
  for (const line of page.split('\n')) {
    const row = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
    if (line.startsWith('#')) heading = line
    else if (line.startsWith('|') && !last.startsWith('|')) tables.push({ heading, header: row, body: [] })
    else if (line.startsWith('|') && !/^\|-/.test(line)) tables.at(-1)?.body.push(row)
    last = line
  }
  return tables
}

/** Rows of a table that `study` wrote, numbers as numbers. */
function rows<T>(text: string): T[] {
  const value = (cell: string) => (cell === '' || Number.isNaN(Number(cell)) ? cell : Number(cell))
  return parseCsv(text).map((row) => {
    const cells = Object.entries(row).map(([key, cell]) => [key, key === 'sigma_mm' ? cell : value(cell)])
    return Object.fromEntries(cells) as T
  })
}

describe('the page of annotators says what its fits say', () => {
  const page = readFileSync(`${folder}annotators/README.md`, 'utf8')
  const rows = new Map(
    page.split('\n').flatMap((line) => {
      const [, name, ...cells] = line.split('|').map((cell) => cell.trim())
      return name ? [[name, cells] as const] : []
    }),
  )
  test.each([...['kidneys', 'nodules'].entries()])('%i: %s', (column, name) => {
    const fit = JSON.parse(readFileSync(`${folder}annotators/${name}.json`, 'utf8'))
    const cell = (row: string) => rows.get(row)?.[column] ?? ''
    const span = ({ estimate, low, high }: { estimate: number; low: number; high: number }, digits: number) =>
      `${estimate.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`
    expect(cell('σ, mm')).toBe(span(fit.sigmaMm, 3))
    expect(cell('ℓ, mm')).toBe(span(fit.lengthMm, 2))
    expect(cell('τ of biases, mm')).toBe(span(fit.biasSdMm, 3))
    expect(cell('presence q')).toContain(fit.presence.estimate.toFixed(3))
    expect(cell('gross errors')).toContain(`${(100 * fit.grossErrors.estimate).toFixed(1)} %`)
    expect(cell('Dice of pairs: real, simulated')).toBe(`${fit.dice.real.toFixed(3)}, ${fit.dice.simulated.toFixed(3)}`)
    expect(cell('HD95 of pairs, mm: real, simulated')).toBe(
      `${fit.hd95Mm.real.toFixed(2)}, ${fit.hd95Mm.simulated.toFixed(2)}`,
    )
    expect(cell('fits')).toBe(fit.fits ? 'yes' : 'no')
  })
})

describe('the page on cuts for the clean label says what its table says', () => {
  const docs = `${folder}../`
  const page = readFileSync(`${docs}results-clean-label.md`, 'utf8')
  const rows = parseCsv(readFileSync(`${docs}results-clean-label.csv`, 'utf8')).map((row) => ({
    row,
    of: (key: string) => Number(row[key]),
  }))
  const three = (x: number) => x.toFixed(3)

  test('row by row', () => {
    const table = page.split('\n').filter((line) => /^\| (hippocampus|thorax|heart),/.test(line))
    const expected = rows.map(({ row, of }) => {
      const numbers = ['half', 'case', 'volume', 'best', 'cut_volume'].map((key) => three(of(key)))
      const over = [of('volume_less_case'), of('volume_less_case_low'), of('volume_less_case_high')].map((x) =>
        signed(x),
      )
      const gains = [signed(of('volume_less_half')), `${over[0]} (${over[1]} to ${over[2]})`]
      return [row.organ, row.sigma_mm, row.cases, ...numbers, ...gains].join(' | ')
    })
    expect(table.map((line) => line.replace(/^\| \w+, (.*) \|$/, '$1'))).toEqual(expected)
  })

  test('in words', () => {
    const better = (key: string) => rows.filter(({ of }) => of(`volume_less_${key}_low`) > 0).length
    expect(page).toContain(`better than t\\* in ${better('case')} of ${rows.length} settings`)
    expect(page).toContain(`better than ½ in ${better('half')} (`)
    const gaps = rows.map(({ of }) => of('best') - of('volume'))
    const words = page.replaceAll(/\s+/g, ' ')
    expect(words).toContain(`in ${gaps.filter((gap) => gap <= 0.005).length} of ${rows.length}; furthest off`)
    expect(words).toContain(`by ${three(Math.max(...gaps))}, in the ring`)
    for (const key of ['half', 'case']) {
      expect(words).toContain(`up to ${three(Math.max(...rows.map(({ of }) => of(`volume_less_${key}`))))}`)
    }
    expect(words).toContain(`in ${rows.filter(({ of }) => of('case') < of('half')).length} settings t\\* is even`)
  })
})
