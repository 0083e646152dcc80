import type { NpyArray } from '../../formats/npy.ts'
import { checkShapeAndSpacing } from '../../volume/checks.ts'
import { InputError } from '../../volume/errors.ts'
import { createGrid, type Grid, type Vec3 } from '../../volume/grid.ts'
import type { LabelNames } from '../../volume/label-names.ts'
import type { Volume } from '../../volume/volume.ts'

/** Arrays bring no names of labels along. */
export const noNames: LabelNames = { of: () => undefined, sets: new Map() }

/** The grid of an array with axes [z, y, x]. */
export function gridOf(shape: readonly number[], spacingMm: Vec3, subject: string): Grid {
  if (shape.length !== 3) throw new InputError(subject, `has ${shape.length} axes; give an array with axes [z, y, x]`)
  const grid = createGrid([shape[2], shape[1], shape[0]], spacingMm)
  checkShapeAndSpacing(grid, subject)
  return grid
}

/** A volume of an array with axes [z, y, x], or [class, z, y, x]. */
export function volumeOf({ shape, data }: NpyArray, spacingMm: Vec3, subject: string): Volume {
  const channels = shape.length === 4 ? shape[0] : 1
  return { grid: gridOf(shape.slice(shape.length === 4 ? 1 : 0), spacingMm, subject), channels, data }
}
