import { softDiceOptimum } from '../decision/soft-dice.ts'
import { InputError } from '../volume/errors.ts'
import type { Volume } from '../volume/volume.ts'
import type { Model } from './model-file.ts'

/**
 * Cuts a model's probabilities: at a number, at each output's per-case t* (`auto`), or at the data-set t* that the
 * model file holds (`dataset`). Outputs that are single labels give one label map, in which a voxel above several
 * thresholds goes to the output that exceeds its own by the largest factor; other outputs give one 0/1 channel each.
 *
 * @throws InputError for `dataset` where the model holds no threshold
 */
export function predictedMask(
  probability: Volume<Float32Array>,
  { metadata, path }: Pick<Model, 'metadata' | 'path'>,
  rule: number | 'auto' | 'dataset',
): { readonly mask: Volume; readonly thresholds: readonly number[] } {
  const { outputs } = metadata
  const voxels = probability.data.length / outputs.length
  const maps = outputs.map((_, k) => probability.data.subarray(k * voxels, (k + 1) * voxels))
  const thresholds = maps.map((map, k) => {
    if (rule === 'auto') return softDiceOptimum(map).threshold
    if (rule !== 'dataset') return rule
    const threshold = metadata.thresholds?.[k]
    if (threshold === undefined) throw new InputError(path, 'holds no data-set threshold; use --threshold auto')
    return threshold
  })
  const values = outputs.map(({ labels }) => labels[0])
  const single = outputs.every(({ labels }) => labels.length === 1) && new Set(values).size === values.length
  const largest = Math.max(...values)
  if (!single) {
    const data = new Uint8Array(probability.data.length)
    for (const [k, map] of maps.entries()) {
      for (let v = 0; v < voxels; v++) data[k * voxels + v] = map[v] >= thresholds[k] ? 1 : 0
    }
    return { mask: { ...probability, data }, thresholds }
  }
  const data = largest < 256 ? new Uint8Array(voxels) : new Int32Array(voxels)
  for (let v = 0; v < voxels; v++) {
    let best = 0
    for (const [k, map] of maps.entries()) {
      const excess = map[v] >= thresholds[k] && map[v] > 0 ? map[v] / thresholds[k] : 0
      if (excess > best) {
        best = excess
        data[v] = values[k]
      }
    }
  }
  return { mask: { ...probability, channels: 1, data }, thresholds }
}
