import { InputError } from './errors.ts'

/** The largest label: label maps are written with 8 or 16 bits. */
export const largestLabel = 65_535

/**
 * The label that `value` is.
 *
 * @param subject what to name in an error: a file, an option or a parameter
 * @param what stands before the value in the message, such as "label 'liver'"
 * @throws InputError for anything but a whole number from 0 to 65,535
 * @example
 * checkLabelNumber(3, 'dataset.json', "label 'liver'") // 3
 */
export function checkLabelNumber(value: unknown, subject: string, what: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestLabel) return value + 0
  const shown = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value)
  throw new InputError(subject, `${what} is ${shown}; a label is a whole number from 0 to ${largestLabel}`)
}

/** As `checkLabelNumber`, of a number written out in digits. */
export function parseLabelNumber(text: string, subject: string, what: string): number {
  return checkLabelNumber(/^[+-]?\d+$/.test(text) ? Number(text) : text, subject, what)
}

/** A class or region: the labels of a label map that make it up. */
export interface LabelSet {
  readonly name: string
  readonly labels: readonly number[]
}

/** The first number of a list that stood in it before, or undefined. */
export function firstTwice(numbers: readonly number[]): number | undefined {
  const seen = new Set<number>()
  return numbers.find((number) => seen.size === seen.add(number).size)
}

/**
 * Checks that no label stands twice in one set, and that no two sets have the same name or the same labels. A label may
 * lie in several sets: regions overlap.
 *
 * @throws InputError naming the sets that clash
 */
export function checkLabelSets(sets: readonly LabelSet[], subject: string): void {
  const byName = new Map<string, string>()
  const byLabels = new Map<string, string>()
  for (const { name, labels } of sets) {
    const twice = firstTwice(labels)
    if (twice !== undefined) throw new InputError(subject, `'${name}' lists label ${twice} twice; list it once`)
    const key = labels.toSorted((a, b) => a - b).join(' and ')
    const other = byLabels.get(key)
    if (other !== undefined) {
      throw new InputError(subject, `'${other}' and '${name}' are both label ${key}; give each class its own number`)
    }
    const own = byName.get(name)
    if (own !== undefined) {
      throw new InputError(subject, `'${name}' names both label ${own} and label ${key}; give each class its own name`)
    }
    byLabels.set(key, name)
    byName.set(name, key)
  }
}
