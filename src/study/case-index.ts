import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dataset, DatasetCase } from '../datasets/dataset.ts'
import { writeAtomically } from '../formats/atomic-write.ts'
import { InputError } from '../volume/errors.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { type CaseStore, fileStamps } from './case-store.ts'

/** What the plan needs to know of a case. */
export interface IndexedCase {
  readonly id: string
  readonly patient: string
  /** A digest of image and labels as the study sees them. */
  readonly digest: string
  readonly voxels: number
  /** ml of each label value that occurs. */
  readonly volumesMl: Readonly<Record<string, number>>
}

export interface CaseIndex {
  readonly cases: readonly IndexedCase[]
  /** Cases that are in the data set's folder and not in the study. */
  readonly leftOut: readonly { readonly id: string; readonly reason: string }[]
}

export interface IndexOptions {
  /** Leave out cases that cannot be read, instead of stopping at the first. */
  readonly skipBad?: boolean
  readonly onCase?: (done: number) => void
  readonly signal?: AbortSignal
}

interface Entry extends IndexedCase {
  /** Sizes and times of the files it was made from. */
  readonly files: string
}

/**
 * Reads every case once: its volumes, and a digest by which results know their data. What was read before is not read
 * again as long as its files keep size and time; that knowledge lies in `index.json` and may be deleted.
 *
 * @throws InputError naming the first file that is missing, corrupt or on another grid, unless `skipBad`
 */
export async function indexCases(
  dataset: Dataset,
  store: CaseStore,
  { skipBad = false, onCase, signal }: IndexOptions = {},
): Promise<CaseIndex> {
  const path = join(store.folder, 'index.json')
  const known = await readIndex(path)
  const entries: Entry[] = []
  const leftOut = [...dataset.leftOut]
  for (const [i, one] of dataset.cases.entries()) {
    signal?.throwIfAborted()
    try {
      const files = await fileStamps(one)
      const before = known.find((entry) => entry.id === one.id && entry.files === files)
      entries.push(before ? { ...before, patient: one.patient } : { ...(await describe(one, store)), files })
    } catch (error) {
      if (!skipBad || !(error instanceof InputError)) throw withAdvice(error, skipBad)
      leftOut.push({ id: one.id, reason: error.message })
    }
    onCase?.(i + 1)
  }
  await mkdir(store.folder, { recursive: true })
  await writeAtomically(path, [Buffer.from(`${JSON.stringify(entries)}\n`)])
  return { cases: entries.map(({ files: _, ...entry }) => entry), leftOut }
}

function withAdvice(error: unknown, skipBad: boolean): unknown {
  if (skipBad || !(error instanceof InputError)) return error
  return new InputError(error.subject, `${error.fault}; --skip-bad leaves such cases out and counts them`)
}

async function describe(one: DatasetCase, store: CaseStore): Promise<IndexedCase> {
  const { image, labels } = await store.load(one)
  const hash = createHash('sha256')
  const { shape, spacing } = image.grid
  hash.update(JSON.stringify([shape, spacing.map((s) => s.toPrecision(6)), image.channels, image.scaling ?? null]))
  for (const { buffer, byteOffset, byteLength } of [image.data, Int32Array.from(labels.data)]) {
    hash.update(Buffer.from(buffer, byteOffset, byteLength))
  }
  const ml = voxelVolumeMm3(image.grid) / 1000
  const counts = [...countLabels(labels.data)].sort(([a], [b]) => a - b)
  return {
    id: one.id,
    patient: one.patient,
    digest: hash.digest('hex').slice(0, 16),
    voxels: labels.data.length,
    volumesMl: Object.fromEntries(counts.map(([label, n]) => [label, n * ml])),
  }
}

function countLabels(labels: LabelArray): Map<number, number> {
  const counts = new Map<number, number>()
  for (let i = 0; i < labels.length; ) {
    const label = labels[i]
    const start = i
    while (i < labels.length && labels[i] === label) i++
    if (label !== 0) counts.set(label, (counts.get(label) ?? 0) + i - start)
  }
  return counts
}

async function readIndex(path: string): Promise<Entry[]> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Entry[]
  } catch {
    return []
  }
}
