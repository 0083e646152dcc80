import { type ChartOptions, chart } from './chart.ts'
import type { Mark } from './marks.ts'
import { lineColour, markers } from './palette.ts'

/**
 * Density bars of `values` over `bins` equal bins of `domain`; what lies outside is left out but counts in the total.
 *
 * @example
 * const mark = histogramMark([0.1, 0.2, 0.9], [0, 1], 2, { colour: '#0077bb' })
 * const axes = { x: { label: 'p' }, y: { label: 'density' } }
 * chart({ description: 'A histogram', ...axes, marks: [mark] }).startsWith('<svg') // true
 */
export function histogramMark(
  values: ArrayLike<number>,
  domain: readonly [number, number],
  bins: number,
  style: { readonly colour: string; readonly label?: string },
): Mark {
  const counts = new Float64Array(bins)
  const step = (domain[1] - domain[0]) / bins
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor((values[i] - domain[0]) / step)
    // The upper end belongs to the last bin.
    if (values[i] === domain[1]) counts[bins - 1]++
    else if (bin >= 0 && bin < bins) counts[bin]++
  }
  return {
    ...style,
    kind: 'bars',
    bars: [...counts].map((n, i) => ({
      x0: domain[0] + i * step,
      x1: domain[0] + (i + 1) * step,
      y: values.length === 0 ? 0 : n / values.length / step,
    })),
  }
}

/** Voxels grouped by predicted probability. */
export interface ReliabilityBin {
  /** Mean predicted probability of the group. */
  readonly probability: number
  /** Share of the group that is in the label. */
  readonly frequency: number
  readonly voxels: number
}

export interface ReliabilitySeries {
  readonly label: string
  readonly bins: readonly ReliabilityBin[]
}

/**
 * Predicted probability against observed frequency: on the diagonal where a network is calibrated, below it where it
 * promises too much. Groups without voxels are left out.
 *
 * @example
 * const bins = [{ probability: 0.2, frequency: 0.1, voxels: 10 }, { probability: 0.8, frequency: 0.7, voxels: 10 }]
 * reliabilityDiagram([{ label: 'cross-entropy', bins }]).startsWith('<svg') // true
 */
export function reliabilityDiagram(
  series: readonly ReliabilitySeries[],
  options: Pick<ChartOptions, 'title' | 'width' | 'height'> & { readonly x?: string; readonly y?: string } = {},
): string {
  const { x = 'predicted probability', y = 'observed frequency', ...size } = options
  return chart({
    ...size,
    description:
      `Observed frequency against predicted probability for ${series.map((s) => s.label).join(', ')}, ` +
      'beside the diagonal of perfect calibration.',
    x: { label: x, domain: [0, 1] },
    y: { label: y, domain: [0, 1] },
    marks: [
      {
        kind: 'line',
        colour: 'currentColor',
        dash: '3 3',
        width: 1,
        label: 'calibrated',
        points: [
          [0, 0],
          [1, 1],
        ],
      },
      ...series.map(
        ({ label, bins }, i): Mark => ({
          kind: 'line',
          colour: lineColour(i),
          label,
          width: 1.5,
          marker: markers[i % markers.length],
          points: bins.filter((bin) => bin.voxels > 0).map((bin) => [bin.probability, bin.frequency] as const),
        }),
      ),
    ],
  })
}
