import type { Vec3 } from '../../volume/grid.ts'
import type { RandomStream } from '../../volume/random.ts'

/**
 * A smooth random function of space with standard deviation `sd` and features of about `scaleMm`: a sum of cosines
 * with random wave vectors (random Fourier features of a Gaussian field). For the phantom's shapes only; the noise
 * model of the library is another, exact one.
 */
export function smoothField(random: RandomStream, sd: number, scaleMm: number, waves = 14): Texture {
  const terms = Array.from({ length: waves }, () => ({
    k: [random.normal() / scaleMm, random.normal() / scaleMm, random.normal() / scaleMm] as const,
    phase: random.between(0, 2 * Math.PI),
  }))
  const amplitude = sd * Math.sqrt(2 / waves)
  return (x, y, z) => {
    let sum = 0
    for (const { k, phase } of terms) sum += Math.cos(k[0] * x + k[1] * y + k[2] * z + phase)
    return amplitude * sum
  }
}

/** A function of place; mm. */
export type Texture = (x: number, y: number, z: number) => number

/**
 * `field` sampled at every `stepMm` over the box from `low`, and read by trilinear interpolation: a cheap stand-in
 * where the field varies little over a step.
 */
export function tabulated(field: Texture, low: Vec3, high: Vec3, stepMm: number): Texture {
  const n = [0, 1, 2].map((axis) => Math.ceil((high[axis] - low[axis]) / stepMm) + 2)
  const [nx, ny, nz] = n
  const table = new Float32Array(nx * ny * nz)
  for (let k = 0, at = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, at++) {
        table[at] = field(low[0] + i * stepMm, low[1] + j * stepMm, low[2] + k * stepMm)
      }
    }
  }
  const sy = nx
  const sz = nx * ny
  return (x, y, z) => {
    const fx = Math.min(nx - 1.001, Math.max(0, (x - low[0]) / stepMm))
    const fy = Math.min(ny - 1.001, Math.max(0, (y - low[1]) / stepMm))
    const fz = Math.min(nz - 1.001, Math.max(0, (z - low[2]) / stepMm))
    const i = Math.floor(fx)
    const j = Math.floor(fy)
    const k = Math.floor(fz)
    const tx = fx - i
    const ty = fy - j
    const tz = fz - k
    const at = i + j * sy + k * sz
    const row = (o: number): number => table[o] + tx * (table[o + 1] - table[o])
    const plane = (o: number): number => row(o) + ty * (row(o + sy) - row(o))
    return plane(at) + tz * (plane(at + sz) - plane(at))
  }
}

/** Lattice points per axis of `lattice`; a power of two. */
const period = 32

/** Independent standard normal numbers on a periodic lattice: the raw material of a case's textures. */
export function lattice(random: RandomStream): Float32Array {
  return Float32Array.from({ length: period ** 3 }, () => random.normal())
}

/**
 * A rough random texture of mean 0 and sd about 1 with features of `scaleMm`: `numbers` interpolated between lattice
 * points `scaleMm` apart, from a random offset. Much cheaper than `smoothField`, and blocky close up.
 */
export function texture(numbers: Float32Array, random: RandomStream, scaleMm: number): Texture {
  const [ox, oy, oz] = [random.between(1000, 1032), random.between(1000, 1032), random.between(1000, 1032)]
  const step = 1 / scaleMm
  // Trilinear interpolation averages the variance down to (2/3)³.
  const gain = 1.5 ** 1.5
  const mask = period - 1
  return (x, y, z) => {
    const fx = x * step + ox
    const fy = y * step + oy
    const fz = z * step + oz
    const i = Math.floor(fx)
    const j = Math.floor(fy)
    const k = Math.floor(fz)
    const tx = fx - i
    const ty = fy - j
    const tz = fz - k
    const i0 = i & mask
    const i1 = (i + 1) & mask
    const j0 = (j & mask) * period
    const j1 = ((j + 1) & mask) * period
    const k0 = (k & mask) * period * period
    const k1 = ((k + 1) & mask) * period * period
    const a = numbers[i0 + j0 + k0] * (1 - tx) + numbers[i1 + j0 + k0] * tx
    const b = numbers[i0 + j1 + k0] * (1 - tx) + numbers[i1 + j1 + k0] * tx
    const c = numbers[i0 + j0 + k1] * (1 - tx) + numbers[i1 + j0 + k1] * tx
    const d = numbers[i0 + j1 + k1] * (1 - tx) + numbers[i1 + j1 + k1] * tx
    const low = a + ty * (b - a)
    return gain * (low + tz * (c + ty * (d - c) - low))
  }
}
