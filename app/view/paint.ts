import { heatColour } from '../../src/report/kit/palette.ts'
import type { Plane } from '../../src/report/kit/plane.ts'
import { edgeLetters, scaleBarMm } from '../../src/report/kit/slice-marks.ts'
import type { Grid } from '../../src/volume/grid.ts'
import type { Ring } from './edges.ts'
import type { Slice, SliceCache } from './fields.ts'
import type { Layer, Region } from './layers.ts'

/** Where a slice lies on its canvas: px a pixel of the slice, and the place of its corner. */
export interface Placement {
  readonly left: number
  readonly top: number
  readonly scaleX: number
  readonly scaleY: number
}

const heat = Uint8Array.from({ length: 3 * 256 }, (_, i) => heatColour(Math.floor(i / 3) / 255)[i % 3])

/** Paints the slice's pixels of all layers but outlines; the canvas takes on the slice's size. */
export function paintPixels(
  canvas: OffscreenCanvas,
  layers: readonly Layer[],
  grid: Grid,
  plane: Plane,
  cache: SliceCache,
): void {
  const [width, height] = [grid.shape[plane.across.axis], grid.shape[plane.down.axis]]
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  const picture = new ImageData(width, height)
  const rgba = picture.data
  for (let i = 3; i < rgba.length; i += 4) rgba[i] = 255
  for (const layer of layers) {
    if (layer.kind === 'grey') paintGrey(rgba, cache.slice(layer.field, grid, plane), layer.window)
    else if (layer.kind === 'heat') paintHeat(rgba, cache.slice(layer.field, grid, plane), layers[0].kind === 'grey')
    else if (layer.kind === 'fill') {
      paintFill(rgba, layer.region, cache.slice(layer.region.field, grid, plane), layer.colour)
    }
  }
  canvas.getContext('2d')?.putImageData(picture, 0, 0)
}

function paintGrey(rgba: Uint8ClampedArray, { values }: Slice, [low, high]: readonly [number, number]): void {
  const gain = 255 / (high - low)
  for (let i = 0, at = 0; i < values.length; i++, at += 4) {
    rgba[at] = rgba[at + 1] = rgba[at + 2] = (values[i] - low) * gain
  }
}

const mostHeat = 0.55

/** Over an image, opacity rises quickly from 0, so that all but the improbable is seen, and falls near certainty. */
function paintHeat(rgba: Uint8ClampedArray, { values }: Slice, overImage: boolean): void {
  for (let i = 0, at = 0; i < values.length; i++, at += 4) {
    const p = values[i]
    if (!(p >= 1e-3)) continue
    const opacity = overImage ? Math.min(mostHeat, 4 * p) * (1 - 0.65 * p ** 4) : 1
    const colour = 3 * Math.min(255, Math.round(255 * p))
    for (let c = 0; c < 3; c++) rgba[at + c] = opacity * heat[colour + c] + (1 - opacity) * rgba[at + c]
  }
}

const fillOpacity = 0.5

function paintFill(rgba: Uint8ClampedArray, { inside }: Region, { values }: Slice, colour: string): void {
  const rgb = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
  for (let i = 0, at = 0; i < values.length; i++, at += 4) {
    if (!inside(values[i])) continue
    for (let c = 0; c < 3; c++) rgba[at + c] = fillOpacity * rgb[c] + (1 - fillOpacity) * rgba[at + c]
  }
}

/** Outlines over any ground: a dark rim below their colour. */
export function strokeRings(
  context: CanvasRenderingContext2D,
  rings: readonly Ring[],
  { left, top, scaleX, scaleY }: Placement,
  { colour, dash = [], width = 1.6 }: Extract<Layer, { kind: 'outline' }>,
  ratio: number,
): void {
  context.beginPath()
  for (const ring of rings) {
    context.moveTo(left + ring[0] * scaleX, top + ring[1] * scaleY)
    for (let i = 2; i < ring.length; i += 2) context.lineTo(left + ring[i] * scaleX, top + ring[i + 1] * scaleY)
    context.closePath()
  }
  context.lineJoin = 'miter'
  context.strokeStyle = 'rgb(0 0 0 / 0.6)'
  context.lineWidth = (width + 1.6) * ratio
  context.stroke()
  context.setLineDash(dash.map((length) => length * ratio))
  context.strokeStyle = colour
  context.lineWidth = width * ratio
  context.stroke()
  context.setLineDash([])
}

/** Letters at the edges and a bar of known length. */
export function drawMarks(
  context: CanvasRenderingContext2D,
  grid: Grid,
  plane: Plane,
  pxPerMm: number,
  ratio: number,
): void {
  const { width, height } = context.canvas
  const edges = edgeLetters(grid, plane)
  const font = 11 * ratio
  context.font = `600 ${font}px system-ui, sans-serif`
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.lineJoin = 'round'
  const word = (text: string, x: number, y: number) => {
    context.strokeStyle = 'rgb(0 0 0 / 0.8)'
    context.lineWidth = 3 * ratio
    context.strokeText(text, x, y)
    context.fillStyle = '#fff'
    context.fillText(text, x, y)
  }
  const inset = 0.95 * font
  word(edges.left, inset, height / 2)
  word(edges.right, width - inset, height / 2)
  // Where there is room beside the caption.
  if (width > 220 * ratio) word(edges.top, width / 2, inset)
  word(edges.bottom, width / 2, height - inset)
  const length = scaleBarMm(width / pxPerMm)
  const [x, y] = [10 * ratio, height - 10 * ratio]
  for (const [colour, thick] of [
    ['rgb(0 0 0 / 0.8)', 5],
    ['#fff', 2],
  ] as const) {
    context.strokeStyle = colour
    context.lineWidth = thick * ratio
    context.beginPath()
    context.moveTo(x, y)
    context.lineTo(x + length * pxPerMm, y)
    context.stroke()
  }
  context.textAlign = 'left'
  word(`${length} mm`, x, y - 10 * ratio)
}
