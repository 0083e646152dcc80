import { totalmem } from 'node:os'
import { countParameters, listParameters } from '../network/parameters.ts'
import { sizeMultiple, type UNetPlan } from '../network/unet.ts'
import { InputError } from '../volume/errors.ts'
import { median } from './median.ts'
import type { PreparedCase } from './patch.ts'
import type { TrainingConfig } from './training-config.ts'

/** A patch of 64³ voxels fits two cores and 2 GB. */
const mostPatchVoxels = 64 ** 3

/** The patch along (i, j, k): what was asked for or the median image, rounded up to a size that the net can halve. */
export function choosePatch(
  config: TrainingConfig,
  unet: UNetPlan,
  prepared: readonly PreparedCase[],
): [number, number, number] {
  const multiple = sizeMultiple(unet)
  const axes = config.dimensions
  const up = (n: number) => Math.max(multiple, Math.ceil(n / multiple) * multiple)
  const given = config.patch
  if (given !== undefined && given.length !== axes && given.length !== 3) {
    throw new InputError('patch', `has ${given.length} sizes; give ${axes}`)
  }
  const sizes = [0, 1, 2].map((axis) => {
    if (axis >= axes) return 1
    return up(given?.[axis] ?? median(prepared.map(({ image }) => image.placement.size[axis])))
  })
  // A patch of depth 1 marks a 2-D network.
  if (axes === 3 && sizes[2] === 1) {
    throw new InputError('patch', 'is a single slice of a 3-D network; make it deeper, or train a 2-D network')
  }
  while (given === undefined && sizes[0] * sizes[1] * sizes[2] > mostPatchVoxels) {
    const largest = Math.max(...sizes)
    if (largest === multiple) {
      const least = new Array(axes).fill(multiple).join('×')
      const fault = `${unet.channels.length} levels need a patch of at least ${least} voxels`
      throw new InputError('channels', `${fault}, more than the default's limit; give fewer levels, or the patch`)
    }
    sizes[sizes.indexOf(largest)] -= multiple
  }
  return [sizes[0], sizes[1], sizes[2]]
}

/**
 * Refuses what cannot fit in any case, before memory is asked for: the state of the optimiser (parameters and two
 * moments, before and after a step) and one batch with the maps of the first convolution, float32.
 *
 * @throws InputError where the machine has less
 */
export function checkMemory(unet: UNetPlan, batch: number, patch: readonly number[]): void {
  const state = 6 * countParameters(listParameters(unet))
  const maps = batch * patch.reduce((p, n) => p * n, 1) * (unet.inputChannels + unet.outputs + unet.channels[0])
  if (4 * (state + maps) > totalmem()) throw outOfMemory()
}

/** The words in which a lack of memory in ONNX Runtime is reported too. */
export function outOfMemory(): InputError {
  return new InputError('memory', 'not enough for this network; use a smaller patch, batch or number of channels')
}
