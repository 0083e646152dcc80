import { type Grid, type Vec3, voxelCount } from '../../volume/grid.ts'
import type { RandomStream } from '../../volume/random.ts'
import type { Texture } from './smooth-field.ts'
import type { Structure } from './structure.ts'

/** A case as data: what is painted, in order, and how the reference body is deformed into this one. */
export interface Scene {
  readonly body: readonly Structure[]
  readonly contents: readonly Structure[]
  /** Size of this body over the reference body, per axis. */
  readonly scale: Vec3
  /** The body's place, mm. */
  readonly shift: Vec3
  /** Smooth displacement, mm, per axis. */
  readonly warp: readonly [Texture, Texture, Texture]
}

/** Air, HU. */
const air = -1000

/**
 * Paints the scene's structures in order, each blended over the last by the share of the voxel it covers. Fills
 * `labels`.
 */
export function paint(scene: Scene, grid: Grid, labels: Uint8Array): Float32Array {
  const density = new Float32Array(voxelCount(grid)).fill(air)
  const reference = referencePlaces(scene, grid)
  const halfVoxel = 0.5 * Math.cbrt(grid.spacing[0] * grid.spacing[1] * grid.spacing[2])
  const [nx, ny, nz] = grid.shape
  for (const { shape, hu, label } of [...scene.body, ...scene.contents]) {
    const [x0, y0, z0] = shape.box[0].map((low) => low - halfVoxel)
    const [x1, y1, z1] = shape.box[1].map((high) => high + halfVoxel)
    const range = voxelRange(shape.box, scene, grid)
    for (let k = range[2][0]; k < Math.min(nz, range[2][1]); k++) {
      for (let j = range[1][0]; j < Math.min(ny, range[1][1]); j++) {
        const row = (k * ny + j) * nx
        for (let i = range[0][0]; i < Math.min(nx, range[0][1]); i++) {
          const at = row + i
          const x = reference[3 * at]
          const y = reference[3 * at + 1]
          const z = reference[3 * at + 2]
          // The range of voxels allows for the deformation; the box itself spares most of them the distance.
          if (x < x0 || x > x1 || y < y0 || y > y1 || z < z0 || z > z1) continue
          const d = shape.distance(x, y, z)
          if (!(d < halfVoxel)) continue
          const cover = Math.min(1, 0.5 - d / (2 * halfVoxel))
          const own = typeof hu === 'number' ? hu : hu(x, y, z, d)
          density[at] += cover * (own - density[at])
          if (cover >= 0.5) labels[at] = label
        }
      }
    }
  }
  return density
}

/** For each voxel, the point of the reference body that lies there: three numbers a voxel. */
function referencePlaces({ scale, shift, warp }: Scene, { shape, spacing, origin }: Grid): Float32Array {
  const [nx, ny, nz] = shape
  const places = new Float32Array(3 * nx * ny * nz)
  for (let k = 0, at = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, at += 3) {
        const x = (origin[0] + i * spacing[0] - shift[0]) / scale[0]
        const y = (origin[1] + j * spacing[1] - shift[1]) / scale[1]
        const z = (origin[2] + k * spacing[2] - shift[2]) / scale[2]
        places[at] = x + warp[0](x, y, z)
        places[at + 1] = y + warp[1](x, y, z)
        places[at + 2] = z + warp[2](x, y, z)
      }
    }
  }
  return places
}

/** Largest displacement that the deformation is taken to reach, mm: four standard deviations and some. */
const warpReach = 15

/** Per axis, the first voxel and one past the last that a box in the reference body may touch. */
function voxelRange(box: readonly [Vec3, Vec3], { scale, shift }: Scene, { shape, spacing, origin }: Grid) {
  return shape.map((n, axis): [number, number] => {
    const low = (box[0][axis] - warpReach) * scale[axis] + shift[axis]
    const high = (box[1][axis] + warpReach) * scale[axis] + shift[axis]
    const first = Math.floor((low - origin[axis]) / spacing[axis])
    const last = Math.ceil((high - origin[axis]) / spacing[axis])
    return [Math.max(0, first), Math.min(n, last + 1)]
  })
}

/**
 * Blur (Gaussian, within and across slices), noise with a CT's slight correlation within a slice, and rounding to HU.
 */
export function scan(
  density: Float32Array,
  grid: Grid,
  scanner: { readonly random: RandomStream; readonly noiseHu: number; readonly blurMm: number },
): Int16Array {
  const n = density.length
  for (const axis of [0, 1, 2] as const) blurAxis(density, grid.shape, axis, scanner.blurMm / grid.spacing[axis])
  const noise = new Float32Array(n)
  for (let at = 0; at < n; at++) noise[at] = scanner.random.normal()
  const grain = 0.6
  blurAxis(noise, grid.shape, 0, grain)
  blurAxis(noise, grid.shape, 1, grain)
  let power = 0
  for (let at = 0; at < n; at++) power += noise[at] * noise[at]
  const gain = scanner.noiseHu / Math.sqrt(power / n)
  const image = new Int16Array(n)
  for (let at = 0; at < n; at++) {
    image[at] = Math.max(-1024, Math.min(3071, Math.round(density[at] + gain * noise[at])))
  }
  return image
}

/** Gaussian blur along one axis, in place; edges repeat the last voxel. */
function blurAxis(data: Float32Array, [nx, ny, nz]: Vec3, axis: 0 | 1 | 2, sdVoxels: number): void {
  const radius = Math.ceil(3 * sdVoxels)
  if (radius === 0) return
  const taps = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-0.5 * (i / sdVoxels) ** 2))
  let total = taps[0]
  for (let i = 1; i <= radius; i++) total += 2 * taps[i]
  const length = [nx, ny, nz][axis]
  const stride = [1, nx, nx * ny][axis]
  const line = new Float64Array(length + 2 * radius)
  const lines = (nx * ny * nz) / length
  for (let l = 0; l < lines; l++) {
    const start = axis === 0 ? l * nx : axis === 1 ? Math.floor(l / nx) * nx * ny + (l % nx) : l
    for (let i = 0; i < line.length; i++) {
      line[i] = data[start + Math.min(length - 1, Math.max(0, i - radius)) * stride]
    }
    for (let i = 0; i < length; i++) {
      let sum = taps[0] * line[i + radius]
      for (let t = 1; t <= radius; t++) sum += taps[t] * (line[i + radius - t] + line[i + radius + t])
      data[start + i * stride] = sum / total
    }
  }
}
