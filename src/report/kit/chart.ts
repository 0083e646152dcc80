import { type Axis, type AxisOptions, createAxis } from './axis.ts'
import { drawMark, type Mark, markExtent, markKey } from './marks.ts'
import { element, escapeText, short, textWidth } from './markup.ts'

export interface ChartOptions {
  /** Drawn above the plot; short. */
  readonly title?: string
  /** What the figure shows, in words, for those who cannot see it. */
  readonly description: string
  readonly x: AxisOptions
  readonly y: AxisOptions
  /** Drawn in order, the last on top. Those with a `label` get an entry in the legend. */
  readonly marks: readonly Mark[]
  /** Size in css px. Default 460 × 300. */
  readonly width?: number
  readonly height?: number
}

const fontPx = 12

/** Room to the right of the plot. */
const right = 14

/**
 * A chart as one SVG element: axes with round ticks, a light grid, marks and a legend. It uses `currentColor` for ink
 * and no background, so that it follows the page's light or dark theme; on its own it is black on white.
 *
 * @example
 * const [x, y] = [{ label: 'σ (mm)' }, { label: 'Dice', domain: [0, 1] as const }]
 * const points = [[1, 0.97], [2, 0.93], [4, 0.86]] as const
 * const marks = [{ kind: 'line', points, label: 'liver', colour: '#0077bb' } as const]
 * chart({ description: 'Dice by noise', x, y, marks }).startsWith('<svg') // true
 */
export function chart(options: ChartOptions): string {
  const { marks, width = 460, height = 300 } = options
  const x = createAxis(options.x, extentOf(marks, 0))
  const y = createAxis(options.y, extentOf(marks, 1))
  const legend = layLegend(marks, width - 16)
  const tickWidth = Math.max(0, ...y.ticks.map((t) => textWidth(t.text, fontPx)))
  const left = Math.ceil(tickWidth + 32)
  const titleHeight = options.title ? 22 : 4
  const top = titleHeight + legend.height + 8
  const plot = { left, top, width: width - left - right, height: height - top - 46 }

  const parts = [
    options.title ? text(left, 15, options.title, { 'font-weight': 600, 'font-size': 13 }) : '',
    element('g', { transform: `translate(8 ${titleHeight})` }, ...legend.items),
    ...grid(x, y, plot),
    element(
      'svg',
      {
        x: plot.left,
        y: plot.top,
        width: plot.width,
        height: plot.height,
        // Marks of whole circles at the very edge may reach a little over the frame.
        overflow: 'hidden',
        viewBox: `0 0 ${short(plot.width)} ${short(plot.height)}`,
      },
      ...marks.map((mark) =>
        drawMark(mark, {
          x: (v) => x.at(v) * plot.width,
          y: (v) => (1 - y.at(v)) * plot.height,
          width: plot.width,
          height: plot.height,
        }),
      ),
    ),
  ]
  return svgFigure(width, height, options.description, parts)
}

/** The outer SVG element that all figures share: its own font, an accessible name, sizes that scale with the page. */
export function svgFigure(width: number, height: number, description: string, parts: readonly string[]): string {
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${short(width)} ${short(height)}`,
      width,
      height,
      role: 'img',
      'aria-label': description,
      'font-family': 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "DejaVu Sans", Arial, sans-serif',
      'font-size': fontPx,
      fill: 'currentColor',
    },
    ...parts,
  )
}

/** A line of text whose baseline starts at (x, y). */
export function text(
  x: number,
  y: number,
  content: string,
  attributes: Readonly<Record<string, string | number>> = {},
): string {
  return element('text', { x, y, ...attributes }, escapeText(content))
}

interface Frame {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

function grid(x: Axis, y: Axis, { left, top, width, height }: Frame): string[] {
  const bottom = top + height
  const parts: string[] = []
  const gridLine = { stroke: 'currentColor', 'stroke-opacity': 0.13 }
  for (const tick of y.ticks) {
    const at = bottom - y.at(tick.value) * height
    parts.push(element('line', { x1: left, x2: left + width, y1: at, y2: at, ...gridLine }))
    parts.push(text(left - 6, at + 4, tick.text, { 'text-anchor': 'end' }))
  }
  let taken = Number.NEGATIVE_INFINITY
  for (const tick of x.ticks) {
    const at = left + x.at(tick.value) * width
    parts.push(element('line', { x1: at, x2: at, y1: top, y2: bottom, ...gridLine }))
    const half = textWidth(tick.text, fontPx) / 2
    if (at - half < taken + 6) continue // A label that would run into the last one is left out; its tick stays.
    taken = at + half
    // The last one moves in by what would not fit into the figure.
    const centre = Math.min(at, left + width + right - half)
    parts.push(text(centre, bottom + 16, tick.text, { 'text-anchor': 'middle' }))
  }
  parts.push(
    element('path', {
      d: `M${short(left)} ${short(top)}V${short(bottom)}H${short(left + width)}`,
      fill: 'none',
      stroke: 'currentColor',
      'stroke-opacity': 0.6,
    }),
    text(left + width / 2, bottom + 36, x.label, { 'text-anchor': 'middle' }),
    text(0, 0, y.label, {
      'text-anchor': 'middle',
      transform: `translate(13 ${short(top + height / 2)}) rotate(-90)`,
    }),
  )
  return parts
}

function layLegend(marks: readonly Mark[], width: number): { items: string[]; height: number } {
  const row = 17
  const items: string[] = []
  const seen = new Set<string>()
  let x = 0
  let y = 0
  for (const mark of marks) {
    if (!mark.label || seen.has(mark.label)) continue
    seen.add(mark.label)
    const itemWidth = 30 + textWidth(mark.label, fontPx) + 12
    if (x > 0 && x + itemWidth > width) {
      x = 0
      y += row
    }
    items.push(
      element('g', { transform: `translate(${short(x)} ${short(y)})` }, markKey(mark), text(28, 12, mark.label)),
    )
    x += itemWidth
  }
  return { items, height: items.length > 0 ? y + row : 0 }
}

function extentOf(marks: readonly Mark[], axis: 0 | 1): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const mark of marks) {
    for (const value of markExtent(mark)[axis]) {
      if (!Number.isFinite(value)) continue
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
  }
  return [low, high]
}
