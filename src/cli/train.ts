import { availableParallelism } from 'node:os'
import { Command, Option } from 'commander'
import type { Device } from '../network/graph/tensor.ts'
import type { LossPlan } from '../network/losses.ts'
import type { OptimiserPlan } from '../network/optimiser.ts'
import type { EpochLog } from '../network/train.ts'
import { trainDataset } from '../training/train-dataset.ts'
import type { TrainingConfig } from '../training/training-config.ts'
import {
  defaultTraining,
  mostConvolutions,
  mostSamples,
  parseFlip,
  type TrainingChoices,
} from '../training/training-defaults.ts'
import { InputError } from '../volume/errors.ts'
import { realNumber, wholeNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { checkOutputFolder } from './outputs.ts'
import { fixed, isQuiet, printResult, table } from './print.ts'
import { type Progress, startProgress } from './progress.ts'

interface Options extends JsonOption {
  readonly output: string
  readonly outputs?: readonly string[]
  readonly dimensions: '2' | '3'
  readonly loss: LossPlan['kind']
  readonly scope: LossPlan['scope']
  readonly smoothing: number
  readonly steps: number
  readonly epochSteps?: number
  readonly batch?: number
  readonly channels: string
  readonly down: 'max-pool' | 'strided'
  readonly up: 'transposed' | 'resize'
  readonly learningRate: number
  readonly decay: OptimiserPlan['decay']
  readonly weightDecay: number
  readonly warmUp?: number
  readonly clip: number
  readonly convolutions: number
  readonly modality?: 'mr' | 'ct'
  readonly crop: 'none' | 'nonzero'
  readonly spacing?: string
  readonly patch?: string
  readonly flip: string
  readonly augment: boolean
  readonly folds: number
  readonly fold: string
  readonly device: Device
  readonly seed: number
  readonly threads: number
}

const positive = (option: string) => realNumber(option, (x) => x > 0, 'greater than 0')
const notNegative = (option: string) => realNumber(option, (x) => x >= 0, 'of at least 0')

/** `halfdice train`: one network on a folder in nnU-Net's raw layout. */
export function command(): Command {
  const { optimiser, loss, steps, channels, convolutions, down, up, crop } = defaultTraining
  const choice = (flags: string, text: string, choices: readonly string[], otherwise: string) =>
    new Option(flags, text).choices(choices).default(otherwise)
  const command = new Command('train')
    .description(
      "Trains a small U-Net on a data set in nnU-Net's raw layout (dataset.json, imagesTr, labelsTr) " +
        'and writes an ONNX ' +
        'model that carries its preprocessing. Killed runs go on where they were when started again.',
    )
    .argument('<dataset>', 'folder of the data set')
    .requiredOption('-o, --output <folder>', 'folder for model.onnx, log.jsonl and the checkpoint')
    .option(
      '--outputs <names...>',
      'labels to learn, each a probability map; A+B is their union (default: every label)',
    )
    .addOption(choice('--dimensions <n>', '2: slices one by one, 3: volumes', ['2', '3'], '3'))
    .addOption(
      choice('--loss <loss>', 'what is minimised', ['cross-entropy', 'soft-dice', 'dice+cross-entropy'], loss.kind),
    )
    .addOption(choice('--scope <scope>', "soft-Dice's sums run over", ['case', 'batch'], loss.scope))
    .option(
      '--smoothing <voxels>',
      "added to soft-Dice's numerator and denominator",
      notNegative('--smoothing'),
      loss.smoothing,
    )
    .option('--steps <number>', 'training steps', wholeNumber('--steps', 1), steps)
    .option(
      '--epoch-steps <number>',
      'steps between validations and checkpoints (default: a tenth of all steps)',
      wholeNumber('--epoch-steps', 1),
    )
    .option(
      '--batch <number>',
      'samples a step (default: 2 volumes or 8 slices)',
      wholeNumber('--batch', 1, mostSamples),
    )
    .option('--channels <list>', 'channels of each level', channels.join())
    .option(
      '--convolutions <number>',
      'convolutions of a level, on the way down and again on the way up',
      wholeNumber('--convolutions', 1, mostConvolutions),
      convolutions,
    )
    .addOption(choice('--down <how>', 'from level to level', ['max-pool', 'strided'], down))
    .addOption(choice('--up <how>', 'and back', ['transposed', 'resize'], up))
    .option(
      '--learning-rate <rate>',
      'largest learning rate of AdamW',
      positive('--learning-rate'),
      optimiser.learningRate,
    )
    .addOption(choice('--decay <how>', 'how it falls', ['cosine', 'polynomial', 'constant'], optimiser.decay))
    .option('--weight-decay <rate>', 'decoupled weight decay', notNegative('--weight-decay'), optimiser.weightDecay)
    .option(
      '--warm-up <steps>',
      `steps in which the learning rate rises (default: ${optimiser.warmUp}, or a tenth of all steps)`,
      wholeNumber('--warm-up', 0),
    )
    .option('--clip <norm>', 'gradients of a larger norm are scaled down to it', positive('--clip'), optimiser.clipNorm)
    .addOption(
      new Option(
        '--modality <kind>',
        'mr: each image to mean 0, deviation 1; ct: one window for all ' +
          '(default: ct where dataset.json names the channel CT)',
      ).choices(['mr', 'ct']),
    )
    .addOption(choice('--crop <region>', 'crop images to their voxels that are not 0', ['none', 'nonzero'], crop))
    .option('--spacing <mm>', 'resample to this spacing: one number, or one an axis (1,1,3)')
    .option('--patch <voxels>', 'size of training samples along the axes (40,56,40); default: the median image')
    .option(
      '--flip <axes>',
      'axes along which images may be mirrored (i, ij …): only where no label depends on the side',
      'none',
    )
    .option('--no-augment', 'no random shifts, rotations, scaling, mirroring and intensities')
    .option('--folds <number>', 'parts into which patients are split', wholeNumber('--folds', 2), 5)
    .option('--fold <number>', 'the part that is held out and scored; none: train on all', '0')
    .addOption(choice('--device <device>', 'where to compute', ['cpu', 'webgpu', 'cuda'], 'cpu'))
    .option('--seed <number>', 'fixes every random number', wholeNumber('--seed', 0, 0xffffffff), 0)
    .option(
      '--threads <number>',
      'threads of the computation (another number rounds sums in another order: another model)',
      wholeNumber('--threads', 1, 1024),
      availableParallelism(),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice train Dataset004_Hippocampus -o run
  $ halfdice train Dataset004_Hippocampus -o run --loss cross-entropy --outputs anterior posterior anterior+posterior
  $ halfdice train Dataset027_ACDC -o run --dimensions 2 --batch 8 --patch 192,192

Give --seed and --threads to get the same model again, bit for bit.`,
    )
    .action(run)
  return withJson(command)
}

async function run(folder: string, options: Options): Promise<void> {
  checkOutputFolder(options.output)
  const fold = options.fold === 'none' ? undefined : wholeNumber('--fold', 0, options.folds - 1)(options.fold)
  const begin = performance.now()
  const { steps, ...watch } = progressLines(options.json === true)
  const trained = await trainDataset(folder, options.output, {
    ...watch,
    ...(options.outputs && { outputs: options.outputs }),
    choices: choicesOf(options),
    loss: { kind: options.loss, scope: options.scope, smoothing: options.smoothing },
    seed: options.seed,
    folds: options.folds,
    ...(fold !== undefined && { fold }),
    device: options.device,
    threads: options.threads,
    onConfig: (config) => steps(config),
  })
  const seconds = (performance.now() - begin) / 1000
  const { model, outputs, epochs, trainingCases, validationCases } = trained
  printResult(options.json, { model, seconds, trainingCases, validationCases, outputs, epochs }, () => {
    const rows = outputs.map((o) => [o.name, fixed(o.dice, 4), fixed(o.diceAtCaseThreshold, 4), fixed(o.threshold, 3)])
    const head = ['output', 'held-out Dice at 1/2', "at each case's t*", 'data-set t*']
    return `${table(head, rows)}\n${model} (${seconds.toFixed(0)} s, ${trainingCases} cases)`
  })
}

/** Progress on a terminal, and a line an epoch unless JSON is asked for. */
function progressLines(json: boolean) {
  let config: TrainingConfig | undefined
  let reading: Progress | undefined
  let progress: Progress | undefined
  return {
    steps(chosen: TrainingConfig) {
      config = chosen
    },
    onCase(read: number, of: number) {
      reading ??= startProgress('reading', of)
      reading.update(read)
    },
    onStep(step: number) {
      if (progress === undefined) {
        reading?.end()
        progress = startProgress('training', config?.steps ?? step)
        progress.resume(step - 1)
      }
      progress.update(step)
    },
    onEpoch(epoch: EpochLog) {
      progress?.end()
      if (json || isQuiet() || config === undefined) return
      // A terminal shows the time left all the while.
      const left = process.stderr.isTTY || epoch.step === config.steps ? undefined : progress?.left()
      process.stderr.write(`${epochLine(epoch, config)}${left ? `, ${left} left` : ''}\n`)
    },
  }
}

function choicesOf(options: Options): TrainingChoices {
  const dimensions = options.dimensions === '2' ? 2 : 3
  const flip = parseFlip(options.flip)
  if (flip === undefined) throw new InputError('--flip', `'${options.flip}' names no axes; write i, ij or none`)
  return {
    dimensions,
    optimiser: {
      learningRate: options.learningRate,
      decay: options.decay,
      weightDecay: options.weightDecay,
      ...(options.warmUp !== undefined && { warmUp: options.warmUp }),
      clipNorm: options.clip,
    },
    steps: options.steps,
    ...(options.epochSteps !== undefined && { stepsPerEpoch: options.epochSteps }),
    ...(options.batch !== undefined && { batch: options.batch }),
    channels: numbers('--channels', options.channels, (n) => Number.isInteger(n)),
    convolutions: options.convolutions,
    down: options.down,
    up: options.up,
    ...(options.modality && { modality: options.modality }),
    crop: options.crop,
    ...(options.spacing !== undefined && { spacingMm: spacingOf(options.spacing, dimensions) }),
    ...(options.patch !== undefined && { patch: patchOf(options.patch, dimensions) }),
    augment: options.augment,
    flip,
  }
}

function numbers(option: string, text: string, allowed: (x: number) => boolean): number[] {
  const list = text.split(',').map(Number)
  if (!list.every((x) => x > 0 && allowed(x))) {
    throw new InputError(option, `'${text}' is no list of positive numbers; write them as 16,32,64`)
  }
  return list
}

function spacingOf(text: string, dimensions: 2 | 3): (number | null)[] {
  const list = numbers('--spacing', text, Number.isFinite)
  if (list.length === 1) return dimensions === 2 ? [list[0], list[0], null] : [list[0], list[0], list[0]]
  if (list.length === 2 && dimensions === 2) return [...list, null]
  if (list.length === 3) return list
  throw new InputError('--spacing', `'${text}' has ${list.length} numbers; give 1 or ${dimensions}`)
}

function patchOf(text: string, dimensions: 2 | 3): number[] {
  const list = numbers('--patch', text, (n) => Number.isInteger(n))
  if (list.length !== dimensions) {
    throw new InputError('--patch', `'${text}' has ${list.length} numbers; give ${dimensions}, one an axis`)
  }
  return list
}

function epochLine(
  { epoch, step, loss, validationDice, seconds, dataShare }: EpochLog,
  config: TrainingConfig,
): string {
  const dice = validationDice?.map((d, k) => `${config.outputs[k].name} ${d.toFixed(3)}`).join(', ')
  const validation = dice ? `, validation Dice ${dice}` : ''
  const time = `${seconds.toFixed(1)} s, ${(100 * dataShare).toFixed(1)} % data`
  return `epoch ${epoch}, step ${step}/${config.steps}: loss ${loss.toFixed(4)}${validation} (${time})`
}
