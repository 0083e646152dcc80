import type { DecodedCase } from '../decision/decode/case-decoder.ts'
import type { MapResult } from '../decision/decode/result.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import type { CaseMaps } from './case-maps.ts'
import type { ClassScheme } from './classes.ts'

/**
 * Volumes of the mask, of the cut at ½ and of the probabilities (‖m‖), and what other classes took; in voxels without a
 * geometry.
 */
type Volumes =
  | {
      readonly volumeMl: number
      readonly volumeHalfMl: number
      readonly probabilityVolumeMl: number
      readonly lostMl?: number
    }
  | {
      readonly volumeVoxels: number
      readonly volumeHalfVoxels: number
      readonly probabilityVolumeVoxels: number
      readonly lostVoxels?: number
    }

/** What is told about one map's mask. */
export type MaskSummary = Volumes & {
  /** null where the mask is no cut: the argmax of several maps. */
  readonly threshold: number | null
  /** D*, the most that any mask of this map can be expected to reach. */
  readonly supDice: number
  /** The expected (soft) Dice of the mask that was written, and of the cut at ½. */
  readonly softDice: number
  readonly diceAtHalf: number
  /** Whether the mask holds a voxel. */
  readonly present: boolean
}

type NamedSummary = MaskSummary & {
  readonly name: string
  readonly labels: readonly number[]
}

export type CaseResult = {
  readonly input: string
  readonly output: string
  readonly sharingLoss?: number
} & (MaskSummary | { readonly maps: readonly NamedSummary[] })

/** The result of one case as `--json` gives it. */
export function caseResult(
  { input, grid, hasGeometry }: CaseMaps,
  { maps }: ClassScheme,
  decoded: DecodedCase,
  output: string,
): CaseResult {
  const ml = hasGeometry ? voxelVolumeMm3(grid) / 1000 : undefined
  const summaries = decoded.maps.flatMap((result, i) => {
    const own = maps[i]
    return result && own ? [{ name: own.name, labels: own.labels, ...summary(result, ml) }] : []
  })
  const { sharingLoss } = decoded
  if (decoded.maps.length > 1)
    return { input, output, ...(sharingLoss !== undefined && { sharingLoss }), maps: summaries }
  const [{ name: _, labels: __, ...only }] = summaries
  return { input, output, ...only }
}

function summary(result: MapResult, ml: number | undefined): MaskSummary {
  return {
    threshold: result.threshold ?? null,
    supDice: result.supDice,
    softDice: result.softDice,
    diceAtHalf: result.diceAtHalf,
    ...(ml === undefined ? inVoxels(result) : inMillilitres(result, ml)),
    present: result.present,
  }
}

function inMillilitres(result: MapResult, ml: number): Volumes {
  return {
    volumeMl: result.volume * ml,
    volumeHalfMl: result.volumeHalf * ml,
    probabilityVolumeMl: result.probabilityVolume * ml,
    ...(result.lostVolume > 0 && { lostMl: result.lostVolume * ml }),
  }
}

function inVoxels(result: MapResult): Volumes {
  return {
    volumeVoxels: result.volume,
    volumeHalfVoxels: result.volumeHalf,
    probabilityVolumeVoxels: result.probabilityVolume,
    ...(result.lostVolume > 0 && { lostVoxels: result.lostVolume }),
  }
}
