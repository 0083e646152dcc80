import type { Vec3 } from '../../volume/grid.ts'
import { type ChartOptions, chart } from '../kit/chart.ts'
import type { Mark, Point } from '../kit/marks.ts'
import { lineColour, markers } from '../kit/palette.ts'
import { sheet } from '../kit/sheet.ts'

/** The optimal predictions for one organ at one noise strength: a row of `halfdice optimum`. */
export interface OptimumRow {
  /** The organ: its name, or its label's number. */
  readonly label: string | number
  /** σ in mm: one number, or one for each axis of the grid. */
  readonly sigmaMm: number | Vec3
  readonly supDice: number
  readonly threshold: number
  readonly diceAtHalf: number
  /** ‖s‖/‖m‖ of the cut at ½ and of the Dice-optimal mask. */
  readonly volumeRatioHalf: number
  readonly volumeRatioDice: number
}

/**
 * Four charts against σ: the best Dice beside that of the cut at ½, their difference, the threshold, and both volumes.
 *
 * @example
 * const row = { label: 'liver', sigmaMm: 4, supDice: 0.9, threshold: 0.45, diceAtHalf: 0.899 }
 * optimumCharts([{ ...row, volumeRatioHalf: 0.99, volumeRatioDice: 1.02 }]).length // 4
 */
export function optimumCharts(rows: readonly OptimumRow[], size: { width?: number; height?: number } = {}): string[] {
  return chartOptions(rows, size).map(chart)
}

/**
 * The charts of `optimumCharts` in one SVG file, two by two.
 *
 * @example
 * const row = { label: 'liver', sigmaMm: 4, supDice: 0.9, threshold: 0.45, diceAtHalf: 0.899 }
 * optimumFigure([{ ...row, volumeRatioHalf: 0.99, volumeRatioDice: 1.02 }]).startsWith('<svg') // true
 */
export function optimumFigure(rows: readonly OptimumRow[]): string {
  return sheet(optimumCharts(rows, { width: 460, height: 320 }), 2, 'Optimal predictions by noise strength')
}

function chartOptions(rows: readonly OptimumRow[], size: { width?: number; height?: number }): ChartOptions[] {
  const labels = [...new Set(rows.map((row) => row.label))]
  const sigmas = [...new Set(rows.map((row) => strength(row.sigmaMm)))].sort((a, b) => a - b)
  const log = sigmas.length > 2 && sigmas[sigmas.length - 1] / sigmas[0] >= 4
  const x = {
    label: 'noise strength σ (mm)',
    scale: log ? 'log' : 'linear',
    ...(sigmas.length <= 6 ? { ticks: sigmas } : {}),
  } as const
  const series = (value: (row: OptimumRow) => number, dash?: string): Mark[] =>
    labels.map((label, i) => ({
      kind: 'line',
      colour: lineColour(i),
      dash,
      // Solid and dashed lines of one organ share its colour; only the solid ones are named.
      ...(dash ? {} : { label: String(label), marker: markers[i % markers.length] }),
      points: rows
        .filter((row) => row.label === label)
        .map((row): Point => [strength(row.sigmaMm), value(row)])
        .sort((a, b) => a[0] - b[0]),
    }))
  const dashKey: Mark = { kind: 'line', colour: 'currentColor', dash: '5 3', label: 'cut at ½', points: [] }
  // From the tenth below the least: an axis from 0 would hide the difference of two good masks.
  const lowest = Math.floor(10 * Math.min(0.9, ...rows.map((row) => row.diceAtHalf))) / 10
  const highest = Math.max(1, ...rows.flatMap((row) => [row.volumeRatioDice, row.volumeRatioHalf]))
  return [
    {
      ...size,
      title: 'Dice: best (solid) and cut at ½ (dashed)',
      description: [
        'Soft-Dice of the optimal mask and of the mask cut at one half, against noise strength.',
        spoken(rows),
      ].join(' '),
      x,
      y: { label: 'Dice', domain: [lowest, 1] },
      marks: [...series((r) => r.diceAtHalf, '5 3'), ...series((r) => r.supDice), dashKey],
    },
    {
      ...size,
      title: 'Dice lost by cutting at ½',
      description: 'The best Dice minus the Dice of the cut at one half, against noise strength.',
      x,
      y: { label: 'D* − Dice of the ½ cut' },
      marks: [{ kind: 'rule', colour: 'currentColor', dash: '2 3', y: 0 }, ...series((r) => r.supDice - r.diceAtHalf)],
    },
    {
      ...size,
      title: 'Threshold t* = ½ D*',
      description: 'The Dice-optimal threshold against noise strength, falling from one half.',
      x,
      y: { label: 'threshold t*', domain: [0, 0.5] },
      marks: series((r) => r.threshold),
    },
    {
      ...size,
      title: 'Volume: optimal (solid) and cut at ½ (dashed)',
      description: 'Volume of both masks over the expected volume, against noise strength.',
      x,
      y: { label: 'volume / expected volume', domain: [0, Math.ceil(highest * 5) / 5] },
      marks: [
        { kind: 'rule', colour: 'currentColor', dash: '2 3', y: 1 },
        ...series((r) => r.volumeRatioHalf, '5 3'),
        ...series((r) => r.volumeRatioDice),
        dashKey,
      ],
    },
  ]
}

/** One number for an anisotropic σ: its root mean square over the axes. */
function strength(sigmaMm: number | Vec3): number {
  if (typeof sigmaMm === 'number') return sigmaMm
  return Math.sqrt((sigmaMm[0] ** 2 + sigmaMm[1] ** 2 + sigmaMm[2] ** 2) / 3)
}

function spoken(rows: readonly OptimumRow[]): string {
  const worst = rows.reduce<OptimumRow | undefined>(
    (a, b) => (!a || b.supDice - b.diceAtHalf > a.supDice - a.diceAtHalf ? b : a),
    undefined,
  )
  if (!worst) return ''
  return (
    `The widest gap is at ${worst.label}, σ ${strength(worst.sigmaMm)} mm: ${worst.supDice.toFixed(3)} ` +
    `against ${worst.diceAtHalf.toFixed(3)}.`
  )
}
