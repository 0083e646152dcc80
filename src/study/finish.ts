import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { claim } from './claim.ts'
import type { StudyPlan } from './plan.ts'

/**
 * Does the last work on a finished study while no other run does, waiting for its turn. Then removes what killed runs
 * have left: half-written files, claims, and work folders of finished cells.
 */
export async function finishAlone<T>(plan: StudyPlan, folder: string, use: () => Promise<T>): Promise<T> {
  const path = join(folder, '.report.claim')
  let held = await claim(path)
  while (held === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    held = await claim(path)
  }
  try {
    const result = await use()
    await sweep(plan, folder)
    return result
  } finally {
    await held.release()
  }
}

async function sweep(plan: StudyPlan, folder: string): Promise<void> {
  const names = new Map<string, Set<string>>()
  for (const { path } of plan.cells) {
    const place = join(folder, dirname(path))
    names.set(place, (names.get(place) ?? new Set()).add(`.${basename(path)}`))
  }
  for (const [place, cells] of names) {
    await removeWhere(place, (name) => [...cells].some((cell) => name.startsWith(`${cell}.`)))
  }
  await removeWhere(folder, (name) => temporaryName.test(name) || /^\.report\.claim\.(\w+\.now|displace)$/.test(name))
  for (const organ of await list(join(folder, 'examples'))) {
    await removeWhere(join(folder, 'examples', organ), (name) => temporaryName.test(name))
  }
}

/** Files under their temporary names (see atomic-write.ts). */
const temporaryName = /^\..+\.[0-9a-f]{12}\.tmp$/

async function removeWhere(folder: string, unwanted: (name: string) => boolean): Promise<void> {
  for (const name of await list(folder)) {
    if (unwanted(name)) await rm(join(folder, name), { recursive: true, force: true })
  }
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
