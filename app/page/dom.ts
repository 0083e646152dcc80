type Child = Node | string | undefined
type Properties = Readonly<Record<string, unknown>>

/**
 * An element. Names of properties that start with "on" are listeners; `class`, `role`, `for` and names with a hyphen
 * are attributes; the rest are properties.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined) continue
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value as EventListener)
    else if (attributes.has(key) || key.includes('-')) element.setAttribute(key, String(value))
    else Object.assign(element, { [key]: value })
  }
  element.append(...children.filter((child) => child !== undefined))
  return element
}

const attributes = new Set(['class', 'role', 'for', 'list', 'colspan'])

let ids = 0
export const newId = (stem: string): string => `${stem}-${ids++}`

/** A control with its label in front of it. */
export function labelled(text: string, control: HTMLElement, hint?: string): HTMLElement {
  control.id ||= newId('control')
  return el('div', { class: 'field' }, el('label', { for: control.id, title: hint }, text), control)
}

export interface Choice {
  readonly value: string
  readonly text: string
}

export function select(
  choices: readonly Choice[],
  value: string,
  onchange: (value: string) => void,
): HTMLSelectElement {
  const options = choices.map((choice) =>
    el('option', { value: choice.value, selected: choice.value === value }, choice.text),
  )
  return el('select', { onchange: (event: Event) => onchange((event.target as HTMLSelectElement).value) }, ...options)
}

export function button(text: string, onclick: () => void, properties: Properties = {}): HTMLButtonElement {
  return el('button', { type: 'button', onclick, ...properties }, text)
}

/** SVG and tables that the library drew as markup; it escapes what comes from files. */
export function markup(className: string, html: string): HTMLElement {
  const element = el('div', { class: className })
  element.innerHTML = html
  return element
}

export interface SliderOptions {
  readonly label: string
  readonly unit?: string
  readonly min: number
  readonly max: number
  readonly step: number
  readonly value: number
  readonly hint?: string
  readonly oninput: (value: number) => void
}

/** A slider with a field for exact numbers beside it; the two hold the same value. */
export class Slider {
  readonly element: HTMLElement
  readonly #range: HTMLInputElement
  readonly #number: HTMLInputElement
  readonly #digits: number

  constructor({ label, unit = '', min, max, step, value, hint, oninput }: SliderOptions) {
    this.#digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9))
    const limits = { min, max, step }
    const id = newId('slider')
    this.#range = el('input', { type: 'range', id, ...limits, value })
    this.#number = el('input', { type: 'number', ...limits, value, 'aria-label': `${label}${unit && ` in ${unit}`}` })
    this.#range.addEventListener('input', () => {
      this.#number.value = Number(this.#range.value).toFixed(this.#digits)
      oninput(Number(this.#range.value))
    })
    this.#number.addEventListener('change', () => {
      const typed = Number(this.#number.value)
      const within = Math.min(max, Math.max(min, Number.isFinite(typed) ? typed : min))
      this.set(within)
      oninput(within)
    })
    const head = el('label', { for: id, title: hint }, label)
    const exact = el(
      'span',
      { class: 'exact' },
      this.#number,
      unit === '' ? undefined : el('span', { class: 'unit' }, unit),
    )
    this.element = el('div', { class: 'slider' }, head, exact, this.#range)
    this.set(value)
  }

  set(value: number): void {
    this.#range.value = String(value)
    this.#number.value = value.toFixed(this.#digits)
  }
}
