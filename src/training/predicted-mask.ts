import { decodeProbabilities } from '../decision/decode/decode-probabilities.ts'
import type { PresenceRule } from '../decision/decode/presence.ts'
import { presenceNote } from '../decision/decode/presence-note.ts'
import type { MapResult } from '../decision/decode/result.ts'
import { namesOfLabels, schemeLabels } from '../maps/scheme-labels.ts'
import { InputError } from '../volume/errors.ts'
import type { Volume } from '../volume/volume.ts'
import type { Model } from './model-file.ts'

/** A model's probabilities, cut. */
export interface PredictedMask {
  /** One label map where every output is one label of its own, else one 0/1 channel an output. */
  readonly mask: Volume
  /** What became of each output, in their order. */
  readonly outputs: readonly (MapResult | undefined)[]
  /** What a user should know: outputs left out or kept on little evidence, a sentence each. */
  readonly warnings: readonly string[]
}

/**
 * Cuts a model's probabilities, by the decoder of `decodeProbabilities`: at a number, at each output's per-case t*
 * (`auto`), or at the data-set t* that the model file holds (`dataset`).
 *
 * @param presence for `auto`: whether an output with little evidence is left out (see `presenceOf`)
 * @param alone whether the network has no other output; default: whether it is the only one here
 * @throws InputError for `dataset` where the model holds no threshold
 * @example
 * const model = await openModel('model.onnx')
 * const probability = await predictProbability(model, await readVolume('image.nii.gz'), 'image.nii.gz')
 * await writeVolume('mask.nii.gz', predictedMask(probability, model, 'auto').mask)
 */
export function predictedMask(
  probability: Volume<Float32Array>,
  { metadata, path }: Pick<Model, 'metadata' | 'path'>,
  rule: number | 'auto' | 'dataset',
  presence: PresenceRule = 'auto',
  alone?: boolean,
): PredictedMask {
  const labelSets = metadata.outputs.map(({ labels }) => labels)
  const single = labelSets.every((labels) => labels.length === 1) && new Set(labelSets.flat()).size === labelSets.length
  const kind = single && labelSets.length > 1 ? 'exclusive' : 'separate'
  const at = rule === 'auto' ? undefined : rule === 'dataset' ? datasetThresholds(metadata.thresholds, path) : rule
  const decoded = decodeProbabilities(probability, { kind, labelSets, at, presence, alone })
  const warnings = decoded.maps.flatMap((result, k) => (result && presenceNote(metadata.outputs[k].name, result)) ?? [])
  const { data, channels } = single && kind === 'separate' ? labelled(decoded.data, labelSets[0][0]) : decoded
  const labels = single ? schemeLabels({ kind: 'exclusive', maps: metadata.outputs }) : undefined
  // Names that the header may hold are of another image.
  const mask = { ...probability, data, channels, labelNames: namesOfLabels(labels) }
  return { mask, outputs: decoded.maps, warnings }
}

function datasetThresholds(thresholds: readonly number[] | undefined, path: string): readonly number[] {
  if (thresholds !== undefined) return thresholds
  throw new InputError(path, 'holds no data-set threshold; use --threshold auto')
}

/** The mask of a single output with the label of its training. */
function labelled(mask: Uint8Array | Uint16Array, label: number): Pick<Volume, 'data' | 'channels'> {
  if (label === 1) return { data: mask, channels: 1 }
  const data = label > 255 ? new Uint16Array(mask.length) : new Uint8Array(mask.length)
  for (let i = 0; i < mask.length; i++) data[i] = mask[i] * label
  return { data, channels: 1 }
}
