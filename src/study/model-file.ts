import { readFile } from 'node:fs/promises'
import type { Preprocessing } from '../datasets/training/preprocess.ts'
import type { LossPlan } from '../network/losses.ts'
import { decodeModel } from '../network/onnx/decode.ts'
import { createSession, type Session, type SessionOptions } from '../network/runtime/session.ts'
import type { UNetPlan } from '../network/unet.ts'
import { InputError } from '../volume/errors.ts'

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
  readonly loss: LossPlan
  /** How it was trained: optimiser, steps, seed, augmentation, data. */
  readonly training: Readonly<Record<string, unknown>>
  /** Data-set threshold t* of each output, from the predictions on the training cases (theory, section 3). */
  readonly thresholds?: readonly number[]
}

export interface Model {
  readonly metadata: ModelMetadata
  readonly session: Session
  /** The file, for messages. */
  readonly path: string
}

const KEY = 'halfdice'

export function metadataProperties(metadata: ModelMetadata): Record<string, string> {
  return { [KEY]: JSON.stringify(metadata) }
}

/**
 * Opens a model that `halfdice train` wrote. Call `model.session.dispose()` when done.
 *
 * @throws InputError where the file is no ONNX model, is damaged, or was written by something else
 */
export async function openModel(path: string, options: SessionOptions = {}): Promise<Model> {
  const bytes = new Uint8Array(await readFile(path))
  const metadata = parseMetadata(bytes, path)
  try {
    return { metadata, session: await createSession(bytes, options), path }
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(path, 'is a damaged model: ONNX Runtime cannot load it; copy it again or train anew')
  }
}

function parseMetadata(bytes: Uint8Array, path: string): ModelMetadata {
  let properties: Readonly<Record<string, string>>
  try {
    properties = decodeModel(bytes).metadata
  } catch {
    throw new InputError(path, 'is no ONNX model or is damaged; give a model that `halfdice train` wrote')
  }
  let metadata: ModelMetadata | undefined
  try {
    metadata = JSON.parse(properties[KEY] ?? '{}') as ModelMetadata
  } catch {
    metadata = undefined
  }
  if (metadata?.unet === undefined || !Array.isArray(metadata.outputs)) {
    throw new InputError(
      path,
      'is not a model that `halfdice train` wrote (no preprocessing inside); give one of those',
    )
  }
  if (metadata.format !== 1) {
    throw new InputError(path, `has model format ${metadata.format}, which this version cannot read; update halfdice`)
  }
  return metadata
}
