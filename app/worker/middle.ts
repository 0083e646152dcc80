import { largestSlice } from '../../src/report/kit/plane.ts'
import { type Grid, type Vec3, vec3 } from '../../src/volume/grid.ts'

/** A voxel in the midst of a set: where its slices along each axis are largest. */
export function middleOf(grid: Grid, inside: (at: number) => boolean): Vec3 {
  const planes = (['axial', 'coronal', 'sagittal'] as const).map((view) => largestSlice(grid, view, inside))
  return vec3((axis) => planes.find((plane) => plane.axis === axis)?.index ?? 0)
}
