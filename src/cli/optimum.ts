import { Command } from 'commander'
import { writeAtomically } from '../formats/atomic-write.ts'
import { estimateDecimals, estimateParts } from '../report/kit/estimate.ts'
import { optimumFigure } from '../report/optimum/figure.ts'
import { InputError } from '../volume/errors.ts'
import type { Vec3 } from '../volume/grid.ts'
import { inProcesses } from './label-map-processes.ts'
import { withLabels } from './labels.ts'
import { type Length, parseLength } from './lengths.ts'
import { noisesOf, withAnnotators } from './noise-options.ts'
import { wholeNumber } from './numbers.ts'
import { type OptimumOptions, type OptimumRow, optimumWork } from './optimum-case.ts'
import { type JsonOption, withJson, withThreads } from './options.ts'
import { checkOutputFile } from './outputs.ts'
import { fieldName, type LabelOutcome, labelInputs, overLabelMaps } from './over-label-maps.ts'
import { fixed, millilitresOr, percent, table } from './print.ts'

interface Options extends JsonOption, OptimumOptions {
  readonly plot?: string
  readonly suffix?: string
  readonly threads: number
}

/** `halfdice optimum`: what to expect under the noise, before any network is trained. */
export function command(): Command {
  const command = new Command('optimum')
    .description(
      'Tells what a perfect network could reach on noisy labels: for each class and noise strength σ the best ' +
        'expected Dice D*, the threshold t* = D*/2 that reaches it, what the cut at 1/2 loses, and the volumes of ' +
        'both masks.',
    )
    .argument('<labels...>', 'reference label maps, one or several classes: files, a folder, a pattern')
    .option(
      '-s, --sigma <lengths...>',
      'noise strengths, separated by spaces: 1 2 4 8; a comma joins the axes of one: 4,4,6',
      (text: string, before: readonly Length[] | undefined) => [...(before ?? []), parseLength('--sigma', text)],
    )
    .option('-l, --length <length>', 'length scale of the noise: adds the folding probability', (text) =>
      parseLength('--length', text),
    )
    .option('--suffix <text>', "what file names have more than the case's name: _seg for CASE_seg.nii.gz")
    .option('--plot <file>', 'also draw it, as an SVG figure (of one label map)')
    .option(
      '--samples <count>',
      'also the mean Dice of both masks over so many sampled labels (needs --length)',
      wholeNumber('--samples', 2, 1_000_000),
    )
    .option('--seed <number>', 'fixes the sampled labels', wholeNumber('--seed', 0, 0xffffffff), 0)
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice optimum liver.nii.gz --sigma 1 2 4 8
  $ halfdice optimum organs.nii.gz --sigma 2 4 --length 12 --plot organs.svg
  $ halfdice optimum labelsTr --sigma 1 2                      a folder of label maps, and their mean
  $ halfdice optimum kidney.nii.gz --sigma 2,2,4 4,4,8 --json
  $ halfdice optimum liver.nii.gz --sigma 4 8 --length 24 --samples 200
  $ halfdice optimum nodule.nii.gz --sigma 1 --presence 0.8    a fifth of the annotators leaves the nodule out
  $ halfdice optimum labelsTr --noise fit.json                 as noisy as real annotators are (see raters)

Dice is the soft Dice 2 Σ s·m / (‖s‖ + ‖m‖), which the soft-Dice loss maximises; volumes are relative to the expected
volume ‖m‖. Where 'Dice at 1/2' falls behind D*, a cross-entropy network cut at 1/2 loses that much, and a mask cut at
t* (halfdice threshold) gets it back. --samples draws noisy labels and scores the masks {m ≥ t} against them: the mean
Dice is not quite the soft Dice where volumes vary, and the regret is what the best threshold would have had over t*.
Where annotators may leave a class out, the empty mask has an expected Dice of 1 - q, which no threshold can see.`,
    )
    .action(run)
  return withJson(withThreads(withLabels(withAnnotators(command), 'these classes only')))
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  const { length, noise, plot, samples } = options
  // Refused here where they are no noise; each case reads them again on its own grid.
  noisesOf(options, { length: false })
  if (samples !== undefined && length === undefined && noise === undefined) {
    throw new InputError('--samples', 'noisy labels need a length scale; add --length')
  }
  const found = await labelInputs(paths, options.suffix, options.labels)
  if (plot !== undefined) {
    if (!/\.svg$/i.test(plot)) throw new InputError(plot, 'the figure is SVG; end its name in .svg')
    if (!found.single) throw new InputError('--plot', `draws one label map, not ${found.inputs.length}; give one`)
    checkOutputFile(plot, [found.inputs[0].input])
  }
  const { threads, json, plot: _, ...rest } = options
  let drawn: readonly OptimumRow[] = []
  const work = inProcesses({
    title: 'optima',
    threads,
    work: optimumWork,
    job: (one) => ({
      input: one.input,
      field: fieldName(one),
      options: one.organ ? { ...rest, labels: undefined } : rest,
    }),
    outcome: ({ json: told, rows }) => {
      drawn = rows
      return { json: told, ...described(rows, told.input) }
    },
  })
  await overLabelMaps('optimum', found, json, async (inputs) => {
    const outcomes = await work(inputs)
    if (plot !== undefined && drawn.length > 0) {
      const figure = optimumFigure(drawn.map((row) => ({ ...row, label: row.name ?? row.label })))
      await writeAtomically(plot, [new TextEncoder().encode(figure)])
    }
    return outcomes
  })
}

function described(rows: readonly OptimumRow[], input: string): Omit<LabelOutcome, 'json'> {
  const folds = rows.some((row) => row.foldProbability !== undefined)
  const named = rows.some((row) => row.name !== undefined)
  const absent = rows.some((row) => row.emptyDice !== undefined)
  const digits = (places: number) => (value: number | undefined) => fixed(value, places)
  return {
    title: `${input}: optimal masks under label noise (volumes relative to the expected volume)`,
    table: {
      keys: ['label', ...(named ? ['name'] : []), 'σ mm'],
      columns: [
        { title: 'D*', format: digits(4) },
        { title: 't*', format: digits(4) },
        { title: 'Dice at 1/2', format: digits(4) },
        { title: 'lost at 1/2', format: digits(4) },
        ...(absent ? [{ title: 'empty mask', format: digits(4) }] : []),
        { title: 'volume at 1/2', format: digits(3) },
        { title: 'volume at t*', format: digits(3) },
        { title: 'expected ml', format: millilitresOr },
        ...(folds ? [{ title: 'folded', format: (share: number | undefined) => percent(share ?? 0) }] : []),
      ],
      rows: rows.map((row) => ({
        keys: [row.label, ...(named ? [row.name ?? ''] : []), sigmaText(row.sigmaMm)],
        values: [
          row.supDice,
          row.threshold,
          row.diceAtHalf,
          row.supDice - row.diceAtHalf,
          ...(absent ? [row.emptyDice ?? 0] : []),
          row.volumeRatioHalf,
          row.volumeRatioDice,
          row.probabilityVolumeMl,
          ...(folds ? [row.foldProbability ?? 0] : []),
        ],
      })),
    },
    more: describeSampled(rows),
  }
}

function sigmaText(sigmaMm: number | Vec3): string {
  return [sigmaMm]
    .flat()
    .map((s) => Number(s.toFixed(3)))
    .join(',')
}

function describeSampled(rows: readonly OptimumRow[]): string[] {
  const gains = rows.flatMap(({ expectedDice }) => expectedDice?.gain ?? [])
  const style = { decimals: estimateDecimals(gains, 4), signed: true }
  const cells = rows.flatMap(({ label, name, sigmaMm, expectedDice }) => {
    if (expectedDice === undefined) return []
    const { atHalf, atOptimum, best, gain, regret } = expectedDice
    const sigma = [sigmaMm].flat().map((s) => Number(s.toFixed(3)))
    const gained = estimateParts({ ...gain, value: gain.mean }, style)
    return [
      [
        name ?? label,
        sigma.join(','),
        fixed(atHalf.mean, 4),
        fixed(atOptimum.mean, 4),
        `${gained.value} (${gained.low} to ${gained.high})`,
        fixed(best.threshold, 3),
        fixed(regret.mean, 4),
      ],
    ]
  })
  if (cells.length === 0) return []
  const header = [
    'label',
    'σ mm',
    'Dice at 1/2',
    'Dice at t*',
    'gain (95 % interval)',
    'best threshold',
    'regret of t*',
  ]
  return ['', 'Mean Dice against sampled noisy labels:', '', table(header, cells)]
}
