import { dirname, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { noiseOfLabels, readNoiseFile } from '../datasets/noise-file.ts'
import type { DatasetSpec } from '../datasets/open-dataset.ts'
import type { NumberOptions } from '../maps/case-maps.ts'
import type { SchemeOptions } from '../maps/scheme.ts'
import type { NoiseModel } from '../noise/model.ts'
import type { TrainingConfig } from '../training/training-config.ts'
import { InputError } from '../volume/errors.ts'
import { type Vec3, vec3 } from '../volume/grid.ts'
import { ConfigReader } from './config-reader.ts'
import { trainingOf } from './config-training.ts'
import { studyPresets } from './presets.ts'

/** What networks are trained with. */
export const studyLosses = ['cross-entropy', 'soft-dice', 'dice+cross-entropy'] as const
export type StudyLoss = (typeof studyLosses)[number]

/** Everything that decides a study's numbers, with every default filled in. Lengths are in mm. */
export interface StudyConfig {
  readonly name: string
  /** Paths as written, relative to the configuration's folder: results must not depend on where that is. */
  readonly data: DatasetSpec
  /** Take at most so many cases, drawn by the seed; undefined takes all. */
  readonly maxCases?: number
  /** Images and labels are brought to this spacing first; null keeps an axis. The whole study lives on that grid. */
  readonly spacingMm?: readonly (number | null)[]
  /** Names of labels, or unions of them (`anterior+posterior`). */
  readonly organs: readonly string[]
  /** One network with an output an organ, instead of one network an organ. */
  readonly joint: boolean
  readonly noise: readonly StudyNoise[]
  readonly folds: number
  readonly seed: number
  readonly losses: readonly StudyLoss[]
  /** How often noise is drawn and networks are trained: each time with seeds of its own. */
  readonly replicates: number
  /** Networks of another program, by what they have predicted; undefined where they are trained here. */
  readonly networks?: PredictionSource
  readonly training: Omit<TrainingConfig, 'outputs' | 'loss' | 'seed'>
  /** Threads of one network. Another number rounds sums in another order, so results depend on it. */
  readonly threads: number
  /** Soft-Dice's sums: over each case, or the batch; and its smoothing, in voxels. */
  readonly softDice: { readonly scope: 'case' | 'batch'; readonly smoothing: number }
  /** Which probability maps are kept: all, those of one case a fold, or none. */
  readonly predictions: 'all' | 'examples' | 'none'
  /** Resamples of every bootstrap interval. */
  readonly bootstrap: number
  /** δ: Dice that differs by less is of no interest; named before looking. */
  readonly margin: number
}

/** Where the predictions of networks that were trained elsewhere lie, and how their numbers are read. */
export interface PredictionSource extends NumberOptions, Pick<SchemeOptions, 'classes' | 'decode'> {
  /**
   * A folder for each loss, relative to the configuration's folder; `{organ}`, `{sigma}`, `{fold}` and `{replicate}`
   * stand for those of the network.
   */
  readonly folders: Partial<Record<StudyLoss, string>>
}

/** One noise of a study; keys that say nothing are absent. */
export type StudyNoise = NoiseModel

/**
 * Reads a study's configuration, YAML or JSON.
 *
 * @param path of the file, for messages
 * @throws InputError naming the file and the key that is wrong
 */
export function parseStudyConfig(text: string, path: string): StudyConfig {
  const written = new ConfigReader(parseYaml(text, path) ?? {}, '', path)
  const preset = written.choice('preset', Object.keys(studyPresets), 'paper')
  const root = written.over(studyPresets[preset])
  const training = root.section('training')
  const config: StudyConfig = {
    name: root.text('name', 'study'),
    ...dataOf(root.section('data')),
    organs: root.texts('organs'),
    joint: root.flag('joint', false),
    noise: noiseOf(root.section('noise'), dirname(path)),
    folds: root.whole('folds', 2, 1000),
    seed: root.whole('seed', 0, 0xffffff00, 0),
    replicates: root.whole('replicates', 1, 100, 1),
    ...networksOf(root),
    threads: training.whole('threads', 1, 256, 1),
    training: trainingOf(training),
    softDice: softDiceOf(root.section('softDice')),
    predictions: root.choice('predictions', ['all', 'examples', 'none'], 'all'),
    bootstrap: root.whole('bootstrap', 100, 1_000_000, 2000),
    margin: root.real('margin', (x) => x > 0 && x < 1, 'between 0 and 1', 0.01),
  }
  root.finish()
  return config
}

/** @throws InputError where the text is not YAML, or expands beyond all measure by its aliases or nesting */
function parseYaml(text: string, path: string): unknown {
  let fault: string
  try {
    const document = parseDocument(text)
    if (document.errors.length === 0) return document.toJS()
    fault = document.errors[0].message.split('\n')[0].replace(/:$/, '')
  } catch (error) {
    // An alias without its anchor, aliases that multiply beyond measure, or nesting that overflows the stack.
    fault = error instanceof Error ? error.message.replace(/[.:]?\s*$/, '') : String(error)
  }
  const said = fault.replace(/^Maximum call stack size exceeded/, 'nesting is too deep')
  throw new InputError(path, `is no valid YAML: ${said}; correct it`)
}

/** Where the data lie: relative paths are relative to `base`, the folder of the configuration. */
export function locateData(data: DatasetSpec, base: string): DatasetSpec {
  if (data.kind === 'phantom') return data
  if (data.kind === 'pairs') return { ...data, images: resolve(base, data.images), labels: resolve(base, data.labels) }
  return { ...data, folder: resolve(base, data.folder) }
}

function dataOf(data: ConfigReader): Pick<StudyConfig, 'data' | 'maxCases' | 'spacingMm'> {
  const kind = data.choice('kind', ['nnunet', 'totalsegmentator', 'pairs', 'phantom'] as const)
  const patient = data.optional('patient', (key) => data.text(key))
  const resampleLabels = data.flag('resampleLabels', false)
  const common = { ...(patient !== undefined && { patient }), resampleLabels }
  const spacing = data.optional('spacing', (key) => data.spacing(key))
  if (kind === 'phantom') {
    const spec: DatasetSpec = {
      kind,
      cases: data.whole('cases', 2, 100_000),
      seed: data.whole('seed', 0, 0xffffffff, 0),
      ...triple(data, 'shape'),
      ...(spacing && { spacing: vec3((axis) => spacing[axis] ?? 3) }),
    }
    data.finish()
    return { data: spec }
  }
  const maxCases = data.optional('cases', (key) => data.whole(key, 2, 1_000_000))
  const spec = ((): DatasetSpec => {
    if (kind === 'nnunet') return { kind, folder: data.text('folder'), ...common }
    if (kind === 'pairs') {
      return {
        kind,
        images: data.text('images'),
        labels: data.text('labels'),
        labelNames: data.numbersByName('labelNames'),
        ...common,
      }
    }
    const split = data.optional('split', (key) => data.text(key))
    return { kind, folder: data.text('folder'), ...(split !== undefined && { split }), ...common }
  })()
  data.finish()
  return { data: spec, ...(maxCases && { maxCases }), ...(spacing && { spacingMm: spacing }) }
}

function triple(data: ConfigReader, key: string): { shape?: Vec3 } {
  const shape = data.optional(key, (k) => data.numbers(k, (n) => Number.isInteger(n) && n > 0 && n <= 4096))
  if (shape === undefined) return {}
  if (shape.length !== 3) throw data.fault(key, `has ${shape.length} numbers; give three`)
  return { shape: [shape[0], shape[1], shape[2]] }
}

/** @param base the folder that paths are relative to */
function noiseOf(noise: ConfigReader, base: string): StudyNoise[] {
  const file = noise.optional('file', (key) => noise.text(key))
  const label = noise.optional('label', (key) => noise.whole(key, 1, 65535))
  if (file !== undefined) return [noiseOfFile(noise, resolve(base, file), label)]
  if (label !== undefined) throw noise.fault('label', 'chooses from a file of annotators; add file, or leave it out')
  const sigmas = noise.lengths('sigma')
  const length = noise.optional('length', (key) => noise.real(key, (x) => x > 0, 'greater than 0'))
  const given = noise.optional('lengthOverSigma', (key) => noise.real(key, (x) => x > 0, 'greater than 0'))
  if (length !== undefined && given !== undefined) {
    throw noise.fault('lengthOverSigma', 'and length are both given; leave one out')
  }
  const ratio = given ?? 4
  const presence = noise.real('presence', (q) => q > 0 && q <= 1, 'above 0 and at most 1', 1)
  const biasMm = noise.real('bias', () => true, 'of mm', 0)
  const biasSdMm = noise.real('tau', (mm) => mm >= 0, 'of mm, 0 or more', 0)
  noise.finish()
  return sigmas.map((sigmaMm) => ({
    sigmaMm,
    lengthMm: length ?? ratio * Math.max(...sigmaMm),
    ...(presence !== 1 && { presence }),
    ...(biasMm !== 0 && { biasMm }),
    ...(biasSdMm !== 0 && { biasSdMm }),
  }))
}

/** Other noise beside a file's would be a second answer to one question. */
const besideFile = ['sigma', 'length', 'lengthOverSigma', 'presence', 'bias', 'tau'] as const

function noiseOfFile(noise: ConfigReader, path: string, label: number | undefined): StudyNoise {
  const other = besideFile.find((key) => noise.isWritten(key))
  if (other !== undefined) throw noise.fault('file', `gives all of the noise; leave out ${other}`)
  noise.finish()
  const { sigmaMm, lengthMm, ...rest } = noiseOfLabels(readNoiseFile(path), label === undefined ? [] : [label])
  // No fit is known to more digits, and tables and folders are named by them.
  const short = (mm: number) => Number(mm.toPrecision(4))
  return { sigmaMm: vec3((axis) => short(sigmaMm[axis])), lengthMm: short(lengthMm), ...rest }
}

/** Losses, and the folders of networks that were trained with them elsewhere. */
function networksOf(root: ConfigReader): Pick<StudyConfig, 'losses' | 'networks'> {
  const networks = root.optional('networks', (key) => root.section(key))
  if (networks === undefined) return { losses: lossesOf(root) }
  const section = networks.section('predictions')
  const folders: Partial<Record<StudyLoss, string>> = {}
  for (const loss of studyLosses) {
    const folder = section.optional(loss, (key) => section.text(key))
    if (folder !== undefined) folders[loss] = folder
  }
  section.finish()
  const scale = networks.optional('scale', (key) => networks.real(key, (x) => x > 0, 'greater than 0'))
  const logits = networks.optional('logits', (key) => networks.choice(key, ['softmax', 'sigmoid'] as const))
  const classes = networks.optional('classes', (key) => networks.text(key))
  const decode = networks.optional('decode', (key) =>
    networks.choice(key, ['exclusive', 'regions', 'separate'] as const),
  )
  networks.finish()
  const given = studyLosses.filter((loss) => folders[loss] !== undefined)
  if (given.length === 0) throw root.fault('networks', `names no predictions of ${studyLosses.join(', ')}`)
  const losses = root.optional('losses', () => lossesOf(root)) ?? given
  const lacking = losses.find((loss) => folders[loss] === undefined)
  if (lacking !== undefined) throw root.fault('networks', `has no predictions of ${lacking}, which losses names`)
  const more = { ...(scale && { scale }), ...(logits && { logits }), ...(classes && { classes }) }
  return { losses, networks: { folders, ...more, ...(decode && { decode }) } }
}

function lossesOf(root: ConfigReader): StudyLoss[] {
  const given = root.optional('losses', (key) => root.texts(key)) ?? ['cross-entropy', 'soft-dice']
  const unknown = given.find((loss) => !(studyLosses as readonly string[]).includes(loss))
  if (unknown !== undefined) throw root.fault('losses', `'${unknown}' is none of ${studyLosses.join(', ')}`)
  return studyLosses.filter((loss) => given.includes(loss))
}

function softDiceOf(softDice: ConfigReader): StudyConfig['softDice'] {
  const result = {
    scope: softDice.choice('scope', ['batch', 'case'] as const, 'batch'),
    smoothing: softDice.real('smoothing', (x) => x >= 0, 'of at least 0', 1),
  }
  softDice.finish()
  return result
}
