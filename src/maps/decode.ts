import { CaseDecoder, type DecodedCase, type DecodeOptions, type OwnCut } from '../decision/case-decoder.ts'
import { voxelCount } from '../volume/grid.ts'
import type { CaseMaps } from './case-maps.ts'
import type { ClassScheme } from './classes.ts'
import { mapWarnings } from './map-warnings.ts'
import { readMaps } from './read-maps.ts'
import { SumCheck } from './sum-check.ts'

export interface DecodeCaseOptions extends Omit<DecodeOptions, 'kind' | 'labels' | 'paint'> {
  /** Sees each map but the background's after it was decoded, before the next is read. */
  readonly inspect?: ((index: number, map: Float32Array, cut: OwnCut) => void) | undefined
}

/**
 * Reads and decodes a case, map by map. For classes that exclude each other the sums over maps are checked.
 *
 * @returns the decoded case, and warnings: that the maps add up to 1 only roughly, or hold nothing to be cut
 * @throws InputError where a file is damaged or its numbers are no probabilities
 */
export async function decodeCase(
  source: CaseMaps,
  scheme: ClassScheme,
  options: DecodeCaseOptions,
): Promise<{ readonly decoded: DecodedCase; readonly warnings: readonly string[] }> {
  const { inspect, ...rest } = options
  const voxels = voxelCount(source.grid)
  const labels = scheme.maps.map((each) => each?.labels)
  const decoder = new CaseDecoder(voxels, source.channels, { ...rest, kind: scheme.kind, labels, paint: scheme.paint })
  const sums = scheme.kind === 'exclusive' ? new SumCheck(voxels, scheme.maps.includes(undefined)) : undefined
  let index = 0
  for await (const map of readMaps(source, scheme)) {
    const cut = decoder.add(map)
    sums?.add(map)
    if (cut) inspect?.(index, map, cut)
    index++
  }
  const warning = sums?.verdict(source.input)
  if (decoder.needsReview) {
    index = 0
    for await (const map of readMaps(source, scheme)) decoder.review(index++, map)
  }
  const decoded = decoder.finish()
  return { decoded, warnings: [...(warning === undefined ? [] : [warning]), ...mapWarnings(decoded)] }
}
