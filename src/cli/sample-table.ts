import type { Vec3 } from '../volume/grid.ts'
import { fixed, millilitres, table } from './print.ts'

export interface SampledLabel {
  readonly name?: string | undefined
  readonly voxels: number
  readonly volumeMl: number
  readonly referenceMl: number
  readonly dice: number
}

/** What `sample` tells of one case of several. */
export interface SampledCase {
  readonly case: string
  readonly input?: string
  readonly sigmaMm: number | Vec3
  readonly lengthMm: number
  readonly foldProbability: number
  readonly samples: readonly { readonly file: string; readonly labels: Readonly<Record<string, SampledLabel>> }[]
}

interface LabelSummary {
  readonly name?: string | undefined
  /** Cases whose reference holds the label. */
  readonly cases: number
  readonly referenceMl: number
  readonly volumeMl: number
  readonly dice: number
  readonly leastDice: number
}

/** The mean of each label over samples and the cases that hold it. */
export function summaryOf(cases: readonly SampledCase[]): Record<string, LabelSummary> {
  const byLabel = new Map<string, { readonly id: string; readonly score: SampledLabel }[]>()
  for (const { case: id, samples } of cases) {
    for (const { labels } of samples) {
      for (const [label, score] of Object.entries(labels)) {
        if (score.referenceMl === 0) continue
        byLabel.set(label, [...(byLabel.get(label) ?? []), { id, score }])
      }
    }
  }
  return Object.fromEntries(
    [...byLabel].map(([label, rows]) => {
      const scores = rows.map(({ score }) => score)
      const mean = (of: (score: SampledLabel) => number) => scores.reduce((sum, s) => sum + of(s), 0) / scores.length
      const name = scores[0].name
      return [
        label,
        {
          ...(name !== undefined && { name }),
          cases: new Set(rows.map(({ id }) => id)).size,
          referenceMl: mean((s) => s.referenceMl),
          volumeMl: mean((s) => s.volumeMl),
          dice: mean((s) => s.dice),
          leastDice: scores.reduce((least, { dice }) => Math.min(least, dice), 1),
        },
      ]
    }),
  )
}

/** A row a label: a data set has too many cases for a row each, which `--json` has. */
export function describeSamples(cases: readonly SampledCase[]): string {
  const rows = Object.entries(summaryOf(cases)).map(([label, row]) => [
    Number.isNaN(Number(label)) ? label : Number(label),
    row.name ?? '',
    row.cases,
    millilitres(row.referenceMl),
    millilitres(row.volumeMl),
    fixed(row.dice, 3),
    fixed(row.leastDice, 3),
  ])
  return table(['label', 'name', 'cases', 'reference ml', 'mean ml', 'mean Dice', 'least'], rows)
}
