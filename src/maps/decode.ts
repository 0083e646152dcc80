import { CaseDecoder, type DecodedCase, type OwnCut } from '../decision/decode/case-decoder.ts'
import type { DecodeOptions } from '../decision/decode/options.ts'
import type { PostProcessing } from '../decision/decode/post-process.ts'
import { presenceNote } from '../decision/decode/presence-note.ts'
import { type BetaCalibration, calibratedHalf, calibratedMap, uncalibrated } from '../metrics/beta-calibration.ts'
import { voxelCount, voxelVolumeMm3 } from '../volume/grid.ts'
import type { CaseMaps } from './case-maps.ts'
import type { ClassScheme } from './classes.ts'
import { mapWarnings } from './map-warnings.ts'
import { readMaps } from './read-maps.ts'
import { SumCheck } from './sum-check.ts'

export interface DecodeCaseOptions extends Omit<DecodeOptions, 'kind' | 'labelSets' | 'paint'> {
  /** For each map, what its probabilities are replaced by first. */
  readonly calibrations?: readonly (BetaCalibration | undefined)[] | undefined
  /** For each map, whether it is cut by the reciprocal-moment approximation in place of t*. */
  readonly criteria?: readonly ('rma' | undefined)[] | undefined
  /** For each map, what is done to its mask once it is cut. */
  readonly postProcessing?: readonly (PostProcessing | undefined)[] | undefined
  /**
   * Sees each map but the background's after it was decoded, before the next is read: as it was given, with the
   * threshold that cuts it so, whether it was calibrated or not.
   */
  readonly inspect?: ((index: number, map: Float32Array, cut: OwnCut) => void) | undefined
}

export interface CaseDecision {
  readonly decoded: DecodedCase
  /** What a user should know: odd sums, nothing to be cut, classes left out or kept on little evidence. */
  readonly warnings: readonly string[]
}

/**
 * Reads and decodes a case, map by map. For classes that exclude each other the sums over maps are checked.
 *
 * @throws InputError where a file is damaged or its numbers are not probabilities
 * @example
 * const [found] = findCases(['predictions']).cases
 * const { source, scheme } = await openCase(found, { geometryOptional: true })
 * const { decoded, warnings } = await decodeCase(source, scheme, {})
 * decoded.data // [0, 1, 1, 0]
 */
export async function decodeCase(
  source: CaseMaps,
  scheme: ClassScheme,
  options: DecodeCaseOptions,
): Promise<CaseDecision> {
  const { inspect, calibrations, postProcessing, ...rest } = options
  const { kind, maps, paint } = scheme
  const voxels = voxelCount(source.grid)
  const labelSets = maps.map((each) => each?.labels)
  const grid = { shape: source.grid.shape, voxelMm3: voxelVolumeMm3(source.grid) }
  const decoder = new CaseDecoder(voxels, source.channels, {
    ...rest,
    kind,
    labelSets,
    paint,
    alone: scheme.leftOut ? false : undefined,
    halves: calibrations?.map((each) => each && calibratedHalf(each)),
    postProcessing: postProcessing && { grid, maps: postProcessing },
  })
  const sums = kind === 'exclusive' ? new SumCheck(voxels, maps.includes(undefined)) : undefined
  const calibrate = (index: number, map: Float32Array) => {
    const calibration = calibrations?.[index]
    return calibration === undefined ? map : calibratedMap(calibration, map)
  }
  let index = 0
  for await (const stored of readMaps(source, scheme)) {
    sums?.add(stored)
    const map = calibrate(index, stored)
    const cut = decoder.add(map)
    const calibration = calibrations?.[index]
    if (cut && inspect) {
      const threshold = calibration ? uncalibrated(calibration, cut.threshold) : cut.threshold
      inspect(index, stored, { ...cut, threshold })
    }
    index++
  }
  const oddSums = sums?.verdict(source.input)
  if (decoder.needsReview) {
    index = 0
    for await (const stored of readMaps(source, scheme)) {
      decoder.review(index, calibrate(index, stored))
      index++
    }
  }
  const decoded = decoder.finish()
  return {
    decoded,
    warnings: [...(oddSums ? [oddSums] : []), ...mapWarnings(decoded), ...presenceNotes(decoded, scheme)],
  }
}

function presenceNotes({ maps }: DecodedCase, scheme: ClassScheme): string[] {
  return maps.flatMap((result, i) => (result && presenceNote(scheme.maps[i]?.name ?? `map ${i}`, result)) ?? [])
}
