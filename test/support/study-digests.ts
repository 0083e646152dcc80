import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesBelow } from './halfdice.ts'

/** Digests of all files that must not depend on how a study was run: not the cache, the times, a cluster's scripts. */
export function digests(folder: string): Record<string, string> {
  const files = filesBelow(folder).filter((path) => !/^(cache|slurm)\/|timing\.jsonl$/.test(path))
  return Object.fromEntries(
    files.map((path) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(folder, path)))
        .digest('hex'),
    ]),
  )
}
