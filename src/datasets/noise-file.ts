import { readRegularFileSync } from '../formats/read-file.ts'
import { checkNoiseModel, type NoiseModel } from '../noise/model.ts'
import { InputError } from '../volume/errors.ts'
import type { Vec3 } from '../volume/grid.ts'

/** The noise of annotators as a file has it, label by label. */
export interface NoiseFile {
  readonly path: string
  /** Of each label its noise, or why it has none; a file without labels has one noise for all, under `undefined`. */
  readonly byLabel: ReadonlyMap<number | undefined, NoiseModel | string>
}

type Values = Readonly<Record<string, unknown>>

/**
 * Reads the noise from what `halfdice raters -o fit.json` wrote, or from a file written by hand with the same key:
 * `{"noise": {"sigmaMm": 1.2, "lengthMm": 6, "presence": 0.9, "biasMm": 0, "biasSdMm": 0.3}}`.
 *
 * @throws InputError where it is no such file, or its noise cannot be
 */
export function readNoiseFile(path: string): NoiseFile {
  const remedy = 'give what `halfdice raters -o` wrote'
  let json: unknown
  try {
    json = JSON.parse(
      readRegularFileSync(path)
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
    )
  } catch (error) {
    if (error instanceof SyntaxError) throw new InputError(path, `is not JSON; ${remedy}`)
    throw error
  }
  if (!isObject(json)) throw new InputError(path, `is no fit of annotators; ${remedy}`)
  if (isObject(json.labels)) {
    const entries = Object.entries(json.labels).filter((entry): entry is [string, Values] => isObject(entry[1]))
    if (entries.length > 0 && entries.every(([label]) => /^\d+$/.test(label))) {
      return { path, byLabel: new Map(entries.map(([label, fit]) => [Number(label), noiseIn(fit, path)])) }
    }
  }
  if (isObject(json.noise)) return { path, byLabel: new Map([[undefined, noiseIn(json, path)]]) }
  throw new InputError(path, `has no noise of annotators; ${remedy}`)
}

/**
 * The noise by which these labels move together. A file with one noise serves any label, one with several its own.
 *
 * @throws InputError where the labels have no noise, or several, in the file
 */
export function noiseOfLabels({ path, byLabel }: NoiseFile, labels: readonly number[]): NoiseModel {
  const known = [...byLabel.keys()].join(', ')
  const only = byLabel.size === 1 ? [...byLabel.keys()] : undefined
  if (only === undefined && labels.length !== 1) {
    const remedy = 'choose one of them'
    throw new InputError(path, `has a noise for each of the labels ${known}, and labels move by one field; ${remedy}`)
  }
  const [label] = only ?? labels
  const found = byLabel.get(label)
  if (found === undefined)
    throw new InputError(path, `has no noise of label ${label}, only of ${known}; choose another`)
  if (typeof found === 'string') throw new InputError(path, found)
  return found
}

/** Which labels take another label's noise, in words; undefined where each has its own. */
export function borrowedNoise({ path, byLabel }: NoiseFile, labels: readonly number[]): string | undefined {
  const [label] = byLabel.keys()
  const others = labels.filter((other) => other !== 0 && !byLabel.has(other))
  if (byLabel.size !== 1 || label === undefined || others.length === 0) return undefined
  return `${path}: is of label ${label}; label ${others.join(', ')} takes its noise`
}

function noiseIn(fit: Values, path: string): NoiseModel | string {
  const { noise, reason } = fit
  if (!isObject(noise)) {
    const why = typeof reason === 'string' ? reason : 'its annotators do not differ'
    return `holds no noise (${why}); give σ and ℓ yourself, or a fit of other masks`
  }
  const own = typeof noise.sigmaMm === 'number' ? [noise.sigmaMm, noise.sigmaMm, noise.sigmaMm] : noise.sigmaMm
  const model: NoiseModel = {
    sigmaMm: own as Vec3,
    lengthMm: noise.lengthMm as number,
    ...given('presence', noise.presence, 1),
    ...given('biasMm', noise.biasMm, 0),
    ...given('biasSdMm', noise.biasSdMm, 0),
  }
  try {
    checkNoiseModel(model)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    throw new InputError(path, `'noise': ${error.subject} ${error.fault}`)
  }
  return model
}

/** What differs from the plain noise: a model has no key that says nothing. */
function given(key: string, value: unknown, plain: number): object {
  return value === undefined || value === plain ? {} : { [key]: value }
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
