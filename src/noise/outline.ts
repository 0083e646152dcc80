import { nearestSeeds } from '../kernels/nearest-seed.ts'
import { normalQuantile } from '../kernels/normal-quantile.ts'
import { type Box, boxOf, cropEqual, growBox } from '../volume/box.ts'
import { createGrid, type Grid, type Vec3, vec3 } from '../volume/grid.ts'
import type { LabelArray } from '../volume/labels.ts'
import { smoothed } from './convolve.ts'

/** Where the foreground of a label map ends, in the box that its outline may be moved within. */
export interface Outline {
  readonly box: Box
  /** Signed distance of each voxel's centre from the outline, mm: ≤ 0 in the foreground, > 0 outside. */
  readonly distanceMm: Float32Array
  /** Of each voxel the label of the nearest foreground voxel: its own in the foreground. */
  readonly labels: LabelArray
}

/**
 * The mask is smoothed by a normal distribution of this many voxels to see where between voxels its outline runs: wide
 * enough to make a slope of steps, too narrow to round off an organ.
 */
const smoothingVoxels = 0.6

/** Up to this many σ of the smoothing the slope says how far the outline is; beyond, the nearest voxel of it does. */
const nearSigmas = 2.5

/**
 * The outline of a map's foreground (all labels but 0), with distances below the size of a voxel: near it from the
 * smoothed mask, where a plane's distance is −Φ⁻¹(p)/|∇Φ⁻¹(p)|; beyond, from the nearest voxel of the outline and that
 * voxel's own distance.
 *
 * @param reachMm how far from the foreground distances are wanted
 * @returns undefined where nothing can be moved: a reach of 0, no foreground, or nothing else
 */
export function outlineOf(values: LabelArray, grid: Grid, reachMm: number): Outline | undefined {
  const inner = reachMm > 0 ? boxOf(values, grid.shape, 0) : undefined
  if (!inner) return undefined
  // Three voxels more, so that the smoothing ends within the box.
  const box = growBox(
    inner,
    vec3((axis) => Math.ceil(reachMm / grid.spacing[axis]) + 3),
    grid,
  )
  const mask = cropEqual(values, grid.shape, box)
  const { spacing } = grid
  const part = createGrid(box.shape, spacing)
  const sigmaMm = vec3((axis) => smoothingVoxels * spacing[axis])
  const z = smoothed(mask, part, sigmaMm)
  for (let v = 0; v < z.length; v++) z[v] = z[v] <= 0 ? -saturated : z[v] >= 1 ? saturated : normalQuantile(z[v])

  const distanceMm = new Float32Array(mask.length)
  const seeds = edgeOf(mask, box.shape)
  const least = 1e-3 * Math.min(...spacing)
  // Distances near the outline; the sign is the mask's own, so that an outline that is not moved changes nothing.
  const slope = slopeOf(z, box.shape, spacing)
  const near = new Uint8Array(mask.length)
  for (let v = 0; v < mask.length; v++) {
    if (Math.abs(z[v]) > nearSigmas && seeds[v] === 0) continue
    const steepness = slope(v)
    const distance = steepness === 0 ? 0 : -z[v] / steepness
    near[v] = 1
    distanceMm[v] = mask[v] === 1 ? Math.min(distance, -least) : Math.max(distance, least)
  }
  const nearest = nearestSeeds(seeds, box.shape, spacing)
  if (nearest[0] < 0) return undefined
  const labels = cropLabels(values, grid.shape, box)
  const apart = distanceBetween(box.shape, spacing)
  for (let v = 0; v < mask.length; v++) {
    const seed = nearest[v]
    if (mask[v] === 0) labels[v] = labels[seed]
    if (near[v] === 0) distanceMm[v] = distanceMm[seed] + (mask[v] === 1 ? -1 : 1) * apart(v, seed)
  }
  return { box, distanceMm, labels }
}

/** |Φ⁻¹| beyond which float32 probabilities say nothing. */
const saturated = 5.2

/** |∇z| per mm at a voxel, from differences to neighbours that are not saturated. */
function slopeOf(z: Float32Array, shape: Vec3, spacing: Vec3): (v: number) => number {
  const steps = [1, shape[0], shape[0] * shape[1]]
  return (v) => {
    let squared = 0
    for (let axis = 0; axis < 3; axis++) {
      const at = ((v / steps[axis]) | 0) % shape[axis]
      const low = at > 0 && Math.abs(z[v - steps[axis]]) < saturated ? 1 : 0
      const high = at < shape[axis] - 1 && Math.abs(z[v + steps[axis]]) < saturated ? 1 : 0
      if (low + high === 0) continue
      const difference = z[v + high * steps[axis]] - z[v - low * steps[axis]]
      squared += (difference / ((low + high) * spacing[axis])) ** 2
    }
    return Math.sqrt(squared)
  }
}

/** The voxels of the mask with a neighbour outside it, of 6; beyond the box there is none. */
function edgeOf(mask: Uint8Array, [nx, ny, nz]: Vec3): Uint8Array {
  const edge = new Uint8Array(mask.length)
  for (let k = 0, v = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, v++) {
        if (mask[v] === 0) continue
        const inner =
          (i === 0 || mask[v - 1]) &&
          (i === nx - 1 || mask[v + 1]) &&
          (j === 0 || mask[v - nx]) &&
          (j === ny - 1 || mask[v + nx]) &&
          (k === 0 || mask[v - nx * ny]) &&
          (k === nz - 1 || mask[v + nx * ny])
        if (!inner) edge[v] = 1
      }
    }
  }
  return edge
}

function distanceBetween([nx, ny]: Vec3, spacing: Vec3): (a: number, b: number) => number {
  return (a, b) => {
    const [rowA, rowB] = [(a / nx) | 0, (b / nx) | 0]
    const [sliceA, sliceB] = [(rowA / ny) | 0, (rowB / ny) | 0]
    const x = (a - rowA * nx - (b - rowB * nx)) * spacing[0]
    const y = (rowA - sliceA * ny - (rowB - sliceB * ny)) * spacing[1]
    const z = (sliceA - sliceB) * spacing[2]
    return Math.sqrt(x * x + y * y + z * z)
  }
}

/** The labels of a box, i fastest. */
export function cropLabels<A extends LabelArray>(values: A, [gx, gy]: Vec3, { start, shape: [nx, ny, nz] }: Box): A {
  const part = new (values.constructor as new (n: number) => A)(nx * ny * nz)
  for (let k = 0, to = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++, to += nx) {
      const from = ((start[2] + k) * gy + start[1] + j) * gx + start[0]
      part.set(values.subarray(from, from + nx), to)
    }
  }
  return part
}

/** The map with its outline moved outwards by `biasMm` (inwards where it is negative), in a new array. */
export function movedOutline<A extends LabelArray>(
  values: A,
  { shape: [gx, gy] }: Grid,
  { box, distanceMm, labels }: Outline,
  biasMm: number,
  out: A = values.slice() as A,
): A {
  const [nx, ny, nz] = box.shape
  for (let k = 0, v = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      const to = ((box.start[2] + k) * gy + box.start[1] + j) * gx + box.start[0]
      for (let i = 0; i < nx; i++, v++) {
        if (distanceMm[v] <= biasMm) out[to + i] = labels[v]
        else if (distanceMm[v] <= 0) out[to + i] = 0
      }
    }
  }
  return out
}
