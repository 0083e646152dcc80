import type { ThresholdSettings } from '../maps/threshold-cases.ts'
import type { CaseResult, MaskSummary } from '../maps/threshold-result.ts'
import { fixed, millilitres, table } from './print.ts'

/** The volumes of a row at ½, of the mask and of the probabilities. */
function volumeCells(map: MaskSummary): string[] {
  if ('volumeMl' in map) return [map.volumeHalfMl, map.volumeMl, map.probabilityVolumeMl].map(millilitres)
  return [map.volumeHalfVoxels, map.volumeVoxels, Math.round(map.probabilityVolumeVoxels)].map(String)
}

/** The results as a table for people. */
export function describeCases(
  cases: readonly CaseResult[],
  { metric, at, scope }: Pick<ThresholdSettings, 'metric' | 'at' | 'scope'>,
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
        ? 'each voxel as its probabilities make it likeliest (argmax, or cut at 1/2), which is best for accuracy'
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
