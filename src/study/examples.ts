import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import { marginal } from '../noise/marginal.ts'
import { sigmaText } from '../noise/noise-seed.ts'
import { boxOf, growBox } from '../volume/box.ts'
import { type Grid, vec3, voxelCount, worldPosition } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { realValues } from '../volume/scaling.ts'
import { channelOf, type Volume } from '../volume/volume.ts'
import { noisyLabels } from './noisy-labels.ts'
import type { Cell, StudyPlan } from './plan.ts'
import type { CellSource } from './run-cell.ts'

/** A slice of one case as the report shows it. All arrays lie on `grid`, whose third extent is 1. */
export interface Example {
  readonly organ: string
  readonly sigma_mm: string
  readonly case: string
  readonly grid: Grid
  readonly image: Float32Array
  readonly clean: Float32Array
  readonly noisy: Float32Array
  readonly marginal: Float32Array
  readonly crossEntropy: Float32Array
  readonly softDice: Float32Array
}

const exampleChannels = ['image', 'clean', 'noisy', 'marginal', 'crossEntropy', 'softDice'] as const

/**
 * Writes `examples/ORGAN/SIGMA.nii.gz` for the report: of the first case of fold 0 the slice with most
 * of the organ. Channels: image, clean label, noisy label, marginal, and both networks' probabilities. Cells whose
 * predictions were not kept give none.
 */
export async function writeExamples(plan: StudyPlan, folder: string, source: CellSource): Promise<void> {
  for (const { cell, twin, id, organ, path } of exampleFiles(plan, folder)) {
    const maps = [cell, twin].map(({ path }) => join(folder, path, 'predictions', `${id}.nii.gz`))
    const found = source.cases.find((one) => one.id === id)
    if (existsSync(path) || found === undefined || !maps.every(existsSync)) continue
    const { image, labels } = await source.store.load(found)
    const { clean, noisy } = noisyLabels(cell, id, labels)
    const values = cell.organs[organ].labels
    const mask = (map: Volume<LabelArray>) => Uint8Array.from(map.data, (l) => (l !== 0 && values.includes(l) ? 1 : 0))
    const reference = mask(clean)
    const whole = [
      realValues(channelOf(image, 0), image.scaling),
      reference,
      mask(noisy),
      marginal(reference, clean.grid, 1, cell),
      ...(await Promise.all(maps.map(readVolume))).map((map) => channelOf(map, organ)),
    ]
    const largest = plan.cells.reduce((s, one) => Math.max(s, ...one.sigmaMm), 0)
    const cut = slabOf(reference, clean.grid, largest)
    if (cut === undefined) continue
    await mkdir(dirname(path), { recursive: true })
    const parts = whole.map((values) => cut.take(values))
    const data = new Float32Array(parts.length * voxelCount(cut.grid))
    for (const [channel, part] of parts.entries()) data.set(part, channel * voxelCount(cut.grid))
    await writeVolume(path, { grid: cut.grid, channels: parts.length, data })
  }
}

/** Reads the examples that there are. */
export async function readExamples(plan: StudyPlan, folder: string): Promise<Example[]> {
  const examples: Example[] = []
  for (const { cell, id, organ, path } of exampleFiles(plan, folder)) {
    if (!existsSync(path)) continue
    const volume = await readVolume(path)
    const named = exampleChannels.map((name, channel) => [name, channelOf(volume, channel) as Float32Array] as const)
    const about = { organ: cell.organs[organ].name, sigma_mm: sigmaText(cell.sigmaMm), case: id, grid: volume.grid }
    examples.push({
      ...about,
      ...(Object.fromEntries(named) as Record<(typeof exampleChannels)[number], Float32Array>),
    })
  }
  return examples
}

/** The files, each with its two networks' cells; the digest in a file's name keeps studies in one folder apart. */
function exampleFiles(plan: StudyPlan, folder: string) {
  const first = (loss: string) =>
    plan.cells
      .filter(({ work }) => work.kind !== 'theory' && work.fold === 0 && work.loss === loss)
      .filter(({ replicate }) => replicate === 0)
  const twins = first('soft-dice')
  return first('cross-entropy').flatMap((cell, i) => {
    const twin = twins[i] as Cell | undefined
    if (twin === undefined) return []
    return cell.organs.map((organ, k) => {
      const name = `${sigmaText(cell.sigmaMm)}-${cell.path.slice(-10)}.nii.gz`
      const place = organ.name.replaceAll(/[^A-Za-z0-9+_.-]/g, '_')
      const id = cell.validation[0].id
      return { cell, twin, id, organ: k, path: join(folder, 'examples', place, name) }
    })
  })
}

/** The slice with most of the mask, cropped to the mask and 2σ around it. */
function slabOf(mask: Uint8Array, grid: Grid, sigmaMm: number) {
  const box = boxOf(mask, grid.shape, 0)
  if (box === undefined) return undefined
  const [nx, ny, nz] = grid.shape
  const counts = Array.from({ length: nz }, (_, k) =>
    mask.subarray(k * nx * ny, (k + 1) * nx * ny).reduce((sum, v) => sum + v, 0),
  )
  const slice = counts.indexOf(Math.max(...counts))
  const margin = vec3((axis) => Math.ceil((2 * sigmaMm) / grid.spacing[axis]) + 2)
  const { start, shape } = growBox(box, margin, grid)
  const cropped: Grid = {
    ...grid,
    shape: [shape[0], shape[1], 1],
    origin: worldPosition(grid, [start[0], start[1], slice]),
  }
  const take = (values: ArrayLike<number>) => {
    const part = new Float32Array(shape[0] * shape[1])
    for (let j = 0, at = 0; j < shape[1]; j++) {
      const row = (slice * ny + start[1] + j) * nx + start[0]
      for (let i = 0; i < shape[0]; i++) part[at++] = values[row + i]
    }
    return part
  }
  return { grid: cropped, take }
}
