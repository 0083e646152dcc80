import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Command } from 'commander'
import { createFolder } from '../formats/output-folder.ts'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import { labelMarginals } from '../noise/label-marginals.ts'
import type { MarginalNoise } from '../noise/model.ts'
import { labelsToUse } from '../volume/label-names.ts'
import { labelMapOf } from '../volume/labels.ts'
import { readLabelNamesFor, withLabels } from './labels.ts'
import { parseLength } from './lengths.ts'
import {
  type GivenNoise,
  type NoiseOptions,
  noiseJson,
  noisesOf,
  withAnnotators,
  withRoomForNoise,
} from './noise-options.ts'
import { type JsonOption, withJson } from './options.ts'
import { outputPaths } from './outputs.ts'
import { type LabelInput, type LabelOutcome, labelInputs, overLabelMaps } from './over-label-maps.ts'
import { millilitresOr } from './print.ts'
import { startProgress } from './progress.ts'

interface Options extends JsonOption, NoiseOptions {
  readonly output: string
  readonly labels?: readonly string[]
  readonly background?: boolean
  readonly suffix?: string
}

/** `halfdice marginal`: the exact probability of each class under the noise. */
export function command(): Command {
  const command = new Command('marginal')
    .description(
      'Computes, in closed form, the probability of each class at every voxel when the label map is moved by noise ' +
        'of strength σ: the share of noisy labels (see sample) that has the class there. It does not depend on the ' +
        'length scale.',
    )
    .argument('<labels...>', 'reference label maps, one or several classes: files, a folder, a pattern')
    .requiredOption('-o, --output <path>', 'float32 image of probabilities, or a folder for NAME.nii.gz')
    .option('-s, --sigma <length>', 'noise strength: 4 or 4mm, 2vx, or one an axis 4,4,6', (text) =>
      parseLength('--sigma', text),
    )
    .option('--suffix <text>', "what file names have more than the case's name: _seg for CASE_seg.nii.gz")
    .option('--background', 'also label 0, first, so that the volumes sum to 1')
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice marginal liver.nii.gz -o liver_prob.nii.gz --sigma 4
  $ halfdice marginal organs.nii.gz -o organs_prob.nii.gz --sigma 4          4-D, one volume a class, ascending
  $ halfdice marginal organs.nii.gz -o spleen_prob.nii.gz --sigma 4 --labels 2
  $ halfdice marginal labelsTr -o probabilities --sigma 2                    a folder of label maps
  $ halfdice marginal nodule.nii.gz -o prob.nii.gz --sigma 1 --presence 0.8  a fifth of the annotators leaves it out
  $ halfdice marginal liver.nii.gz -o liver_prob.nii.gz --noise fit.json     as noisy as annotators are (see raters)
  $ halfdice threshold liver_prob.nii.gz -o liver_best.nii.gz                the mask with the best expected Dice`,
    )
    .action(run)
  return withJson(withLabels(withAnnotators(command), 'these classes only; of one class the image is 3-D'))
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  const found = await labelInputs(paths, options.suffix)
  const [noise] = noisesOf(options, { length: false })
  const output = outputPaths(options.output, found)
  await overLabelMaps('marginal', found, options.json, (one) => marginalOf(one, output(one), options, noise))
}

async function marginalOf(
  { input }: LabelInput,
  output: string,
  { labels: texts, background }: Options,
  given: GivenNoise,
): Promise<LabelOutcome> {
  const stored = await readVolume(input)
  const map = labelMapOf(stored, input)
  const names = await readLabelNamesFor(input)
  const foreground = labelsToUse(input, map.labels, texts, names)
  const wanted = background && !foreground.includes(0) && map.labels.includes(0) ? [0, ...foreground] : foreground
  const noises = new Map(wanted.map((label) => [label, given.on(stored.grid, [label])]))
  const { volume: reference, values } = withRoomForNoise([...noises.values()], stored, map, input)
  const progress = startProgress('marginals', wanted.length)
  const { data, volumes: rows } = labelMarginals(values, reference.grid, wanted, noises, progress.update)
  progress.end()
  const { scaling: _, ...template } = reference
  await createFolder(dirname(output))
  // The template's names are those of labels, which probabilities are not.
  await writeVolume(output, { ...template, labelNames: new Map(), channels: wanted.length, data })
  const [first, ...others] = noises.values()
  const shared = others.every((one) => isDeepStrictEqual(one, first)) ? first : undefined
  return {
    json: {
      input,
      output,
      // The noise of all labels, or of each its own.
      ...(shared && noiseJson(shared)),
      channels: wanted,
      labels: Object.fromEntries(
        rows.map(({ label, ...volumes }) => {
          const name = names.of(label)
          const own = shared ? {} : noiseJson(noises.get(label) as MarginalNoise)
          return [label, { ...(name !== undefined && { name }), ...own, ...volumes }]
        }),
      ),
    },
    title: `${output}: probabilities under ${given.text}`,
    table: {
      keys: ['volume', 'label', 'name'],
      columns: ['reference ml', 'expected ml'].map((title) => ({ title, format: millilitresOr })),
      rows: rows.map(({ label, volumeMl, referenceMl }, channel) => ({
        keys: [channel, label, names.of(label) ?? ''],
        values: [referenceMl, volumeMl],
      })),
    },
  }
}
