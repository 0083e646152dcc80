import { contours } from 'd3-contour'
import type { Grid } from '../../volume/grid.ts'
import { svgFigure, text } from './chart.ts'
import { element, short, textWidth } from './markup.ts'
import { heatColour } from './palette.ts'
import { type Pixels, type Plane, planePixels } from './plane.ts'
import { pngDataUri } from './png.ts'
import { edgeLetters, sliceMarks } from './slice-marks.ts'

/** One value a voxel, in the grid's order. */
export type Values = ArrayLike<number>

/** What a slice panel shows, from the bottom up. */
export type Layer =
  /** Grey levels: `window[0]` and below black, `window[1]` and above white. */
  | { readonly kind: 'grey'; readonly values: Values; readonly window: readonly [number, number] }
  /** Probabilities over the layers below: transparent at 0, dark to bright towards 1. */
  | { readonly kind: 'heat'; readonly values: Values }
  /** A translucent mask: voxels for which `inside` holds. */
  | {
      readonly kind: 'fill'
      readonly inside: (at: number) => boolean
      readonly colour: string
      readonly label?: string
    }
  /** The line where `values` cross `level`: for a mask given as 0 and 1, level ½. */
  | {
      readonly kind: 'contour'
      readonly values: Values | ((at: number) => number)
      readonly level: number
      readonly colour: string
      readonly dash?: string
      readonly width?: number
      readonly label?: string
    }

export interface SlicePanel {
  readonly title?: string
  /** A second line under the panel: numbers, usually. */
  readonly note?: string
  readonly grid: Grid
  readonly plane: Plane
  readonly layers: readonly Layer[]
  /** Draws the patient's sides at the edges, and a scale bar. */
  readonly marked?: boolean
}

export interface SliceOptions {
  readonly panels: readonly SlicePanel[]
  readonly description: string
  readonly columns?: number
  /** Width of the whole figure, px. Default 940, the width of a report's column. */
  readonly width?: number
  /** Title of the colour bar; drawn where there is one. */
  readonly heatLabel?: string
}

const gap = 10
const titleHeight = 20
const noteHeight = 17

/**
 * Slices side by side as one SVG: pixels as embedded PNGs, contours as vectors, millimetres at their true proportions
 * whatever the voxel spacing, a legend of the contours and, for heat maps, a colour bar.
 *
 * @example
 * const grid = createGrid([8, 8, 1])
 * const panel = { grid, plane: viewPlane(grid, 'axial', 0), layers: [] }
 * slicePanels({ panels: [panel], description: 'An empty slice' }).startsWith('<svg') // true
 */
export function slicePanels(options: SliceOptions): string {
  const { panels, width = 940 } = options
  const columns = options.columns ?? Math.min(panels.length, 4)
  const cell = (width - gap * (columns - 1)) / columns
  const legend = layLegend(options, width)
  const parts: string[] = [...legend.items]
  let y = legend.height
  for (let start = 0; start < panels.length; start += columns) {
    const row = panels.slice(start, start + columns)
    const top = row.some((p) => p.title) ? titleHeight : 0
    const sizes = row.map((panel) => planeSizeMm(panel))
    const height = Math.max(...sizes.map((s) => (cell * s.height) / s.width))
    // A tall crop is narrowed rather than allowed to make the figure endless.
    const limit = Math.min(height, cell * 1.25)
    row.forEach((panel, column) => {
      const x = column * (cell + gap)
      const { width: w, height: h } = sizes[column]
      const scale = Math.min(cell / w, limit / h)
      if (panel.title) parts.push(fitted(x, y + 14, panel.title, cell, { 'font-weight': 600 }))
      const place = { x: x + (cell - w * scale) / 2, y: y + top, width: w * scale, height: h * scale }
      parts.push(drawPanel(panel, place.x, place.y, scale))
      if (panel.marked) parts.push(sliceMarks(edgeLetters(panel.grid, panel.plane), place, scale))
      if (panel.note) parts.push(fitted(x, y + top + limit + 14, panel.note, cell, { 'fill-opacity': 0.8 }))
    })
    y += top + limit + (row.some((p) => p.note) ? noteHeight : 0) + gap
  }
  return svgFigure(width, y, options.description, parts)
}

/** Width of a panel on its own, px; it grows and shrinks with the page. */
const panelWidth = 300

/**
 * One slice as an SVG of its own, for a gallery: its title and note stand beside it, not in it.
 *
 * @param description what it shows, in words, for those who cannot see it
 */
export function slicePicture(panel: SlicePanel, description: string): string {
  const { width: w, height: h } = planeSizeMm(panel)
  // A tall crop is narrowed, a wide one keeps ground around it, so that a row of pictures has one height.
  const height = panelWidth
  const scale = Math.min(panelWidth / w, height / h)
  const place = {
    x: (panelWidth - w * scale) / 2,
    y: (height - h * scale) / 2,
    width: w * scale,
    height: h * scale,
  }
  return svgFigure(panelWidth, height, description, [
    element('rect', { width: panelWidth, height, fill: '#000' }),
    drawPanel(panel, place.x, place.y, scale),
    panel.marked ? sliceMarks(edgeLetters(panel.grid, panel.plane), place, scale, 14) : '',
  ])
}

/** What the lines and colours of panels mean, as an SVG of its own; undefined where there is nothing to explain. */
export function sliceLegend(options: Pick<SliceOptions, 'panels' | 'heatLabel'>): string | undefined {
  const { items, width, height } = layLegend(options, legendWidth)
  if (items.length === 0) return undefined
  return svgFigure(Math.min(legendWidth, width), height, 'What lines and colours mean', items)
}

/** A legend of its own is broken to the width of a phone. */
const legendWidth = 340

/** A line of text in a smaller face where it would run out of its cell. */
function fitted(x: number, y: number, content: string, room: number, style: Record<string, string | number>): string {
  const width = textWidth(content, 12) * (style['font-weight'] ? 1.12 : 1)
  return text(x, y, content, { ...style, ...(width > room ? { 'font-size': Math.max(8, (12 * room) / width) } : {}) })
}

function planeSizeMm({ grid, plane }: SlicePanel): { width: number; height: number } {
  return {
    width: (plane.acrossRange[1] - plane.acrossRange[0]) * grid.spacing[plane.across.axis],
    height: (plane.downRange[1] - plane.downRange[0]) * grid.spacing[plane.down.axis],
  }
}

function drawPanel(panel: SlicePanel, x: number, y: number, scale: number): string {
  const size = planeSizeMm(panel)
  return element(
    'svg',
    {
      x,
      y,
      width: size.width * scale,
      height: size.height * scale,
      viewBox: `0 0 ${short(size.width)} ${short(size.height)}`,
      overflow: 'hidden',
    },
    element('rect', { width: size.width, height: size.height, fill: '#000' }),
    ...panel.layers.map((layer) => drawLayer(layer, panel, size)),
  )
}

function drawLayer(layer: Layer, { grid, plane }: SlicePanel, size: { width: number; height: number }): string {
  const image = (href: string): string =>
    element('image', { href, width: size.width, height: size.height, preserveAspectRatio: 'none' })
  switch (layer.kind) {
    case 'grey':
      return image(
        greyPng(
          planePixels(grid, plane, (at) => layer.values[at]),
          layer.window,
        ),
      )
    case 'heat':
      return image(heatPng(planePixels(grid, plane, (at) => layer.values[at])))
    case 'fill':
      return element('path', {
        d: contourPath(
          planePixels(grid, plane, (at) => Number(layer.inside(at))),
          0.5,
          size,
        ),
        fill: layer.colour,
        'fill-opacity': 0.38,
        'fill-rule': 'evenodd',
      })
    case 'contour': {
      const { values } = layer
      const pixels = planePixels(grid, plane, typeof values === 'function' ? values : (at) => values[at])
      const line = {
        d: contourPath(pixels, layer.level, size),
        fill: 'none',
        'stroke-dasharray': layer.dash,
        'stroke-linejoin': 'round',
        'vector-effect': 'non-scaling-stroke',
      }
      const width = layer.width ?? 1.4
      // A dark rim: bright lines are read on bright ground too.
      const rim = element('path', { ...line, stroke: '#000', 'stroke-opacity': 0.5, 'stroke-width': width + 1.6 })
      return rim + element('path', { ...line, stroke: layer.colour, 'stroke-width': width })
    }
  }
}

function greyPng({ width, height, values }: Pixels, [low, high]: readonly [number, number]): string {
  const data = Uint8Array.from(values, (v) => Math.min(255, Math.max(0, Math.round(((v - low) / (high - low)) * 255))))
  return pngDataUri({ width, height, channels: 1, data })
}

/** Opacity rises quickly from 0, so that improbable tissue shows through and everything else shows its probability. */
const heatOpacity = (p: number): number => Math.min(0.9, 8 * p)

function heatPng({ width, height, values }: Pixels): string {
  const data = new Uint8Array(4 * width * height)
  values.forEach((p, at) => {
    if (p < 1e-3) return
    data.set([...heatColour(p), Math.round(255 * heatOpacity(p))], 4 * at)
  })
  return pngDataUri({ width, height, channels: 4, data })
}

/** The level line by marching squares with linear interpolation, in the panel's mm; pixel centres at half numbers. */
function contourPath(
  { width, height, values }: Pixels,
  level: number,
  size: { width: number; height: number },
): string {
  const shape = contours()
    .size([width, height])
    .contour(values as unknown as number[], level)
  const [sx, sy] = [size.width / width, size.height / height]
  let path = ''
  for (const polygon of shape.coordinates) {
    for (const ring of polygon) {
      path += `${ring.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${short(x * sx)} ${short(y * sy)}`).join('')}Z`
    }
  }
  return path || 'M0 0'
}

function layLegend({ panels, heatLabel }: Pick<SliceOptions, 'panels' | 'heatLabel'>, room: number) {
  const items: string[] = []
  const seen = new Set<string>()
  let x = 0
  let y = 0
  let width = 0
  const place = (itemWidth: number): void => {
    if (x > 0 && x + itemWidth > room) {
      x = 0
      y += 18
    }
  }
  for (const layer of panels.flatMap((p) => p.layers)) {
    if (!('label' in layer) || !layer.label || seen.has(layer.label)) continue
    seen.add(layer.label)
    const itemWidth = 34 + textWidth(layer.label, 12) + 12
    place(itemWidth)
    const key =
      layer.kind === 'fill'
        ? element('rect', { x: x + 2, y: y + 3, width: 22, height: 11, fill: layer.colour, 'fill-opacity': 0.6 })
        : // A dark ground under the sample: contour colours are chosen for a CT, not for a white page.
          element('rect', { x, y: y + 2, width: 28, height: 13, rx: 2, fill: '#222' }) +
          element('line', {
            x1: x + 3,
            x2: x + 25,
            y1: y + 8.5,
            y2: y + 8.5,
            stroke: layer.colour,
            'stroke-width': 2,
            'stroke-dasharray': layer.kind === 'contour' ? layer.dash : undefined,
          })
    items.push(key, text(x + 34, y + 13, layer.label))
    x += itemWidth
    width = Math.max(width, x)
  }
  if (heatLabel) {
    const itemWidth = textWidth(heatLabel, 12) + 175
    place(itemWidth)
    items.push(colourBar(x, y, heatLabel))
    x += itemWidth
    width = Math.max(width, x)
  }
  return { items, width, height: items.length > 0 ? y + 24 : 0 }
}

function colourBar(x: number, y: number, label: string): string {
  const start = x + textWidth(label, 12) + 20
  const steps = 32
  const ground = 90 // A mid grey, as of tissue, under the heat map's opacity.
  const bars = Array.from({ length: steps }, (_, i) => {
    const p = (i + 0.5) / steps
    const [r, g, b] = heatColour(p).map((c) => Math.round(c * heatOpacity(p) + ground * (1 - heatOpacity(p))))
    return element('rect', {
      x: start + (i * 120) / steps,
      y: y + 3,
      width: 120 / steps + 0.3,
      height: 11,
      fill: `rgb(${r},${g},${b})`,
    })
  })
  return [text(x, y + 13, label), text(start - 11, y + 13, '0'), ...bars, text(start + 125, y + 13, '1')].join('')
}
