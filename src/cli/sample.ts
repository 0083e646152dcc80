import { join } from 'node:path'
import { Command } from 'commander'
import Tinypool from 'tinypool'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import { diceOf, type Overlap } from '../metrics/overlap.ts'
import { foldProbability } from '../noise/fold.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import { type LabelArray, labelMapOf, narrowed } from '../volume/labels.ts'
import { withRoomFor } from '../volume/one-grid.ts'
import type { Volume, VoxelArray } from '../volume/volume.ts'
import { labelsToUse, readLabelNamesFor, withLabels } from './labels.ts'
import { type Length, lengthMm, lengthPerAxisMm, oneOrPerAxis, parseLength } from './lengths.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, type RandomOptions, withJson, withRandom } from './options.ts'
import { checkOutputFolder, outputsInFolder, stem } from './outputs.ts'
import { fixed, millilitres, percent, printResult, table, warn } from './print.ts'
import { startProgress } from './progress.ts'
import { type SampleJob, type SampleTask, sampleDrawer } from './sample-worker.ts'

interface Options extends JsonOption, RandomOptions {
  readonly output: string
  readonly sigma: Length
  readonly length: Length
  readonly number: number
  readonly first: number
  readonly labels?: readonly string[]
}

/** `halfdice sample`: noisy versions of a label map. */
export function command(): Command {
  const command = new Command('sample')
    .description(
      'Draws noisy versions of a label map, as if other annotators had drawn it: a smooth random field moves every ' +
        'boundary by σ mm (standard deviation), in bumps of length scale ℓ. All classes move together.',
    )
    .argument('<labels>', 'reference label map (NIfTI, NRRD, MHA), one or several classes')
    .requiredOption('-o, --output <folder>', 'folder for NAME_0000.nii.gz, NAME_0001.nii.gz, …')
    .requiredOption('-s, --sigma <length>', 'noise strength: 4 or 4mm, 2vx, or one an axis 4,4,6', (text) =>
      parseLength('--sigma', text),
    )
    .requiredOption('-l, --length <length>', 'length scale of the noise, at least 3 σ as a rule', (text) =>
      parseLength('--length', text),
    )
    .option('-n, --number <count>', 'how many samples to draw', wholeNumber('--number', 1, 1_000_000), 1)
    .option(
      '--first <index>',
      'number of the first sample; a sample depends on seed and number only',
      wholeNumber('--first', 0),
      0,
    )
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice sample liver.nii.gz -o noisy --sigma 4 --length 12 -n 10
  $ halfdice sample kidney.nii.gz -o noisy --sigma 2,2,4 --length 8          σ of its own along each axis
  $ halfdice sample labels.nii.gz -o noisy --sigma 2vx --length 6vx --seed 7 --json

The table gives volume and Dice against the reference. Where ℓ is less than about 3 σ, the field folds onto itself
(torn-off islands); the folded share of space is printed, with a warning above 1 %.`,
    )
    .action(run)
  return withJson(withRandom(withLabels(command, 'keep these classes only')))
}

async function run(input: string, options: Options): Promise<void> {
  checkOutputFolder(options.output)
  const stored = await readVolume(input)
  const sigmaMm = lengthPerAxisMm('--sigma', options.sigma, stored.grid)
  const reference = withRoomFor(sigmaMm[2], stored)
  const { values: all, labels } = labelMapOf(reference, input)
  const name = await readLabelNamesFor(input)
  const foreground = labelsToUse(input, labels, options.labels, name)
  const values = options.labels === undefined ? all : onlyLabels(all, foreground)
  const { grid } = reference
  const model = { sigmaMm, lengthMm: lengthMm('--length', options.length, grid) }
  const fold = foldProbability(model, grid)
  const indices = Array.from({ length: options.number }, (_, i) => options.first + i)
  const names = indices.map((index) => `${stem(input)}_${String(index).padStart(4, '0')}.nii.gz`)
  const files = outputsInFolder(options.output, [input], names)
  if (fold > 0.01)
    warn(`${percent(fold)} of space is folded by this noise; a longer --length or a smaller --sigma avoids it`)

  const overlaps = new Map<number, Map<number, Overlap>>()
  const progress = startProgress('sampling', options.number)
  const job: SampleJob = { values, labels: foreground, grid, model, seed: options.seed }
  await drawSamples(job, indices, options.threads, async (task, overlap) => {
    await writeVolume(files[task.index - options.first], relabelled(reference, task.out))
    overlaps.set(task.index, overlap)
    progress.update(overlaps.size)
  }).finally(progress.end)

  const ml = voxelVolumeMm3(grid) / 1000
  const samples = indices.map((index, i) => ({
    file: files[i],
    labels: Object.fromEntries(
      [...(overlaps.get(index) ?? [])].map(([label, counts]) => [
        label,
        { ...nameOf(name.of(label)), voxels: counts.voxelsA, volumeMl: counts.voxelsA * ml, dice: diceOf(counts) },
      ]),
    ),
  }))
  const result = {
    input,
    seed: options.seed,
    sigmaMm: oneOrPerAxis(sigmaMm),
    lengthMm: model.lengthMm,
    foldProbability: fold,
    samples,
  }
  printResult(options.json, result, () => {
    const rows = foreground.map((label) => {
      const stats = samples.map((sample) => sample.labels[label])
      const volumes = stats.map((s) => s.volumeMl)
      const dices = stats.map((s) => s.dice)
      const referenceMl = (overlaps.get(indices[0])?.get(label)?.voxelsB ?? 0) * ml
      return [
        label,
        name.of(label) ?? '',
        millilitres(referenceMl),
        millilitres(mean(volumes)),
        millilitres(Math.min(...volumes)),
        millilitres(Math.max(...volumes)),
        fixed(mean(dices), 3),
        fixed(Math.min(...dices), 3),
        fixed(Math.max(...dices), 3),
      ]
    })
    const header = ['label', 'name', 'reference ml', 'mean ml', 'least', 'most', 'mean Dice', 'least', 'most']
    const last = files.length > 1 ? ` … ${names[names.length - 1]}` : ''
    return [
      `${join(options.output, names[0])}${last}`,
      `σ ${options.sigma.text}, ℓ ${options.length.text}, seed ${options.seed}; folded share of space ${percent(fold)}`,
      '',
      table(header, rows),
    ].join('\n')
  })
}

/** Draws the samples and hands each to `consume`, on one thread or several; a thread waits until its sample is consumed. */
async function drawSamples(
  job: SampleJob,
  indices: readonly number[],
  threads: number,
  consume: (task: SampleTask, overlap: Map<number, Overlap>) => Promise<void>,
): Promise<void> {
  const lanes = Math.min(threads, indices.length)
  if (lanes === 1) {
    const draw = sampleDrawer(job)
    const out = job.values.slice()
    for (const index of indices) await consume({ index, out }, draw({ index, out }))
    return
  }
  const data = { ...job, values: shared(job.values) }
  const pool = new Tinypool({
    filename: new URL('./sample-worker.js', import.meta.url).href,
    minThreads: lanes,
    maxThreads: lanes,
    workerData: data,
  })
  let next = 0
  let failed = false
  const lane = async () => {
    const out = shared(job.values)
    try {
      while (next < indices.length && !failed) {
        const task = { index: indices[next++], out }
        await consume(task, await pool.run(task, { name: 'run' }))
      }
    } catch (error) {
      failed = true
      throw error
    }
  }
  try {
    await Promise.all(Array.from({ length: lanes }, lane))
  } finally {
    await pool.destroy()
  }
}

/** A copy in memory that threads share. */
function shared<A extends LabelArray>(values: A): A {
  const copy = new (values.constructor as new (buffer: SharedArrayBuffer) => A)(
    new SharedArrayBuffer(values.byteLength),
  )
  copy.set(values)
  return copy
}

/** The reference with other labels, stored in its own type; labels behind a slope are stored as they are. */
function relabelled(reference: Volume, values: LabelArray): Volume {
  const { scaling, ...plain } = reference
  if (scaling) return { ...plain, data: narrowed(values) }
  if (plain.data.constructor === values.constructor) return { ...plain, data: values }
  const data = new (plain.data.constructor as new (n: number) => VoxelArray)(values.length)
  data.set(values)
  return { ...plain, data }
}

/** A copy of a label map in which all labels but these are background. */
function onlyLabels(values: LabelArray, labels: readonly number[]): LabelArray {
  return values.map((label) => (labels.includes(label) ? label : 0))
}

function nameOf(name: string | undefined): { name?: string } {
  return name === undefined ? {} : { name }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
