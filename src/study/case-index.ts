import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dataset, DatasetCase } from '../datasets/dataset.ts'
import { writeAtomically } from '../formats/atomic-write.ts'
import { readOwnFile } from '../formats/read-file.ts'
import { checkIntensities } from '../training/intensity.ts'
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
  readonly channels: number
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
  /** Of the networks to be trained: 3 refuses images of a single slice. */
  readonly dimensions?: 2 | 3
  readonly onCase?: (done: number) => void
  readonly signal?: AbortSignal
}

/** A case that was read and found good in itself. */
interface Entry {
  readonly case: IndexedCase
  readonly slices: number
}

/** An entry as `index.json` keeps it. */
interface KnownEntry extends Entry {
  /** Sizes and times of the files it was made from. */
  readonly files: string
}

/** Raise it when entries change or are checked for more: older indices are then not used. */
const indexFormat = 3

/**
 * Reads every case once, for its volumes and a digest that ties results to their data. Cases whose files keep size and
 * time are not read again: what was found is kept in `index.json`, which may be deleted.
 *
 * @throws InputError naming the first file that is missing, corrupt, on another grid or no image to train on, unless
 * `skipBad`; and where no case is good
 */
export async function indexCases(
  dataset: Dataset,
  store: CaseStore,
  { skipBad = false, dimensions, onCase, signal }: IndexOptions = {},
): Promise<CaseIndex> {
  const path = join(store.folder, 'index.json')
  const known = await readIndex(path)
  const entries: KnownEntry[] = []
  const good: { readonly one: DatasetCase; readonly entry: Entry }[] = []
  const leftOut = [...dataset.leftOut]
  const leaveOut = (one: DatasetCase, error: unknown) => {
    if (!skipBad || !(error instanceof InputError)) throw withAdvice(error, skipBad)
    leftOut.push({ id: one.id, reason: error.message })
  }
  for (const [i, one] of dataset.cases.entries()) {
    signal?.throwIfAborted()
    try {
      if (one.fault !== undefined) throw one.fault
      const files = await fileStamps(one)
      const before = known.find((entry) => entry.case.id === one.id && entry.files === files)
      const entry = before ?? { ...(await describe(one, store)), files }
      entries.push(entry)
      if (dimensions === 3 && entry.slices === 1) {
        throw new InputError(imageFile(one), 'is a single slice; train 2-D networks (training.dimensions: 2)')
      }
      good.push({ one, entry })
    } catch (error) {
      leaveOut(one, error)
    }
    onCase?.(i + 1)
  }
  await mkdir(store.folder, { recursive: true })
  await writeAtomically(path, [Buffer.from(`${JSON.stringify({ format: indexFormat, entries })}\n`)])
  const cases: IndexedCase[] = []
  const faultOf = channelFaults(good.map(({ entry }) => entry))
  for (const { one, entry } of good) {
    const fault = faultOf(entry)
    if (fault === undefined) cases.push({ ...entry.case, patient: one.patient })
    else leaveOut(one, new InputError(imageFile(one), fault))
  }
  if (cases.length === 0) {
    const reason = leftOut[dataset.leftOut.length]?.reason ?? 'the data set is empty'
    throw new InputError(dataset.name, `no case can be read; the first says: ${reason}`)
  }
  return { cases, leftOut }
}

/**
 * The fault of each case whose number of channels differs from that of most cases (of the first case, in a tie). Known
 * only once all have been read.
 */
function channelFaults(entries: readonly Entry[]): (entry: Entry) => string | undefined {
  const ids = new Map<number, string[]>()
  for (const { case: one } of entries) {
    const alike = ids.get(one.channels)
    if (alike === undefined) ids.set(one.channels, [one.id])
    else alike.push(one.id)
  }
  // Maps keep their order and sorting is stable: in a tie the first case's number comes first.
  const [[common, alike] = [0, []]] = [...ids].sort(([, a], [, b]) => b.length - a.length)
  const others = `${alike.length} of ${entries.length} cases (such as ${alike[0]}) have ${common}`
  return ({ case: { channels } }) => {
    if (channels === common) return undefined
    return `has ${channels} channel${channels === 1 ? '' : 's'} where ${others}; give the same kind of image`
  }
}

function withAdvice(error: unknown, skipBad: boolean): unknown {
  if (skipBad || !(error instanceof InputError)) return error
  return new InputError(error.subject, `${error.fault}; --skip-bad leaves such cases out and counts them`)
}

/** The file that a channel of the image is in. */
function imageFile({ id, images }: DatasetCase, channel = 0): string {
  return images[channel] ?? images[0] ?? id
}

async function describe(one: DatasetCase, store: CaseStore): Promise<Entry> {
  const { image, labels } = await store.load(one)
  checkIntensities(image, (channel) => imageFile(one, channel))
  const hash = createHash('sha256')
  const { shape, spacing } = image.grid
  hash.update(JSON.stringify([shape, spacing.map((s) => s.toPrecision(6)), image.channels, image.scaling ?? null]))
  for (const { buffer, byteOffset, byteLength } of [image.data, Int32Array.from(labels.data)]) {
    hash.update(Buffer.from(buffer, byteOffset, byteLength))
  }
  const ml = voxelVolumeMm3(image.grid) / 1000
  const counts = [...countLabels(labels.data)].sort(([a], [b]) => a - b)
  const described = {
    id: one.id,
    patient: one.patient,
    digest: hash.digest('hex').slice(0, 16),
    voxels: labels.data.length,
    channels: image.channels,
    volumesMl: Object.fromEntries(counts.map(([label, n]) => [label, n * ml])),
  }
  return { case: described, slices: shape[2] }
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

async function readIndex(path: string): Promise<readonly KnownEntry[]> {
  const text = await readOwnFile(path)
  try {
    const index = JSON.parse(String(text)) as { format?: number; entries: readonly KnownEntry[] }
    return index.format === indexFormat ? index.entries : []
  } catch {
    return []
  }
}
