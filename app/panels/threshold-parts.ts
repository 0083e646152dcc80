import type { SoftDiceOptimum } from '../../src/decision/soft-dice.ts'
import { button, el } from '../page/dom.ts'
import { fixed, signed, volume } from '../page/words.ts'
import type { ClassName, ClassVerdict, DiceCurve } from '../protocol.ts'

/** More than these are folded away. */
const fewWarnings = 2

export function warningList(warnings: readonly string[]): HTMLElement[] {
  const all = warnings.map((text) => el('p', { class: 'warning' }, text))
  if (all.length <= fewWarnings) return all
  return [el('details', {}, el('summary', {}, `${all.length} warnings`), ...all)]
}

/** What each class promises; a click shows it. */
export function classTable(
  classes: readonly ClassName[],
  verdicts: readonly ClassVerdict[],
  chosen: ClassName,
  choose: (one: ClassName) => void,
): HTMLElement {
  const titles = ['Class', 't*', 'D*', 'over ½']
  const head = titles.map((text, n) => el('th', { scope: 'col', class: n > 0 ? 'number' : '' }, text))
  const rows = classes.map((one) => {
    const verdict = verdicts.find(({ index }) => index === one.index)
    const isChosen = one.index === chosen.index
    const name = button(one.name, () => choose(one), { class: 'plain', 'aria-pressed': String(isChosen) })
    const cells = verdict ? cellsOf(verdict) : ['…', '…', '…']
    const row = el(
      'tr',
      {},
      el('th', { scope: 'row' }, name),
      ...cells.map((text) => el('td', { class: 'number' }, text)),
    )
    row.classList.toggle('chosen', isChosen)
    return row
  })
  const caption = el('caption', { class: 'unseen' }, 'Classes')
  return el('table', {}, caption, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...rows))
}

function cellsOf({ supDice, diceAtHalf, present }: ClassVerdict): string[] {
  return [fixed(supDice / 2), fixed(supDice), present ? signed(supDice - diceAtHalf) : 'absent']
}

export interface CutNumbers {
  readonly optimum: SoftDiceOptimum
  readonly curve: DiceCurve | undefined
  readonly cut: number
  /** Undefined where nothing says how large a voxel is. */
  readonly voxelMl: number | undefined
  readonly realised:
    | { readonly now: number | undefined; readonly atOptimum: number; readonly atHalf: number }
    | undefined
}

/** The cut in use beside t* and ½: what each promises, what it has, and how large its mask is. */
export function cutNumbers({ optimum, curve, cut, voxelMl, realised }: CutNumbers): HTMLElement[] {
  const at = valueAt(curve, cut, optimum)
  const row = (name: string, values: readonly (string | undefined)[]) => [
    el('dt', {}, name),
    ...values.map((value) => el('dd', {}, value ?? '…')),
  ]
  const shown = (value: number | undefined) => (value === undefined ? undefined : fixed(value))
  const size = (voxels: number | undefined) => (voxels === undefined ? undefined : volume(voxels, voxelMl))
  return [
    el('dd', { class: 'head cut-colour' }, 'cut'),
    el('dd', { class: 'head optimum-colour' }, 't*'),
    el('dd', { class: 'head half-colour' }, '½'),
    ...row('Threshold', [fixed(cut), fixed(optimum.threshold), fixed(0.5)]),
    ...row('Promised Dice', [shown(at?.dice), fixed(optimum.supDice), fixed(optimum.diceAtHalf)]),
    ...(realised ? row('Realised Dice', [shown(realised.now), fixed(realised.atOptimum), fixed(realised.atHalf)]) : []),
    ...row('Volume', [size(at?.volume), size(optimum.volume), size(optimum.volumeHalf)]),
  ]
}

/** Soft Dice and volume of the cut: exact at t* and ½, else of the curve, which has every cut of the slider. */
function valueAt(
  curve: DiceCurve | undefined,
  cut: number,
  optimum: SoftDiceOptimum,
): { readonly dice: number; readonly volume: number } | undefined {
  if (cut === optimum.threshold) return { dice: optimum.supDice, volume: optimum.volume }
  if (cut === 0.5) return { dice: optimum.diceAtHalf, volume: optimum.volumeHalf }
  if (!curve) return undefined
  const last = curve.thresholds.length - 1
  const i = Math.min(last, Math.max(0, Math.round(cut * curve.thresholds.length) - 1))
  return { dice: curve.dice[i], volume: curve.volumes[i] }
}
