import { element, short } from './markup.ts'
import type { Marker } from './palette.ts'

export type Point = readonly [x: number, y: number]

/** A point with an interval in y. */
export interface Estimate {
  readonly x: number
  readonly y: number
  readonly low: number
  readonly high: number
}

interface Style {
  readonly colour: string
  /** Name in the legend; marks of the same name share one entry. */
  readonly label?: string
}

/** What a chart can draw. Points that are not finite break a line and are not drawn. */
export type Mark =
  | (Style & {
      readonly kind: 'line'
      readonly points: readonly Point[]
      readonly dash?: string | undefined
      readonly width?: number
      readonly marker?: Marker | undefined
    })
  | (Style & { readonly kind: 'band'; readonly points: readonly Estimate[] })
  | (Style & {
      readonly kind: 'dots'
      readonly points: readonly Point[]
      readonly marker?: Marker
      readonly radius?: number
    })
  /** Dots with whiskers. `offset` moves them sideways by that many px, to set series apart. */
  | (Style & {
      readonly kind: 'intervals'
      readonly points: readonly Estimate[]
      readonly marker?: Marker
      readonly offset?: number
    })
  /** Bars from 0 (or `base`) to y, between x0 and x1. */
  | (Style & {
      readonly kind: 'bars'
      readonly bars: readonly { readonly x0: number; readonly x1: number; readonly y: number }[]
      readonly base?: number
      readonly opacity?: number
    })
  | (Style & { readonly kind: 'rule'; readonly x?: number; readonly y?: number; readonly dash?: string })

export interface Projection {
  x(value: number): number
  y(value: number): number
  readonly width: number
  readonly height: number
}

/** The values that the axes must reach: x's, then y's. */
export function markExtent(mark: Mark): readonly [readonly number[], readonly number[]] {
  switch (mark.kind) {
    case 'line':
    case 'dots':
      return [mark.points.map((p) => p[0]), mark.points.map((p) => p[1])]
    case 'band':
    case 'intervals':
      return [mark.points.map((p) => p.x), mark.points.flatMap((p) => [p.low, p.high])]
    case 'bars':
      return [mark.bars.flatMap((b) => [b.x0, b.x1]), [mark.base ?? 0, ...mark.bars.map((b) => b.y)]]
    case 'rule':
      return [mark.x === undefined ? [] : [mark.x], mark.y === undefined ? [] : [mark.y]]
  }
}

export function drawMark(mark: Mark, to: Projection): string {
  const { colour } = mark
  switch (mark.kind) {
    case 'line': {
      const path = element('path', {
        d: linePath(mark.points.map(([x, y]) => [to.x(x), to.y(y)])),
        fill: 'none',
        stroke: colour,
        'stroke-width': mark.width ?? 2,
        'stroke-dasharray': mark.dash,
        'stroke-linejoin': 'round',
      })
      const { marker } = mark
      return marker ? path + shapesAt(mark.points, to, marker, 3.2, colour) : path
    }
    case 'band': {
      const points = mark.points.filter((p) => Number.isFinite(p.low) && Number.isFinite(p.high))
      const upper = points.map((p): Point => [to.x(p.x), to.y(p.high)])
      const lower = points.map((p): Point => [to.x(p.x), to.y(p.low)]).reverse()
      return element('path', { d: `${linePath([...upper, ...lower])}Z`, fill: colour, 'fill-opacity': 0.2 })
    }
    case 'dots':
      return shapesAt(mark.points, to, mark.marker ?? 'circle', mark.radius ?? 3.2, colour)
    case 'intervals':
      return mark.points
        .filter((p) => Number.isFinite(p.y))
        .map((p) => {
          const x = to.x(p.x) + (mark.offset ?? 0)
          const whisker = `M${short(x)} ${short(to.y(p.low))}V${short(to.y(p.high))}`
          return (
            element('path', { d: whisker, stroke: colour, 'stroke-width': 1.8 }) +
            shape(mark.marker ?? 'circle', x, to.y(p.y), 3.6, colour)
          )
        })
        .join('')
    case 'bars':
      return mark.bars
        .filter((b) => Number.isFinite(b.y))
        .map((b) => {
          const [x0, x1] = [to.x(b.x0), to.x(b.x1)]
          const [y0, y1] = [to.y(mark.base ?? 0), to.y(b.y)]
          return element('rect', {
            x: Math.min(x0, x1) + 0.5,
            y: Math.min(y0, y1),
            width: Math.max(0.5, Math.abs(x1 - x0) - 1),
            height: Math.abs(y1 - y0),
            fill: colour,
            'fill-opacity': mark.opacity ?? 0.75,
          })
        })
        .join('')
    case 'rule': {
      const at =
        mark.x === undefined
          ? { x1: 0, x2: to.width, y1: to.y(mark.y ?? 0), y2: to.y(mark.y ?? 0) }
          : { x1: to.x(mark.x), x2: to.x(mark.x), y1: 0, y2: to.height }
      return element('line', { ...at, stroke: colour, 'stroke-width': 1.4, 'stroke-dasharray': mark.dash })
    }
  }
}

/** The mark's sample in a legend, in a box of 24 × 16 px. */
export function markKey(mark: Mark): string {
  const { colour } = mark
  switch (mark.kind) {
    case 'line': {
      const stroke = { stroke: colour, 'stroke-width': mark.width ?? 2, 'stroke-dasharray': mark.dash }
      const line = element('line', { x1: 1, x2: 23, y1: 8, y2: 8, ...stroke })
      return mark.marker ? line + shape(mark.marker, 12, 8, 3.2, colour) : line
    }
    case 'rule':
      return element('line', { x1: 1, x2: 23, y1: 8, y2: 8, stroke: colour, 'stroke-dasharray': mark.dash })
    case 'band':
      return element('rect', { x: 1, y: 3, width: 22, height: 10, fill: colour, 'fill-opacity': 0.2 })
    case 'bars':
      return element('rect', { x: 4, y: 3, width: 16, height: 10, fill: colour, 'fill-opacity': mark.opacity ?? 0.75 })
    case 'dots':
      return shape(mark.marker ?? 'circle', 12, 8, 3.2, colour)
    case 'intervals':
      return (
        element('line', { x1: 12, x2: 12, y1: 1, y2: 15, stroke: colour, 'stroke-width': 1.8 }) +
        shape(mark.marker ?? 'circle', 12, 8, 3.6, colour)
      )
  }
}

/** `M…L…`, starting anew after each point that is not finite. */
function linePath(points: readonly Point[]): string {
  let path = ''
  let pen = 'M'
  for (const [x, y] of points) {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = 'M'
      continue
    }
    path += `${pen}${short(x)} ${short(y)}`
    pen = 'L'
  }
  return path || 'M0 0'
}

function shapesAt(points: readonly Point[], to: Projection, marker: Marker, radius: number, colour: string): string {
  return points
    .filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
    .map(([x, y]) => shape(marker, to.x(x), to.y(y), radius, colour))
    .join('')
}

function shape(marker: Marker, x: number, y: number, r: number, colour: string): string {
  switch (marker) {
    case 'circle':
      return element('circle', { cx: x, cy: y, r, fill: colour })
    case 'square':
      return element('rect', { x: x - r * 0.9, y: y - r * 0.9, width: r * 1.8, height: r * 1.8, fill: colour })
    case 'diamond':
      return element('path', {
        d:
          `M${short(x)} ${short(y - r * 1.3)}l${short(r * 1.3)} ${short(r * 1.3)}l${short(-r * 1.3)} ` +
          `${short(r * 1.3)}l${short(-r * 1.3)} ${short(-r * 1.3)}Z`,
        fill: colour,
      })
    case 'triangle':
      return element('path', {
        d: `M${short(x)} ${short(y - r * 1.3)}l${short(r * 1.25)} ${short(r * 2.2)}h${short(-r * 2.5)}Z`,
        fill: colour,
      })
  }
}
