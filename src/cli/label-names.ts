import { readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { stem } from './outputs.ts'

/** The name of a label, or undefined. */
export type LabelNames = (label: number) => string | undefined

/**
 * What the labels of a file are called: from the `dataset.json` of an nnU-Net data set the file lies in (its folder or
 * the one above), or, for label 1 of a TotalSegmentator mask, from the file's own name. Names only decorate output, so
 * that a damaged `dataset.json` is passed over.
 */
export function labelNamesFor(path: string): LabelNames {
  const folder = dirname(resolve(path))
  if (basename(folder) === 'segmentations') {
    const organ = stem(path)
    return (label) => (label === 1 ? organ : undefined)
  }
  for (const place of [folder, dirname(folder)]) {
    const names = namesIn(join(place, 'dataset.json'))
    if (names !== undefined) return (label) => names.get(label)
  }
  return () => undefined
}

/** Reads both forms of `labels`: nnU-Net v2's {"liver": 1} and the decathlon's {"1": "liver"}. */
function namesIn(path: string): Map<number, string> | undefined {
  try {
    const { labels }: { labels?: Record<string, unknown> } = JSON.parse(readFileSync(path, 'utf8'))
    const names = new Map<number, string>()
    for (const [key, value] of Object.entries(labels ?? {})) {
      if (typeof value === 'number') names.set(value, key)
      else if (typeof value === 'string') names.set(Number(key), value)
    }
    return names
  } catch {
    return undefined
  }
}
