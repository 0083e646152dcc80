import { dirname } from 'node:path'
import { Command } from 'commander'
import { createFolder } from '../formats/output-folder.ts'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import { labelMarginals } from '../noise/label-marginals.ts'
import { labelMapOf } from '../volume/labels.ts'
import { withRoomFor } from '../volume/one-grid.ts'
import { labelsToUse, readLabelNamesFor, withLabels } from './labels.ts'
import { type Length, lengthPerAxisMm, oneOrPerAxis, parseLength } from './lengths.ts'
import { type JsonOption, withJson } from './options.ts'
import { outputPaths } from './outputs.ts'
import { type LabelInput, type LabelOutcome, labelInputs, overLabelMaps } from './over-label-maps.ts'
import { millilitresOr } from './print.ts'
import { startProgress } from './progress.ts'

interface Options extends JsonOption {
  readonly output: string
  readonly sigma: Length
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
    .requiredOption('-o, --output <path>', 'float32 image of probabilities; of several label maps a folder')
    .requiredOption('-s, --sigma <length>', 'noise strength: 4 or 4mm, 2vx, or one an axis 4,4,6', (text) =>
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
  $ halfdice threshold liver_prob.nii.gz -o liver_best.nii.gz                the mask with the best expected Dice`,
    )
    .action(run)
  return withJson(withLabels(command, 'these classes only; of one class the image is 3-D'))
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  const found = await labelInputs(paths, options.suffix)
  const output = outputPaths(options.output, found)
  await overLabelMaps('marginal', found, options.json, (one) => marginalOf(one, output(one), options))
}

async function marginalOf(
  { input }: LabelInput,
  output: string,
  { sigma, labels: texts, background }: Options,
): Promise<LabelOutcome> {
  const stored = await readVolume(input)
  const sigmaMm = lengthPerAxisMm('--sigma', sigma, stored.grid)
  const reference = withRoomFor(sigmaMm[2], stored)
  const { grid } = reference
  const { values, labels } = labelMapOf(reference, input)
  const names = await readLabelNamesFor(input)
  const foreground = labelsToUse(input, labels, texts, names)
  const wanted = background && !foreground.includes(0) && labels.includes(0) ? [0, ...foreground] : foreground
  const progress = startProgress('marginals', wanted.length)
  const { data, volumes: rows } = labelMarginals(values, grid, wanted, sigmaMm, progress.update)
  progress.end()
  const { scaling: _, ...template } = reference
  await createFolder(dirname(output))
  await writeVolume(output, { ...template, channels: wanted.length, data })
  return {
    json: {
      input,
      output,
      sigmaMm: oneOrPerAxis(sigmaMm),
      channels: wanted,
      labels: Object.fromEntries(
        rows.map(({ label, ...volumes }) => {
          const name = names.of(label)
          return [label, { ...(name !== undefined && { name }), ...volumes }]
        }),
      ),
    },
    title: `${output}: probabilities under σ ${sigma.text}`,
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
