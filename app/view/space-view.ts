import { boxOfLabel, cropEqual, growBox } from '../../src/volume/box.ts'
import { worldPosition } from '../../src/volume/grid.ts'
import type { Volume } from '../../src/volume/volume.ts'
import { button, el } from '../page/dom.ts'
import type { Lab, Solid } from '../page/lab.ts'
import type { Space } from './niivue.ts'

/** How long a slider must rest before the mask in space is made anew, which takes longer than a slice. */
const restMs = 250

/** The mask in space. Its program is large, and loaded only when somebody asks for it. */
export class SpaceView {
  readonly element = el('figure', { class: 'slice space' })
  readonly #solid: () => Solid | undefined
  readonly #lab: Pick<Lab, 'tell' | 'fail'>
  #space: Space | undefined
  #waiting = 0
  #drawing = false
  #shown = ''

  constructor(solid: () => Solid | undefined, lab: Pick<Lab, 'tell' | 'fail'>) {
    this.#solid = solid
    this.#lab = lab
    this.#invite()
  }

  #invite(): void {
    const open = button('Show in 3-D', () => this.#open().catch((error) => this.#lab.fail(error)))
    this.element.replaceChildren(el('div', { class: 'invite' }, open))
  }

  async #open(): Promise<void> {
    this.#lab.tell('Loading the 3-D view …')
    const canvas = el('canvas', {
      tabIndex: 0,
      role: 'img',
      'aria-label': 'The mask in space; arrow keys turn it',
      onkeydown: (event: KeyboardEvent) => {
        const [azimuth, elevation] = turns[event.key] ?? [0, 0]
        if (azimuth === 0 && elevation === 0) return
        event.preventDefault()
        this.#space?.turn(azimuth, elevation)
      },
    })
    const close = button('✕', () => this.#close(), { class: 'plain close', 'aria-label': 'Close the 3-D view' })
    this.element.replaceChildren(canvas, el('figcaption', {}, '3-D'), close)
    try {
      const { openSpace } = await import('./niivue.ts')
      this.#space = await openSpace(canvas)
    } catch {
      this.#invite()
      throw new Error('the 3-D view needs WebGL 2, which this browser does not give; slices work without it')
    } finally {
      this.#lab.tell('')
    }
    await this.#draw()
  }

  #close(): void {
    this.#space?.close()
    this.#space = undefined
    this.#shown = ''
    this.#invite()
  }

  /** Called whenever slices are drawn. */
  update(): void {
    if (!this.#space) return
    clearTimeout(this.#waiting)
    this.#waiting = window.setTimeout(() => this.#draw().catch((error) => this.#lab.fail(error)), restMs)
  }

  async #draw(): Promise<void> {
    const solid = this.#solid()
    if (!this.#space || !solid || this.#drawing || solid.key === this.#shown) return
    this.#drawing = true
    try {
      const volume = croppedMask(solid)
      if (volume) await this.#space.show(volume, solid.colour)
      this.#shown = solid.key
    } finally {
      this.#drawing = false
    }
  }
}

const turns: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-10, 0],
  ArrowRight: [10, 0],
  ArrowUp: [0, 10],
  ArrowDown: [0, -10],
}

/** The part of the mask that holds something: a graphics card is spared the rest. */
function croppedMask({ grid, mask }: Solid): Volume | undefined {
  const values = mask()
  const box = boxOfLabel(values, grid.shape, 1)
  if (!box) return undefined
  const part = growBox(box, [2, 2, 2], grid)
  const data = cropEqual(values, grid.shape, part, 1)
  return { grid: { ...grid, shape: part.shape, origin: worldPosition(grid, part.start) }, channels: 1, data }
}
