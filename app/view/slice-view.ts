import { type Plane, type View, viewPlane } from '../../src/report/kit/plane.ts'
import { type Grid, type Vec3, vec3 } from '../../src/volume/grid.ts'
import { button, el } from '../page/dom.ts'
import { SliceCache } from './fields.ts'
import type { Layer } from './layers.ts'
import { drawMarks, type Placement, paintPixels, strokeRings } from './paint.ts'

/** What a view shows, and where. */
export interface Scene {
  readonly grid: Grid
  readonly layers: readonly Layer[]
}

/** What the three views share: the voxel in the cross hairs, and how much they are enlarged. */
export interface Focus {
  readonly voxel: Vec3
  readonly zoom: number
}

const mostZoom = 12

/** One plane through the scene. Its canvas is a slider for assistive technology: arrow keys go through the slices. */
export class SliceView {
  readonly element: HTMLElement
  readonly #canvas = document.createElement('canvas')
  readonly #caption = document.createElement('figcaption')
  readonly #view: View
  readonly #onFocus: (focus: Focus) => void
  readonly #cache = new SliceCache()
  readonly #pixels = new OffscreenCanvas(1, 1)
  #scene: Scene | undefined
  #focus: Focus = { voxel: [0, 0, 0], zoom: 1 }
  /** While the pointer is down, an enlarged slice stays where it was. */
  #held: Vec3 | undefined

  constructor(view: View, onFocus: (focus: Focus) => void) {
    this.#view = view
    this.#onFocus = onFocus
    this.element = document.createElement('figure')
    this.element.className = 'slice'
    this.#canvas.tabIndex = 0
    this.#canvas.setAttribute('role', 'slider')
    this.#canvas.setAttribute('aria-label', `${view[0].toUpperCase()}${view.slice(1)} slice`)
    this.#tell(0, 0)
    const zoom = (text: string, by: number, label: string) =>
      button(text, () => this.#move({ zoom: by }), { class: 'plain', 'aria-label': label, title: label })
    const buttons = view === 'axial' ? [zoom('−', 0.8, 'Reduce'), zoom('+', 1.25, 'Enlarge')] : []
    this.element.append(this.#canvas, this.#caption, el('div', { class: 'zoom' }, ...buttons))
    this.#listen()
    new ResizeObserver(() => this.draw()).observe(this.element)
  }

  show(scene: Scene | undefined, focus: Focus): void {
    this.#scene = scene
    this.#focus = focus
    // Told at once, also where there is no room to draw in yet.
    if (scene) {
      const { axis, index } = this.#plane(scene.grid)
      this.#tell(index + 1, scene.grid.shape[axis])
    } else this.#tell(0, 0)
    this.draw()
  }

  #plane(grid: Grid): Plane {
    const { axis } = viewPlane(grid, this.#view, 0)
    return viewPlane(grid, this.#view, this.#focus.voxel[axis])
  }

  draw(): void {
    const ratio = devicePixelRatio
    const canvas = this.#canvas
    const { clientWidth, clientHeight } = canvas
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)]
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    const context = canvas.getContext('2d')
    if (!context || width === 0 || height === 0) return
    context.fillStyle = '#000'
    context.fillRect(0, 0, width, height)
    const scene = this.#scene
    if (!scene) return
    const { grid, layers } = scene
    const plane = this.#plane(grid)
    const place = this.#place(grid, plane)
    const pixels = this.#pixels
    paintPixels(pixels, layers, grid, plane, this.#cache)
    context.imageSmoothingQuality = 'high'
    context.drawImage(pixels, place.left, place.top, pixels.width * place.scaleX, pixels.height * place.scaleY)
    for (const layer of layers) {
      if (layer.kind !== 'outline') continue
      strokeRings(context, this.#cache.rings(layer.region, grid, plane), place, layer, ratio)
    }
    this.#cache.keepOnly(new Set(layers.map((layer) => ('field' in layer ? layer.field : layer.region.field))))
    this.#drawCross(context, grid, plane, place, ratio)
    drawMarks(context, grid, plane, place.scaleX / grid.spacing[plane.across.axis], ratio)
  }

  /** The whole slice fits, at the proportions of millimetres; enlarged, the cross hairs stay in the middle. */
  #place(grid: Grid, plane: Plane): Placement {
    const { width, height } = this.#canvas
    const [across, down] = [plane.across.axis, plane.down.axis]
    const size = [grid.shape[across] * grid.spacing[across], grid.shape[down] * grid.spacing[down]]
    const pxPerMm = Math.min(width / size[0], height / size[1]) * this.#focus.zoom
    const [scaleX, scaleY] = [pxPerMm * grid.spacing[across], pxPerMm * grid.spacing[down]]
    const [x, y] = onScreen(grid, plane, this.#held ?? this.#focus.voxel)
    const offset = (extent: number, room: number, at: number) =>
      extent <= room ? (room - extent) / 2 : Math.min(0, Math.max(room - extent, room / 2 - at))
    return {
      left: offset(size[0] * pxPerMm, width, x * scaleX),
      top: offset(size[1] * pxPerMm, height, y * scaleY),
      scaleX,
      scaleY,
    }
  }

  #drawCross(context: CanvasRenderingContext2D, grid: Grid, plane: Plane, place: Placement, ratio: number): void {
    const [x, y] = onScreen(grid, plane, this.#focus.voxel)
    const [px, py] = [place.left + x * place.scaleX, place.top + y * place.scaleY]
    const gap = 9 * ratio
    context.strokeStyle = 'rgb(255 255 255 / 0.45)'
    context.lineWidth = ratio
    context.beginPath()
    context.moveTo(px, 0)
    context.lineTo(px, py - gap)
    context.moveTo(px, py + gap)
    context.lineTo(px, context.canvas.height)
    context.moveTo(0, py)
    context.lineTo(px - gap, py)
    context.moveTo(px + gap, py)
    context.lineTo(context.canvas.width, py)
    context.stroke()
  }

  /** Which slice it is, of how many; 0 of 0 where nothing is shown. A slider always has a value. */
  #tell(number: number, count: number): void {
    const name = `${this.#view[0].toUpperCase()}${this.#view.slice(1)}`
    this.#caption.textContent = count === 0 ? name : `${name} ${number} / ${count}`
    const canvas = this.#canvas
    canvas.setAttribute('aria-valuemin', String(Math.min(1, count)))
    canvas.setAttribute('aria-valuemax', String(count))
    canvas.setAttribute('aria-valuenow', String(number))
    canvas.setAttribute('aria-valuetext', count === 0 ? 'nothing is shown' : `slice ${number} of ${count}`)
  }

  #move(change: { readonly slices?: number; readonly zoom?: number }): void {
    const grid = this.#scene?.grid
    if (!grid) return
    const { axis } = this.#plane(grid)
    const { voxel, zoom } = this.#focus
    const index = Math.min(grid.shape[axis] - 1, Math.max(0, voxel[axis] + (change.slices ?? 0)))
    this.#onFocus({
      voxel: vec3((a) => (a === axis ? index : voxel[a])),
      zoom: Math.min(mostZoom, Math.max(1, zoom * (change.zoom ?? 1))),
    })
  }

  #listen(): void {
    const canvas = this.#canvas
    canvas.addEventListener('keydown', (event) => {
      const change = keyChanges[event.key]
      if (!change || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      this.#move(change)
    })
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault()
        if (event.ctrlKey) this.#move({ zoom: Math.exp(-event.deltaY / 200) })
        else this.#move({ slices: -Math.sign(event.deltaY) })
      },
      { passive: false },
    )
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return
      canvas.setPointerCapture(event.pointerId)
      this.#held = this.#focus.voxel
      this.#point(event)
    })
    canvas.addEventListener('pointermove', (event) => {
      if (this.#held) this.#point(event)
    })
    for (const end of ['pointerup', 'pointercancel']) {
      canvas.addEventListener(end, () => {
        this.#held = undefined
        this.draw()
      })
    }
  }

  /** Puts the cross hairs under the pointer; enlarged slices stay where they are while it moves. */
  #point(event: PointerEvent): void {
    const grid = this.#scene?.grid
    if (!grid) return
    const plane = this.#plane(grid)
    const { across, down } = plane
    const { left, top, scaleX, scaleY } = this.#place(grid, plane)
    const place = (offset: number, start: number, scale: number, count: number, flip: boolean) => {
      const at = Math.min(count - 1, Math.max(0, Math.floor((offset * devicePixelRatio - start) / scale)))
      return flip ? count - 1 - at : at
    }
    const u = place(event.offsetX, left, scaleX, grid.shape[across.axis], across.flip)
    const v = place(event.offsetY, top, scaleY, grid.shape[down.axis], down.flip)
    const { voxel, zoom } = this.#focus
    this.#onFocus({ voxel: vec3((a) => (a === across.axis ? u : a === down.axis ? v : voxel[a])), zoom })
  }
}

/** A voxel in the slice's pixels, rows from the top. */
function onScreen(grid: Grid, { across, down }: Plane, voxel: Vec3): readonly [number, number] {
  const [u, v] = [voxel[across.axis], voxel[down.axis]]
  return [
    (across.flip ? grid.shape[across.axis] - 1 - u : u) + 0.5,
    (down.flip ? grid.shape[down.axis] - 1 - v : v) + 0.5,
  ]
}

const keyChanges: Readonly<Record<string, { readonly slices?: number; readonly zoom?: number }>> = {
  ArrowUp: { slices: 1 },
  ArrowRight: { slices: 1 },
  ArrowDown: { slices: -1 },
  ArrowLeft: { slices: -1 },
  PageUp: { slices: 10 },
  PageDown: { slices: -10 },
  Home: { slices: -1e9 },
  End: { slices: 1e9 },
  '+': { zoom: 1.25 },
  '=': { zoom: 1.25 },
  '-': { zoom: 0.8 },
  0: { zoom: 0 },
}
