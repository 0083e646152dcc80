import { Command } from 'commander'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import { labelMarginals } from '../noise/label-marginals.ts'
import { labelMapOf } from '../volume/labels.ts'
import { withRoomFor } from '../volume/one-grid.ts'
import { labelsToUse, readLabelNamesFor, withLabels } from './labels.ts'
import { type Length, lengthPerAxisMm, oneOrPerAxis, parseLength } from './lengths.ts'
import { type JsonOption, withJson } from './options.ts'
import { checkOutputImage } from './outputs.ts'
import { millilitres, printResult, table } from './print.ts'
import { startProgress } from './progress.ts'

interface Options extends JsonOption {
  readonly output: string
  readonly sigma: Length
  readonly labels?: readonly string[]
  readonly background?: boolean
}

/** `halfdice marginal`: the exact probability of each class under the noise. */
export function command(): Command {
  const command = new Command('marginal')
    .description(
      'Computes, in closed form, the probability of each class at every voxel when the label map is moved by noise ' +
        'of strength σ: the share of noisy labels (see sample) that has the class there. It does not depend on the ' +
        'length scale.',
    )
    .argument('<labels>', 'reference label map (NIfTI, nrrdText, MHA), one or several classes')
    .requiredOption('-o, --output <file>', 'float32 image of probabilities')
    .requiredOption('-s, --sigma <length>', 'noise strength: 4 or 4mm, 2vx, or one an axis 4,4,6', (text) =>
      parseLength('--sigma', text),
    )
    .option('--background', 'also label 0, first, so that the volumes sum to 1')
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice marginal liver.nii.gz -o liver_prob.nii.gz --sigma 4
  $ halfdice marginal organs.nii.gz -o organs_prob.nii.gz --sigma 4          4-D, one volume a class, ascending
  $ halfdice marginal organs.nii.gz -o spleen_prob.nii.gz --sigma 4 --labels 2
  $ halfdice threshold liver_prob.nii.gz -o liver_best.nii.gz                the mask with the best expected Dice`,
    )
    .action(run)
  return withJson(withLabels(command, 'these classes only; of one class the image is 3-D'))
}

async function run(input: string, { output, sigma, labels: texts, background, json }: Options): Promise<void> {
  checkOutputImage(output, [input])
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
  await writeVolume(output, { ...template, channels: wanted.length, data })
  const result = {
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
  }
  printResult(json, result, () =>
    [
      `${output}: probabilities under σ ${sigma.text}`,
      '',
      table(
        ['volume', 'label', 'name', 'reference ml', 'expected ml'],
        rows.map(({ label, volumeMl, referenceMl }, channel) => [
          channel,
          label,
          names.of(label) ?? '',
          millilitres(referenceMl),
          millilitres(volumeMl),
        ]),
      ),
    ].join('\n'),
  )
}
