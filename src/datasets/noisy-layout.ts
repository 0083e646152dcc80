import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { InputError } from '../volume/errors.ts'
import type { KeptLabels } from './noisy-case.ts'

/** A file that goes over as it is: where it lies, and where it goes below the new folder. */
export interface CarriedFile {
  readonly from: string
  readonly to: string
}

/** A case of a data set whose labels are to be made noisy. */
export interface NoisyLayoutCase {
  readonly id: string
  readonly fault?: InputError | undefined
  /** The image that says on which grid the labels lie. */
  readonly image: string
  readonly carried: readonly CarriedFile[]
  /** Its label maps, each with its place below the new folder. */
  readonly labels: readonly { readonly reference: string; readonly to: string; readonly keep: KeptLabels }[]
}

/** How noise was drawn, as the new data set records it. */
export type NoiseRecord = Readonly<Record<string, unknown>>

/** What a data set needs to become a noisy one, whatever its layout. */
export interface NoisyLayout {
  readonly cases: readonly NoisyLayoutCase[]
  /** Which labels move together, for the seed of their field (see `datasetNoiseSeed`). */
  readonly group: string
  /** What else lies in the folder. */
  readonly rest: readonly CarriedFile[]
  /** Names of label numbers, for tables. */
  readonly names: ReadonlyMap<number, string>
  /** What a user must know, a sentence each. */
  readonly notes: readonly string[]
  /** The file that is written last, and that holds the record under `noise`. */
  readonly recordFile: string
  recordText(record: NoiseRecord, cases: readonly string[]): string
}

/** Layouts without a description of their own: the record is a file beside the cases. */
export const recordOnly = {
  recordFile: 'noise.json',
  recordText: (record: NoiseRecord) => `${JSON.stringify({ noise: record }, null, 2)}\n`,
}

/** Which layout a folder has; undefined where it is no data set of labels with their images. */
export function layoutOf(folder: string): 'nnunet' | 'totalsegmentator' | 'pairs' | undefined {
  const has = (name: string) => isFolder(join(folder, name))
  if (existsSync(join(folder, 'dataset.json')) && has('labelsTr')) return 'nnunet'
  if (has('images') && has('labels')) return 'pairs'
  if (!isFolder(folder)) return undefined
  const inside = readdirSync(folder).filter((name) => !name.startsWith('.'))
  return inside.some((name) => has(join(name, 'segmentations'))) ? 'totalsegmentator' : undefined
}

/** All files below `folder` but hidden ones and those whose path from it is left out. */
export function filesBelow(folder: string, leaveOut: (path: string) => boolean, above = ''): CarriedFile[] {
  return readdirSync(join(folder, above))
    .filter((name) => !name.startsWith('.'))
    .sort()
    .flatMap((name) => {
      const to = above === '' ? name : `${above}/${name}`
      if (leaveOut(to)) return []
      const from = join(folder, to)
      return isFolder(from) ? filesBelow(folder, leaveOut, to) : [{ from, to }]
    })
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
