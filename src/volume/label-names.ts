import { InputError } from './errors.ts'
import { checkLabelSets, type LabelSet, parseLabelNumber } from './label-numbers.ts'

/** What labels are called. */
export interface LabelNames {
  /** The name of a label, or of several taken together, or undefined. */
  of(...labels: readonly number[]): string | undefined
  /** The labels that a name stands for; several for a region. */
  readonly sets: ReadonlyMap<string, readonly number[]>
}

/** Names of labels, and of several labels together, as a lookup. */
export function namesOf(sets: ReadonlyMap<string, readonly number[]>): LabelNames {
  const byLabels = new Map([...sets].map(([name, labels]) => [keyOf(labels), name]))
  return {
    sets,
    of(...labels) {
      const parts = labels.map((label) => byLabels.get(String(label)))
      return byLabels.get(keyOf(labels)) ?? (parts.includes(undefined) ? undefined : parts.join(' + '))
    },
  }
}

function keyOf(labels: readonly number[]): string {
  return labels.toSorted((a, b) => a - b).join('+')
}

/**
 * The labels that `--labels` names. A plus joins labels to a region: `1+2`, `anterior + posterior`.
 *
 * @throws InputError where one is neither a number nor a name, or two are the same
 */
export function parseLabels(texts: readonly string[], names: LabelNames): LabelSet[] {
  const sets = texts.flatMap((text) => split(text, names)).map((item) => labelSet(item, names))
  checkLabelSets(sets, '--labels')
  return sets
}

/** Names may hold commas and spaces themselves: a text that is a name is not split. */
function split(text: string, { sets }: LabelNames): string[] {
  if (sets.has(text.trim())) return [text.trim()]
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
  return items.flatMap((item) => (/^[\d+\s]+$/.test(item) ? item.replace(/\s*\+\s*/g, '+').split(/\s+/) : [item]))
}

function labelSet(item: string, { sets }: LabelNames): LabelSet {
  const whole = sets.get(item)
  if (whole !== undefined) return { name: item, labels: whole }
  const parts = item.split('+').map((part) => part.trim())
  const labels = parts.flatMap((part): readonly number[] => {
    const own = sets.get(part)
    if (own !== undefined) return own
    if (/^[+-]?[\d.]+$/.test(part)) return [parseLabelNumber(part, '--labels', `'${item}'`)]
    const known = sets.size === 0 ? 'no names are known here' : `names are ${[...sets.keys()].join(', ')}`
    throw new InputError('--labels', `'${part}' is neither a label nor a name (${known}); write for example 1 2 1+2`)
  })
  return { name: parts.join('+'), labels: [...new Set(labels)] }
}

/**
 * Those of a map's labels that a command works on: all but the background, or the single labels that `--labels` names.
 *
 * @param held the labels that occur in the map
 * @throws InputError where the map has no object, or a label that was asked for is not in it
 */
export function labelsToUse(
  path: string,
  held: readonly number[],
  texts: readonly string[] | undefined,
  names: LabelNames,
): number[] {
  if (texts === undefined) {
    const foreground = held.filter((label) => label !== 0)
    if (foreground.length > 0) return foreground
    throw new InputError(path, 'holds background only; give a label map with an object in it')
  }
  return singleLabels(texts, names).map((label) => {
    if (held.includes(label)) return label
    const present = held.map((label) => (names.of(label) === undefined ? label : `${label} (${names.of(label)})`))
    throw new InputError(path, `has no label ${label}; it holds ${present.join(', ')}`)
  })
}

/**
 * Which of some classes `--labels` names.
 *
 * @param whose what has these classes, for the message
 * @throws InputError as `parseLabels` does, and where a name or number is none of theirs
 */
export function chosenSets(texts: readonly string[], sets: readonly LabelSet[], whose: string): boolean[] {
  const places = parseLabels(texts, namesOf(new Map(sets.map(({ name, labels }) => [name, labels])))).map((wanted) => {
    const at = sets.findIndex(({ labels }) => keyOf(labels) === keyOf(wanted.labels))
    if (at >= 0) return at
    const classes = sets.map(({ name, labels }) => `${name} (${labels.join('+')})`).join(', ')
    throw new InputError('--labels', `'${wanted.name}' is no class of ${whose}; its classes are ${classes}`)
  })
  return sets.map((_, i) => places.includes(i))
}

/** The labels that `--labels` names, where none may stand for several. */
export function singleLabels(texts: readonly string[], names: LabelNames): number[] {
  return parseLabels(texts, names).map(({ name, labels }) => {
    if (labels.length === 1) return labels[0]
    throw new InputError('--labels', `'${name}' joins several labels; name them one by one`)
  })
}
