import { Command } from 'commander'
import { inProcesses } from './label-map-processes.ts'
import { withLabels } from './labels.ts'
import { parseLength } from './lengths.ts'
import { type MarginalOptions, marginalWork } from './marginal-case.ts'
import { noisesOf, withAnnotators } from './noise-options.ts'
import { type JsonOption, withJson, withThreads } from './options.ts'
import { outputPaths } from './outputs.ts'
import { type LabelOutcome, labelInputs, overLabelMaps } from './over-label-maps.ts'
import { millilitresOr } from './print.ts'

interface Options extends JsonOption, MarginalOptions {
  readonly output: string
  readonly suffix?: string
  readonly threads: number
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
  return withJson(withThreads(withLabels(withAnnotators(command), 'these classes only; of one class the image is 3-D')))
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  const found = await labelInputs(paths, options.suffix, options.labels)
  // Refused here where they are no noise; each case reads them again on its own grid.
  noisesOf(options, { length: false })
  const output = outputPaths(options.output, found)
  const { threads, json, ...rest } = options
  const work = inProcesses({
    title: 'marginals',
    threads,
    work: marginalWork,
    job: (one) => ({
      input: one.input,
      output: output(one),
      options: one.organ ? { ...rest, labels: undefined } : rest,
    }),
    outcome: ({ json: told, title, rows }): LabelOutcome => ({
      json: told,
      title,
      table: {
        keys: ['volume', 'label', 'name'],
        columns: ['reference ml', 'expected ml'].map((each) => ({ title: each, format: millilitresOr })),
        rows: rows.map(({ label, name, volumeMl, referenceMl }, channel) => ({
          keys: [channel, label, name ?? ''],
          values: [referenceMl, volumeMl],
        })),
      },
    }),
  })
  await overLabelMaps('marginal', found, json, work)
}
