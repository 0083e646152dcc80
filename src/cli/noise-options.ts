import type { Command } from 'commander'
import { borrowedNoise, type NoiseFile, noiseOfLabels, readNoiseFile } from '../datasets/noise-file.ts'
import { biasReachMm, type MarginalNoise } from '../noise/model.ts'
import { InputError } from '../volume/errors.ts'
import type { Grid, Vec3 } from '../volume/grid.ts'
import { type LabelArray, type LabelMap, labelMapOf } from '../volume/labels.ts'
import { withRoomFor } from '../volume/one-grid.ts'
import type { Volume } from '../volume/volume.ts'
import { type Length, lengthMm, lengthPerAxisMm, oneOrPerAxis } from './lengths.ts'
import { realNumber } from './numbers.ts'
import { warn } from './print.ts'

/** The noise as options give it: σ, ℓ and how annotators differ beside them, or all of it in a file. */
export interface NoiseOptions {
  readonly sigma?: Length | readonly Length[]
  readonly length?: Length
  readonly presence?: number
  readonly bias?: number
  readonly tau?: number
  readonly noise?: string
}

/** Noise on a grid, mm; without ℓ where nothing asks for it. */
export type GridNoise = MarginalNoise & { readonly lengthMm?: number | undefined }

/** One noise of the command line. */
export interface GivenNoise {
  /** As titles show it. */
  readonly text: string
  /** On the grid of a map; of labels that move together. */
  on(grid: Grid, labels: readonly number[]): GridNoise
}

/** Adds how annotators differ beside σ and ℓ, and the file that has it all. */
export function withAnnotators(command: Command): Command {
  return command
    .option('--noise <file>', 'the noise of real annotators, as `halfdice raters -o` wrote it, in place of --sigma')
    .option(
      '--presence <q>',
      'probability that an annotator draws a class at all (default: 1)',
      realNumber('--presence', (q) => q > 0 && q <= 1, 'above 0 and at most 1'),
    )
    .option(
      '--bias <mm>',
      'how far outwards annotators draw outlines; negative is inwards (default: 0)',
      realNumber('--bias', () => true, 'of mm'),
    )
    .option(
      '--tau <mm>',
      'standard deviation of that bias between annotators (default: 0)',
      realNumber('--tau', (mm) => mm >= 0, 'of mm, 0 or more'),
    )
}

/**
 * The noises that options give.
 *
 * @param note told what is borrowed from other labels
 * @throws InputError where they give none, or two at once
 */
export function noisesOf(
  options: NoiseOptions,
  needs: { readonly length: boolean },
  note: (text: string) => void = warn,
): readonly GivenNoise[] {
  const { sigma, length, presence, bias, tau, noise } = options
  if (noise !== undefined) {
    const other = (['sigma', 'length', 'presence', 'bias', 'tau'] as const).find((key) => options[key] !== undefined)
    if (other !== undefined) throw new InputError('--noise', `gives all of the noise; leave out --${other}`)
    return [ofFile(readNoiseFile(noise), note)]
  }
  if (sigma === undefined) {
    throw new InputError('--sigma', "is missing; give the noise's strength in mm, or --noise with a fit of annotators")
  }
  if (needs.length && length === undefined) {
    throw new InputError('--length', "is missing; give the noise's length scale in mm")
  }
  return ([sigma].flat() as Length[]).map((one) => ({
    text: [
      `σ ${one.text}`,
      ...(needs.length && length ? [`ℓ ${length.text}`] : []),
      ...differences({ presence, biasMm: bias, biasSdMm: tau }),
    ].join(', '),
    on: (grid) => ({
      sigmaMm: lengthPerAxisMm('--sigma', one, grid),
      ...(length && { lengthMm: lengthMm('--length', length, grid) }),
      ...(presence !== undefined && { presence }),
      ...(bias !== undefined && { biasMm: bias }),
      ...(tau !== undefined && { biasSdMm: tau }),
    }),
  }))
}

function ofFile(file: NoiseFile, tell: (text: string) => void): GivenNoise {
  const told = new Set<string>()
  return {
    text: `noise of ${file.path}`,
    on: (_, labels) => {
      const note = borrowedNoise(file, labels)
      if (note !== undefined && !told.has(note)) tell(note)
      if (note !== undefined) told.add(note)
      return noiseOfLabels(file, labels)
    },
  }
}

/** `q 0.8, bias 0.5 mm, τ 0.3 mm`, as far as annotators differ in them. */
function differences({ presence = 1, biasMm = 0, biasSdMm = 0 }: Omit<MarginalNoise, 'sigmaMm'>): string[] {
  return [
    ...(presence < 1 ? [`q ${presence}`] : []),
    ...(biasMm !== 0 ? [`bias ${biasMm} mm`] : []),
    ...(biasSdMm > 0 ? [`τ ${biasSdMm} mm`] : []),
  ]
}

/** As results show a noise in JSON. */
export function noiseJson({ sigmaMm, lengthMm, presence, biasMm, biasSdMm }: GridNoise): {
  readonly sigmaMm: number | Vec3
  readonly lengthMm?: number
  readonly presence?: number
  readonly biasMm?: number
  readonly biasSdMm?: number
} {
  return {
    sigmaMm: oneOrPerAxis(sigmaMm),
    ...(lengthMm !== undefined && { lengthMm }),
    ...(presence !== undefined && { presence }),
    ...(biasMm !== undefined && { biasMm }),
    ...(biasSdMm !== undefined && { biasSdMm }),
  }
}

/** A map with room for what these noises may move beyond its slices (see `withRoomFor`). */
export function withRoomForNoise(
  noises: readonly MarginalNoise[],
  stored: Volume,
  { values }: LabelMap,
  input: string,
): { readonly volume: Volume; readonly values: LabelArray } {
  const farthest = (of: (noise: MarginalNoise) => number) => Math.max(...noises.map(of))
  const volume = withRoomFor(
    farthest(({ sigmaMm }) => sigmaMm[2]),
    stored,
    farthest(biasReachMm),
  )
  return { volume, values: volume === stored ? values : labelMapOf(volume, input).values }
}
