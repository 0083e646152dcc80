import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { readRegularFile } from '../formats/read-file.ts'
import type { LossPlan } from '../network/losses.ts'
import { exportModel } from '../network/model.ts'
import { decodeModel, type ModelSummary } from '../network/onnx/decode.ts'
import { createSession, type Session, type SessionOptions } from '../network/runtime/session.ts'
import type { UNetPlan } from '../network/unet.ts'
import { InputError } from '../volume/errors.ts'
import { faultyKey } from './model-check.ts'
import type { Preprocessing } from './preprocess.ts'
import type { TrainedImages } from './trained-images.ts'

/** One sigmoid output: the union of some label values. */
export interface OutputSpec {
  readonly name: string
  readonly labels: readonly number[]
}

/** What a model file says about itself, under the ONNX metadata key `halfdice` as JSON. */
export interface ModelMetadata {
  readonly format: 1
  readonly unet: UNetPlan
  /** Size along (i, j, k) of the patches that it was trained on; depth 1 in 2-D. */
  readonly patch: readonly [number, number, number]
  readonly outputs: readonly OutputSpec[]
  readonly preprocessing: Preprocessing
  /** What the training images were like. */
  readonly images: TrainedImages
  readonly loss: LossPlan
  /** How it was trained: optimiser, steps, seed, augmentation, data. */
  readonly training: Readonly<Record<string, unknown>>
  /**
   * Data-set threshold t* of each output, from the predictions on the training cases (docs/theory.md, "Scope: a case,
   * or a data set").
   */
  readonly thresholds?: readonly number[]
}

export interface Model {
  readonly metadata: ModelMetadata
  readonly session: Session
  /** The file, for messages. */
  readonly path: string
}

const metadataKey = 'halfdice'

/** SHA-256 of the file without this property. It is the last of all, so that the rest is the file without its end. */
const sealKey = 'halfdice.sha256'

/** The seal's bytes: a tag and a length; the same before the key (15 characters) and before the digest (64). */
const sealBytes = 2 + 2 + sealKey.length + 2 + 64

/** The bytes of a model file: a flipped bit anywhere in it is noticed by openModel. */
export function encodeModelFile(parameters: Float32Array, metadata: ModelMetadata): Uint8Array {
  const properties = { [metadataKey]: JSON.stringify(metadata) }
  const sha256 = digest(exportModel(metadata.unet, parameters, properties))
  return exportModel(metadata.unet, parameters, { ...properties, [sealKey]: sha256 })
}

/**
 * Opens a model that `halfdice train` wrote. Call `model.session.dispose()` when done.
 *
 * @throws InputError where the file is no ONNX model, is damaged, or was written by something else
 * @example
 * const model = await openModel('model.onnx')
 * model.metadata.outputs[0].name // 'liver'
 * await model.session.dispose()
 */
export async function openModel(path: string, options: SessionOptions = {}): Promise<Model> {
  const bytes = await bytesOf(path)
  const metadata = parseMetadata(bytes, path)
  try {
    return { metadata, session: await createSession(bytes, options), path }
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(path, 'is a model that ONNX Runtime cannot load; train it again')
  }
}

async function bytesOf(path: string): Promise<Uint8Array> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InputError(path, `is a folder; give the model file in it, such as ${join(path, 'model.onnx')}`)
  }
  return new Uint8Array(await readRegularFile(path))
}

function parseMetadata(bytes: Uint8Array, path: string): ModelMetadata {
  let summary: ModelSummary
  try {
    summary = decodeModel(bytes)
  } catch {
    throw new InputError(path, 'is no ONNX model or is damaged; give a model that `halfdice train` wrote')
  }
  const { [metadataKey]: text, [sealKey]: seal } = summary.metadata
  if (text === undefined && seal === undefined) {
    throw new InputError(
      path,
      "is no model of halfdice's (no preprocessing inside); give one that `halfdice train` wrote",
    )
  }
  if (text === undefined || seal !== digest(bytes.subarray(0, Math.max(0, bytes.length - sealBytes)))) {
    throw new InputError(path, 'is damaged or was changed after training (its SHA-256 differs); copy or train it again')
  }
  let metadata: Partial<ModelMetadata>
  try {
    metadata = Object(JSON.parse(text))
  } catch {
    throw new InputError(path, 'holds metadata that are no JSON; train it again')
  }
  if (metadata.format !== 1) {
    throw new InputError(path, `has model format ${metadata.format}, which this version cannot read; update halfdice`)
  }
  const key = faultyKey(metadata, summary)
  if (key !== undefined) {
    throw new InputError(path, `holds metadata whose '${key}' is missing or does not suit the network; train it again`)
  }
  return metadata as ModelMetadata
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
