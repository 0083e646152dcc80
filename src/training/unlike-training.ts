import type { Grid, Vec3 } from '../volume/grid.ts'
import type { ModelMetadata } from './model-file.ts'
import { axisCodes } from './trained-images.ts'

/** Beyond this ratio of spacings shapes look foreign to a network: augmentation scales far less. */
const mostUnlike = 1.5

/** How an image differs from those that the network was trained on: a sentence for each difference. */
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
  if (ratios.some((ratio) => Math.max(ratio, 1 / ratio) > mostUnlike)) {
    const mm = (spacing: Vec3) => `${spacing.map((s) => Number(s.toPrecision(3))).join('×')} mm`
    const remedy = 'resample it, or train with --spacing'
    warnings.push(`has voxels of ${mm(grid.spacing)} where the model was trained on ${mm(images.spacingMm)}; ${remedy}`)
  }
  const codes = axisCodes(grid)
  if (!images.orientations.some((known) => known.slice(0, unet.dimensions) === codes.slice(0, unet.dimensions))) {
    const known = images.orientations.join(', ')
    warnings.push(`has the orientation ${codes} where the model was trained on ${known}; reorient it`)
  }
  return warnings
}
