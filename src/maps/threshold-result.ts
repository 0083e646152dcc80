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
  /** Why not to trust this mask unseen (see `flagRows`); undefined where nobody asked. */
  readonly flags?: readonly string[]
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

/** A result with the flags of its maps. */
export function withFlags(result: CaseResult, flags: readonly (readonly string[])[]): CaseResult {
  if (!('maps' in result)) return { ...result, flags: flags[0] ?? [] }
  return { ...result, maps: result.maps.map((map, i) => ({ ...map, flags: flags[i] ?? [] })) }
}

/** Means of one class over the cases in which it is present. */
export interface ClassMeans {
  /** Undefined where cases have one map without a name. */
  readonly class: string | undefined
  readonly cases: number
  /** Those in which its mask holds a voxel; where there are none, the means do not exist. */
  readonly present: number
  readonly threshold: number | null
  readonly diceAtHalf: number | null
  readonly softDice: number | null
  readonly supDice: number | null
  readonly volumeHalfMl: number | null
  readonly volumeMl: number | null
  readonly probabilityVolumeMl: number | null
}

/** The means of each class, in the order of the first case that has it. Cases without a geometry have no volumes. */
export function classMeans(cases: readonly CaseResult[]): ClassMeans[] {
  const byClass = new Map<string | undefined, MaskSummary[]>()
  for (const each of cases) {
    for (const map of mapsOf(each)) byClass.set(map.name, [...(byClass.get(map.name) ?? []), map])
  }
  return [...byClass].map(([name, all]) => {
    const there = all.filter(({ present }) => present)
    const mean = (of: (map: MaskSummary) => number | null | undefined) => {
      const values = there.flatMap((map) => of(map) ?? [])
      return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
    }
    const ml = (key: 'volumeHalfMl' | 'volumeMl' | 'probabilityVolumeMl') =>
      mean((map) => ('volumeMl' in map ? map[key] : undefined))
    return {
      class: name,
      cases: all.length,
      present: there.length,
      threshold: mean((map) => map.threshold),
      diceAtHalf: mean((map) => map.diceAtHalf),
      softDice: mean((map) => map.softDice),
      supDice: mean((map) => map.supDice),
      volumeHalfMl: ml('volumeHalfMl'),
      volumeMl: ml('volumeMl'),
      probabilityVolumeMl: ml('probabilityVolumeMl'),
    }
  })
}

/** The maps of a case, named where there are several. */
export function mapsOf(result: CaseResult): (MaskSummary & { readonly name?: string })[] {
  return 'maps' in result ? [...result.maps] : [result]
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
