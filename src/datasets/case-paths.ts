import { resolve } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { isFolder } from './image-folder.ts'
import { withoutSuffix } from './image-names.ts'
import { isPattern, matchFiles } from './match-files.ts'

/** What paths stand for, as far as patterns and folders say it. */
export interface GatheredPaths<C> {
  readonly cases: readonly C[]
  /** Files, given or matched, whose case nobody has named yet. */
  readonly loose: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Goes through files, patterns (see `matchFiles`) and folders.
 *
 * @param caseOf a file that a pattern's `{case}` has named
 * @param casesIn what a folder holds
 */
export async function gatherPaths<C>(
  paths: readonly string[],
  caseOf: (file: string, name: string) => C,
  casesIn: (folder: string) => { readonly cases: readonly C[]; readonly warnings: readonly string[] },
): Promise<GatheredPaths<C>> {
  const cases: C[] = []
  const loose: string[] = []
  const warnings: string[] = []
  for (const path of paths) {
    if (isPattern(path)) {
      for (const { path: file, name, named } of await matchFiles(path)) {
        if (named) cases.push(caseOf(file, name))
        else loose.push(file)
      }
    } else if (isFolder(path)) {
      const found = casesIn(path)
      cases.push(...found.cases)
      warnings.push(...found.warnings)
    } else loose.push(path)
  }
  return { cases, loose, warnings }
}

/**
 * Cases by their names without the suffix; one that is given twice counts once.
 *
 * @throws InputError where two cases have one name
 */
export function namedOnce<C extends { readonly name: string }>(
  cases: readonly C[],
  fileOf: (one: C) => string,
  suffix: string | undefined,
): C[] {
  const byName = new Map<string, C>()
  for (const one of cases) {
    const name = withoutSuffix(one.name, suffix)
    const before = byName.get(name)
    if (before !== undefined && resolve(fileOf(before)) !== resolve(fileOf(one))) {
      const remedy = "write a pattern with {case}, such as 'FOLDER/{case}/FILE.nii.gz', or give one of them"
      throw new InputError(fileOf(one), `is the case ${name}, as ${fileOf(before)} is; ${remedy}`)
    }
    byName.set(name, { ...one, name })
  }
  return [...byName.values()]
}
