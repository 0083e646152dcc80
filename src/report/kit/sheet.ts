import { svgFigure } from './chart.ts'
import { element } from './markup.ts'

const gap = 16

/**
 * Figures of this room put together as one SVG file, `columns` to a row. A file of its own has no page behind it, so it
 * brings white paper and black ink, in dark viewers too.
 */
export function sheet(svgs: readonly string[], columns: number, description: string): string {
  const placed: string[] = []
  let width = 0
  let y = 0
  for (let start = 0; start < svgs.length; start += columns) {
    let x = 0
    let height = 0
    for (const svg of svgs.slice(start, start + columns)) {
      const size = sizeOf(svg)
      placed.push(element('g', { transform: `translate(${x} ${y})` }, svg))
      width = Math.max(width, x + size.width)
      height = Math.max(height, size.height)
      x += size.width + gap
    }
    y += height + gap
  }
  const [totalWidth, totalHeight] = [width + 2 * gap, y + gap]
  const paper = element('rect', { width: totalWidth, height: totalHeight, fill: '#fff' })
  const ink = element('g', { color: '#1c2127', fill: 'currentColor', transform: `translate(${gap} ${gap})` }, ...placed)
  return svgFigure(totalWidth, totalHeight, description, [paper, ink])
}

/** The size that `svgFigure` wrote into its first tag. */
function sizeOf(svg: string): { width: number; height: number } {
  const found = /^<svg [^>]*? width="([\d.]+)" height="([\d.]+)"/.exec(svg)
  return found ? { width: Number(found[1]), height: Number(found[2]) } : { width: 0, height: 0 }
}
