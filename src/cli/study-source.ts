import { existsSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { readRegularFile } from '../formats/read-file.ts'
import { parseStudyConfig } from '../study/config.ts'
import type { StudySource } from '../study/open-study.ts'
import { InputError } from '../volume/errors.ts'

/** The configuration that a command names. Throws InputError where it cannot be read or is wrong. */
export async function readStudySource(path: string): Promise<StudySource> {
  const yaml = await readText(path)
  return { config: parseStudyConfig(yaml, path), yaml, base: dirname(resolve(path)) }
}

/** Where a study lies, unless the user says it. */
export function studyFolder(path: string, given: string | undefined): string {
  return given ?? `study-${basename(path).replace(/\.[^.]*$/, '')}`
}

async function readText(path: string): Promise<string> {
  try {
    return (await readRegularFile(path)).toString('utf8')
  } catch (error) {
    if (error instanceof InputError && existsSync(path)) throw error
    throw new InputError(path, 'cannot be read; give a configuration (`halfdice study init` writes one)')
  }
}
