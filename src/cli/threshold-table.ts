import type { ThresholdSettings } from '../maps/threshold-cases.ts'
import { type CaseResult, classMeans, type MaskSummary, mapsOf } from '../maps/threshold-result.ts'
import { ruleSentence } from '../maps/tune/rule.ts'
import { type Cell, fixed, millilitres, table } from './print.ts'

/** The volumes of a row at ½, of the mask and of the probabilities. */
function volumeCells(map: MaskSummary): string[] {
  if ('volumeMl' in map) return [map.volumeHalfMl, map.volumeMl, map.probabilityVolumeMl].map(millilitres)
  return [map.volumeHalfVoxels, map.volumeVoxels, Math.round(map.probabilityVolumeVoxels)].map(String)
}

/** The results as a table for people. */
export function describeCases(
  cases: readonly CaseResult[],
  { metric, at, scope, tuned }: Pick<ThresholdSettings, 'metric' | 'at' | 'scope' | 'tuned'>,
  dataset: readonly { threshold: number; supDice: number }[] | undefined,
): string {
  const several = cases.some((each) => 'maps' in each)
  const iou = metric === 'iou'
  const value = (dice: number) => (iou ? dice / (2 - dice) : dice)
  const score = (dice: number) => fixed(value(dice), 4)
  const rows: Cell[][] = cases.flatMap((each) =>
    mapsOf(each).map((map) => [
      each.input,
      ...(several ? [map.name ?? ''] : []),
      map.present ? (map.threshold === null ? 'argmax' : fixed(map.threshold, 4)) : 'absent',
      score(map.diceAtHalf),
      score(map.softDice),
      score(map.supDice),
      ...volumeCells(map),
    ]),
  )
  if (cases.length > 1) rows.push(...meanRows(cases, several, value))
  const name = iou ? 'IoU' : 'Dice'
  // Cases with and without a geometry never come together: masks without one are written one at a time.
  const maps = cases.flatMap(mapsOf)
  const unit = maps.every((map) => 'volumeMl' in map) ? 'ml' : 'voxels'
  const header = ['case', ...(several ? ['class'] : []), 'cut at', `${name} at 1/2`, `${name} here`, `best ${name}`]
  const how =
    otherCut({ metric, at, tuned }) ??
    (scope === 'dataset'
      ? `one threshold for all cases: ${dataset?.map(({ threshold }) => fixed(threshold, 4)).join(', ')}`
      : 'each cut at its own threshold t*')
  return [
    `${cases.length === 1 ? cases[0].output : `${cases.length} masks`}: ${how}`,
    `${name} is what the probabilities promise (soft ${name}); volumes in ${unit}, the last what they add up to`,
    '',
    table([...header, `${unit} at 1/2`, `${unit} here`, `expected ${unit}`], rows),
  ].join('\n')
}

/** How masks were made that were not cut at t*, of a case or of all pooled; undefined where they were. */
export function otherCut({
  metric,
  at,
  tuned,
}: Pick<ThresholdSettings, 'metric' | 'at' | 'tuned'>): string | undefined {
  if (tuned) {
    return `as tuned (${tuned.classes.map(({ name: own, ...rule }) => `${own}: ${ruleSentence(rule)}`).join('; ')})`
  }
  if (at !== undefined) return `cut at ${at} as asked`
  if (metric === 'volume') return 'each cut where its mask has the expected volume'
  if (metric !== 'accuracy') return undefined
  return 'each voxel as its probabilities make it likeliest (argmax, or cut at 1/2), which is best for accuracy'
}

/** A last row for each class: means over the cases in which it is present. */
function meanRows(cases: readonly CaseResult[], named: boolean, value: (dice: number) => number): Cell[][] {
  return classMeans(cases).map((mean) => {
    const dice = (of: (map: MaskSummary) => number) => {
      // IoU is no linear function of Dice: its mean is over cases, too.
      const own = cases.flatMap(mapsOf).filter((map) => map.name === mean.class && map.present)
      return fixed(own.reduce((sum, map) => sum + value(of(map)), 0) / own.length, 4)
    }
    const ml = (volume: number | null) => (volume === null ? undefined : millilitres(volume))
    return [
      `mean of ${mean.present} of ${mean.cases}`,
      ...(named ? [mean.class ?? ''] : []),
      fixed(mean.threshold, 4),
      dice((map) => map.diceAtHalf),
      dice((map) => map.softDice),
      dice((map) => map.supDice),
      ml(mean.volumeHalfMl),
      ml(mean.volumeMl),
      ml(mean.probabilityVolumeMl),
    ]
  })
}

/** What the masks gain over the cut at ½, by the probabilities' own account, in a sentence. */
export function gainSentence(cases: readonly CaseResult[]): string | undefined {
  const maps = cases.flatMap(mapsOf).filter((map) => map.present)
  if (maps.length === 0) return undefined
  const gain = maps.reduce((sum, map) => sum + map.softDice - map.diceAtHalf, 0) / maps.length
  return `mean gain over the cut at 1/2: ${gain < 0 ? '−' : '+'}${Math.abs(gain).toFixed(4)} expected Dice`
}
