import type { Volume } from '../../src/volume/volume.ts'
import { labelled, select } from '../page/dom.ts'
import type { Lab } from '../page/lab.ts'
import type { Item } from '../protocol.ts'

/** Gives label maps to the worker for noise, again where it was stopped. */
export class LabelSource {
  readonly #lab: Lab
  #given = ''
  #volumes: { readonly key: string; readonly volumes: Volume[] } | undefined

  constructor(lab: Lab) {
    this.#lab = lab
  }

  /** Whoever calls next finds these maps in the worker. */
  async give(items: readonly Item[]): Promise<void> {
    const key = items.map(({ id }) => id).join()
    const { data, noise } = this.#lab
    if (this.#given === `${noise.generation} ${key}`) return
    if (this.#volumes?.key !== key) {
      const volumes = await Promise.all(items.map(({ id }) => data.call<Volume>('volume', { id })))
      this.#volumes = { key, volumes }
    }
    this.#given = `${noise.generation} ${key}`
    await noise.call('setLabels', { names: items.map(({ name }) => name), volumes: this.#volumes.volumes })
  }

  /** Another panel has given the worker maps of its own. */
  forget(): void {
    this.#given = ''
  }
}

export function labelChoice(items: readonly Item[], chosen: number, onchange: (label: number) => void): HTMLElement {
  const names = new Map<number, string>()
  for (const { labels = [] } of items) {
    for (const { label, name } of labels) names.set(label, name ?? names.get(label) ?? `label ${label}`)
  }
  const choices = [...names].sort(([a], [b]) => a - b).map(([label, text]) => ({ value: String(label), text }))
  return labelled(
    'Label',
    select(choices, String(chosen), (value) => onchange(Number(value))),
  )
}

/** The label of the address where a map holds it, else the first. */
export function labelOf(items: readonly Item[], wanted: number): number {
  const held = items.flatMap(({ labels = [] }) => labels.map(({ label }) => label))
  return held.includes(wanted) ? wanted : Math.min(...held)
}
