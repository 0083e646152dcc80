import { Command, Option } from 'commander'
import { joinChannels } from '../datasets/join-channels.ts'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import type { Device } from '../network/graph/tensor.ts'
import { openModel } from '../training/model-file.ts'
import { predictProbability } from '../training/predict.ts'
import { predictedMask } from '../training/predicted-mask.ts'
import { unlikeTraining } from '../training/unlike-training.ts'
import { InputError } from '../volume/errors.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, type PresenceOption, withJson, withPresence } from './options.ts'
import { checkOutputImage } from './outputs.ts'
import { fixed, millilitres, printResult, table, warn } from './print.ts'

interface Options extends JsonOption, PresenceOption {
  readonly output: string
  readonly threshold?: string
  readonly device: Device
  readonly threads?: number
}

/** `halfdice predict`: a model's probabilities for an image, or masks cut from them. */
export function command(): Command {
  const command = new Command('predict')
    .description(
      'Applies a model of `halfdice train` to an image and writes probabilities (float32, one volume ' +
        'an output) on the ' +
        "image's own grid, or with --threshold a mask. The model file holds all the preprocessing there is.",
    )
    .argument('<model>', 'model.onnx')
    .argument('<images...>', 'the image; for a model of several channels one file a channel, in the order of training')
    .requiredOption('-o, --output <path>', 'probability map or mask')
    .option(
      '--threshold <t>',
      "write a mask: cut at this number, at each output's own t* (auto) or at the data-set t* (dataset)",
    )
    .addOption(new Option('--device <device>', 'where to compute').choices(['cpu', 'webgpu', 'cuda']).default('cpu'))
    .option('--threads <number>', 'threads (default: all cores)', wholeNumber('--threads', 1, 1024))
    .addHelpText(
      'after',
      `
Examples:
  $ halfdice predict run/model.onnx image.nii.gz -o prob.nii.gz
  $ halfdice predict run/model.onnx image.nii.gz -o mask.nii.gz --threshold auto   cut where its expected Dice is best
  $ halfdice predict run/model.onnx t1.nii.gz t2.nii.gz -o prob.nii.gz             a model of two channels

A mask holds the label values of training; where outputs overlap by design (A and A+B), one 0/1 volume an output.`,
    )
    .action(run)
  return withJson(withPresence(command))
}

async function run(modelPath: string, imagePaths: readonly string[], options: Options): Promise<void> {
  checkOutputImage(options.output, [modelPath, ...imagePaths])
  const rule = ruleOf(options.threshold)
  const runtime = { device: options.device, ...(options.threads && { threads: options.threads }) }
  const model = await openModel(modelPath, runtime)
  try {
    const image = joinChannels(await Promise.all(imagePaths.map(readVolume)), imagePaths)
    for (const difference of unlikeTraining(model.metadata, image.grid)) warn(`${imagePaths[0]} ${difference}`)
    const probability = await predictProbability(model, image, imagePaths.join(' '))
    const { outputs: cuts, mask, warnings } = predictedMask(probability, model, rule ?? 'auto', options.presence)
    for (const warning of rule === undefined ? [] : warnings) warn(`${imagePaths.join(' ')}: ${warning}`)
    await writeVolume(options.output, rule === undefined ? probability : mask)
    const ml = voxelVolumeMm3(probability.grid) / 1000
    const outputs = model.metadata.outputs.map(({ name }, k) => ({
      name,
      threshold: cuts[k]?.threshold ?? null,
      present: cuts[k]?.present ?? false,
      volumeMl: ml * (cuts[k]?.volume ?? 0),
      probabilityVolumeMl: ml * (cuts[k]?.probabilityVolume ?? 0),
    }))
    printResult(options.json, { output: options.output, outputs }, () =>
      table(
        rule === undefined
          ? ['output', 't* (not applied)', 'volume of its mask (ml)', 'expected volume (ml)']
          : ['output', 'threshold', 'volume of the mask (ml)', 'expected volume (ml)'],
        outputs.map((o) => [
          o.name,
          rule === undefined || o.present ? fixed(o.threshold, 3) : 'absent',
          millilitres(o.volumeMl),
          millilitres(o.probabilityVolumeMl),
        ]),
      ),
    )
  } finally {
    await model.session.dispose()
  }
}

function ruleOf(text: string | undefined): number | 'auto' | 'dataset' | undefined {
  if (text === undefined || text === 'auto' || text === 'dataset') return text
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!(value > 0 && value <= 1)) {
    throw new InputError('--threshold', `'${text}' is neither auto, dataset nor a number in (0, 1]; correct it`)
  }
  return value
}
