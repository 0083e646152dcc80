import { thresholdMask } from '../../src/decision/mask.ts'
import type { SoftDiceOptimum } from '../../src/decision/soft-dice.ts'
import type { Grid } from '../../src/volume/grid.ts'
import { colours } from '../page/colours.ts'
import type { Lab, Solid } from '../page/lab.ts'
import { type Entry, isHidden } from '../page/legend.ts'
import { type Field, keyOf } from '../view/fields.ts'
import { cutRegion, type Layer, labelRegion } from '../view/layers.ts'

/** The class that is shown. */
export interface Shown {
  readonly grid: Grid
  readonly field: Field
  readonly optimum: SoftDiceOptimum
}

export interface ShownReference {
  readonly field: Field
  readonly labels: readonly number[]
}

export function layersOf(lab: Lab, shown: Shown, cut: number, reference: ShownReference | undefined): Layer[] {
  const { field, grid, optimum } = shown
  const image = lab.imageOn(grid)
  const [low, high] = [Math.min(cut, 0.5), Math.max(cut, 0.5)]
  const layers: (Layer | false | undefined)[] = [
    image && !isHidden(lab, 'image') && { kind: 'grey', ...image },
    !isHidden(lab, 'heat') && { kind: 'heat', field },
    !isHidden(lab, 'difference') && {
      kind: 'fill',
      colour: colours.difference,
      region: { field, key: `${low} to ${high}`, inside: (p) => p >= low && p < high },
    },
    reference &&
      !isHidden(lab, 'reference') && {
        kind: 'outline',
        colour: colours.reference,
        dash: [2, 3],
        region: labelRegion(reference.field, reference.labels),
      },
    !isHidden(lab, 'half') && { kind: 'outline', colour: colours.half, dash: [6, 3], region: cutRegion(field, 0.5) },
    !isHidden(lab, 'optimum') && {
      kind: 'outline',
      colour: colours.optimum,
      region: cutRegion(field, optimum.threshold),
    },
    !isHidden(lab, 'cut') &&
      cut !== optimum.threshold &&
      cut !== 0.5 && { kind: 'outline', colour: colours.cut, width: 1.2, region: cutRegion(field, cut) },
  ]
  return layers.filter((layer) => layer !== false && layer !== undefined)
}

export function legendEntries(lab: Lab, { grid }: Shown, hasReference: boolean): Entry[] {
  const entries: (Entry | false)[] = [
    { key: 'optimum', text: 'mask at t*', colour: colours.optimum, look: 'line' },
    { key: 'half', text: 'mask at ½', colour: colours.half, look: 'dash' },
    { key: 'cut', text: 'mask at the cut', colour: colours.cut, look: 'line' },
    { key: 'difference', text: 'from ½ to the cut', colour: colours.difference, look: 'fill' },
    hasReference && { key: 'reference', text: 'reference', colour: colours.reference, look: 'dash' },
    { key: 'heat', text: 'probability', colour: colours.half, look: 'heat' },
    lab.imageOn(grid) !== undefined && { key: 'image', text: 'image', colour: '#888888', look: 'grey' },
  ]
  return entries.filter((entry) => entry !== false)
}

export function solidOf({ field, grid }: Shown, cut: number): Solid {
  const mask = () => thresholdMask(field.data as Float32Array, cut)
  return { grid, key: `${keyOf(field)} ${cut}`, mask, colour: colours.optimum }
}
