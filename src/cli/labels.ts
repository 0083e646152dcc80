import { basename, dirname, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type DatasetJson, datasetJsonBeside, ignoreName } from '../datasets/dataset-json.ts'
import { readLabelNames } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { type LabelNames, namesOf } from '../volume/label-names.ts'
import { stem } from './outputs.ts'
import { warn } from './print.ts'

/** What becomes of a damaged `dataset.json`: whoever is told that the names are lost, or a refusal. */
export type DamagedNames = 'refuse' | ((warning: string) => void)

/**
 * What the labels of a file are called: as it says itself (a DICOM segmentation does), else as the data set
 * that it lies in says, which may know regions of them too.
 */
export async function readLabelNamesFor(path: string, damaged: DamagedNames = warn): Promise<LabelNames> {
  const own = await readLabelNames(path)
  if (own === undefined) return labelNamesFor(path, damaged)
  const described = unlessDamaged(() => labelNamesFor(path, 'refuse'))
  if (described && [...own].every(([label, name]) => described.of(label) === name)) return described
  return namesOf(new Map([...own].map(([label, name]) => [name, [label]])))
}

function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
}

/**
 * What the labels of a file are called: from the `dataset.json` of an nnU-Net data set that the file lies in (its
 * folder or the one above), or, for label 1 of a TotalSegmentator mask, from the file's own name. Where a damaged
 * `dataset.json` costs the names only, a warning says so.
 */
export function labelNamesFor(path: string, damaged: DamagedNames = warn): LabelNames {
  if (basename(dirname(resolve(path))) === 'segmentations') return namesOf(new Map([[stem(path), [1]]]))
  try {
    return namesIn(datasetJsonBeside(path))
  } catch (error) {
    if (damaged === 'refuse' || !(error instanceof InputError)) throw error
    damaged(`${error.message} (labels are shown without names)`)
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
