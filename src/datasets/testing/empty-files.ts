import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from 'vitest'

/** A folder for empty files, which goes when the tests are done. */
export function emptyFiles(): {
  readonly folder: string
  at(...parts: string[]): string
  /** Makes empty files, and the folders that they lie in. */
  make(...paths: string[]): void
} {
  const folder = mkdtempSync(join(tmpdir(), 'halfdice-files-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const at = (...parts: string[]) => join(folder, ...parts)
  return {
    folder,
    at,
    make(...paths) {
      for (const path of paths) {
        mkdirSync(dirname(at(path)), { recursive: true })
        writeFileSync(at(path), '')
      }
    },
  }
}
