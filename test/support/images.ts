import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { encodeNifti } from '../../src/formats/nifti.ts'
import { createGrid, type Grid, type Vec3, vec3, voxelCount } from '../../src/volume/grid.ts'
import type { VoxelArray } from '../../src/volume/volume.ts'

/** An oblique, anisotropic grid, so that a test notices lost geometry. */
export const obliqueGrid: Grid = {
  ...createGrid([24, 20, 16], [0.75, 1, 2.5]),
  origin: [-40, 12.5, 130],
  direction: [0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1],
}

/** Writes a NIfTI file (gzip-compressed where the name says so). */
export function writeImage(
  path: string,
  data: VoxelArray,
  grid: Grid = obliqueGrid,
  options: { channels?: number; scaling?: { slope: number; intercept: number } } = {},
): string {
  const { channels = 1, scaling } = options
  const bytes = encodeNifti({ grid, channels, data, ...(scaling && { scaling }) })
  writeFileSync(path, path.endsWith('.gz') ? gzipSync(bytes) : bytes)
  return path
}

/** Distance in mm of each voxel's centre from a point given in voxels. */
export function distanceMm(grid: Grid, centre: Vec3): Float64Array {
  const out = new Float64Array(voxelCount(grid))
  const [nx, ny, nz] = grid.shape
  let at = 0
  for (let k = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++) {
        const d = [i - centre[0], j - centre[1], k - centre[2]].map((x, axis) => x * grid.spacing[axis])
        out[at++] = Math.hypot(...d)
      }
    }
  }
  return out
}

/** A soft ball: probability 1 inside, falling to 0 over `edgeMm`. */
export function softBall(grid: Grid, radiusMm: number, edgeMm: number, centre?: Vec3): Float32Array {
  const middle = centre ?? vec3((axis) => (grid.shape[axis] - 1) / 2)
  return Float32Array.from(distanceMm(grid, middle), (d) =>
    Math.min(1, Math.max(0, (radiusMm + edgeMm / 2 - d) / edgeMm)),
  )
}

/** Two balls with labels 1 and 2 beside each other. */
export function twoBalls(grid: Grid = obliqueGrid): Uint8Array {
  const [nx, ny, nz] = grid.shape
  const a = distanceMm(grid, [nx * 0.3, ny * 0.5, nz * 0.5])
  const b = distanceMm(grid, [nx * 0.7, ny * 0.5, nz * 0.5])
  const radius = 0.2 * Math.min(nx * grid.spacing[0], ny * grid.spacing[1])
  return Uint8Array.from(a, (d, i) => (d < radius * 1.2 ? 1 : b[i] < radius ? 2 : 0))
}
