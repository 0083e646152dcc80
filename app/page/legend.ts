import type { Grid } from '../../src/volume/grid.ts'
import { el } from './dom.ts'
import type { Lab } from './lab.ts'

export interface Entry {
  /** Kept in the address where it is hidden. */
  readonly key: string
  readonly text: string
  readonly colour: string
  readonly look: 'line' | 'dash' | 'fill' | 'heat' | 'grey'
}

export function isHidden(lab: Lab, key: string): boolean {
  return lab.state.hidden.split('.').includes(key)
}

/** What colours mean, and a switch for each. */
export function legend(lab: Lab, grid: Grid, entries: readonly Entry[]): HTMLElement {
  const items = entries.map(({ key, text, colour, look }) => {
    const box = el('input', {
      type: 'checkbox',
      checked: !isHidden(lab, key),
      onchange: () => {
        const others = lab.state.hidden.split('.').filter((each) => each !== '' && each !== key)
        lab.change({ hidden: (box.checked ? others : [...others, key]).join('.') })
        lab.draw()
      },
    })
    const swatch = el('span', { class: `swatch ${look}`, 'aria-hidden': 'true' })
    swatch.style.setProperty('--colour', colour)
    return el('li', {}, el('label', {}, box, swatch, text))
  })
  const note = lab.imageNote(grid)
  const list = el('ul', { class: 'legend', 'aria-label': 'Layers' }, ...items)
  return el('div', {}, list, note === undefined ? '' : el('p', { class: 'note' }, note))
}
