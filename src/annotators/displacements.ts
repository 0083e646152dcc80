import type { Grid, Vec3 } from '../volume/grid.ts'
import { LocalMask } from './local-mask.ts'
import { NormalWindow, windowMm } from './normal-window.ts'

/** How far the annotators' outlines lie from a common surface, along its normal. */
export interface Displacements {
  /** Positions of the surface's points, mm, three numbers a point. */
  readonly points: Float64Array
  /** Unit normals, outwards, along the grid's axes. */
  readonly normals: Float64Array
  /** Of each annotator a number of mm a point, outwards positive; beyond `reachMm` there is no outline. */
  readonly byAnnotator: readonly Float32Array[]
}

/** So many points of a surface tell its covariances as well as more: their errors go together. */
const mostPoints = 300

/** Outlines are looked for this far along the normal, in steps of half a voxel's size in that direction. */
const mostSteps = 48

/**
 * Measures the annotators' outlines from points of the surface of `middle`, a mask among them.
 *
 * @param masks 0 and 1, as `middle`
 */
export function displacements(middle: Uint8Array, masks: readonly Uint8Array[], grid: Grid): Displacements {
  const surface = new LocalMask(middle, grid)
  const window = new NormalWindow(middle, grid, windowMm(middle, masks, grid))
  const voxels = evenly(surfaceVoxels(middle, grid.shape), mostPoints)
  const [nx, ny] = grid.shape
  const [points, normals]: [number[], number[]] = [[], []]
  const feet: Vec3[] = []
  for (const v of voxels) {
    const at: Vec3 = [v % nx, Math.floor(v / nx) % ny, Math.floor(v / nx / ny)]
    const slope = window.slope(at)
    const steepness = Math.hypot(...slope)
    // In the middle of a sheet or a thread of one voxel there is no direction.
    if (steepness < 1e-3 / Math.max(...grid.spacing)) continue
    const normal: Vec3 = [slope[0] / steepness, slope[1] / steepness, slope[2] / steepness]
    const ray = new Ray(at, normal, grid)
    const foot = ray.at(ray.settle(surface, 0))
    feet.push(foot)
    for (let axis = 0; axis < 3; axis++) points.push(foot[axis] * grid.spacing[axis])
    normals.push(...normal)
  }
  const byAnnotator = masks.map((mask) => {
    const local = new LocalMask(mask, grid)
    return Float32Array.from(feet, (foot, i) => {
      const ray = new Ray(foot, [normals[3 * i], normals[3 * i + 1], normals[3 * i + 2]], grid)
      return ray.crossing(local)
    })
  })
  return { points: Float64Array.from(points), normals: Float64Array.from(normals), byAnnotator }
}

/** A line through a point along a normal; distances along it in mm. */
class Ray {
  readonly #from: Vec3
  /** Voxels per mm along the ray. */
  readonly #direction: Vec3
  /** The size of a voxel along the normal. */
  readonly #voxelMm: number

  constructor(from: Vec3, normal: Vec3, { spacing }: Grid) {
    this.#from = from
    this.#direction = [normal[0] / spacing[0], normal[1] / spacing[1], normal[2] / spacing[2]]
    this.#voxelMm = 1 / Math.hypot(...this.#direction)
  }

  at(mm: number): Vec3 {
    const [x, y, z] = this.#from
    const [dx, dy, dz] = this.#direction
    return [x + mm * dx, y + mm * dy, z + mm * dz]
  }

  /** Where a mask ends along the ray, seen from its start: outwards if that is inside, else inwards. */
  crossing(mask: LocalMask): number {
    const inside = mask.inside(...this.#from)
    const step = (inside ? 0.5 : -0.5) * this.#voxelMm
    for (let n = 1; n <= mostSteps; n++) {
      if (mask.inside(...this.at(n * step)) !== inside) return this.settle(mask, (n - 0.5) * step)
    }
    return mostSteps * step
  }

  /** The place near `mm` where the mask's share of the window is ½, by two of Newton's steps of at most a voxel. */
  settle(mask: LocalMask, mm: number): number {
    let t = mm
    for (let n = 0; n < 2; n++) {
      const share = mask.look(...this.at(t))
      const [gx, gy, gz] = mask.gradient
      const slope = gx * this.#direction[0] + gy * this.#direction[1] + gz * this.#direction[2]
      if (slope > -1e-3 / this.#voxelMm) break
      t += Math.max(-this.#voxelMm, Math.min(this.#voxelMm, (0.5 - share) / slope))
    }
    return Math.max(mm - this.#voxelMm, Math.min(mm + this.#voxelMm, t))
  }
}

/** Voxels of a mask with one outside it among their 6 neighbours; beyond the grid there is none. */
function surfaceVoxels(mask: Uint8Array, [nx, ny, nz]: Vec3): number[] {
  const found: number[] = []
  const slice = nx * ny
  for (let k = 0, row = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++, row += nx) {
      for (let v = row, i = 0; i < nx; v++, i++) {
        if (mask[v] === 0) continue
        const ends =
          (i > 0 && mask[v - 1] === 0) ||
          (i < nx - 1 && mask[v + 1] === 0) ||
          (j > 0 && mask[v - nx] === 0) ||
          (j < ny - 1 && mask[v + nx] === 0) ||
          (k > 0 && mask[v - slice] === 0) ||
          (k < nz - 1 && mask[v + slice] === 0)
        if (ends) found.push(v)
      }
    }
  }
  return found
}

function evenly(items: readonly number[], most: number): readonly number[] {
  if (items.length <= most) return items
  return Array.from({ length: most }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / most)])
}
