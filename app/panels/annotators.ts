import { gridDifference } from '../../src/volume/grid.ts'
import { colourOf, colours } from '../page/colours.ts'
import { button, el, labelled, select } from '../page/dom.ts'
import type { Lab, Panel, Solid } from '../page/lab.ts'
import { type Entry, isHidden, legend } from '../page/legend.ts'
import { consensusRules } from '../page/state.ts'
import { fixed, percent, signed, words } from '../page/words.ts'
import type { Agreed, Agreement, Download, Item, Sight } from '../protocol.ts'
import { type Field, keyOf, wholeField } from '../view/fields.ts'
import { type Layer, labelRegion } from '../view/layers.ts'
import type { Scene } from '../view/slice-view.ts'
import { LabelSource, labelChoice, labelOf } from './label-source.ts'

const ruleNames = {
  majority: 'majority',
  mean: 'mean map cut at its t*',
  staple: 'STAPLE',
  dice: 'largest mean Dice',
} as const

/** Several annotators of one case: how well they agree, the noise that explains it, and what they agree on. */
export class AnnotatorsPanel implements Panel {
  readonly element = el('section', { class: 'panel' })
  readonly #lab: Lab
  readonly #source: LabelSource
  readonly #left = new Set<number>()
  #items: readonly Item[] = []
  #others: readonly Item[] = []
  #label = 0
  #fields: readonly Field[] = []
  #consensus: Field | undefined
  #share: Field | undefined
  readonly #agreement = el('div', { class: 'agreement' })
  readonly #scores = el('div')

  constructor(lab: Lab) {
    this.#lab = lab
    this.#source = new LabelSource(lab)
  }

  refresh(): void {
    this.#source.forget()
    const maps = this.#candidates()
    this.#items = maps.filter(({ id }) => !this.#left.has(id))
    this.#fields = []
    this.#consensus = this.#share = undefined
    if (maps.length < 2) {
      const note = 'Open the label maps of two or more annotators of one image.'
      this.element.replaceChildren(el('h2', {}, 'Annotators'), el('p', { class: 'note' }, note))
      return
    }
    this.#label = labelOf(maps, this.#lab.state.label)
    this.#lay(maps)
    if (this.#items.length > 1) this.#run().catch((error) => this.#lab.fail(error))
  }

  /** Label maps on the grid of the first. */
  #candidates(): readonly Item[] {
    const maps = this.#lab.items.filter((item) => item.role === 'labels' && item.labels?.length && !item.truth)
    const [first] = maps
    const fits = maps.filter(({ grid }) => gridDifference(first.grid, grid) === undefined)
    this.#others = maps.filter((item) => !fits.includes(item))
    return fits
  }

  /** Where maps were passed over: which, and why. */
  #note(first: Item): HTMLElement | string {
    const names = this.#others.map(({ name }) => name).join(', ')
    if (names === '') return ''
    return el(
      'p',
      { class: 'note' },
      `Left out, as they lie on another grid than ${first.name}: ${names}; resample them.`,
    )
  }

  async #run(): Promise<void> {
    const items = this.#items
    this.#lab.tell('Comparing annotators …')
    const [fields] = await Promise.all([
      Promise.all(items.map((item) => this.#lab.voxels(item))),
      this.#source.give(items),
    ])
    if (items !== this.#items) return
    this.#fields = fields
    this.#lab.draw()
    await this.#agree()
    const tell = (share: number) => this.#lab.tell(`Fitting the noise: ${Math.round(100 * share)} %`)
    const found = await this.#lab.noise.call<Agreement>(
      'agreement',
      { label: this.#label },
      { line: 'agreement', tell },
    )
    this.#lab.tell('')
    this.#layAgreement(found)
  }

  async #agree(): Promise<void> {
    const [{ grid }] = this.#items
    const ask = { rule: this.#lab.state.rule, label: this.#label }
    const { consensus, share } = await this.#lab.noise.call<Agreed & { share: Float32Array }>('agreed', ask, {
      line: 'agreed',
    })
    this.#consensus = wholeField(grid, consensus.values)
    this.#share = wholeField(grid, share)
    this.#layScores(consensus)
    this.#lab.lookAt(grid, await this.#lab.noise.call<Sight>('labelSight', { label: this.#label }))
    this.#lab.draw()
  }

  scene(): Scene | undefined {
    const [first] = this.#items
    if (!first) return undefined
    const image = this.#lab.imageOn(first.grid)
    const hidden = (key: string) => isHidden(this.#lab, key)
    const layers: (Layer | false | undefined)[] = [
      image && !hidden('image') && { kind: 'grey', ...image },
      this.#share && !hidden('share') && { kind: 'heat', field: this.#share },
      ...this.#fields.map(
        (field, i): Layer | false =>
          !hidden(`a${i}`) && {
            kind: 'outline',
            colour: colourOf(i),
            width: 1.4,
            region: labelRegion(field, [this.#label]),
          },
      ),
      this.#consensus &&
        !hidden('consensus') && {
          kind: 'outline',
          colour: colours.cut,
          width: 2,
          dash: [5, 3],
          region: labelRegion(this.#consensus, [this.#label]),
        },
    ]
    return { grid: first.grid, layers: layers.filter((layer) => layer !== false && layer !== undefined) }
  }

  solid(): Solid | undefined {
    const [consensus, label, first] = [this.#consensus, this.#label, this.#items[0]]
    if (!consensus || !first) return undefined
    const mask = () => Uint8Array.from(consensus.data, (value) => Number(value === label))
    return { grid: first.grid, key: `${keyOf(consensus)} ${label}`, mask, colour: colours.optimum }
  }

  #lay(maps: readonly Item[]): void {
    const { state } = this.#lab
    const boxes = maps.map((item) => {
      const box = el('input', {
        type: 'checkbox',
        checked: !this.#left.has(item.id),
        onchange: () => {
          if (box.checked) this.#left.delete(item.id)
          else this.#left.add(item.id)
          this.refresh()
          this.#lab.draw()
        },
      })
      return el('li', {}, el('label', {}, box, item.name))
    })
    const rules = consensusRules.map((value) => ({ value, text: ruleNames[value] }))
    const entries: (Entry | false)[] = [
      ...this.#items.map(
        ({ name }, i): Entry => ({ key: `a${i}`, text: stem(name), colour: colourOf(i), look: 'line' }),
      ),
      { key: 'consensus', text: 'consensus', colour: colours.cut, look: 'dash' },
      { key: 'share', text: 'share who drew it', colour: colours.half, look: 'heat' },
      this.#lab.imageOn(maps[0].grid) !== undefined && { key: 'image', text: 'image', colour: '#888888', look: 'grey' },
    ]
    const again = () => this.#run().catch((error) => this.#lab.fail(error))
    this.#agreement.replaceChildren()
    this.#scores.replaceChildren()
    const few = this.#items.length < 2
    const names = this.#items.map(({ name }) => words(name)).join(' ')
    this.element.replaceChildren(
      el('h2', {}, 'Annotators'),
      el('ul', { class: 'checks', 'aria-label': 'Annotators' }, ...boxes),
      this.#note(maps[0]),
      labelChoice(maps, this.#label, (label) => {
        this.#label = label
        this.#lab.change({ label })
        again()
      }),
      few ? el('p', { class: 'note' }, 'Choose two or more.') : this.#agreement,
      el('h3', {}, 'Consensus'),
      labelled(
        'Rule',
        select(rules, state.rule, (value) => {
          this.#lab.change({ rule: consensusRules.find((rule) => rule === value) ?? 'majority' })
          this.#agree().catch((error) => this.#lab.fail(error))
        }),
      ),
      this.#scores,
      el('h3', {}, 'Shown'),
      legend(
        this.#lab,
        maps[0].grid,
        entries.filter((entry) => entry !== false),
      ),
      el('h3', {}, 'Save'),
      el(
        'div',
        { class: 'downloads' },
        button('Consensus', () => {
          this.#source
            .give(this.#items)
            .then(() => this.#lab.noise.call<Download>('consensusFile', { rule: this.#lab.state.rule }))
            .then((file) => this.#lab.save(file))
            .catch((error) => this.#lab.fail(error))
        }),
        el(
          'code',
          { title: 'Agreement, fit and consensus on the command line' },
          `halfdice raters ${names} --consensus ${state.rule} -o consensus`,
        ),
      ),
    )
  }

  #layScores({ labels }: Agreed['consensus']): void {
    const own = labels.find(({ label }) => label === this.#label)
    if (!own) return
    const rows = own.annotators.map(({ dice, sensitivity, specificity }, i) =>
      tableRow(stem(this.#items[i].name), [fixed(dice), optional(sensitivity), optional(specificity, 4)]),
    )
    this.#scores.replaceChildren(
      ...own.warnings.map((text) => el('p', { class: 'warning' }, text)),
      tableOf(`Dice to the consensus, mean ${fixed(own.meanDice)}`, ['Annotator', 'Dice', 'sens.', 'spec.'], rows),
    )
  }

  #layAgreement({ observation, fit, reason }: Agreement): void {
    const names = this.#items.map(({ name }) => stem(name))
    const pairs = observation.pairs.map(({ a, b, dice, hd95Mm }) =>
      tableRow(`${names[a]} – ${names[b]}`, [fixed(dice), hd95Mm === null ? '–' : fixed(hd95Mm, 1)]),
    )
    const parts: HTMLElement[] = [tableOf('Agreement of each pair', ['Pair', 'Dice', 'HD95 mm'], pairs)]
    if (!fit) parts.push(el('p', { class: 'note' }, `No noise could be fitted: ${reason}`))
    else {
      const { sigmaMm, lengthMm, presence, grossErrors, noise, check, biasMm } = fit
      const sigma = [sigmaMm.estimate].flat()
      const row = (name: string, value: string) => [el('dt', {}, name), el('dd', {}, value)]
      parts.push(
        el(
          'dl',
          { class: 'numbers two' },
          ...row('Strength σ', `${sigma.map((value) => fixed(value, 2)).join(' × ')} mm`),
          ...row('Length ℓ', lengthMm ? `${fixed(lengthMm.estimate, 1)} mm` : '–'),
          ...row('Biases', biasMm ? `${biasMm.map(({ estimate }) => signed(estimate, 1)).join(', ')} mm` : '–'),
          ...row('Presence', fixed(presence.estimate, 2)),
          ...row('Gross errors', percent(grossErrors.estimate)),
          ...row('Fits', check ? (check.fits ? 'yes' : 'no') : '–'),
        ),
        el('p', { class: 'note' }, 'One case tells little: intervals need several (halfdice raters).'),
        ...(check?.misfits ?? []).map((text) => el('p', { class: 'warning' }, text)),
      )
      if (noise) {
        const [sigma, sigmaJ, sigmaK] = noise.sigmaMm.map(round)
        const same = sigmaJ === sigma && sigmaK === sigma
        const { lengthMm: length, presence: q = 1, biasSdMm: biasSd = 0 } = noise
        const axes = { sigma, sigmaJ: same ? -1 : sigmaJ, sigmaK: same ? -1 : sigmaK }
        const state = { ...axes, length: round(length), presence: round(q), bias: 0, biasSd: round(biasSd) }
        parts.push(button('See this noise', () => this.#lab.openNoise({ ...state, label: this.#label })))
      }
    }
    this.#agreement.replaceChildren(...parts)
  }
}

const round = (value: number): number => Number(value.toPrecision(3))
const stem = (name: string): string => name.replace(/(\.nii(\.gz)?|\.[^.]*)$/i, '')
const optional = (value: number | null, digits = 3): string => (value === null ? '–' : fixed(value, digits))

function tableRow(name: string, cells: readonly string[]): HTMLElement {
  return el('tr', {}, el('th', { scope: 'row' }, name), ...cells.map((text) => el('td', { class: 'number' }, text)))
}

function tableOf(caption: string, head: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  const cells = head.map((text, n) => el('th', { scope: 'col', class: n > 0 ? 'number' : '' }, text))
  return el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, ...cells)), el('tbody', {}, ...rows))
}
