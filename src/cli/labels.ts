import { basename, dirname, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type DatasetJson, datasetJsonBeside, ignoreName } from '../datasets/dataset-json.ts'
import { readLabelNames } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { checkLabelSets, type LabelSet, parseLabelNumber } from '../volume/label-numbers.ts'
import { stem } from './outputs.ts'
import { warn } from './print.ts'

/** What labels are called. */
export interface LabelNames {
  /** The name of a label, or of several taken together, or undefined. */
  of(...labels: readonly number[]): string | undefined
  /** The labels that a name stands for; several for a region. */
  readonly sets: ReadonlyMap<string, readonly number[]>
}

/**
 * What the labels of a file are called: as it says itself (a DICOM segmentation does), else as the data set
 * that it lies in says.
 */
export async function readLabelNamesFor(path: string, damaged: 'warn' | 'refuse' = 'warn'): Promise<LabelNames> {
  const own = await readLabelNames(path)
  return own ? namesOf(new Map([...own].map(([label, name]) => [name, [label]]))) : labelNamesFor(path, damaged)
}

/**
 * What the labels of a file are called: from the `dataset.json` of an nnU-Net data set that the file lies in (its
 * folder or the one above), or, for label 1 of a TotalSegmentator mask, from the file's own name. Where a damaged
 * `dataset.json` costs the names only, a warning says so.
 */
export function labelNamesFor(path: string, damaged: 'warn' | 'refuse' = 'warn'): LabelNames {
  if (basename(dirname(resolve(path))) === 'segmentations') return namesOf(new Map([[stem(path), [1]]]))
  try {
    return namesIn(datasetJsonBeside(path))
  } catch (error) {
    if (damaged === 'refuse' || !(error instanceof InputError)) throw error
    warn(`${error.message} (labels are shown without names)`)
    return namesOf(new Map())
  }
}

/** The names of a data set's labels, background and `ignore` among them. */
export function namesIn(dataset: DatasetJson | undefined): LabelNames {
  if (dataset === undefined) return namesOf(new Map())
  const { labels, hasBackground, ignore } = dataset
  const background: [string, number[]][] = hasBackground ? [['background', [0]]] : []
  return namesOf(
    new Map([...background, ...labels, ...(ignore === undefined ? [] : [[ignoreName, [ignore]] as const])]),
  )
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
 * Adds `--labels` (and `--label`, its name in version 0.1), which takes numbers and names, separated by spaces or
 * commas.
 */
export function withLabels(command: Command, what: string): Command {
  const collect = (text: string, before: readonly string[] | undefined) => [...(before ?? []), text]
  const alias = new Option('--label <label>').argParser(collect).hideHelp()
  alias.attributeName = () => 'labels'
  return command
    .option('--labels <labels...>', `${what}: numbers or names, separated by spaces or commas`, collect)
    .addOption(alias)
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

/** The labels that `--labels` names, where none may stand for several. */
export function singleLabels(texts: readonly string[], names: LabelNames): number[] {
  return parseLabels(texts, names).map(({ name, labels }) => {
    if (labels.length === 1) return labels[0]
    throw new InputError('--labels', `'${name}' joins several labels; name them one by one`)
  })
}
