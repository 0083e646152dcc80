import { InputError } from '../volume/errors.ts'
import type { Volume } from '../volume/volume.ts'

/** A case of a data set, not yet read. */
export interface DatasetCase {
  readonly id: string
  /** Cases of one patient share it; folds never part them. */
  readonly patient: string
  /** The image's files: one a channel, or one with all channels; none where it is made by a formula. */
  readonly images: readonly string[]
  /** The files of its labels; none where they are made by a formula. */
  readonly labels: readonly string[]
  /** Why it cannot be read, where that shows before any file is opened: a file of it is missing. */
  readonly fault?: InputError
}

export interface LoadedCase {
  readonly image: Volume
  /** One label map on the image's grid. */
  readonly labels: Volume
}

/** Images with label maps, whatever layout they are stored in. */
export interface Dataset {
  readonly name: string
  /** Ascending by id. */
  readonly cases: readonly DatasetCase[]
  /** What a user must know about cases that are in the folder but not in `cases`. */
  readonly leftOut: readonly { readonly id: string; readonly reason: string }[]
  /** Label values by name. */
  readonly labels: ReadonlyMap<string, readonly number[]>
  /** @throws InputError naming the file that is missing, corrupt, or on another grid */
  load(one: DatasetCase): Promise<LoadedCase>
}

/**
 * The function that finds a case's patient: the first group of a regular expression on the case's name (the whole match
 * where it has no group), or `otherwise`.
 *
 * @throws InputError for an expression that is none, and for cases that it does not match
 */
export function patientRule(pattern: string | undefined, otherwise: (id: string) => string): (id: string) => string {
  if (pattern === undefined) return otherwise
  let expression: RegExp
  try {
    expression = new RegExp(pattern)
  } catch {
    throw new InputError('patient', `'${pattern}' is no regular expression; write for example ^(patient\\d+)`)
  }
  return (id) => {
    const match = expression.exec(id)
    if (match === null) throw new InputError('patient', `'${pattern}' does not match the case ${id}; correct it`)
    return match[1] ?? match[0]
  }
}

/**
 * The parts of an organ's name: `anterior+posterior` is the union of two labels.
 *
 * @throws InputError where a part is empty
 */
export function organParts(organ: string): string[] {
  const parts = organ.split('+').map((part) => part.trim())
  if (parts.includes('')) {
    const what = parts.length > 1 ? "lacks a name beside '+'" : 'is no name'
    throw new InputError('organs', `'${organ}' ${what}; write for example anterior or anterior+posterior`)
  }
  return parts
}
