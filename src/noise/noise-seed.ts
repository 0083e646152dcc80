import type { Vec3 } from '../volume/grid.ts'
import { streamSeed } from '../volume/random.ts'
import type { NoiseModel } from './model.ts'

/** What labels that move together are called where they are several: a joint study, a data set of several labels. */
export const jointGroup = 'joint'

/**
 * The seed of a case's noisy labels in a data set: the same whether a study draws them or `halfdice sample DATASET`.
 * Other strengths have independent fields, so that comparisons between strengths do not share their luck.
 *
 * @param group the label's name, or `jointGroup` where several move together
 */
export function datasetNoiseSeed(
  seed: number,
  id: string,
  group: string,
  { sigmaMm, lengthMm }: Pick<NoiseModel, 'sigmaMm' | 'lengthMm'>,
): number {
  return streamSeed(seed, 'noise', id, group, sigmaText(sigmaMm), lengthMm)
}

/** `2` for the same strength on each axis, else `2x2x0`. */
export function sigmaText(sigmaMm: Vec3): string {
  return sigmaMm.every((s) => s === sigmaMm[0]) ? String(sigmaMm[0]) : sigmaMm.join('x')
}
