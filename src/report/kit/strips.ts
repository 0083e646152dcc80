import { quantile } from '../../metrics/statistics/quantile.ts'
import type { AxisOptions } from './axis.ts'
import { chart } from './chart.ts'
import type { LyingBox, Mark, Point } from './marks.ts'
import { lineColour } from './palette.ts'

/** Values of one group and one series, with what each belongs to. */
export interface StripValues {
  readonly values: readonly number[]
  readonly names: readonly string[]
}

export interface StripOptions {
  readonly title: string
  readonly description: string
  readonly x: AxisOptions
  /** Names of the groups, from the top. */
  readonly groups: readonly string[]
  /** One or two series, each with its values for every group. */
  readonly series: readonly { readonly label?: string; readonly groups: readonly StripValues[] }[]
  /** A value to compare with, drawn as a dashed line. */
  readonly rule?: number
  readonly width?: number
}

/** With more values than this, only those beyond the whiskers are drawn one by one. */
const mostDots = 100
/** Longer names would leave the plot no room. */
const longestName = 22

/**
 * Distributions side by side, lying: for each group a box from quartile to quartile with its median, whiskers to the
 * last value within 1.5 box lengths (Tukey, Exploratory Data Analysis, 1977), a diamond at the mean, and the values
 * themselves, each of which tells its name.
 */
export function stripChart({ title, description, x, groups, series, rule, width = 460 }: StripOptions): string {
  const count = groups.length
  const band = 0.8 / series.length
  const marks: Mark[] = rule === undefined ? [] : [{ kind: 'rule', x: rule, colour: 'currentColor', dash: '4 3' }]
  const [from, to] = x.domain ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (const [s, { label, groups: own }] of series.entries()) {
    const colour = lineColour(s)
    // The first group is at the top, and within it the first series.
    const middle = own.map((_, g) => count - 1 - g + 0.4 - band * (s + 0.5))
    const boxes = own.flatMap(({ values }, g) => boxOf(values, middle[g]) ?? [])
    const points: Point[] = []
    const titles: string[] = []
    for (const [g, { values, names }] of own.entries()) {
      const box = boxOf(values, middle[g])
      const all = values.length <= mostDots
      for (const [i, value] of values.entries()) {
        if (!Number.isFinite(value) || !box || !(all || value < box.low || value > box.high)) continue
        // Spread by the golden ratio: neighbours in the list never lie on each other.
        const jitter = ((i * 0.618034) % 1) - 0.5
        points.push([Math.min(to, Math.max(from, value)), middle[g] + 0.7 * band * jitter])
        titles.push(names[i])
      }
    }
    const means = own.map(({ values }, g): Point => [mean(values.filter(Number.isFinite)), middle[g]])
    marks.push(
      { kind: 'boxes', boxes, height: 0.62 * band, colour, ...(label !== undefined && { label }) },
      { kind: 'dots', points, titles, colour, radius: 2.2, opacity: 0.75 },
      { kind: 'dots', points: means, colour: 'currentColor', marker: 'diamond', radius: 3.4 },
    )
  }
  const categories = groups.map(shortened).reverse()
  return chart({
    title,
    description,
    width,
    height: 86 + count * ((count > 8 ? 8 : 16) + 16 * series.length) + (series.length > 1 ? 17 : 0),
    x,
    y: { label: '', categories },
    marks,
  })
}

/** The box of some values at the height y; undefined where there are none. */
export function boxOf(values: readonly number[], y: number): LyingBox | undefined {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((q) => quantile(sorted, q))
  const reach = 1.5 * (q3 - q1)
  const within = sorted.filter((value) => value >= q1 - reach && value <= q3 + reach)
  return { y, low: Math.min(q1, within[0]), q1, median, q3, high: Math.max(q3, within[within.length - 1]) }
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0) / values.length

const shortened = (name: string): string =>
  name.length <= longestName ? name : `${name.slice(0, longestName - 1).trimEnd()}…`
