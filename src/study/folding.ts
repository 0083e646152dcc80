import { foldProbability } from '../noise/fold.ts'
import { createGrid } from '../volume/grid.ts'
import type { StudyNoise } from './config.ts'

/** Above this share of folds labels are torn or repeated in places (docs/theory.md, "A noise model for contours"). */
export const muchFolding = 0.01

/** The share of voxels at which the noise folds: it depends on the axes that move, not on the grid's size. */
export function foldingOf(noise: StudyNoise): number {
  return foldProbability(noise, createGrid([2, 2, 2]))
}

/** `1.5 %`, to two digits. */
export function foldingText(noise: StudyNoise): string {
  return `${Number((100 * foldingOf(noise)).toPrecision(2))} %`
}
