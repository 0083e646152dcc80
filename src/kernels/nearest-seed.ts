import { Envelope } from './envelope.ts'

type Vec3 = readonly [number, number, number]

/**
 * For every voxel the index of the nearest seed (centre to centre, in mm), or −1 everywhere where there is none: along
 * i by scanning, along j and k as lower envelopes of parabolas.
 *
 * @param seeds 1 at seeds, i fastest
 */
export function nearestSeeds(seeds: Uint8Array, [nx, ny, nz]: Vec3, spacing: Vec3): Int32Array {
  const nearest = scanRows(seeds, nx)
  const slice = nx * ny
  const envelope = new Envelope(Math.max(ny, nz))
  const line = new Int32Array(Math.max(ny, nz))
  // Squared distance, in mm², of a voxel from its seed of the earlier passes.
  const alongI = (i: number, seed: number) => ((i - (seed % nx)) * spacing[0]) ** 2
  const alongJ = (j: number, seed: number) => ((j - (Math.floor(seed / nx) % ny)) * spacing[1]) ** 2
  const pass = (first: number, count: number, step: number, mm: number, height: (seed: number) => number) => {
    envelope.reset(mm)
    for (let t = 0; t < count; t++) {
      line[t] = nearest[first + t * step]
      if (line[t] >= 0) envelope.add(t, height(line[t]))
    }
    if (envelope.isEmpty) return
    for (let t = 0; t < count; t++) nearest[first + t * step] = line[envelope.nearest(t)]
  }
  for (let k = 0; k < nz; k++) {
    for (let i = 0; i < nx; i++) pass(k * slice + i, ny, nx, spacing[1], (seed) => alongI(i, seed))
  }
  for (let j = 0; j < ny; j++) {
    for (let i = 0; i < nx; i++) {
      pass(j * nx + i, nz, slice, spacing[2], (seed) => alongI(i, seed) + alongJ(j, seed))
    }
  }
  return nearest
}

/** For each voxel the nearest seed of its row, or −1. */
function scanRows(seeds: Uint8Array, nx: number): Int32Array {
  const nearest = new Int32Array(seeds.length).fill(-1)
  for (let row = 0; row < seeds.length; row += nx) {
    let last = -1
    for (let v = row; v < row + nx; v++) {
      if (seeds[v] !== 0) last = v
      nearest[v] = last
    }
    last = -1
    for (let v = row + nx - 1; v >= row; v--) {
      if (seeds[v] !== 0) last = v
      if (last >= 0 && (nearest[v] < 0 || last - v < v - nearest[v])) nearest[v] = last
    }
  }
  return nearest
}
