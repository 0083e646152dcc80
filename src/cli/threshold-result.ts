import type { DecodedCase, MapResult } from '../decision/case-decoder.ts'
import type { CaseMaps } from '../maps/case-maps.ts'
import type { ClassScheme } from '../maps/classes.ts'
import { voxelVolumeMm3 } from '../volume/grid.ts'
import { fixed, millilitres, table } from './print.ts'
import type { ThresholdOptions } from './threshold.ts'

/** What is told about one map's mask. */
interface MaskSummary {
  readonly threshold: number
  /** D*, the most that any mask of this map can be expected to reach. */
  readonly supDice: number
  /** The expected (soft) Dice of the mask that was written, and of the cut at ½. */
  readonly dice: number
  readonly diceAtHalf: number
  readonly volumeMl: number
  readonly volumeHalfMl: number
  /** ‖m‖: the volume that the probabilities add up to. */
  readonly probabilityVolumeMl: number
  /** False where the class is taken to be absent: no evidence that it is there, the mask is empty. */
  readonly present: boolean
}

interface NamedSummary extends MaskSummary {
  readonly name: string
  readonly labels: readonly number[]
  /** What other classes took of this one's own best mask. */
  readonly lostMl?: number
}

export type CaseResult = {
  readonly input: string
  readonly output: string
  readonly sharingLoss?: number
} & (MaskSummary | { readonly maps: readonly NamedSummary[] })

/** The result of one case as `--json` gives it. */
export function caseResult(
  { input, grid }: CaseMaps,
  { maps }: ClassScheme,
  decoded: DecodedCase,
  output: string,
): CaseResult {
  const ml = voxelVolumeMm3(grid) / 1000
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

function summary(result: MapResult, ml: number): MaskSummary & { lostMl?: number } {
  return {
    threshold: result.threshold,
    supDice: result.supDice,
    dice: result.dice,
    diceAtHalf: result.diceAtHalf,
    volumeMl: result.volume * ml,
    volumeHalfMl: result.volumeHalf * ml,
    probabilityVolumeMl: result.probabilityVolume * ml,
    present: result.presence?.present ?? true,
    ...(result.lostVolume > 0 && { lostMl: result.lostVolume * ml }),
  }
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
      map.present ? fixed(map.threshold, 4) : 'absent',
      score(map.diceAtHalf),
      score(map.dice),
      score(map.supDice),
      millilitres(map.volumeHalfMl),
      millilitres(map.volumeMl),
      millilitres(map.probabilityVolumeMl),
    ]),
  )
  const name = iou ? 'IoU' : 'Dice'
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
    `${name} is what the probabilities promise (soft ${name}); volumes in ml, the last what they add up to`,
    '',
    table([...header, 'ml at 1/2', 'ml here', 'expected ml'], rows),
  ].join('\n')
}
