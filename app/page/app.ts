import { softTissue } from '../../src/report/demo/slice-figures.ts'
import { greyLayer } from '../../src/report/kit/flat-slice.ts'
import { type Grid, gridDifference } from '../../src/volume/grid.ts'
import { realValues } from '../../src/volume/scaling.ts'
import type { Volume } from '../../src/volume/volume.ts'
import { AnnotatorsPanel } from '../panels/annotators.ts'
import { FilesPanel } from '../panels/files.ts'
import { NoisePanel } from '../panels/noise.ts'
import { ThresholdPanel } from '../panels/threshold.ts'
import type { Given, Item, Opened, Sight } from '../protocol.ts'
import { type Field, wholeField } from '../view/fields.ts'
import { type Focus, type Scene, SliceView } from '../view/slice-view.ts'
import { SpaceView } from '../view/space-view.ts'
import { Client, Fault, Overtaken } from './client.ts'
import { el } from './dom.ts'
import type { GreyImage, Lab, Panel } from './lab.ts'
import { readState, type State, type Tab, tabs, writeState } from './state.ts'

/** The pancreas. */
const exampleClass = 4

const tabNames: Readonly<Record<Tab, string>> = { threshold: 'Threshold', noise: 'Noise', annotators: 'Annotators' }

/** The page: files, three tabs beside the slices, and the workers that compute. */
export class App implements Lab {
  readonly state: State = readState(location.hash)
  readonly data: Client
  readonly noise: Client
  #items: readonly Item[] = []
  readonly #voxels = new Map<number, Promise<Field>>()
  #image: { readonly item: Item; readonly grey: GreyImage } | undefined
  readonly #views: readonly SliceView[]
  readonly #space: SpaceView
  readonly #panels: Readonly<Record<Tab, Panel>>
  readonly #files: FilesPanel
  readonly #status: HTMLElement
  readonly #alert: HTMLElement
  readonly #tabs: HTMLElement[]
  readonly #side: HTMLElement
  #looked: Grid | undefined
  #drawing = false
  #saving = 0

  constructor(root: HTMLElement, workerUrl: URL) {
    this.data = new Client(workerUrl)
    this.noise = new Client(workerUrl)
    const onFocus = (focus: Focus) => {
      const [i, j, k] = focus.voxel
      this.change({ i, j, k, zoom: focus.zoom })
      this.draw()
    }
    this.#views = (['axial', 'coronal', 'sagittal'] as const).map((view) => new SliceView(view, onFocus))
    this.#space = new SpaceView(() => this.#panels[this.state.tab].solid(), this)
    this.#panels = {
      threshold: new ThresholdPanel(this),
      noise: new NoisePanel(this),
      annotators: new AnnotatorsPanel(this),
    }
    this.#files = new FilesPanel(this, {
      open: (given) => this.open(given),
      example: () => this.example(),
      changed: (items) => this.#setItems(items),
    })
    this.#status = el('div', { class: 'status', role: 'status' })
    this.#alert = el('div', { class: 'alert', role: 'alert' })
    this.#tabs = tabs.map((tab) => this.#tab(tab))
    this.#side = el('div', { class: 'side' })
    const views = el('section', { class: 'views', 'aria-label': 'Slices' })
    views.append(...this.#views.map((view) => view.element), this.#space.element)
    root.append(
      el('div', { class: 'tabs', role: 'tablist', 'aria-label': 'What to look at' }, ...this.#tabs),
      this.#alert,
      el('div', { class: 'work' }, views, this.#side),
      this.#status,
    )
    this.#openTab(this.state.tab)
  }

  get items(): readonly Item[] {
    return this.#items
  }

  #tab(tab: Tab): HTMLElement {
    return el(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `tab-${tab}`,
        'aria-controls': `panel-${tab}`,
        onclick: () => this.#openTab(tab),
        onkeydown: (event: KeyboardEvent) => {
          const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
          if (step === 0) return
          const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length]
          this.#openTab(next)
          document.getElementById(`tab-${next}`)?.focus()
        },
      },
      tabNames[tab],
    )
  }

  #openTab(tab: Tab): void {
    this.change({ tab })
    for (const [n, element] of this.#tabs.entries()) {
      const chosen = tabs[n] === tab
      element.setAttribute('aria-selected', String(chosen))
      element.tabIndex = chosen ? 0 : -1
    }
    const { element } = this.#panels[tab]
    element.id = `panel-${tab}`
    element.setAttribute('role', 'tabpanel')
    element.setAttribute('aria-labelledby', `tab-${tab}`)
    this.#side.replaceChildren(this.#files.element, element)
    this.#panels[tab].refresh()
    this.draw()
  }

  openNoise(noise: Partial<State>): void {
    this.change(noise)
    this.#openTab('noise')
    document.getElementById('tab-noise')?.focus()
  }

  change(part: Partial<State>): void {
    Object.assign(this.state, part)
    // Browsers limit how often the address may change: a slider moves more often.
    clearTimeout(this.#saving)
    this.#saving = window.setTimeout(() => {
      history.replaceState(null, '', `${location.pathname}${location.search}${writeState(this.state)}`)
    }, 250)
  }

  draw(): void {
    if (this.#drawing) return
    this.#drawing = true
    requestAnimationFrame(() => {
      this.#drawing = false
      this.drawNow()
    })
  }

  /** Draws at once; `draw` waits for the next frame. */
  drawNow(): void {
    const scene = this.#panels[this.state.tab].scene() ?? this.#imageScene()
    const { i, j, k, zoom } = this.state
    const shape = scene?.grid.shape ?? [1, 1, 1]
    const inside = (at: number, axis: number) => Math.min(shape[axis] - 1, Math.max(0, Math.round(at)))
    const focus: Focus = { voxel: [inside(i, 0), inside(j, 1), inside(k, 2)], zoom }
    for (const view of this.#views) view.show(scene, focus)
    this.#space.update()
    performance.mark('drawn')
  }

  /** The image alone, where nothing else is open. */
  #imageScene(): Scene | undefined {
    const image = this.#image
    return image && { grid: image.item.grid, layers: [{ kind: 'grey', ...image.grey }] }
  }

  lookAt(grid: Grid, { voxel, zoom }: Sight, chosen = false): void {
    const same = this.#looked && gridDifference(this.#looked, grid) === undefined
    // The first grid is that of the address, if it names a voxel.
    const named = this.#looked === undefined && this.state.i >= 0
    this.#looked = grid
    if (!chosen && (same || named)) return
    const [i, j, k] = voxel
    this.change({ i, j, k, zoom })
    this.draw()
  }

  voxels(item: Item): Promise<Field> {
    const found = this.#voxels.get(item.id)
    if (found) return found
    const asked = this.data.call<Volume>('volume', { id: item.id }).then(({ grid, data }) => wholeField(grid, data))
    this.#voxels.set(item.id, asked)
    asked.catch(() => this.#voxels.delete(item.id))
    return asked
  }

  imageOn(grid: Grid): GreyImage | undefined {
    const image = this.#image
    return image && gridDifference(image.item.grid, grid) === undefined ? image.grey : undefined
  }

  imageNote(grid: Grid): string | undefined {
    if (!this.#image) return undefined
    const { item } = this.#image
    const difference = gridDifference(item.grid, grid)
    return difference && `${item.name} lies on another grid (${difference}) and is not shown; resample it`
  }

  tell(text: string): void {
    this.#status.textContent = text
    this.#status.classList.toggle('busy', text !== '')
  }

  fail(error: unknown): void {
    if (error instanceof Overtaken) return
    const text = error instanceof Error ? error.message : String(error)
    if (!(error instanceof Fault)) console.error(error)
    this.tell('')
    const shown = [...this.#alert.querySelectorAll('p')].map((each) => each.textContent)
    if (shown.includes(text)) return
    const close = el(
      'button',
      { type: 'button', class: 'plain', 'aria-label': 'Dismiss', onclick: () => line.remove() },
      '✕',
    )
    const line = el('div', { class: 'fault' }, el('p', {}, text), close)
    this.#alert.append(line)
  }

  save({ name, blob }: { readonly name: string; readonly blob: Blob }): void {
    const link = el('a', { href: URL.createObjectURL(blob), download: name })
    document.body.append(link)
    link.click()
    link.remove()
    // The browser has its own hold on the data once the download began.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  }

  async open(given: readonly Given[]): Promise<void> {
    this.#alert.replaceChildren()
    this.tell(given.length === 1 ? `Reading ${given[0].path} …` : `Reading ${given.length} files …`)
    try {
      const { items, faults } = await this.data.call<Opened>('open', { given })
      for (const fault of faults) this.fail(new Fault(fault))
      this.tell('')
      performance.mark('read')
      if (items.length > 0)
        this.#setItems([...(this.#files.isExample ? [] : this.#items), ...items], { isExample: false, opening: true })
    } catch (error) {
      this.fail(error)
    }
  }

  async example(): Promise<void> {
    this.tell('Drawing the example …')
    try {
      const { items } = await this.data.call<Opened>('openExample', {})
      this.tell('')
      // Of a small organ, where the cut matters.
      if (this.state.class === 0) this.change({ class: exampleClass })
      if (this.state.label === 0) this.change({ label: exampleClass })
      this.#setItems(items, { isExample: true })
    } catch (error) {
      this.fail(error)
    }
  }

  #setItems(items: readonly Item[], { isExample = this.#files.isExample, opening = false } = {}): void {
    for (const old of this.#items) {
      if (items.some(({ id }) => id === old.id)) continue
      this.#voxels.delete(old.id)
      this.data.call('close', { id: old.id }).catch(() => undefined)
    }
    this.#items = items
    this.#files.show(items, isExample)
    this.#readImage()
    this.#openTab(opening ? tabFor(items, this.state.tab) : this.state.tab)
    this.draw()
  }

  #readImage(): void {
    const item = this.#items.find(({ role }) => role === 'image')
    if (item?.id === this.#image?.item.id) return
    this.#image = undefined
    if (!item) return
    this.data
      .call<Volume>('volume', { id: item.id })
      .then(({ grid, data, scaling, channels }) => {
        const first = channels > 1 ? data.subarray(0, data.length / channels) : data
        const values = scaling ? realValues(first, scaling) : first
        this.#image = { item, grey: { field: wholeField(grid, values), window: windowOf(values) } }
        this.#panels[this.state.tab].refresh()
        this.draw()
      })
      .catch((error) => this.fail(error))
  }
}

/** The panel that has something to show: the one that is open, if it has. */
function tabFor(items: readonly Item[], open: Tab): Tab {
  const labels = items.filter(({ role }) => role === 'labels').length
  const has: Readonly<Record<Tab, boolean>> = {
    threshold: items.some(({ role }) => role === 'probabilities'),
    noise: labels > 0,
    annotators: labels > 1,
  }
  if (has[open]) return open
  return (['annotators', 'noise', 'threshold'] as const).find((tab) => has[tab]) ?? open
}

/** The soft-tissue window for CT, which alone has values far below those of water; else what most voxels have. */
function windowOf(values: ArrayLike<number>): readonly [number, number] {
  const step = Math.max(1, Math.floor(values.length / 50_000)) | 1
  const some = Float32Array.from({ length: Math.ceil(values.length / step) }, (_, i) => values[i * step])
  if (some.some((value) => value < -500)) return softTissue
  const layer = greyLayer(some)
  return layer.kind === 'grey' ? layer.window : [0, 1]
}
