import type { Grid, Vec3 } from '../volume/grid.ts'
import type { ModelMetadata } from './model-file.ts'
import { medianSpacing } from './preprocess.ts'

/** What the images were like that a network was trained on: by this it is told when it is given others. */
export interface TrainedImages {
  /** Median over the training cases, along (i, j, k), before any resampling. */
  readonly spacingMm: Vec3
  /** The training cases' axis codes (see axisCodes), each once. */
  readonly orientations: readonly string[]
  /** What the input channels show (CT, T1, FLAIR …), where the data set says so. */
  readonly channelNames?: readonly string[]
}

/** A ratio of spacings beyond which a network hardly knows the shapes it has learnt: augmentation scales far less. */
const MOST_UNLIKE = 1.5

export function describeImages(grids: readonly Grid[], channelNames?: readonly string[]): TrainedImages {
  return {
    spacingMm: medianSpacing(grids),
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

/** In what an image differs from those that the network was trained on, each in a sentence; usually in nothing. */
export function unlikeTraining(
  { unet, images, preprocessing }: Pick<ModelMetadata, 'unet' | 'images' | 'preprocessing'>,
  grid: Grid,
): string[] {
  // A 2-D network sees neither the distance of slices nor which way they are stacked.
  const axes = [0, 1, 2].slice(0, unet.dimensions)
  const warnings: string[] = []
  const ratios = axes
    .filter((axis) => preprocessing.spacingMm[axis] === null)
    .map((axis) => grid.spacing[axis] / images.spacingMm[axis])
  if (ratios.some((ratio) => Math.max(ratio, 1 / ratio) > MOST_UNLIKE)) {
    const mm = (spacing: Vec3) => `${spacing.map((s) => Number(s.toPrecision(3))).join('×')} mm`
    warnings.push(
      `has voxels of ${mm(grid.spacing)} where the model was trained on ${mm(images.spacingMm)}; resample it, or train with --spacing`,
    )
  }
  const codes = axisCodes(grid)
  if (!images.orientations.some((known) => known.slice(0, unet.dimensions) === codes.slice(0, unet.dimensions))) {
    const known = images.orientations.join(', ')
    warnings.push(`has the orientation ${codes} where the model was trained on ${known}; reorient it`)
  }
  return warnings
}
