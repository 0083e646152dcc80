import type { LabelSet } from './label-numbers.ts'
import type { LabelMap } from './labels.ts'

/** What programs of image processing store for "inside" in masks of 8 bits. */
const maskValue = 255

/** Labels as they are to be read, and what to tell the user about that. */
export interface LabelsRead {
  readonly map: LabelMap
  readonly note?: string
}

/**
 * The labels of a reference as those of the classes that it is compared with. A mask of 0 and 255 for one class is read
 * as that class. Labels that stand for no class count as background. Both come with a note for the user.
 *
 * @param classes all that the reference is compared with
 * @example
 * const map = { values: Uint8Array.of(0, 255), labels: [0, 255] }
 * referenceLabels(map, [{ name: 'liver', labels: [1] }]).map.values // [0, 1]
 */
export function referenceLabels(map: LabelMap, classes: readonly LabelSet[]): LabelsRead {
  const read = maskOf255(map, classes)
  if (read.note !== undefined) return read
  const known = new Set(classes.flatMap(({ labels }) => labels))
  const unknown = map.labels.filter((label) => label !== 0 && !known.has(label))
  if (unknown.length === 0) return { map }
  const [noun, count] =
    unknown.length === 1 ? ['label', 'stands for no class and counts'] : ['labels', 'stand for no class and count']
  const names = listed(classes.map(described))
  return { map, note: `holds ${noun} ${listed(unknown)}, which ${count} as background; the classes are ${names}` }
}

/** A mask of 0 and 255 as the labels of the one class that it is compared with; any other map as it is. */
export function maskOf255(map: LabelMap, classes: readonly LabelSet[]): LabelsRead {
  const foreground = map.labels.filter((label) => label !== 0)
  if (classes.length !== 1 || foreground.length !== 1 || foreground[0] !== maskValue) return { map }
  const [label] = classes[0].labels
  if (classes[0].labels.includes(maskValue)) return { map }
  const renamed = (value: number) => (value === maskValue ? label : value)
  const values = Int32Array.from(map.values, renamed)
  const note = `holds 0 and 255 only: 255 is read as ${described(classes[0])}`
  return { map: { values, labels: map.labels.map(renamed) }, note }
}

function described({ name, labels }: LabelSet): string {
  const numbers = labels.join('+')
  return name === numbers ? `label ${numbers}` : `${name} (label ${numbers})`
}

/** At most ten things in a row. */
function listed(things: readonly unknown[]): string {
  const shown = things.slice(0, 10).join(', ')
  return things.length > 10 ? `${shown} and ${things.length - 10} more` : shown
}
