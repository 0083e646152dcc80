import { type Grid, gridDifference, type Mat3, type Vec3, vec3, voxelAt, worldPosition } from './grid.ts'

/** Where the voxels of a grid lie in another whose voxels coincide with them, with axes in any order and direction. */
export interface LatticeMap {
  /** For each axis of the first grid, the axis of the second that runs along it. */
  readonly axes: Vec3
  /** For each axis of the first grid, 1 where the other runs the same way, −1 where it runs against it. */
  readonly signs: Vec3
  /** The voxel of the second grid at voxel (0, 0, 0) of the first; may lie outside it. */
  readonly start: Vec3
}

/**
 * Where the voxels of grid `a` lie in grid `b`, or undefined where voxel centres do not coincide (within 0.01 voxels,
 * see `gridDifference`). The two may have different extents.
 */
export function latticeMap(a: Grid, b: Grid): LatticeMap | undefined {
  const indexIn = voxelAt(b)
  const origin = indexIn(a.origin)
  const steps = [0, 1, 2].map((axis) => {
    const next = indexIn(
      worldPosition(
        a,
        vec3((other) => Number(other === axis)),
      ),
    )
    return vec3((other) => next[other] - origin[other])
  })
  const axes = steps.map((step) => step.findIndex((part) => Math.abs(Math.abs(part) - 1) < 0.01))
  if (new Set(axes).size !== 3 || axes.includes(-1)) return undefined
  const at = (axis: number): number => axes[axis]
  const signs = vec3((axis) => Math.sign(steps[axis][at(axis)]))
  const start = vec3((axis) => Math.round(origin[axis]) + 0)
  // Grid a, as grid b would have it.
  const column = (axis: number, world: number) => b.direction[3 * world + at(axis)] * signs[axis]
  const same: Grid = {
    shape: a.shape,
    spacing: vec3((axis) => b.spacing[at(axis)]),
    origin: worldPosition(b, start),
    direction: [0, 1, 2].flatMap((world) => [0, 1, 2].map((axis) => column(axis, world))) as unknown as Mat3,
  }
  return gridDifference(a, same) === undefined ? { axes: vec3(at), signs, start } : undefined
}
