import { outcomeOf } from '../datasets/over-cases.ts'
import { type LabelOptimum, labelOptima } from '../decision/label-optima.ts'
import { readVolume } from '../formats/volume-file.ts'
import type { Vec3 } from '../volume/grid.ts'
import { labelsToUse } from '../volume/label-names.ts'
import { labelMapOf } from '../volume/labels.ts'
import { streamSeed } from '../volume/random.ts'
import { foldWarning } from './fold-warning.ts'
import type { LabelMapWork, Made } from './label-map-processes.ts'
import { readLabelNamesFor } from './labels.ts'
import type { Length } from './lengths.ts'
import { type NoiseOptions, noiseJson, noisesOf, withRoomForNoise } from './noise-options.ts'

/** What `halfdice optimum` asks of each label map. */
export interface OptimumOptions extends NoiseOptions {
  readonly sigma?: readonly Length[]
  readonly labels?: readonly string[] | undefined
  readonly samples?: number
  readonly seed: number
}

/** A label map to ask: plain data, which a process can be handed. */
export interface OptimumJob {
  readonly input: string
  /** What the noise of its samples depends on, beside the seed. */
  readonly field: string
  readonly options: OptimumOptions
}

/** One label under one noise. */
export interface OptimumRow extends Omit<LabelOptimum, 'sigmaMm'> {
  readonly name?: string
  /** One number where all axes have the same. */
  readonly sigmaMm: number | Vec3
}

/** What is told of a label map. */
export interface OptimaTold {
  readonly json: { readonly input: string; readonly lengthMm?: number; readonly rows: readonly OptimumRow[] }
  readonly rows: readonly OptimumRow[]
}

/** What a process runs, and the module where it finds it. */
export const optimumWork: LabelMapWork<OptimumJob, OptimaTold> = {
  module: new URL('./optimum-case.js', import.meta.url),
  make,
  run: (job) => outcomeOf(() => make(job)),
}
export const { run } = optimumWork

/** The optima of each label under each noise. */
async function make(
  { input, field, options }: OptimumJob,
  onProgress?: (done: number, all: number) => void,
): Promise<Made<OptimaTold>> {
  const warnings: string[] = []
  const warn = (text: string) => warnings.push(text)
  const given = noisesOf(options, { length: false }, warn)
  const { samples, seed } = options
  const stored = await readVolume(input)
  const map = labelMapOf(stored, input)
  const names = await readLabelNamesFor(input, warn)
  const wanted = labelsToUse(input, map.labels, options.labels, names)
  const noises = wanted.map((label) => given.map((each) => each.on(stored.grid, [label])))
  const { volume, values } = withRoomForNoise(noises.flat(), stored, map, input)
  const all = noises.flat().length
  const rows: OptimumRow[] = []
  // Of a file with several labels each may have its own ℓ.
  const shared = new Set(noises.map(([{ lengthMm }]) => lengthMm)).size <= 1
  for (const [i, label] of wanted.entries()) {
    // Strengths differ in σ only.
    const { sigmaMm: _, lengthMm, ...annotators } = noises[i][0]
    const optima = labelOptima(values, volume.grid, {
      labels: [label],
      sigmasMm: noises[i].map(({ sigmaMm }) => sigmaMm),
      annotators,
      lengthMm,
      samples: samples === undefined ? undefined : { count: samples, seed: streamSeed(seed, field) },
      onProgress: (done) => onProgress?.(rows.length + done, all),
    })
    const name = names.of(label)
    const named = { label, ...(name !== undefined && { name }) }
    rows.push(
      ...optima.map(
        ({ label: _, sigmaMm, ...rest }): OptimumRow => ({
          ...named,
          ...noiseJson({ ...annotators, sigmaMm, lengthMm: shared ? undefined : lengthMm }),
          ...rest,
        }),
      ),
    )
  }
  const scaleMm = shared ? noises[0][0].lengthMm : undefined
  const folded = foldWarning(...rows.map((row) => row.foldProbability ?? 0))
  if (folded !== undefined) warn(folded)
  const json = { input, ...(scaleMm !== undefined && { lengthMm: scaleMm }), rows }
  return { made: { json, rows }, warnings }
}
