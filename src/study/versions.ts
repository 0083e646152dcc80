import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { InputError } from '../volume/errors.ts'
import type { StudyPlan } from './plan.ts'

/** Versions of the programs that numbers depend on, by name. */
export type Versions = Readonly<Record<string, string>>

/** In each cell's folder: what made it. */
export const versionsFile = 'versions.json'

/**
 * The versions that made a study's finished cells (several of one program where they differ, joined by commas), or
 * undefined where none is finished.
 */
export async function finishedVersions(plan: StudyPlan, folder: string): Promise<Versions | undefined> {
  const found = new Map<string, Set<string>>()
  for (const cell of plan.cells) {
    if (!existsSync(join(folder, cell.path))) continue
    for (const [name, version] of Object.entries(await readVersions(join(folder, cell.path, versionsFile)))) {
      found.set(name, (found.get(name) ?? new Set()).add(version))
    }
  }
  if (found.size === 0) return undefined
  return Object.fromEntries([...found].map(([name, versions]) => [name, [...versions].sort().join(', ')]))
}

async function readVersions(path: string): Promise<Versions> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    const texts = Object.entries(Object(value)).map(([name, version]) => [name, String(version)] as const)
    if (texts.length > 0) return Object.fromEntries(texts)
  } catch {
    // Reported below.
  }
  throw new InputError(path, 'is missing or damaged; delete the folder it lies in and run the study again')
}

/** What the numbers depend on beside the configuration and the data. */
export function runtimeVersions(halfdice: string): Versions {
  const require = createRequire(import.meta.url)
  let runtime = 'missing'
  try {
    runtime = (require('onnxruntime-node/package.json') as { version: string }).version
  } catch {
    // An optional dependency: training reports how to install it.
  }
  return {
    halfdice,
    node: process.versions.node,
    'onnxruntime-node': runtime,
    platform: `${process.platform}-${process.arch}`,
  }
}
