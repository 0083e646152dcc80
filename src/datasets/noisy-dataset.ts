import { existsSync, readdirSync, statSync } from 'node:fs'
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { writeTextAtomically } from '../formats/atomic-write.ts'
import { createFolder } from '../formats/output-folder.ts'
import { readRegularFile } from '../formats/read-file.ts'
import { openVolume } from '../formats/volume-file.ts'
import type { NoiseModel } from '../noise/model.ts'
import { datasetNoiseSeed } from '../noise/noise-seed.ts'
import { InputError } from '../volume/errors.ts'
import type { Grid } from '../volume/grid.ts'
import { type CarryMode, carryFile } from './carry-files.ts'
import { type NoisyCaseJob, type NoisyCount, noisyCaseWork } from './noisy-case.ts'
import type { NoiseRecord, NoisyLayout, NoisyLayoutCase } from './noisy-layout.ts'
import { overCases } from './over-cases.ts'

export interface NoisyDatasetOptions {
  /** The data set's folder. */
  readonly source: string
  readonly layout: NoisyLayout
  /** A new folder for each sample. */
  readonly outputs: readonly string[]
  /** Number of each sample. */
  readonly indices: readonly number[]
  readonly seed: number
  /** The noise on a case's grid, in mm. */
  readonly model: (grid: Grid) => NoiseModel
  /** What the new data sets say of their noise, but for the number of the sample. */
  readonly record: NoiseRecord
  readonly images: CarryMode
  readonly threads: number
  readonly onCase?: (done: number) => void
}

export interface NoisyDatasetCase {
  readonly id: string
  readonly grid: Grid
  readonly model: NoiseModel
  readonly voxelMl: number
  readonly counts: readonly NoisyCount[]
  /** Its label maps in each sample, as places below the new folder. */
  readonly files: readonly string[]
}

export interface NoisyDatasetResult {
  readonly cases: readonly NoisyDatasetCase[]
  readonly failures: readonly InputError[]
}

/** Where a new data set is made until it is finished: in a hidden folder beside it. */
interface Place {
  readonly output: string
  readonly work: string
  readonly finished: boolean
  readonly record: NoiseRecord
}

/** The settings of an unfinished data set. */
const settingsFile = '.noise.json'

/**
 * Makes noisy versions of a data set, one for each sample: every case moves by a field of its own, the one that a study
 * draws for the same seed and settings. A data set appears under its name when it is finished; a run that was killed is
 * taken up where it was. Cases that are at fault are left out of it.
 *
 * @throws InputError where a new folder holds something else, or no case is good
 */
export async function makeNoisyDataset(options: NoisyDatasetOptions): Promise<NoisyDatasetResult> {
  const { source, layout, outputs, indices, seed, images, record } = options
  for (const output of outputs) checkNewFolder(output, source)
  const places: Place[] = []
  for (const [i, output] of outputs.entries()) {
    places.push(await placeOf(output, { ...record, sample: indices[i] }, layout, images))
  }
  const opened = new Map<NoisyLayoutCase, { grid: Grid; model: NoiseModel }>()
  const jobs = layout.cases.map((one) => async (): Promise<NoisyCaseJob> => {
    if (one.fault !== undefined) throw one.fault
    const stream = await openVolume(one.image)
    await stream.close()
    const { grid } = stream
    const model = options.model(grid)
    opened.set(one, { grid, model })
    const files = one.labels.map(({ reference, to, keep }) => ({
      reference,
      outputs: places.map(({ work }) => join(work, to)),
      labels: keep,
    }))
    return { files, grid, model, seed: datasetNoiseSeed(seed, one.id, layout.group, model), indices }
  })
  const results = await overCases(jobs, noisyCaseWork, options)
  const cases: NoisyDatasetCase[] = []
  const failures: InputError[] = []
  for (const [i, result] of results.entries()) {
    const one = layout.cases[i]
    const about = opened.get(one)
    if (result instanceof InputError || about === undefined) {
      if (result instanceof InputError) failures.push(result)
    } else cases.push({ id: one.id, ...about, ...result, files: one.labels.map(({ to }) => to) })
  }
  if (cases.length === 0) {
    for (const { work, finished } of places) if (!finished) await rm(work, { recursive: true, force: true })
    return { cases, failures }
  }
  const good = new Set(cases.map(({ id }) => id))
  for (const place of places) await finish(place, options, good)
  return { cases, failures }
}

function checkNewFolder(output: string, source: string): void {
  const within = (a: string, b: string) => !/^\.\.(?:[/\\]|$)/.test(relative(resolve(b), resolve(a)))
  if (within(source, output) || within(output, source)) {
    throw new InputError(output, `and the data set ${source} lie one in the other; give another folder`)
  }
}

/** Where the data set is made, or already lies. */
async function placeOf(output: string, record: NoiseRecord, layout: NoisyLayout, images: CarryMode): Promise<Place> {
  const work = join(dirname(resolve(output)), `.${basename(resolve(output))}.unfinished`)
  const settings = JSON.stringify({ record, images })
  const there = statSync(output, { throwIfNoEntry: false })
  if (there !== undefined && !(there.isDirectory() && readdirSync(output).length === 0)) {
    const before = await recordIn(join(output, layout.recordFile))
    const { leftOut, ...own } = before ?? {}
    if (JSON.stringify(own) !== JSON.stringify(record)) {
      throw new InputError(output, 'exists and is no data set of this noise; give another name, or take it away')
    }
    if (leftOut === undefined) return { output, work: output, finished: true, record }
    // Cases that were at fault may be good now.
    await rm(work, { recursive: true, force: true })
    await rename(output, work)
    await rm(join(work, layout.recordFile))
  } else if (existsSync(work) && (await textOf(join(work, settingsFile))) !== settings) {
    await rm(work, { recursive: true })
  }
  await createFolder(dirname(work))
  await mkdir(work, { recursive: true })
  await writeTextAtomically(join(work, settingsFile), settings, { replace: true })
  return { output, work, finished: false, record }
}

async function recordIn(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    return JSON.parse((await textOf(path)) ?? '').noise
  } catch {
    return undefined
  }
}

async function textOf(path: string): Promise<string | undefined> {
  return existsSync(path) ? (await readRegularFile(path)).toString('utf8') : undefined
}

/** Images and whatever else there is, the description, and then the folder's name. */
async function finish(
  { output, work, finished, record }: Place,
  { layout, images }: NoisyDatasetOptions,
  good: ReadonlySet<string>,
): Promise<void> {
  const cases = layout.cases.filter(({ id }) => good.has(id))
  const leftOut = layout.cases.filter(({ id }) => !good.has(id)).map(({ id }) => id)
  const carried = [...cases.flatMap((one) => one.carried), ...layout.rest]
  for (const file of carried) await carryFile(file, work, images)
  if (finished) return
  const made = cases.flatMap(({ labels }) => labels)
  await removeOthers(work, new Set([...made, ...carried].map(({ to }) => join(work, to))))
  const text = layout.recordText({ ...record, ...(leftOut.length > 0 && { leftOut }) }, [...good])
  await writeTextAtomically(join(work, layout.recordFile), text, { replace: true, flush: true })
  // A rename replaces an empty folder on some systems only.
  await rmdir(output).catch(() => {})
  await rename(work, output)
}

/** Removes what earlier runs have left: temporary files, labels of cases that are gone or at fault. */
async function removeOthers(folder: string, wanted: ReadonlySet<string>): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isDirectory() && !wanted.has(path)) await rm(path)
  }
}
