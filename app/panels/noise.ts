import { voxelVolumeMm3 } from '../../src/volume/grid.ts'
import { colourOf, colours } from '../page/colours.ts'
import { button, el, labelled, Slider, select } from '../page/dom.ts'
import type { Lab, Panel, Solid } from '../page/lab.ts'
import { type Entry, isHidden, legend } from '../page/legend.ts'
import { limits, type NumberName, type State } from '../page/state.ts'
import { fixed, percent, volume, words } from '../page/words.ts'
import type { Download, Item, Noise, NoiseResult, Samples, Sight } from '../protocol.ts'
import type { Field } from '../view/fields.ts'
import { keyOf } from '../view/fields.ts'
import { cutRegion, type Layer, labelRegion } from '../view/layers.ts'
import type { Scene } from '../view/slice-view.ts'
import { LabelSource, labelChoice, labelOf } from './label-source.ts'

/** Longer than this, a computation that was overtaken is stopped with its worker, instead of waited for. */
const patienceMs = 150

/** Label noise: what annotators of a given σ and ℓ would draw, and what the best prediction can still reach. */
export class NoisePanel implements Panel {
  readonly element = el('section', { class: 'panel' })
  readonly #lab: Lab
  readonly #source: LabelSource
  #chosen: number | undefined
  #item: Item | undefined
  #label = 0
  #labels: Field | undefined
  #result: { readonly key: string; readonly found: NoiseResult; readonly field: Field } | undefined
  #samples: readonly Field[] = []
  #started = 0
  #unfolded = false
  #key = ''
  readonly #readout = el('dl', { class: 'numbers two' })
  readonly #legend = el('div')
  readonly #samplesCommand = el('code', { title: 'The same label maps on the command line' })
  readonly #probabilityCommand = el('code', { title: 'The same probabilities on the command line' })

  constructor(lab: Lab) {
    this.#lab = lab
    this.#source = new LabelSource(lab)
  }

  refresh(): void {
    this.#source.forget()
    const maps = this.#lab.items.filter(({ role, labels }) => role === 'labels' && labels && labels.length > 0)
    this.#item = maps.find(({ id }) => id === this.#chosen) ?? maps.find(({ truth }) => truth) ?? maps[0]
    this.#key = ''
    if (!this.#item) {
      this.#result = undefined
      this.#samples = []
      this.element.replaceChildren(
        el('h2', {}, 'Noise'),
        el('p', { class: 'note' }, 'Open a label map to see noise on it.'),
      )
      return
    }
    this.#label = labelOf([this.#item], this.#lab.state.label)
    this.#lay(maps)
    const item = this.#item
    this.#lab
      .voxels(item)
      .then((field) => {
        this.#labels = field
        this.#lab.draw()
      })
      .catch((error) => this.#lab.fail(error))
    this.#compute()
  }

  get #noise(): Noise {
    const { sigma, sigmaJ, sigmaK, length, presence, bias, biasSd } = this.#lab.state
    const along = (own: number) => (own < 0 ? sigma : own)
    const sigmaMm = [sigma, along(sigmaJ), along(sigmaK)] as const
    return { sigmaMm, lengthMm: length, presence, biasMm: bias, biasSdMm: biasSd }
  }

  /** Computes what the sliders say now, and stops what they said before. */
  #compute(): void {
    const item = this.#item
    if (!item) return
    const { noise } = this.#lab
    if (noise.busy && performance.now() - this.#started > patienceMs) noise.restart()
    this.#started = performance.now()
    this.#run(item).catch((error) => this.#lab.fail(error))
  }

  async #run(item: Item): Promise<void> {
    const [label, noise, count, seed] = [this.#label, this.#noise, this.#lab.state.count, this.#lab.state.seed]
    const key = `${item.id} ${label} ${JSON.stringify(noise)}`
    this.#key = key
    performance.mark('noise asked')
    await this.#source.give([item])
    if (this.#key !== key) return
    const found = await this.#lab.noise.call<NoiseResult>('marginals', { label, noise }, { line: 'marginals' })
    const chosen = this.#result?.key.startsWith(`${item.id} `) === true
    const first = !this.#result?.key.startsWith(`${item.id} ${label} `)
    this.#result = { key, found, field: { data: found.marginal, box: found.box } }
    this.#tell()
    performance.mark('noise told')
    this.#lab.draw()
    if (first) this.#lab.lookAt(item.grid, await this.#lab.noise.call<Sight>('labelSight', { label }), chosen)
    const drawn = await this.#lab.noise.call<Samples>('samples', { label, noise, count, seed }, { line: 'samples' })
    this.#samples = drawn.samples.map((data) => ({ data, box: drawn.box }))
    performance.mark('samples told')
    this.#lab.draw()
  }

  scene(): Scene | undefined {
    const [item, labels] = [this.#item, this.#labels]
    if (!item || !labels) return undefined
    const image = this.#lab.imageOn(item.grid)
    const hidden = (key: string) => isHidden(this.#lab, key)
    const result = this.#result
    const layers: (Layer | false | undefined)[] = [
      image && !hidden('image') && { kind: 'grey', ...image },
      result && !hidden('marginal') && { kind: 'heat', field: result.field },
      ...(hidden('samples')
        ? []
        : this.#samples.map(
            (field, i): Layer => ({
              kind: 'outline',
              width: 1,
              colour: colourOf(i),
              region: labelRegion(field, [this.#label]),
            }),
          )),
      result &&
        !hidden('best') && {
          kind: 'outline',
          colour: colours.optimum,
          width: 2.2,
          region: cutRegion(result.field, result.found.optimum.threshold),
        },
      !hidden('truth') && {
        kind: 'outline',
        colour: colours.cut,
        dash: [2, 3],
        region: labelRegion(labels, [this.#label]),
      },
    ]
    return { grid: item.grid, layers: layers.filter((layer) => layer !== false && layer !== undefined) }
  }

  solid(): Solid | undefined {
    const [item, labels, label] = [this.#item, this.#labels, this.#label]
    if (!item || !labels) return undefined
    const mask = () => Uint8Array.from(labels.data, (value) => Number(value === label))
    return { grid: item.grid, key: `${keyOf(labels)} ${label}`, mask, colour: colours.optimum }
  }

  #lay(maps: readonly Item[]): void {
    const item = this.#item
    if (!item) return
    const { sigma, sigmaJ, sigmaK } = this.#lab.state
    const perAxis = sigmaJ >= 0 || sigmaK >= 0
    const slider = (name: NumberName, label: string, unit: string, step: number, hint: string) =>
      new Slider({
        label,
        unit,
        step,
        ...limits(name),
        min: Math.max(limits(name).min, name.startsWith('sigma') ? 0 : Number.NEGATIVE_INFINITY),
        value: name.startsWith('sigma') && this.#lab.state[name] < 0 ? sigma : this.#lab.state[name],
        hint,
        oninput: (value) => {
          this.#lab.change({ [name]: value })
          this.#compute()
        },
      }).element
    const files = maps.map(({ id, name }) => ({ value: String(id), text: name }))
    const chooseFile = select(files, String(item.id), (value) => {
      this.#chosen = Number(value)
      this.refresh()
    })
    const entries: (Entry | false)[] = [
      { key: 'truth', text: 'label', colour: colours.cut, look: 'dash' },
      { key: 'best', text: 'best mask', colour: colours.optimum, look: 'line' },
      { key: 'samples', text: 'annotators', colour: colourOf(1), look: 'line' },
      { key: 'marginal', text: 'probability', colour: colours.half, look: 'heat' },
      this.#lab.imageOn(item.grid) !== undefined && { key: 'image', text: 'image', colour: '#888888', look: 'grey' },
    ]
    this.#legend.replaceChildren(
      legend(
        this.#lab,
        item.grid,
        entries.filter((entry) => entry !== false),
      ),
    )
    this.element.replaceChildren(
      el('h2', {}, 'Noise'),
      labelled('Map', chooseFile),
      labelChoice([item], this.#label, (label) => {
        this.#label = label
        this.#lab.change({ label })
        this.#compute()
      }),
      slider(
        'sigma',
        perAxis ? 'Strength σ along i' : 'Strength σ',
        'mm',
        0.1,
        `Standard deviation of the displacement along ${perAxis ? 'the first axis of the voxels' : 'each axis'}`,
      ),
      ...(perAxis ? this.#otherAxes(item, slider) : []),
      slider('length', 'Length ℓ', 'mm', 0.5, 'How far along the outline displacements go together'),
      this.#readout,
      el(
        'details',
        {
          open: this.#unfolded,
          ontoggle: (event: Event) => {
            this.#unfolded = (event.target as HTMLDetailsElement).open
          },
        },
        el('summary', {}, 'Axes, bias, presence, samples'),
        this.#axesSwitch(perAxis),
        slider('bias', 'Bias', 'mm', 0.1, 'How far outwards annotators draw'),
        slider('biasSd', 'Bias varies by', 'mm', 0.1, 'Standard deviation of the bias between annotators'),
        slider('presence', 'Presence', '', 0.01, 'Probability that an annotator draws the label at all'),
        slider('count', 'Annotators', '', 1, 'How many outlines are drawn'),
        slider('seed', 'Seed', '', 1, 'Fixes every random number'),
      ),
      el('h3', {}, 'Shown'),
      this.#legend,
      el('h3', {}, 'Save'),
      this.#downloads(item),
    )
    this.#tell()
  }

  /** Strengths along the other axes of the voxels, of an image in a plane one. */
  #otherAxes(
    { grid }: Item,
    slider: (name: NumberName, label: string, unit: string, step: number, hint: string) => HTMLElement,
  ): HTMLElement[] {
    const second = slider('sigmaJ', 'Strength σ along j', 'mm', 0.1, 'The same along the second axis')
    if (grid.shape[2] === 1) return [second]
    return [second, slider('sigmaK', 'Strength σ along k', 'mm', 0.1, 'The same along the third axis, across slices')]
  }

  #axesSwitch(perAxis: boolean): HTMLElement {
    const box = el('input', {
      type: 'checkbox',
      checked: perAxis,
      onchange: () => {
        const { sigma } = this.#lab.state
        const own = box.checked ? sigma : -1
        this.#lab.change({ sigmaJ: own, sigmaK: own })
        this.refresh()
      },
    })
    return el('div', { class: 'checks' }, el('label', {}, box, 'A strength of its own for each axis'))
  }

  #downloads(item: Item): HTMLElement {
    const ask = (name: string, more: object = {}) =>
      this.#source
        .give([item])
        .then(() => this.#lab.noise.call<Download>(name, { label: this.#label, noise: this.#noise, ...more }))
        .then((file) => this.#lab.save(file))
    const samples = async () => {
      const { count, seed } = this.#lab.state
      for (let index = 0; index < count; index++) await ask('sampleFile', { count, seed, index })
    }
    return el(
      'div',
      { class: 'downloads' },
      button('Noisy labels', () => samples().catch((error) => this.#lab.fail(error))),
      button('Probability', () => ask('marginalFile').catch((error) => this.#lab.fail(error))),
      this.#samplesCommand,
      this.#probabilityCommand,
    )
  }

  #tell(): void {
    const [item, result] = [this.#item, this.#result]
    if (!item) return
    const [samples, probability] = commandsOf(item, this.#label, this.#noise, this.#lab.state)
    this.#samplesCommand.textContent = samples
    this.#probabilityCommand.textContent = probability
    if (!result) return
    const { optimum, folded } = result.found
    const ml = voxelVolumeMm3(item.grid) / 1000
    const row = (name: string, value: string, title = '') => [el('dt', { title }, name), el('dd', {}, value)]
    this.#readout.replaceChildren(
      ...row('Best Dice D*', fixed(optimum.supDice), 'The most that any prediction can expect against such annotators'),
      ...row('Best cut t*', fixed(optimum.threshold)),
      ...row('Dice at ½', fixed(optimum.diceAtHalf)),
      ...row('Loss of ½', fixed(optimum.supDice - optimum.diceAtHalf)),
      ...row('Volume at t*', volume(optimum.volume, ml)),
      ...row('Volume at ½', volume(optimum.volumeHalf, ml)),
      ...row('Expected volume', volume(optimum.probabilityVolume, ml)),
      ...row('Folded', percent(folded), 'Share of space where the displacement is not one to one'),
    )
  }
}

/** What makes the same files on the command line: label maps, and probabilities. */
function commandsOf(item: Item, label: number, noise: Noise, { count, seed }: State): readonly [string, string] {
  const { sigmaMm, lengthMm, presence, biasMm, biasSdMm } = noise
  const same = sigmaMm.every((mm) => mm === sigmaMm[0])
  const options = [
    `--sigma ${same ? sigmaMm[0] : sigmaMm.join()}`,
    ...(presence < 1 ? [`--presence ${presence}`] : []),
    ...(biasMm === 0 ? [] : [`--bias ${biasMm}`]),
    ...(biasSdMm > 0 ? [`--tau ${biasSdMm}`] : []),
  ].join(' ')
  const name = words(item.name)
  const drawn = `halfdice sample ${name} -o noisy ${options} --length ${lengthMm} -n ${count}`
  const output = words(item.name.replace(/(\.nii(\.gz)?|\.seg\.nrrd|\.[^.]*)?$/i, '_prob.nii.gz'))
  return [
    drawn + (seed > 0 ? ` --seed ${seed}` : ''),
    `halfdice marginal ${name} -o ${output} ${options} --labels ${label}`,
  ]
}
