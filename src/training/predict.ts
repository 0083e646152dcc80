import type { Session } from '../network/runtime/session.ts'
import { InputError } from '../volume/errors.ts'
import { voxelCount } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import type { Model, ModelMetadata } from './model-file.ts'
import { type PreparedImage, prepareImage, restoreMap } from './preprocess.ts'
import { predictTiles } from './tiles.ts'

/**
 * A network's probabilities for an image, on the image's own grid: one channel for each output of the model.
 *
 * @param subject what to name in an error, usually the image's path
 * @throws InputError where the image does not suit the model
 *
 * @example
 * const model = await openModel('model.onnx')
 * await writeVolume('prob.nii.gz', await predictProbability(model, await readVolume('image.nii.gz'), 'image.nii.gz'))
 */
export async function predictProbability(model: Model, image: Volume, subject: string): Promise<Volume<Float32Array>> {
  const { metadata, session } = model
  checkImage(metadata, image, subject)
  const prepared = prepareImage(image, metadata.preprocessing, subject)
  const maps = await predictPrepared(session, metadata, prepared)
  const voxels = voxelCount(image.grid)
  const small = prepared.placement.size.reduce((p, n) => p * n, 1)
  const data = new Float32Array(voxels * metadata.outputs.length)
  for (let k = 0; k < metadata.outputs.length; k++) {
    data.set(restoreMap(maps.subarray(k * small, (k + 1) * small), prepared.placement), k * voxels)
  }
  return { grid: image.grid, channels: metadata.outputs.length, data: atMostOne(data), header: image.header }
}

function checkImage({ unet, images }: ModelMetadata, { grid, channels }: Volume, subject: string): void {
  if (channels !== unet.inputChannels) {
    const names = images.channelNames === undefined ? '' : ` (${images.channelNames.join(', ')})`
    const wanted = `${unet.inputChannels} channel${unet.inputChannels === 1 ? '' : 's'}${names}`
    throw new InputError(subject, `has ${channels} channels where the network takes ${wanted}; give one file for each`)
  }
  if (unet.dimensions === 3 && grid.shape[2] === 1) {
    throw new InputError(subject, 'is a single slice, and the network is 3-D; give a volume, or train a 2-D network')
  }
}

/** The same on the network's grid. */
export async function predictPrepared(
  session: Session,
  { patch, outputs }: Pick<ModelMetadata, 'patch' | 'outputs'>,
  image: PreparedImage,
): Promise<Float32Array> {
  const maps = await predictTiles(image, { patch, outputs: outputs.length }, async (data, shape) => {
    const { probability } = await session.run({ image: { data, shape } })
    return probability.data
  })
  return atMostOne(maps)
}

/** ONNX Runtime's sigmoid gives 1 + 2⁻²³ for some logits near 17.8, and resampling may round up; 0 it never passes. */
function atMostOne(map: Float32Array): Float32Array {
  for (let v = 0; v < map.length; v++) if (map[v] > 1) map[v] = 1
  return map
}
