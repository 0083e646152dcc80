import { stat } from 'node:fs/promises'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import { labelOverlaps } from '../metrics/label-overlap.ts'
import type { Overlap } from '../metrics/overlap.ts'
import type { NoiseModel } from '../noise/model.ts'
import { createSampler } from '../noise/sampler.ts'
import { InputError } from '../volume/errors.ts'
import { type Grid, voxelVolumeMm3 } from '../volume/grid.ts'
import { type LabelArray, type LabelMap, labelMapOf } from '../volume/labels.ts'
import { outcomeOf } from './over-cases.ts'
import { relabelled } from './relabelled.ts'
import { onGrid } from './same-grid.ts'

/** A label map of a data set and where its noisy versions go. */
export interface NoisyFile {
  readonly reference: string
  /** One file a sample. */
  readonly outputs: readonly string[]
  /** What becomes of its labels. */
  readonly labels: KeptLabels
}

export type KeptLabels =
  /** One mask: whatever is not 0 is the object of this name. */
  | { readonly kind: 'mask'; readonly name: string }
  /** The labels of the list, default whatever occurs. */
  | { readonly kind: 'any'; readonly only?: readonly number[] | undefined }
  /** Each label that the data set names and what it becomes, 0 where it is left out; any other label is refused. */
  | { readonly kind: 'map'; readonly becomes: ReadonlyMap<number, number>; readonly ignore?: number }

/** A case of a data set to be drawn: plain data, so that any thread can do it. */
export interface NoisyCaseJob {
  /** All its files move by one field. */
  readonly files: readonly NoisyFile[]
  /** The image's grid, on which its labels must lie. */
  readonly grid: Grid
  readonly model: NoiseModel
  readonly seed: number
  /** Numbers of the samples. */
  readonly indices: readonly number[]
}

/** How one label came out in one sample: A is the sample, B the reference. */
export interface NoisyCount extends Overlap {
  /** The label's number, or the mask's name. */
  readonly label: number | string
  readonly sample: number
}

export interface NoisyCounts {
  readonly voxelMl: number
  readonly counts: readonly NoisyCount[]
}

/**
 * Draws and writes the noisy labels of a case. What an earlier run has written since the reference last changed is only
 * counted, so that a killed run goes on where it was.
 *
 * @throws InputError for a label map that is damaged, on another grid than its image, or holds labels that the data set
 * does not name
 */
export async function drawNoisyCase(job: NoisyCaseJob): Promise<NoisyCounts> {
  const counts: NoisyCount[] = []
  for (const file of job.files) counts.push(...(await drawFile(file, job)))
  return { voxelMl: voxelVolumeMm3(job.grid) / 1000, counts }
}

async function drawFile({ reference, outputs, labels }: NoisyFile, job: NoisyCaseJob): Promise<NoisyCount[]> {
  const { grid, model, seed, indices } = job
  const stored = await readVolume(reference)
  const map = labelMapOf(onGrid(stored, grid, false, reference, 'resample it'), reference)
  const { values, wanted } = keptLabels(map, labels, reference)
  const sampler = createSampler(values, grid, model)
  const scratch = values.slice()
  const counts: NoisyCount[] = []
  for (const [i, output] of outputs.entries()) {
    const done = await isNewer(output, reference)
    const noisy = done ? labelMapOf(await readVolume(output), output).values : sampler.sample(seed, indices[i], scratch)
    if (!done) await writeVolume(output, relabelled(stored, noisy))
    for (const [label, overlap] of labelOverlaps(noisy, values, wanted)) {
      counts.push({ label: labels.kind === 'mask' ? labels.name : label, sample: indices[i], ...overlap })
    }
  }
  return counts
}

/** The labels that noise moves, and which of them to count. */
function keptLabels(
  { values, labels: held }: LabelMap,
  keep: KeptLabels,
  subject: string,
): { readonly values: LabelArray; readonly wanted: readonly number[] } {
  if (keep.kind === 'mask') return { values: Uint8Array.from(values, (value) => Number(value !== 0)), wanted: [1] }
  if (keep.kind === 'any') {
    const wanted = keep.only ?? held.filter((label) => label !== 0)
    return { values: keep.only ? values.map((label) => (wanted.includes(label) ? label : 0)) : values, wanted }
  }
  const { becomes, ignore } = keep
  if (ignore !== undefined && held.includes(ignore)) {
    throw new InputError(subject, "has voxels of the label 'ignore'; noise moves no outline that is not known")
  }
  const unknown = held.find((label) => label !== 0 && !becomes.has(label))
  if (unknown !== undefined) {
    throw new InputError(subject, `holds label ${unknown}, which dataset.json does not name; correct one of them`)
  }
  const wanted = [...becomes.values()].filter((label) => label !== 0)
  const same = [...becomes].every(([label, other]) => label === other)
  return { values: same ? values : values.map((label) => becomes.get(label) ?? 0), wanted }
}

async function isNewer(output: string, reference: string): Promise<boolean> {
  const [made, source] = await Promise.all([output, reference].map((path) => stat(path).catch(() => undefined)))
  return made !== undefined && source !== undefined && made.mtimeMs >= source.mtimeMs
}

/** The work as threads take it. */
export const run = (job: NoisyCaseJob) => outcomeOf(() => drawNoisyCase(job))
export const noisyCaseWork = { module: new URL('./noisy-case.js', import.meta.url), run }
