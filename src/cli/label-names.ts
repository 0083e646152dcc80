import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { IGNORE, readDatasetJson } from '../datasets/dataset-json.ts'
import { InputError } from '../volume/errors.ts'
import { stem } from './outputs.ts'
import { warn } from './print.ts'

/** The name of a label, or undefined. */
export type LabelNames = (label: number) => string | undefined

/**
 * What the labels of a file are called: from the `dataset.json` of an nnU-Net data set the file lies in (its folder or
 * the one above), or, for label 1 of a TotalSegmentator mask, from the file's own name. A damaged `dataset.json` costs the
 * names only: a warning says so.
 */
export function labelNamesFor(path: string): LabelNames {
  const folder = dirname(resolve(path))
  if (basename(folder) === 'segmentations') {
    const organ = stem(path)
    return (label) => (label === 1 ? organ : undefined)
  }
  const index = [folder, dirname(folder)].map((place) => join(place, 'dataset.json')).find(existsSync)
  const names = index === undefined ? new Map<number, string>() : namesIn(index)
  return (label) => names.get(label)
}

function namesIn(path: string): Map<number, string> {
  try {
    const { labels, hasBackground, ignore } = readDatasetJson(path)
    const names = new Map<number, string>(hasBackground ? [[0, 'background']] : [])
    for (const [name, own] of labels) if (own.length === 1) names.set(own[0], name)
    if (ignore !== undefined) names.set(ignore, IGNORE)
    return names
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    warn(`${error.message} (labels are shown without names)`)
    return new Map()
  }
}
