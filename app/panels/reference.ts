import { gridDifference } from '../../src/volume/grid.ts'
import { el, labelled, markup, select } from '../page/dom.ts'
import type { Lab } from '../page/lab.ts'
import type { ClassName, Item, Realised } from '../protocol.ts'
import type { Field } from '../view/fields.ts'
import { reliability } from './threshold-charts.ts'

/** The class that is compared: its item with how numbers are read, and its map. */
export interface Compared {
  readonly of: { readonly id: number; readonly scale?: number }
  readonly item: Item
  readonly one: ClassName
  /** Whether the file names its classes: then labels of a reference are theirs. */
  readonly named: boolean
  readonly threshold: number
}

interface Wanted {
  readonly item?: number
  readonly label?: number
}

interface Chosen {
  readonly item: Item
  readonly labels: readonly number[]
}

/** A label map to compare a class with: which, which of its labels, and what it says of the class. */
export class Reference {
  readonly element = el('div')
  readonly #lab: Lab
  readonly #onChange: () => void
  #compared: Compared | undefined
  #key = ''
  #chosen: Chosen | undefined
  /** Of the user, until another map is opened; 0 stands for none. */
  #wanted: Wanted = {}
  field: Field | undefined
  realised: Realised | undefined
  /** The Dice of the cut in use, where it is known. */
  now: number | undefined

  constructor(lab: Lab, onChange: () => void) {
    this.#lab = lab
    this.#onChange = onChange
  }

  get labels(): readonly number[] {
    return this.#chosen?.labels ?? []
  }

  /** Compares a class, or the one it has with files that came or went. */
  compare(compared: Compared | undefined): void {
    if (compared?.item.id !== this.#compared?.item.id) this.#wanted = {}
    if (compared?.one.index !== this.#compared?.one.index) this.#wanted = { ...this.#wanted, label: 0 }
    this.#compared = compared
    this.#run().catch((error) => this.#lab.fail(error))
  }

  #candidates({ item }: Compared): readonly Item[] {
    return this.#lab.items.filter(
      ({ role, grid }) => role === 'labels' && gridDifference(item.grid, grid) === undefined,
    )
  }

  async #run(): Promise<void> {
    const compared = this.#compared
    const fits = compared ? this.#candidates(compared) : []
    const item = this.#wanted.item === 0 ? undefined : (fits.find(({ id }) => id === this.#wanted.item) ?? fits[0])
    const key = compared && item ? JSON.stringify([compared.of, compared.one.index, item.id, this.#wanted.label]) : ''
    if (key === this.#key) return
    this.#key = key
    this.#chosen = this.field = this.realised = this.now = undefined
    this.#lay(fits)
    this.#onChange()
    if (!compared || !item) return
    const labels = await this.#labelsIn(item, compared)
    if (this.#key !== key) return
    const against = { ...compared.of, index: compared.one.index, reference: item.id, labels }
    const [field, realised] = await Promise.all([
      this.#lab.voxels(item),
      this.#lab.data.call<Realised>('realised', against, { line: 'realised' }),
    ])
    if (this.#key !== key) return
    this.#chosen = { item, labels }
    this.field = field
    this.realised = realised
    this.#lay(fits)
    this.#onChange()
  }

  /** The class's own labels where both maps speak of the same; else the label that its mask meets most. */
  async #labelsIn(item: Item, { of, one, named, threshold }: Compared): Promise<readonly number[]> {
    if (this.#wanted.label) return [this.#wanted.label]
    const held = item.labels?.map(({ label }) => label) ?? []
    if (named && one.labels.some((label) => held.includes(label))) return one.labels
    const ask = { ...of, index: one.index, reference: item.id, threshold }
    return [await this.#lab.data.call<number>('likeliestLabel', ask)]
  }

  /** Asks for the Dice of a cut. */
  ask(threshold: number, onAnswer: () => void): void {
    const [compared, chosen] = [this.#compared, this.#chosen]
    this.now = undefined
    if (!compared || !chosen) return
    const against = { ...compared.of, index: compared.one.index, reference: chosen.item.id, labels: chosen.labels }
    this.#lab.data
      .call<number>('realisedAt', { ...against, threshold }, { line: 'realisedAt' })
      .then((dice) => {
        this.now = dice
        onAnswer()
      })
      .catch((error) => this.#lab.fail(error))
  }

  #lay(fits: readonly Item[]): void {
    if (fits.length === 0) {
      const others = this.#lab.items.some(({ role }) => role === 'labels')
      const text = others
        ? 'The label maps that are open lie on other grids than these probabilities; resample them.'
        : 'Open a label map of this image to see the Dice that a cut really has.'
      this.element.replaceChildren(el('p', { class: 'note' }, text))
      return
    }
    const files = [...fits.map(({ id, name }) => ({ value: String(id), text: name })), { value: '0', text: 'none' }]
    const now = String(this.#wanted.item ?? fits[0].id)
    const choose = (wanted: Wanted) => {
      this.#wanted = { ...this.#wanted, ...wanted }
      this.#run().catch((error) => this.#lab.fail(error))
    }
    const parts = [
      labelled(
        'Map',
        select(files, now, (value) => choose({ item: Number(value), label: 0 })),
      ),
    ]
    const chosen = this.#chosen
    if (chosen) {
      const held = chosen.item.labels ?? []
      const labels = held.map(({ label, name }) => ({ value: String(label), text: name ?? `label ${label}` }))
      const several = chosen.labels.length > 1 ? [{ value: '0', text: chosen.labels.join(' + ') }] : []
      const value = chosen.labels.length > 1 ? '0' : String(chosen.labels[0])
      parts.push(
        labelled(
          'Label',
          select([...several, ...labels], value, (label) => choose({ label: Number(label) })),
        ),
      )
    }
    if (this.realised) parts.push(markup('figure', reliability(this.realised)))
    this.element.replaceChildren(...parts)
  }
}
