import { InputError } from '../volume/errors.ts'
import { chosenSets } from '../volume/label-names.ts'
import type { CaseMaps } from './case-maps.ts'
import type { ClassScheme, MapClass } from './classes.ts'
import type { OpenedCase } from './open-case.ts'

/**
 * A case with some of its classes only. To those the others are background: none of them claims a voxel.
 *
 * @param texts names or numbers of classes, as `parseLabels` takes them; the order of the maps stays
 * @throws InputError where one is no class of the case, or its background
 */
export function narrowed({ source, scheme }: OpenedCase, texts: readonly string[]): OpenedCase {
  const taken = takenMaps(source.input, scheme, texts)
  const foreground = scheme.maps.filter((each) => each !== undefined).length
  // With all classes the background stays, too: it tells whether the maps add up to 1.
  if (taken.filter(Boolean).length === foreground) return { source, scheme }
  const kept = <T>(all: readonly T[]) => all.filter((_, i) => taken[i])
  const { paint, maps } = scheme
  return {
    source: withMaps(source, taken),
    scheme: {
      ...scheme,
      maps: kept(maps),
      ...(paint && { paint: paint.length === maps.length ? kept(paint) : paint }),
      leftOut: maps.filter((each, i) => each !== undefined && !taken[i]) as MapClass[],
    },
  }
}

/** Whether each map is one of those that texts name. */
function takenMaps(input: string, { maps }: ClassScheme, texts: readonly string[]): boolean[] {
  const sets = maps.map((each) => each ?? { name: 'background', labels: [0] })
  const taken = chosenSets(texts, sets, input)
  if (!maps.some((each, i) => each === undefined && taken[i])) return taken
  throw new InputError('--labels', `names the background of ${input}, which is what no class claims; leave it out`)
}

/** Some of the maps of a case. Files of maps that are not among them are not read, where each has its own. */
function withMaps(source: CaseMaps, taken: readonly boolean[]): CaseMaps {
  const channels = taken.filter(Boolean).length
  const { stored, numbers } = source
  // The softmax of logits is one of all maps.
  if (stored.length !== taken.length || numbers.logits === 'softmax') return { ...source, channels, taken }
  return { ...source, channels, stored: stored.filter((_, i) => taken[i]) }
}
