import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findRuntime } from '../network/runtime/locate.ts'
import { readCellFile } from './cell-file.ts'
import type { StudyPlan } from './plan.ts'

/** Versions of the programs that numbers depend on, by name. */
export type Versions = Readonly<Record<string, string>>

const readAtOnce = 64

/** In each cell's folder: what made it. */
export const versionsFile = 'versions.json'

/**
 * The versions that made a study's finished cells (several of one program where they differ, joined by commas), or
 * undefined where none is finished.
 */
export async function finishedVersions(plan: StudyPlan, folder: string): Promise<Versions | undefined> {
  const found = new Map<string, Set<string>>()
  const finished = plan.cells.filter((cell) => existsSync(join(folder, cell.path)))
  // Several at once: a shared disk takes its time for each.
  for (let i = 0; i < finished.length; i += readAtOnce) {
    const some = finished.slice(i, i + readAtOnce).map(({ path }) => readVersions(join(folder, path, versionsFile)))
    for (const [name, version] of (await Promise.all(some)).flatMap((versions) => Object.entries(versions))) {
      found.set(name, (found.get(name) ?? new Set()).add(version))
    }
  }
  if (found.size === 0) return undefined
  return Object.fromEntries([...found].map(([name, versions]) => [name, [...versions].sort().join(', ')]))
}

async function readVersions(path: string): Promise<Versions> {
  return readCellFile(path, (text) => {
    const versions = Object.entries(Object(JSON.parse(text))).map(([name, version]) => [name, String(version)] as const)
    if (versions.length === 0) throw new SyntaxError('no versions')
    return Object.fromEntries(versions)
  })
}

/** What the numbers depend on beside the configuration and the data. */
export function runtimeVersions(halfdice: string): Versions {
  return {
    halfdice,
    node: process.versions.node,
    // Optional: training reports how to install it.
    'onnxruntime-node': findRuntime()?.version ?? 'missing',
    platform: `${process.platform}-${process.arch}`,
  }
}
