import type { Vec3 } from '../../src/volume/grid.ts'
import { voxelVolumeMm3 } from '../../src/volume/grid.ts'
import { button, el, labelled, markup, Slider, select } from '../page/dom.ts'
import type { Lab, Panel, Solid } from '../page/lab.ts'
import { legend } from '../page/legend.ts'
import { fixed, signed, volume } from '../page/words.ts'
import type { ClassMap, ClassName, ClassVerdict, DiceCurve, Download, Item, Maps, Realised } from '../protocol.ts'
import { type Field, wholeField } from '../view/fields.ts'
import type { Scene } from '../view/slice-view.ts'
import { curveChart, reliability } from './threshold-charts.ts'
import { layersOf, legendEntries, type Shown, solidOf } from './threshold-layers.ts'

/** Cutting probabilities: what a cut promises, what ½ and t* give, and what a reference says of them. */
export class ThresholdPanel implements Panel {
  readonly element = el('section', { class: 'panel' })
  readonly #lab: Lab
  #item: Item | undefined
  #maps: Maps | undefined
  #class: ClassName | undefined
  #shown: Shown | undefined
  #curve: DiceCurve | undefined
  #verdicts: readonly ClassVerdict[] = []
  #reference:
    | { readonly item: Item; readonly labels: readonly number[]; readonly field: Field; realised?: Realised }
    | undefined
  #chosenReference: number | undefined
  #realisedNow: number | undefined
  readonly #readout = el('dl', { class: 'numbers' })
  readonly #chart = el('div', { class: 'chart' })
  readonly #reliability = el('div', { class: 'chart' })
  readonly #classes = el('div', { class: 'classes' })
  readonly #legend = el('div')
  readonly #files = el('div', { class: 'downloads' })
  readonly #slider: Slider

  constructor(lab: Lab) {
    this.#lab = lab
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
    if (item?.id === this.#item?.id) {
      this.#lay()
      this.#findReference()
      return
    }
    this.#item = item
    this.#maps = this.#class = this.#shown = this.#curve = this.#reference = this.#chosenReference = undefined
    this.#verdicts = []
    if (!item) {
      this.element.replaceChildren(
        el('h2', {}, 'Threshold'),
        el('p', { class: 'note' }, 'Open a probability map: a 3-D or 4-D image, or the .npz of a network.'),
      )
      return
    }
    this.#open(item).catch((error) => this.#lab.fail(error))
  }

  async #open(item: Item): Promise<void> {
    this.#lab.tell(`Opening ${item.name} …`)
    const maps = await this.#lab.data.call<Maps>('openMaps', { id: item.id }, { line: 'maps' })
    this.#maps = maps
    const chosen = maps.classes.find(({ index }) => index === this.#lab.state.class) ?? maps.classes[0]
    await this.#openClass(chosen)
    if (maps.classes.length > 1) this.#askVerdicts(item)
  }

  async #openClass(one: ClassName): Promise<void> {
    const item = this.#item
    if (!item) return
    this.#lab.tell(`Finding t* of ${one.name} …`)
    this.#class = one
    this.#lab.change({ class: one.index })
    const ask = { id: item.id, index: one.index }
    const found = await this.#lab.data.call<ClassMap>('classMap', ask, { line: 'class' })
    this.#shown = { grid: item.grid, field: wholeField(item.grid, found.map), optimum: found.optimum }
    this.#curve = undefined
    this.#lay()
    this.#lab.draw()
    this.#lab.tell('')
    this.#lab.data
      .call<Vec3>('middle', { ...ask, threshold: found.optimum.threshold }, { line: 'middle' })
      .then((voxel) => this.#lab.lookAt(item.grid, voxel))
      .catch((error) => this.#lab.fail(error))
    this.#lab.data
      .call<DiceCurve>('curve', ask, { line: 'curve' })
      .then((curve) => {
        this.#curve = curve
        this.#tellCut()
      })
      .catch((error) => this.#lab.fail(error))
    this.#findReference()
  }

  #askVerdicts(item: Item): void {
    this.#lab.data
      .call<{ rows: ClassVerdict[]; warnings: readonly string[] }>('verdicts', { id: item.id }, { line: 'verdicts' })
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
    this.#lab.change({ cut })
    this.#lab.draw()
    this.#tellCut()
    this.#askRealisedNow()
  }

  #askRealisedNow(): void {
    const [item, one, reference] = [this.#item, this.#class, this.#reference]
    this.#realisedNow = undefined
    if (!item || !one || !reference?.realised) return
    const against = { id: item.id, index: one.index, reference: reference.item.id, labels: reference.labels }
    this.#lab.data
      .call<number>('realisedAt', { ...against, threshold: this.#cut }, { line: 'realisedAt' })
      .then((dice) => {
        this.#realisedNow = dice
        this.#tellCut()
      })
      .catch((error) => this.#lab.fail(error))
  }

  #findReference(): void {
    const [item, one] = [this.#item, this.#class]
    if (!item || !one) return
    const fits = this.#lab.items.filter(
      ({ role, grid }) => role === 'labels' && `${grid.shape}` === `${item.grid.shape}`,
    )
    const chosen = fits.find(({ id }) => id === this.#chosenReference) ?? fits[0]
    if (!chosen || this.#chosenReference === 0) {
      this.#reference = undefined
      this.#lay()
      return
    }
    const held = chosen.labels?.map(({ label }) => label) ?? []
    // A mask of one label is of this class, whatever its number.
    const labels =
      held.length === 1 && !one.labels.includes(held[0]) && this.#maps?.classes.length === 1 ? held : one.labels
    if (this.#reference?.item.id === chosen.id && this.#reference.labels.join() === labels.join()) return
    const against = { id: item.id, index: one.index, reference: chosen.id, labels }
    Promise.all([this.#lab.voxels(chosen), this.#lab.data.call<Realised>('realised', against, { line: 'realised' })])
      .then(([field, realised]) => {
        this.#reference = { item: chosen, labels, field, realised }
        this.#lay()
        this.#lab.draw()
        this.#askRealisedNow()
      })
      .catch((error) => this.#lab.fail(error))
  }

  scene(): Scene | undefined {
    if (!this.#shown) return undefined
    return { grid: this.#shown.grid, layers: layersOf(this.#lab, this.#shown, this.#cut, this.#reference) }
  }

  solid(): Solid | undefined {
    return this.#shown && solidOf(this.#shown, this.#cut)
  }

  /** The panel as a whole; what moves with the slider is filled in by `#tellCut`. */
  #lay(): void {
    const [item, shown, one, maps] = [this.#item, this.#shown, this.#class, this.#maps]
    if (!item || !shown || !one || !maps) return
    const { optimum } = shown
    const jump = (text: string, cut: number, title: string) =>
      button(
        text,
        () => {
          this.#slider.set(cut || optimum.threshold)
          this.#cutAt(cut)
        },
        { title },
      )
    this.#slider.set(this.#cut)
    this.#layClasses(maps)
    this.#layFiles()
    this.#legend.replaceChildren(legend(this.#lab, legendEntries(this.#lab, shown, this.#reference !== undefined)))
    this.element.replaceChildren(
      el('h2', {}, 'Threshold'),
      ...maps.warnings.map((text) => el('p', { class: 'warning' }, text)),
      this.#classes,
      el(
        'div',
        { class: 'cut' },
        this.#slider.element,
        el(
          'div',
          { class: 'jumps' },
          jump('t*', 0, 'Cut where soft Dice is largest'),
          jump('½', 0.5, 'Cut at one half'),
        ),
      ),
      this.#readout,
      this.#chart,
      el('h3', {}, 'Shown'),
      this.#legend,
      el('h3', {}, 'Reference'),
      this.#referenceChoice(item),
      this.#reliability,
      el('h3', {}, 'Save'),
      this.#files,
    )
    this.#reliability.replaceChildren()
    if (this.#reference?.realised) this.#reliability.append(markup('figure', reliability(this.#reference.realised)))
    this.#tellCut()
  }

  #layClasses(maps: Maps): void {
    if (maps.classes.length < 2) {
      this.#classes.replaceChildren()
      return
    }
    const head = ['Class', 't*', 'D*', 'over ½'].map((text, n) =>
      el('th', { scope: 'col', class: n > 0 ? 'number' : '' }, text),
    )
    const rows = maps.classes.map((each) => {
      const verdict = this.#verdicts.find(({ index }) => index === each.index)
      const chosen = each.index === this.#class?.index
      const name = button(each.name, () => this.#openClass(each).catch((error) => this.#lab.fail(error)), {
        class: 'plain',
        'aria-pressed': String(chosen),
        title: verdict?.note,
      })
      const cells = verdict
        ? [
            fixed(verdict.supDice / 2),
            fixed(verdict.supDice),
            verdict.present ? signed(verdict.supDice - verdict.diceAtHalf) : 'absent',
          ]
        : ['…', '…', '…']
      const row = el(
        'tr',
        {},
        el('th', { scope: 'row' }, name),
        ...cells.map((text) => el('td', { class: 'number' }, text)),
      )
      row.classList.toggle('chosen', chosen)
      return row
    })
    const table = el(
      'table',
      {},
      el('caption', { class: 'unseen' }, 'Classes'),
      el('thead', {}, el('tr', {}, ...head)),
      el('tbody', {}, ...rows),
    )
    this.#classes.replaceChildren(table)
  }

  #referenceChoice(item: Item): HTMLElement {
    const fits = this.#lab.items.filter(
      ({ role, grid }) => role === 'labels' && `${grid.shape}` === `${item.grid.shape}`,
    )
    if (fits.length === 0)
      return el('p', { class: 'note' }, 'Open a label map of this image to see the Dice that a cut really has.')
    const choices = [...fits.map(({ id, name }) => ({ value: String(id), text: name })), { value: '0', text: 'none' }]
    const now = String(this.#chosenReference ?? fits[0].id)
    return labelled(
      'Compare with',
      select(choices, now, (value) => {
        this.#chosenReference = Number(value)
        this.#findReference()
        this.#lab.draw()
      }),
    )
  }

  #tellCut(): void {
    const [shown, curve] = [this.#shown, this.#curve]
    if (!shown) return
    const { optimum, grid } = shown
    const ml = this.#maps?.hasGeometry ? voxelVolumeMm3(grid) / 1000 : undefined
    const cut = this.#cut
    const at = valueAt(curve, cut, shown)
    const realised = this.#reference?.realised
    const row = (name: string, values: readonly (string | undefined)[]) => [
      el('dt', {}, name),
      ...values.map((value) => el('dd', {}, value ?? '…')),
    ]
    this.#readout.replaceChildren(
      el('dt', { class: 'unseen' }, 'Cut'),
      el('dd', { class: 'head cut-colour' }, fixed(cut)),
      el('dd', { class: 'head optimum-colour' }, `t* ${fixed(optimum.threshold)}`),
      el('dd', { class: 'head half-colour' }, '½'),
      ...row('Promised Dice', [at && fixed(at.dice), fixed(optimum.supDice), fixed(optimum.diceAtHalf)]),
      ...(realised
        ? row('Realised Dice', [
            this.#realisedNow === undefined ? undefined : fixed(this.#realisedNow),
            fixed(realised.atOptimum),
            fixed(realised.atHalf),
          ])
        : []),
      ...row('Volume', [at && volume(at.volume, ml), volume(optimum.volume, ml), volume(optimum.volumeHalf, ml)]),
    )
    if (curve) this.#chart.replaceChildren(markup('figure', curveChart(curve, shown.optimum, cut, realised)))
  }

  #layFiles(): void {
    const item = this.#item
    if (!item) return
    const save = (text: string, at: () => number | undefined) =>
      button(text, () => {
        this.#lab.tell('Cutting …')
        const cut = at()
        this.#lab.data
          .call<Download>('mask', { id: item.id, ...(cut !== undefined && { at: cut }) })
          .then((file) => {
            this.#lab.tell('')
            this.#lab.save(file)
          })
          .catch((error) => this.#lab.fail(error))
      })
    const many = (this.#maps?.classes.length ?? 1) > 1
    const out = item.name.replace(/(\.nii(\.gz)?|\.[^.]*)$/i, '_mask.nii.gz')
    this.#files.replaceChildren(
      save(many ? 'Masks at each t*' : 'Mask at t*', () => undefined),
      save('At ½', () => 0.5),
      save('At the cut', () => this.#cut),
      el('code', { title: 'The same mask on the command line' }, `halfdice threshold ${item.name} -o ${out}`),
    )
  }
}

/** Soft Dice and volume of the cut: exact at t* and ½, else of the curve. */
function valueAt(
  curve: DiceCurve | undefined,
  cut: number,
  { optimum }: Shown,
): { dice: number; volume: number } | undefined {
  if (cut === optimum.threshold) return { dice: optimum.supDice, volume: optimum.volume }
  if (cut === 0.5) return { dice: optimum.diceAtHalf, volume: optimum.volumeHalf }
  if (!curve) return undefined
  const i = Math.min(curve.thresholds.length - 1, Math.max(0, Math.round(cut * curve.thresholds.length) - 1))
  return { dice: curve.dice[i], volume: curve.volumes[i] }
}
