import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { jointGroup } from '../noise/noise-seed.ts'
import { InputError } from '../volume/errors.ts'
import { namesIn } from './folder.ts'
import { filesBelow, type NoisyLayout, type NoisyLayoutCase, recordOnly } from './noisy-layout.ts'
import { caseFolders, imageNames } from './totalsegmentator.ts'

const ending = '.nii.gz'

/**
 * The TotalSegmentator data set, to be written in the same layout. Every mask of a case is moved by the case's one
 * field, each on its own, so that masks that overlap still do.
 *
 * @param organs the masks that are kept; default all
 */
export async function noisyTotalSegmentator(folder: string, organs?: readonly string[]): Promise<NoisyLayout> {
  const cases: NoisyLayoutCase[] = []
  const found = new Set<string>()
  for (const id of await caseFolders(folder)) {
    const masks = (await namesIn(join(folder, id, 'segmentations'))).filter((name) => name.endsWith(ending))
    for (const name of masks) found.add(name.slice(0, -ending.length))
    const image = imageNames.map((name) => join(folder, id, name)).find(existsSync)
    const missing = join(folder, id, imageNames[0])
    const kept = masks.map((name) => name.slice(0, -ending.length)).filter((name) => organs?.includes(name) ?? true)
    cases.push({
      id,
      fault: image === undefined ? new InputError(missing, 'is missing; restore it, or take the case away') : undefined,
      image: image ?? missing,
      carried: filesBelow(folder, (path) => path === `${id}/segmentations`, id),
      labels: kept.map((name) => ({
        reference: join(folder, id, 'segmentations', name + ending),
        to: `${id}/segmentations/${name}${ending}`,
        keep: { kind: 'mask', name },
      })),
    })
  }
  const unknown = organs?.find((organ) => !found.has(organ))
  if (unknown !== undefined) {
    throw new InputError(folder, `no case has segmentations/${unknown}${ending}; check the organ's name`)
  }
  const ids = new Set(cases.map(({ id }) => id))
  return {
    cases,
    group: (organs ?? [...found]).length === 1 ? (organs ?? [...found])[0] : jointGroup,
    rest: filesBelow(folder, (path) => ids.has(path) || path === recordOnly.recordFile),
    names: new Map(),
    notes: [],
    ...recordOnly,
  }
}
