import { Command, Option } from 'commander'
import { findImageCases } from '../datasets/image-cases.ts'
import { joinChannels } from '../datasets/join-channels.ts'
import { labelsNamed } from '../datasets/mask-labels.ts'
import type { PresenceRule } from '../decision/decode/presence.ts'
import { isSegmentFile, requireImages, segmentNote } from '../formats/segment-files.ts'
import { readVolume, writeVolume } from '../formats/volume-file.ts'
import type { Device } from '../network/graph/tensor.ts'
import { type ChosenOutputs, chosenOutputs } from '../training/chosen-outputs.ts'
import { type Model, type ModelMetadata, openModel } from '../training/model-file.ts'
import { predictProbability } from '../training/predict.ts'
import { predictedMask } from '../training/predicted-mask.ts'
import { unlikeTraining } from '../training/unlike-training.ts'
import { InputError } from '../volume/errors.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { CaseWarnings } from './case-warnings.ts'
import { withLabels } from './labels.ts'
import { wholeNumber } from './numbers.ts'
import { type JsonOption, type PresenceOption, withJson, withPresence } from './options.ts'
import { outputPaths, protect } from './outputs.ts'
import { type LabelOutcome, oneByOne, overLabelMaps } from './over-label-maps.ts'
import { fixed, millilitresOr, warn } from './print.ts'
import { startProgress } from './progress.ts'

interface Options extends JsonOption, PresenceOption {
  readonly output: string
  readonly threshold?: string
  readonly labels?: readonly string[]
  readonly device: Device
  readonly threads?: number
  readonly suffix?: string
}

/** `halfdice predict`: a model's probabilities for an image, or masks cut from them. */
export function command(): Command {
  const command = new Command('predict')
    .description(
      'Applies a model of `halfdice train` to images and writes probabilities (float32, one volume an output) on ' +
        "each image's own grid, or with --threshold a mask. The model file holds all the preprocessing there is.",
    )
    .argument('<model>', 'model.onnx')
    .argument(
      '<images...>',
      'files, folders (of images, of an nnU-Net data set, of a folder a case) or patterns such as ' +
        "'CASES/{case}/ct.nii.gz'; " +
        'of several channels CASE_0000, CASE_0001 …, or one file a channel in the order of training',
    )
    .requiredOption(
      '-o, --output <path>',
      'probability map or mask (also .dcm, .seg.nrrd); where there are several cases a folder, or FOLDER/{case}.dcm',
    )
    .option('--suffix <text>', "what file names have more than the case's name: _ct for CASE_ct.nii.gz")
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
  $ halfdice predict run/model.onnx imagesTs -o probabilities                     every case, CASE.nii.gz
  $ halfdice predict run/model.onnx 'scans/{case}/ct.nii.gz' -o masks --threshold auto
  $ halfdice predict run/model.onnx series/ -o mask.dcm --threshold auto           a DICOM segmentation of the series

A mask holds the label values of training; where outputs overlap by design (A and A+B), one 0/1 volume an output.`,
    )
    .action(run)
  return withJson(withPresence(withLabels(command, 'these outputs of the model only')))
}

async function run(modelPath: string, paths: readonly string[], options: Options): Promise<void> {
  const { output, suffix, presence, json, labels } = options
  const rule = ruleOf(options.threshold)
  protect([modelPath])
  const runtime = { device: options.device, ...(options.threads && { threads: options.threads }) }
  const model = await openModel(modelPath, runtime)
  try {
    const chosen = labels && chosenOutputs(model, labels)
    const { cases, warnings } = await findImageCases(paths, { channels: model.metadata.unet.inputChannels, suffix })
    for (const { files } of cases) protect(files)
    const single = cases.length === 1
    const inputs = cases.map(({ name, files }) => ({ name, input: files.join(' ') }))
    const pathOf = outputPaths(output, { inputs, single, what: 'images', masks: rule !== undefined })
    for (const warning of warnings) warn(warning)
    const filesOf = new Map(cases.map(({ name, files }) => [name, files]))
    const told = new CaseWarnings()
    const progress = startProgress('predicting', cases.length)
    let done = 0
    const work = oneByOne(async ({ name, input }) => {
      const path = pathOf({ name })
      const how = { rule, presence, chosen, output: path, inFolder: path !== output && !isSegmentFile(path) }
      const predicted = await predictOne(model, filesOf.get(name) ?? [], how)
      progress.update(++done)
      told.add(input, predicted.warnings)
      return predicted.outcome
    })
    await overLabelMaps('predict', { inputs, single }, json, work).finally(progress.end)
    told.finish()
  } finally {
    await model.session.dispose()
  }
}

interface HowToPredict {
  readonly rule: ReturnType<typeof ruleOf>
  readonly chosen: ChosenOutputs | undefined
  readonly presence: PresenceRule
  readonly output: string
  readonly inFolder: boolean
}

/** Predicts one case and writes what came of it. */
async function predictOne(
  model: Model,
  files: readonly string[],
  { rule, presence, chosen, output, inFolder }: HowToPredict,
): Promise<{ readonly outcome: LabelOutcome; readonly warnings: readonly string[] }> {
  const image = joinChannels(await Promise.all(files.map(readVolume)), files)
  await requireImages(output, image.header)
  const all = await predictProbability(model, image, files.join(' '))
  const probability = chosen ? chosen.of(all) : all
  const { metadata } = chosen ?? model
  const alone = model.metadata.outputs.length === 1
  const cut = predictedMask(probability, { metadata, path: model.path }, rule ?? 'auto', presence, alone)
  const { outputs: cuts, mask, warnings } = cut
  const written = isSegmentFile(output) ? { ...mask, labelNames: outputNames(metadata, mask) } : mask
  await writeVolume(output, rule === undefined ? probability : written)
  const note = await segmentNote(output, written)
  const ml = voxelVolumeMm3(probability.grid) / 1000
  const outputs = metadata.outputs.map(({ name }, k) => ({
    name,
    threshold: cuts[k]?.threshold ?? null,
    present: cuts[k]?.present ?? false,
    volumeMl: ml * (cuts[k]?.volume ?? 0),
    probabilityVolumeMl: ml * (cuts[k]?.probabilityVolume ?? 0),
  }))
  const applied = rule !== undefined
  const columns = [
    {
      title: applied ? 'threshold' : 't* (not applied)',
      format: (value: number | undefined) => (value === undefined ? 'absent' : fixed(value, 3)),
    },
    { title: applied ? 'volume of the mask (ml)' : 'volume of its mask (ml)', format: millilitresOr },
    { title: 'expected volume (ml)', format: millilitresOr },
  ]
  const rows = outputs.map((each) => ({
    keys: [each.name],
    values: [
      applied && !each.present ? undefined : (each.threshold ?? undefined),
      each.volumeMl,
      each.probabilityVolumeMl,
    ],
  }))
  return {
    outcome: {
      json: { output, outputs },
      title: output,
      table: { keys: ['output'], columns, rows },
      ...(applied && inFolder && { written: [{ path: output, labels: labelsNamed(mask.labelNames) }] }),
    },
    warnings: [
      ...unlikeTraining(model.metadata, image.grid),
      ...(applied ? warnings : []),
      ...(note === undefined ? [] : [note]),
    ],
  }
}

/** Names of a mask's labels, or of its channels in their order. */
function outputNames({ outputs }: Pick<ModelMetadata, 'outputs'>, { channels }: Volume): ReadonlyMap<number, string> {
  return new Map(
    outputs.map(({ name, labels }, n) => [channels > 1 ? n + 1 : labels.length === 1 ? labels[0] : 1, name]),
  )
}

function ruleOf(text: string | undefined): number | 'auto' | 'dataset' | undefined {
  if (text === undefined || text === 'auto' || text === 'dataset') return text
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!(value > 0 && value <= 1)) {
    throw new InputError('--threshold', `'${text}' is neither auto, dataset nor a number in (0, 1]; correct it`)
  }
  return value
}
