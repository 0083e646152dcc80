import { type Grid, type Vec3, vec3 } from '../volume/grid.ts'
import { median } from './median.ts'

/** The images that a network was trained on, described: `predict` warns of images unlike them. */
export interface TrainedImages {
  /** Median over the training cases, along (i, j, k), before any resampling. */
  readonly spacingMm: Vec3
  /** The training cases' axis codes (see axisCodes), each once. */
  readonly orientations: readonly string[]
  /** What the input channels show (CT, T1, FLAIR …), where the data set says so. */
  readonly channelNames?: readonly string[]
}

export function describeImages(grids: readonly Grid[], channelNames?: readonly string[]): TrainedImages {
  return {
    spacingMm: vec3((axis) => median(grids.map((grid) => grid.spacing[axis]))),
    orientations: [...new Set(grids.map(axisCodes))].sort(),
    ...(channelNames && { channelNames }),
  }
}

/**
 * Where the voxel axes i, j, k point, as in nibabel's aff2axcodes: R(ight), A(nterior), S(uperior) or their opposites
 * L, P, I. An oblique axis has the code of the nearest one.
 */
export function axisCodes({ direction }: Grid): string {
  return [0, 1, 2]
    .map((axis) => {
      const column = [0, 1, 2].map((row) => direction[3 * row + axis])
      const steepest = column.reduce((best, x, row) => (Math.abs(x) > Math.abs(column[best]) ? row : best), 0)
      return (column[steepest] > 0 ? 'RAS' : 'LPI')[steepest]
    })
    .join('')
}
