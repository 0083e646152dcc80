import { element, escapeText, short } from './markup.ts'
import type { Marker } from './palette.ts'

export type Point = readonly [x: number, y: number]

/** A point with an interval in y. */
export interface Estimate {
  readonly x: number
  readonly y: number
  readonly low: number
  readonly high: number
}

/** A box plot along x at the height y. */
export interface LyingBox {
  readonly y: number
  readonly low: number
  readonly q1: number
  readonly median: number
  readonly q3: number
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
      readonly opacity?: number
      /** What each point is: shown where the pointer rests on it. */
      readonly titles?: readonly string[]
    })
  /** Box plots that lie along x: quartiles, the median, and whiskers; `height` is in units of y. */
  | (Style & { readonly kind: 'boxes'; readonly boxes: readonly LyingBox[]; readonly height: number })
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
    case 'boxes':
      return [mark.boxes.flatMap((b) => [b.low, b.high]), mark.boxes.map((b) => b.y)]
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
      return element(
        'g',
        { 'fill-opacity': mark.opacity },
        shapesAt(mark.points, to, mark.marker ?? 'circle', mark.radius ?? 3.2, colour, mark.titles),
      )
    case 'boxes':
      return mark.boxes
        .filter((b) => Number.isFinite(b.median))
        .map((b) => lyingBox(b, mark.height, colour, to))
        .join('')
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
    case 'boxes':
      return element('rect', { x: 3, y: 3, width: 18, height: 10, stroke: colour, fill: colour, 'fill-opacity': 0.2 })
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

function lyingBox(box: LyingBox, height: number, colour: string, to: Projection): string {
  const half = Math.abs(to.y(box.y + height / 2) - to.y(box.y - height / 2)) / 2
  const y = to.y(box.y)
  const [low, q1, median, q3, high] = [box.low, box.q1, box.median, box.q3, box.high].map((x) => to.x(x))
  const end = (x: number): string => `M${short(x)} ${short(y - half / 2)}V${short(y + half / 2)}`
  const lines = `M${short(low)} ${short(y)}H${short(q1)}M${short(q3)} ${short(y)}H${short(high)}`
  const whiskers = lines + end(low) + end(high)
  return [
    element('path', { d: whiskers, stroke: colour, 'stroke-width': 1.2, fill: 'none' }),
    element('rect', {
      x: q1,
      y: y - half,
      width: Math.max(0.5, q3 - q1),
      height: 2 * half,
      fill: colour,
      'fill-opacity': 0.2,
      stroke: colour,
      'stroke-width': 1.2,
    }),
    element('path', {
      d: `M${short(median)} ${short(y - half)}V${short(y + half)}`,
      stroke: colour,
      'stroke-width': 2.4,
    }),
  ].join('')
}

function shapesAt(
  points: readonly Point[],
  to: Projection,
  marker: Marker,
  radius: number,
  colour: string,
  titles?: readonly string[],
): string {
  return points
    .flatMap(([x, y], i) => {
      if (!Number.isFinite(x) || !Number.isFinite(y)) return []
      const drawn = shape(marker, to.x(x), to.y(y), radius, colour)
      const title = titles?.[i]
      return title === undefined ? drawn : element('g', {}, element('title', {}, escapeText(title)), drawn)
    })
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
