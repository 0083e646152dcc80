import { voxelVolumeMm3 } from '../../src/volume/grid.ts'
import { button, el, labelled, markup, Slider } from '../page/dom.ts'
import type { Lab, Panel, Solid } from '../page/lab.ts'
import { legend } from '../page/legend.ts'
import type { ClassMap, ClassName, ClassVerdict, DiceCurve, Item, Maps, Sight } from '../protocol.ts'
import { wholeField } from '../view/fields.ts'
import type { Scene } from '../view/slice-view.ts'
import { Reference } from './reference.ts'
import { curveChart } from './threshold-charts.ts'
import { layersOf, legendEntries, type Shown, solidOf } from './threshold-layers.ts'
import { classTable, cutNumbers, warningList } from './threshold-parts.ts'
import { MaskSaver } from './threshold-save.ts'

/** Cutting probabilities: what a cut promises, what ½ and t* give, and what a reference says of them. */
export class ThresholdPanel implements Panel {
  readonly element = el('section', { class: 'panel' })
  readonly #lab: Lab
  #item: Item | undefined
  /** What stands for probability 1, where numbers are not from 0 to 1. */
  #scale: number | undefined
  #maps: Maps | undefined
  #class: ClassName | undefined
  #shown: Shown | undefined
  #curve: DiceCurve | undefined
  #verdicts: readonly ClassVerdict[] = []
  readonly #reference: Reference
  readonly #saver: MaskSaver
  readonly #readout = el('dl', { class: 'numbers' })
  readonly #chart = el('div', { class: 'chart' })
  readonly #slider: Slider

  constructor(lab: Lab) {
    this.#lab = lab
    this.#saver = new MaskSaver(lab)
    this.#reference = new Reference(lab, () => {
      this.#lay()
      this.#lab.draw()
      this.#askRealised()
    })
    this.#slider = new Slider({
      label: 'Cut at',
      min: 0.001,
      max: 1,
      step: 0.001,
      value: 0.5,
      hint: 'Voxels of at least this probability are in the mask',
      oninput: (cut) => this.#cutAt(cut),
    })
  }

  refresh(): void {
    const item = this.#lab.items.find(({ role }) => role === 'probabilities')
    if (item && item.id === this.#item?.id) {
      this.#lay()
      this.#compare()
      return
    }
    this.#item = item
    this.#scale = item?.largest
    this.#maps = this.#class = this.#shown = this.#curve = undefined
    this.#verdicts = []
    if (item) this.#open(item).catch((error) => this.#lab.fail(error))
    else {
      const note = 'Open a probability map: a 3-D or 4-D image, or the .npz of a network.'
      this.element.replaceChildren(el('h2', {}, 'Threshold'), el('p', { class: 'note' }, note))
    }
  }

  async #open(item: Item): Promise<void> {
    this.#lab.tell(`Opening ${item.name} …`)
    const maps = await this.#lab.data.call<Maps>('openMaps', this.#of(item), { line: 'maps' })
    this.#maps = maps
    await this.#openClass(maps.classes.find(({ index }) => index === this.#lab.state.class) ?? maps.classes[0])
    this.#askVerdicts(item)
  }

  async #openClass(one: ClassName, chosen = false): Promise<void> {
    const item = this.#item
    if (!item) return
    this.#lab.tell(`Finding t* of ${one.name} …`)
    this.#class = one
    this.#lab.change({ class: one.index })
    const ask = { ...this.#of(item), index: one.index }
    const { map, optimum } = await this.#lab.data.call<ClassMap>('classMap', ask, { line: 'class' })
    this.#shown = { grid: item.grid, field: wholeField(item.grid, map), optimum }
    this.#curve = undefined
    this.#lay()
    performance.mark('optimum')
    this.#lab.draw()
    this.#lab.tell('')
    const sight = this.#lab.data.call<Sight>('sight', { ...ask, threshold: optimum.threshold }, { line: 'sight' })
    sight.then((found) => this.#lab.lookAt(item.grid, found, chosen)).catch((error) => this.#lab.fail(error))
    const curve = this.#lab.data.call<DiceCurve>('curve', ask, { line: 'curve' })
    curve
      .then((found) => {
        this.#curve = found
        this.#tellCut()
      })
      .catch((error) => this.#lab.fail(error))
    this.#compare()
  }

  #compare(): void {
    const [item, one, shown, maps] = [this.#item, this.#class, this.#shown, this.#maps]
    if (!item || !one || !shown || !maps) return
    const named = maps.classes.length > 1 || one.name !== 'foreground'
    this.#reference.compare({ of: this.#of(item), item, one, named, threshold: shown.optimum.threshold })
  }

  #of(item: Item): { readonly id: number; readonly scale?: number } {
    return { id: item.id, ...(this.#scale !== undefined && { scale: this.#scale }) }
  }

  #askVerdicts(item: Item): void {
    this.#lab.data
      .call<{ rows: ClassVerdict[]; warnings: readonly string[] }>('verdicts', this.#of(item), { line: 'verdicts' })
      .then(({ rows, warnings }) => {
        this.#verdicts = rows
        if (this.#maps) this.#maps = { ...this.#maps, warnings: [...new Set([...this.#maps.warnings, ...warnings])] }
        this.#lay()
      })
      .catch((error) => this.#lab.fail(error))
  }

  /** The threshold in use: 0 in the state stands for t*. */
  get #cut(): number {
    return this.#lab.state.cut || (this.#shown?.optimum.threshold ?? 0.5)
  }

  #cutAt(cut: number): void {
    performance.mark('cut')
    this.#lab.change({ cut })
    this.#lab.draw()
    this.#askRealised()
    this.#tellCut()
  }

  #askRealised(): void {
    this.#reference.ask(this.#cut, () => this.#tellCut())
  }

  scene(): Scene | undefined {
    if (!this.#shown) return undefined
    const { field, labels } = this.#reference
    return { grid: this.#shown.grid, layers: layersOf(this.#lab, this.#shown, this.#cut, field && { field, labels }) }
  }

  solid(): Solid | undefined {
    return this.#shown && solidOf(this.#shown, this.#cut)
  }

  /** The panel as a whole; what moves with the slider is filled in by `#tellCut`. */
  #lay(): void {
    const [item, shown, one, maps] = [this.#item, this.#shown, this.#class, this.#maps]
    if (!item || !shown || !one || !maps) return
    this.#slider.set(this.#cut)
    const choose = (next: ClassName) => {
      this.#openClass(next, true).catch((error) => this.#lab.fail(error))
    }
    const { classes, warnings } = maps
    const hasReference = this.#reference.field !== undefined
    this.element.replaceChildren(
      el('h2', {}, 'Threshold'),
      ...warningList(warnings),
      this.#scaleField(item),
      classes.length > 1 ? classTable(classes, this.#verdicts, one, choose) : '',
      el('div', { class: 'cut' }, this.#slider.element, this.#jumps(shown.optimum.threshold)),
      this.#readout,
      this.#chart,
      el('h3', {}, 'Shown'),
      legend(this.#lab, shown.grid, legendEntries(this.#lab, shown, hasReference)),
      el('h3', {}, 'Reference'),
      this.#reference.element,
      el('h3', {}, 'Save'),
      this.#saver.element({
        item,
        scale: this.#scale,
        several: classes.length > 1,
        hasGeometry: maps.hasGeometry,
      }),
    )
    this.#tellCut()
  }

  #jumps(optimum: number): HTMLElement {
    const jump = (text: string, cut: number, title: string) => {
      const go = () => {
        this.#slider.set(cut || optimum)
        this.#cutAt(cut)
      }
      return button(text, go, { title })
    }
    const [best, half] = [jump('t*', 0, 'Cut where soft Dice is largest'), jump('½', 0.5, 'Cut at one half')]
    return el('div', { class: 'jumps' }, best, half)
  }

  #scaleField(item: Item): HTMLElement | string {
    if (item.largest === undefined) return ''
    const field = el('input', { type: 'number', min: 1, step: 'any', value: String(this.#scale) })
    field.addEventListener('change', () => {
      this.#scale = Number(field.value) || item.largest
      this.#open(item).catch((error) => this.#lab.fail(error))
    })
    return labelled('1 stored as', field)
  }

  #tellCut(): void {
    const [shown, curve] = [this.#shown, this.#curve]
    if (!shown) return
    const { optimum, grid } = shown
    const voxelMl = this.#maps?.hasGeometry ? voxelVolumeMm3(grid) / 1000 : undefined
    const { realised, now } = this.#reference
    const compared = realised && { now, atOptimum: realised.atOptimum, atHalf: realised.atHalf }
    this.#readout.replaceChildren(...cutNumbers({ optimum, curve, cut: this.#cut, voxelMl, realised: compared }))
    if (curve) this.#chart.replaceChildren(markup('figure', curveChart(curve, optimum, this.#cut, realised)))
  }
}
