import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { outcomeOf } from '../datasets/over-cases.ts'
import { createFolder } from '../formats/output-folder.ts'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import { labelMarginals } from '../noise/label-marginals.ts'
import type { MarginalNoise } from '../noise/model.ts'
import { labelsToUse } from '../volume/label-names.ts'
import { labelMapOf } from '../volume/labels.ts'
import type { LabelMapWork, Made } from './label-map-processes.ts'
import { readLabelNamesFor } from './labels.ts'
import { type NoiseOptions, noiseJson, noisesOf, withRoomForNoise } from './noise-options.ts'

/** What `halfdice marginal` does to each label map. */
export interface MarginalOptions extends NoiseOptions {
  readonly labels?: readonly string[] | undefined
  readonly background?: boolean
}

/** A label map and where its marginals go: plain data, which a process can be handed. */
export interface MarginalJob {
  readonly input: string
  readonly output: string
  readonly options: MarginalOptions
}

/** What is told of a label map's marginals. */
export interface MarginalsTold {
  readonly json: object
  readonly title: string
  readonly rows: readonly {
    readonly label: number
    readonly name: string | undefined
    readonly volumeMl: number
    readonly referenceMl: number
  }[]
}

/** What a process runs, and the module where it finds it. */
export const marginalWork: LabelMapWork<MarginalJob, MarginalsTold> = {
  module: new URL('./marginal-case.js', import.meta.url),
  make,
  run: (job) => outcomeOf(() => make(job)),
}
export const { run } = marginalWork

/** Computes and writes the marginals of a label map. */
async function make(
  { input, output, options }: MarginalJob,
  onProgress?: (done: number, all: number) => void,
): Promise<Made<MarginalsTold>> {
  const warnings: string[] = []
  const warn = (text: string) => warnings.push(text)
  const [given] = noisesOf(options, { length: false }, warn)
  const stored = await readVolume(input)
  const map = labelMapOf(stored, input)
  const names = await readLabelNamesFor(input, warn)
  const foreground = labelsToUse(input, map.labels, options.labels, names)
  const background = options.background && !foreground.includes(0) && map.labels.includes(0)
  const wanted = background ? [0, ...foreground] : foreground
  const noises = new Map(wanted.map((label) => [label, given.on(stored.grid, [label])]))
  const { volume: reference, values } = withRoomForNoise([...noises.values()], stored, map, input)
  const watch = (done: number) => onProgress?.(done, wanted.length)
  const { data, volumes } = labelMarginals(values, reference.grid, wanted, noises, watch)
  const { scaling: _, ...template } = reference
  await createFolder(dirname(output))
  // The template's names are those of labels, which probabilities are not.
  await writeVolume(output, { ...template, labelNames: new Map(), channels: wanted.length, data })
  const [first, ...others] = noises.values()
  const shared = others.every((one) => isDeepStrictEqual(one, first)) ? first : undefined
  const rows = volumes.map((row) => ({ ...row, name: names.of(row.label) }))
  const json = {
    input,
    output,
    // The noise of all labels, or of each its own.
    ...(shared && noiseJson(shared)),
    channels: wanted,
    labels: Object.fromEntries(
      rows.map(({ label, name, ...told }) => {
        const own = shared ? {} : noiseJson(noises.get(label) as MarginalNoise)
        return [label, { ...(name !== undefined && { name }), ...own, ...told }]
      }),
    ),
  }
  return { made: { json, title: `${output}: probabilities under ${given.text}`, rows }, warnings }
}
