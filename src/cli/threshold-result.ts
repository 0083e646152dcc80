import type { DecodedCase } from '../decision/decode/case-decoder.ts'
import type { MapResult } from '../decision/decode/result.ts'
import type { CaseMaps } from '../maps/case-maps.ts'
import type { ClassScheme } from '../maps/classes.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import { fixed, millilitres, table } from './print.ts'
import type { ThresholdOptions } from './threshold.ts'

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
type MaskSummary = Volumes & {
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

/** The volumes of a row at ½, of the mask and of the probabilities. */
function volumeCells(map: MaskSummary): string[] {
  if ('volumeMl' in map) return [map.volumeHalfMl, map.volumeMl, map.probabilityVolumeMl].map(millilitres)
  return [map.volumeHalfVoxels, map.volumeVoxels, Math.round(map.probabilityVolumeVoxels)].map(String)
}

/** The results as a table for people. */
export function describeCases(
  cases: readonly CaseResult[],
  { metric, at, scope }: ThresholdOptions,
  dataset: readonly { threshold: number; supDice: number }[] | undefined,
): string {
  const several = cases.some((each) => 'maps' in each)
  const iou = metric === 'iou'
  const score = (dice: number) => fixed(iou ? dice / (2 - dice) : dice, 4)
  const rows = cases.flatMap((each) =>
    ('maps' in each ? each.maps : [{ name: '', ...each }]).map((map) => [
      each.input,
      ...(several ? [map.name] : []),
      map.present ? (map.threshold === null ? 'argmax' : fixed(map.threshold, 4)) : 'absent',
      score(map.diceAtHalf),
      score(map.softDice),
      score(map.supDice),
      ...volumeCells(map),
    ]),
  )
  const name = iou ? 'IoU' : 'Dice'
  // Cases with and without a geometry never come together: masks without one are written one at a time.
  const maps = cases.flatMap((each): MaskSummary[] => ('maps' in each ? [...each.maps] : [each]))
  const unit = maps.every((map) => 'volumeMl' in map) ? 'ml' : 'voxels'
  const header = ['case', ...(several ? ['class'] : []), 'cut at', `${name} at 1/2`, `${name} here`, `best ${name}`]
  const how =
    at !== undefined
      ? `cut at ${at} as asked`
      : metric === 'accuracy'
        ? 'cut at 1/2, which is best for accuracy'
        : scope === 'dataset'
          ? `one threshold for all cases: ${dataset?.map(({ threshold }) => fixed(threshold, 4)).join(', ')}`
          : 'each cut at its own threshold t*'
  return [
    `${cases.length === 1 ? cases[0].output : `${cases.length} masks`}: ${how}`,
    `${name} is what the probabilities promise (soft ${name}); volumes in ${unit}, the last what they add up to`,
    '',
    table([...header, `${unit} at 1/2`, `${unit} here`, `expected ${unit}`], rows),
  ].join('\n')
}
