import { statSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import type { CarryMode } from '../datasets/carry-files.ts'
import { layoutOf } from '../datasets/noisy-layout.ts'
import { InputError } from '../volume/errors.ts'
import { inProcesses } from './label-map-processes.ts'
import { withLabels } from './labels.ts'
import { type Length, parseLength } from './lengths.ts'
import { type NoiseOptions, noisesOf, withAnnotators } from './noise-options.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, type RandomOptions, withJson, withRandom } from './options.ts'
import { checkOutputFolder, checkOutputImage, imageEnding, outputsInFolder } from './outputs.ts'
import { fieldName, type LabelInput, labelInputs, overLabelMaps } from './over-label-maps.ts'
import { sampleOutcome, sampleWork } from './sample-case.ts'

/** What the command line gives to `halfdice sample`. */
export interface SampleOptions extends JsonOption, RandomOptions, NoiseOptions {
  readonly output: string
  readonly sigma?: Length
  readonly length?: Length
  readonly number: number
  readonly first: number
  readonly labels?: readonly string[] | undefined
  readonly images: CarryMode
  readonly suffix?: string
}

/** `halfdice sample`: noisy versions of a label map. */
export function command(): Command {
  const command = new Command('sample')
    .description(
      'Draws noisy versions of a label map, as if other annotators had drawn it: a smooth random field moves every ' +
        'boundary by σ mm (standard deviation), in bumps of length scale ℓ. All classes move together.',
    )
    .argument(
      '<labels...>',
      'reference label maps, one or several classes: files, a folder, a pattern; or the folder of a data set',
    )
    .requiredOption(
      '-o, --output <folder>',
      'folder for NAME_0000.nii.gz, NAME_0001.nii.gz, …; of one sample of several label maps for NAME.nii.gz; of one ' +
        'sample of one label map also a file',
    )
    .option('-s, --sigma <length>', 'noise strength: 4 or 4mm, 2vx, or one an axis 4,4,6', (text) =>
      parseLength('--sigma', text),
    )
    .option('-l, --length <length>', 'length scale of the noise, at least 3 σ as a rule', (text) =>
      parseLength('--length', text),
    )
    .option('-n, --number <count>', 'how many samples to draw', wholeNumber('--number', 1, 1_000_000), 1)
    .option(
      '--first <index>',
      'number of the first sample; a sample depends on seed, name and number only',
      wholeNumber('--first', 0),
      0,
    )
    .addOption(
      new Option('--images <how>', 'of a data set: link its images (they take no space) or copy them')
        .choices(['link', 'copy'])
        .default('link'),
    )
    .option('--suffix <text>', 'what label maps add to the name of their case: _seg', '')
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice sample liver.nii.gz -o noisy --sigma 4 --length 12 -n 10
  $ halfdice sample kidney.nii.gz -o noisy --sigma 2,2,4 --length 8          σ of its own along each axis
  $ halfdice sample labels.nii.gz -o noisy --sigma 2vx --length 6vx --seed 7 --json
  $ halfdice sample liver.nii.gz -o noisy --noise fit.json -n 10             as noisy as real annotators (see raters)
  $ halfdice sample Dataset004_Hippocampus -o Dataset104_Noisy --sigma 1 --length 4    a whole data set, to train on

The noise depends on --seed, the file's name without its ending and the sample's number: cases of other names move by
other fields, the same name in another folder by the same one.

A data set (nnU-Net's raw layout, TotalSegmentator's, folders 'images' and 'labels') becomes one of the same layout,
with the labels that a joint study draws for the same seed and noise; several samples are data sets of their own number.
It appears when it is finished; a run that was killed goes on when it is started again (docs/reproducibility.md).

The table gives volume and Dice against the reference. Where ℓ is less than about 3 σ, the field folds onto itself
(torn-off islands); the folded share of space is printed, with a warning above 1 %.`,
    )
    .action(run)
  return withJson(withRandom(withLabels(withAnnotators(command), 'keep these classes only')))
}

async function run(paths: readonly string[], options: SampleOptions): Promise<void> {
  // Refused here where it is no noise; each label map reads it again on its own grid.
  const [noise] = noisesOf(options, { length: true })
  if (paths.length === 1 && layoutOf(paths[0]) !== undefined) {
    return (await import('./sample-dataset.ts')).sampleDataset(paths[0], options, noise)
  }
  const found = await labelInputs(paths, options.suffix, options.labels)
  const inputs = found.inputs.map(({ input }) => input)
  const indices = Array.from({ length: options.number }, (_, i) => options.first + i)
  const single = found.single && namesOneImage(options)
  if (single) checkOutputImage(options.output, inputs)
  else checkOutputFolder(options.output)
  // One sample of each of several label maps is called as the label map is, so that the two folders are pairs.
  const bare = !found.single && options.number === 1 && options.first === 0
  const namesOf = ({ name }: LabelInput) =>
    indices.map((index) => `${name}${bare ? '' : `_${String(index).padStart(4, '0')}`}.nii.gz`)
  const each = (path: string) => indices.map(() => path)
  if (!single) outputsInFolder(options.output, inputs.flatMap(each), found.inputs.flatMap(namesOf))
  const { threads, json, ...rest } = options
  const work = inProcesses({
    title: 'sampling',
    threads,
    work: sampleWork,
    job: (one) => ({
      input: one.input,
      field: fieldName(one),
      files: single ? [options.output] : namesOf(one).map((name) => join(options.output, name)),
      inFolder: !single,
      indices,
      // What the label maps leave of the threads goes to the samples of each.
      threads: Math.max(1, Math.floor(threads / inputs.length)),
      options: one.organ ? { ...rest, labels: undefined } : rest,
    }),
    outcome: sampleOutcome,
  })
  await overLabelMaps('sample', found, json, work)
}

/** Whether `-o` names one image file; several samples do not fit into one. */
function namesOneImage({ output, number }: SampleOptions): boolean {
  if (imageEnding(output) === undefined || statSync(output, { throwIfNoEntry: false })?.isDirectory()) return false
  if (number === 1) return true
  throw new InputError(output, `names one file for ${number} samples; give a folder`)
}
