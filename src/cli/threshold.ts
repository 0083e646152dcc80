import { Command, Option } from 'commander'
import { thresholdMask } from '../decision/mask.ts'
import { PooledSoftDice } from '../decision/pooled-soft-dice.ts'
import { type SoftDiceOptimum, softDiceOptimum } from '../decision/soft-dice.ts'
import { softDiceAt } from '../decision/soft-dice-at.ts'
import { openVolume, writeVolume } from '../formats/volume-file.ts'
import { InputError } from '../volume/errors.ts'
import { voxelCount, voxelVolumeMm3 } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { realNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import {
  checkOutputFolder,
  checkOutputImage,
  createFolder,
  imageEnding,
  namesFolder,
  outputsInFolder,
} from './outputs.ts'
import { fixed, millilitres, printResult, table } from './print.ts'
import { openProbabilityFile, type ProbabilitySource } from './probability-source.ts'
import { startProgress } from './progress.ts'

type Metric = 'dice' | 'iou' | 'accuracy'

interface Options extends JsonOption {
  readonly output: string
  readonly scope: 'case' | 'dataset'
  readonly metric: Metric
  readonly at?: number
  readonly scale?: number
  readonly like?: string
}

/** What is told about one map's mask. */
interface MaskSummary {
  readonly threshold: number
  /** D*, the most that any mask of this map can be expected to reach. */
  readonly supDice: number
  /** The expected (soft) Dice of the mask that was written, and of the cut at ½. */
  readonly dice: number
  readonly diceAtHalf: number
  readonly volumeMl: number
  readonly volumeHalfMl: number
  /** ‖m‖: the volume that the probabilities add up to. */
  readonly probabilityVolumeMl: number
}

/** `halfdice threshold`: masks from a network's probabilities. */
export function command(): Command {
  const command = new Command('threshold')
    .description(
      'Cuts probability maps where the expected Dice is largest: at t* = D*/2, half of the best Dice that the map allows,\n' +
        'instead of at 1/2. Needs no labels and no retraining.',
    )
    .argument('<probabilities...>', 'probability maps: 3-D for one class, 4-D for one map a class (NIfTI, NRRD, MHA)')
    .requiredOption('-o, --output <path>', 'mask file; a folder where there are several inputs')
    .addOption(
      new Option('--scope <scope>', 'a threshold of its own for each case, or one for all of them pooled')
        .choices(['case', 'dataset'])
        .default('case'),
    )
    .addOption(
      new Option(
        '--metric <metric>',
        'what the mask is to maximise (IoU has the same mask as Dice; accuracy cuts at 1/2)',
      )
        .choices(['dice', 'iou', 'accuracy'])
        .default('dice'),
    )
    .option(
      '--at <threshold>',
      'cut here instead, and tell what it is worth',
      realNumber('--at', (t) => t > 0 && t <= 1, 'greater than 0 and at most 1'),
    )
    .option(
      '--scale <number>',
      'what stands for probability 1 in the files (255, 65535, 100 …)',
      realNumber('--scale', (s) => s > 0, 'greater than 0'),
    )
    .option('--like <image>', 'take geometry and header of the masks from this image')
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice threshold prob.nii.gz -o mask.nii.gz
  $ halfdice threshold predictions/*.nii.gz -o masks                 a threshold for each case
  $ halfdice threshold predictions/*.nii.gz -o masks --scope dataset one for all, best for the pooled Dice
  $ halfdice threshold prob.nii.gz -o mask.nii.gz --at 0.5 --json    what the usual cut would be worth
  $ halfdice threshold posterior.nii.gz -o mask.nii.gz --scale 255   probabilities stored as 0…255

A 4-D input gives a 4-D mask, each class cut on its own. The Dice values are what the probabilities promise: they hold
as far as the network is calibrated ('halfdice evaluate' measures that where there are references).`,
    )
    .action(run)
  return withJson(command)
}

async function run(inputs: readonly string[], options: Options): Promise<void> {
  const { output, scope, metric } = options
  const single = inputs.length === 1 && !namesFolder(output)
  if (single) checkOutputImage(output, inputs)
  else checkOutputFolder(output)
  if (!single && imageEnding(output) !== undefined) {
    throw new InputError(output, `names one file for ${inputs.length} inputs; give a folder`)
  }
  const sources = await openAll(inputs, options)
  const endings = inputs.map((input) => imageEnding(input) ?? '.nii.gz')
  const outputs = single
    ? [output]
    : outputsInFolder(
        output,
        inputs,
        sources.map(({ name }, i) => name + endings[i]),
      )
  const progress = startProgress('thresholding', sources.length * (scope === 'dataset' ? 3 : 1))
  let done = 0
  const step = () => progress.update(++done)
  const pooled = scope === 'dataset' ? await pool(sources, step) : undefined
  const cases: Case[] = []
  try {
    for (const [i, source] of sources.entries()) {
      const { mask, maps } = await cut(source, (c, optimum) => {
        return options.at ?? (metric === 'accuracy' ? 0.5 : (pooled?.[c] ?? optimum).threshold)
      })
      if (!single) createFolder(output)
      await writeVolume(outputs[i], mask)
      cases.push({ input: source.input, output: outputs[i], ...(maps.length === 1 ? maps[0] : { maps }) })
      step()
    }
  } finally {
    progress.end()
  }
  const summary = pooled?.map(({ threshold, supDice, diceAtHalf }) => ({ threshold, supDice, diceAtHalf }))
  const dataset = summary && (summary.length === 1 ? summary[0] : { maps: summary })
  printResult(options.json, { scope, metric, ...(dataset && { dataset }), cases }, () =>
    describe(cases, options, summary),
  )
}

/** Opens every input before anything is written, with the geometry of `--like` where that is given. */
async function openAll(inputs: readonly string[], options: Options): Promise<ProbabilitySource[]> {
  const sources: ProbabilitySource[] = []
  for (const input of inputs) sources.push(await openProbabilityFile(input, options))
  const other = sources.find(({ channels }) => channels !== sources[0].channels)
  if (options.scope === 'dataset' && other) {
    throw new InputError(
      other.input,
      `has ${other.channels} maps, ${sources[0].input} has ${sources[0].channels}; pool cases of the same classes only`,
    )
  }
  if (options.like === undefined) return sources
  const like = await openVolume(options.like)
  await like.close()
  return sources.map((source) => {
    const [have, want] = [source.grid.shape.join('×'), like.grid.shape.join('×')]
    if (have !== want) {
      throw new InputError(
        source.input,
        `has ${have} voxels, ${options.like} has ${want}; give the image it belongs to`,
      )
    }
    return { ...source, grid: like.grid, header: like.header }
  })
}

/** The optimum of each class over all cases pooled, in two passes over the files. */
async function pool(sources: readonly ProbabilitySource[], step: () => void): Promise<SoftDiceOptimum[]> {
  const pools = Array.from({ length: sources[0].channels }, () => new PooledSoftDice())
  const pass = async () => {
    for (const source of sources) {
      let channel = 0
      for await (const m of source.maps()) pools[channel++].add(m)
      step()
    }
  }
  await pass()
  for (const each of pools) each.refine()
  await pass()
  return pools.map((each) => each.optimum())
}

/** Cuts each map of a case; `choose` names the threshold, given the map's own optimum. */
async function cut(
  source: ProbabilitySource,
  choose: (channel: number, optimum: SoftDiceOptimum) => number,
): Promise<{ mask: Volume; maps: MaskSummary[] }> {
  const { grid, channels, header } = source
  const n = voxelCount(grid)
  const ml = voxelVolumeMm3(grid) / 1000
  const data = new Uint8Array(n * channels)
  const maps: MaskSummary[] = []
  for await (const m of source.maps()) {
    const optimum = softDiceOptimum(m)
    const { supDice, diceAtHalf, volumeHalf, probabilityVolume } = optimum
    const threshold = choose(maps.length, optimum)
    const { dice, volume } =
      threshold === optimum.threshold ? { dice: supDice, volume: optimum.volume } : softDiceAt(m, threshold)
    thresholdMask(m, threshold, data.subarray(maps.length * n, (maps.length + 1) * n))
    maps.push({
      threshold,
      supDice,
      dice,
      diceAtHalf,
      volumeMl: volume * ml,
      volumeHalfMl: volumeHalf * ml,
      probabilityVolumeMl: probabilityVolume * ml,
    })
  }
  return { mask: { grid, channels, data, ...(header !== undefined && { header }) }, maps }
}

type Case = { readonly input: string; readonly output: string } & (
  | MaskSummary
  | { readonly maps: readonly MaskSummary[] }
)

function describe(
  cases: readonly Case[],
  { metric, at, scope }: Options,
  dataset: readonly { threshold: number; supDice: number }[] | undefined,
): string {
  const several = cases.some((each) => 'maps' in each)
  const iou = metric === 'iou'
  const score = (dice: number) => fixed(iou ? dice / (2 - dice) : dice, 4)
  const rows = cases.flatMap((each) =>
    ('maps' in each ? each.maps : [each]).map((map, channel) => [
      each.input,
      ...(several ? [channel] : []),
      fixed(map.threshold, 4),
      score(map.diceAtHalf),
      score(map.dice),
      score(map.supDice),
      millilitres(map.volumeHalfMl),
      millilitres(map.volumeMl),
      millilitres(map.probabilityVolumeMl),
    ]),
  )
  const name = iou ? 'IoU' : 'Dice'
  const header = ['case', ...(several ? ['map'] : []), 'cut at', `${name} at 1/2`, `${name} here`, `best ${name}`]
  const how =
    at !== undefined
      ? `cut at ${at} as asked`
      : metric === 'accuracy'
        ? 'cut at 1/2, which is best for accuracy'
        : scope === 'dataset'
          ? `one threshold for all cases: ${dataset?.map(({ threshold }) => fixed(threshold, 4)).join(', ')}`
          : 'each cut at its own threshold t*'
  return [
    `${cases.length === 1 ? cases[0].output : `${cases.length} masks`}: ${how}`,
    `${name} is what the probabilities promise (soft ${name}); volumes in ml, the last what they add up to`,
    '',
    table([...header, 'ml at 1/2', 'ml here', 'expected ml'], rows),
  ].join('\n')
}
