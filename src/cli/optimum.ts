import { Command } from 'commander'
import { type LabelOptimum, labelOptima } from '../decision/label-optima.ts'
import { writeAtomically } from '../formats/atomic-write.ts'
import { readVolume } from '../formats/volume-file.ts'
import { estimateDecimals, estimateParts } from '../report/kit/estimate.ts'
import { optimumFigure } from '../report/optimum/figure.ts'
import { InputError } from '../volume/errors.ts'
import type { Vec3 } from '../volume/grid.ts'
import { labelsToUse } from '../volume/label-names.ts'
import { labelMapOf } from '../volume/labels.ts'
import { streamSeed } from '../volume/random.ts'
import { foldWarning } from './fold-warning.ts'
import { readLabelNamesFor, withLabels } from './labels.ts'
import { type Length, parseLength } from './lengths.ts'
import {
  type GivenNoise,
  type NoiseOptions,
  noiseJson,
  noisesOf,
  withAnnotators,
  withRoomForNoise,
} from './noise-options.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { checkOutputFile } from './outputs.ts'
import { fieldName, type LabelInput, type LabelOutcome, labelInputs, overLabelMaps } from './over-label-maps.ts'
import { fixed, millilitresOr, percent, table, warn } from './print.ts'
import { startProgress } from './progress.ts'

interface Options extends JsonOption, NoiseOptions {
  readonly sigma?: readonly Length[]
  readonly labels?: readonly string[]
  readonly plot?: string
  readonly samples?: number
  readonly seed: number
  readonly suffix?: string
}

interface Row extends Omit<LabelOptimum, 'sigmaMm'> {
  readonly name?: string
  /** One number where all axes have the same. */
  readonly sigmaMm: number | Vec3
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
  return withJson(withLabels(withAnnotators(command), 'these classes only'))
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  const { length, noise, plot, samples } = options
  const noises = noisesOf(options, { length: false })
  if (samples !== undefined && length === undefined && noise === undefined) {
    throw new InputError('--samples', 'noisy labels need a length scale; add --length')
  }
  const found = await labelInputs(paths, options.suffix)
  if (plot !== undefined) {
    if (!/\.svg$/i.test(plot)) throw new InputError(plot, 'the figure is SVG; end its name in .svg')
    if (!found.single) throw new InputError('--plot', `draws one label map, not ${found.inputs.length}; give one`)
    checkOutputFile(plot, [found.inputs[0].input])
  }
  await overLabelMaps('optimum', found, options.json, (one) => optimumOf(one, options, noises))
}

async function optimumOf(one: LabelInput, options: Options, given: readonly GivenNoise[]): Promise<LabelOutcome> {
  const { input } = one
  const { plot, samples, seed } = options
  const stored = await readVolume(input)
  const map = labelMapOf(stored, input)
  const names = await readLabelNamesFor(input)
  const wanted = labelsToUse(input, map.labels, options.labels, names)
  const noises = wanted.map((label) => given.map((each) => each.on(stored.grid, [label])))
  const { volume, values } = withRoomForNoise(noises.flat(), stored, map, input)
  const progress = startProgress('optima', noises.flat().length)
  const rows: Row[] = []
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
      samples: samples === undefined ? undefined : { count: samples, seed: streamSeed(seed, fieldName(one)) },
      onProgress: (done) => progress.update(rows.length + done),
    })
    const name = names.of(label)
    const named = { label, ...(name !== undefined && { name }) }
    rows.push(
      ...optima.map(
        ({ label: _, sigmaMm, ...rest }): Row => ({
          ...named,
          ...noiseJson({ ...annotators, sigmaMm, lengthMm: shared ? undefined : lengthMm }),
          ...rest,
        }),
      ),
    )
  }
  progress.end()
  const scaleMm = shared ? noises[0][0].lengthMm : undefined
  const folded = foldWarning(...rows.map((row) => row.foldProbability ?? 0))
  if (folded !== undefined) warn(folded)
  if (plot !== undefined)
    await writeAtomically(plot, [
      new TextEncoder().encode(optimumFigure(rows.map((row) => ({ ...row, label: row.name ?? row.label })))),
    ])
  return { json: { input, ...(scaleMm !== undefined && { lengthMm: scaleMm }), rows }, ...described(rows, input) }
}

function described(rows: readonly Row[], input: string): Omit<LabelOutcome, 'json'> {
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

function describeSampled(rows: readonly Row[]): string[] {
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
