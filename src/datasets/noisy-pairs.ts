import { join } from 'node:path'
import { jointGroup } from '../noise/noise-seed.ts'
import { InputError } from '../volume/errors.ts'
import { namesIn } from './folder.ts'
import { caseName, isImageName } from './image-names.ts'
import { filesBelow, type NoisyLayout, type NoisyLayoutCase, recordOnly } from './noisy-layout.ts'

/**
 * Folders `images` and `labels`, to be written as such. A case is called like its label map, without `suffix`; its
 * images are called like the case, or like the case with a channel's number (`_0000`).
 *
 * @param labels numbers of the labels that are kept; default all
 */
export async function noisyPairs(folder: string, labels?: readonly number[], suffix = ''): Promise<NoisyLayout> {
  const [images, maps] = await Promise.all(
    ['images', 'labels'].map(async (name) => (await namesIn(join(folder, name))).filter(isImageName)),
  )
  if (maps.length === 0) throw new InputError(join(folder, 'labels'), 'holds no label maps; give another data set')
  const cases = maps.map((map): NoisyLayoutCase => {
    const name = caseName(map)
    const id = name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name
    const own = images.filter((image) => caseName(image).replace(/_\d{4}$/, '') === id || caseName(image) === id)
    const reference = join(folder, 'labels', map)
    const fault = `has no image images/${id}.*; restore it, or say with --suffix what labels add to the name`
    return {
      id,
      fault: own.length === 0 ? new InputError(reference, fault) : undefined,
      image: join(folder, 'images', own[0] ?? ''),
      carried: own.map((image) => ({ from: join(folder, 'images', image), to: `images/${image}` })),
      labels: [{ reference, to: `labels/${map}`, keep: { kind: 'any', only: labels } }],
    }
  })
  return {
    cases,
    group: jointGroup,
    rest: filesBelow(folder, (path) => ['images', 'labels', recordOnly.recordFile].includes(path)),
    names: new Map(),
    notes: [],
    ...recordOnly,
  }
}
