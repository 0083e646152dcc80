import { largestSlice } from '../../src/report/kit/plane.ts'
import { boxOfLabel } from '../../src/volume/box.ts'
import { type Grid, vec3 } from '../../src/volume/grid.ts'
import type { LabelArray } from '../../src/volume/labels.ts'
import type { Sight } from '../protocol.ts'

/** An object takes up this share of a slice where slices are enlarged for it, and they never are by more. */
const share = 0.5
const mostZoom = 4

/** Where to look at an object: the voxel where its slices are largest, and how much to enlarge them. */
export function sightOf(grid: Grid, values: LabelArray, label: number): Sight {
  const inside = (at: number) => values[at] === label
  const planes = (['axial', 'coronal', 'sagittal'] as const).map((view) => largestSlice(grid, view, inside))
  const voxel = vec3((axis) => planes.find((plane) => plane.axis === axis)?.index ?? 0)
  const box = boxOfLabel(values, grid.shape, label)
  const mm = (extents: readonly number[]) => Math.max(...extents.map((n, axis) => n * grid.spacing[axis]))
  const zoom = box ? (share * mm(grid.shape)) / mm(box.shape) : 1
  return { voxel, zoom: Math.min(mostZoom, Math.max(1, zoom)) }
}
