import { Command, Option } from 'commander'
import { joinChannels } from '../datasets/training/preprocess.ts'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import type { Device } from '../network/graph/tensor.ts'
import { predictedMask } from '../study/masks.ts'
import { openModel } from '../study/model-file.ts'
import { predictProbability } from '../study/prediction.ts'
import { unlikeTraining } from '../study/trained-images.ts'
import { InputError } from '../volume/errors.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, withJson } from './options.ts'
import { checkOutputImage } from './outputs.ts'
import { fixed, millilitres, printResult, table, warn } from './print.ts'

interface Options extends JsonOption {
  readonly output: string
  readonly threshold?: string
  readonly device: Device
  readonly threads?: number
}

/** `halfdice predict`: a model's probabilities for an image, or masks cut from them. */
export function command(): Command {
  const command = new Command('predict')
    .description(
      'Applies a model of `halfdice train` to an image and writes probabilities (float32, one volume an output) on the ' +
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
  $ halfdice predict run/model.onnx image.nii.gz -o mask.nii.gz --threshold auto   cut where the expected Dice is largest
  $ halfdice predict run/model.onnx t1.nii.gz t2.nii.gz -o prob.nii.gz             a model of two channels

A mask holds the label values of training; where outputs overlap by design (A and A+B), one 0/1 volume an output.`,
    )
    .action(run)
  return withJson(command)
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
    const { thresholds, mask } = predictedMask(probability, model, rule ?? 'auto')
    await writeVolume(options.output, rule === undefined ? probability : mask)
    const voxels = probability.data.length / probability.channels
    const ml = voxelVolumeMm3(probability.grid) / 1000
    const outputs = model.metadata.outputs.map(({ name }, k) => {
      const map = probability.data.subarray(k * voxels, (k + 1) * voxels)
      let volume = 0
      for (const p of map) if (p >= thresholds[k]) volume++
      return {
        name,
        threshold: thresholds[k],
        volumeMl: volume * ml,
        probabilityVolumeMl: map.reduce((sum, p) => sum + p, 0) * ml,
      }
    })
    printResult(options.json, { output: options.output, outputs }, () =>
      table(
        ['output', rule === undefined ? 't* (not applied)' : 'threshold', 'volume above (ml)', 'expected volume (ml)'],
        outputs.map((o) => [
          o.name,
          fixed(o.threshold, 3),
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
