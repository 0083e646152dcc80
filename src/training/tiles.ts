import type { PreparedImage } from './preprocess.ts'

/**
 * A network on a batch of patches: channels-first input of `shape` [n, channels, (depth,) height, width] to outputs.
 */
export type PatchPredictor = (batch: Float32Array, shape: readonly number[]) => Promise<Float32Array>

export interface TilePlan {
  /** Size along (i, j, k); a depth of 1 means a 2-D network, which sees slices. */
  readonly patch: readonly [number, number, number]
  readonly outputs: number
  /** Share of a patch by which neighbours overlap; default ½, as in nnU-Net. */
  readonly overlap?: number
  /** Patches per run; default 1 in 3-D, 8 in 2-D. */
  readonly batch?: number
}

/**
 * Applies a network patch by patch. Where patches overlap, their predictions are averaged with weights that fall off
 * like a Gaussian (deviation: an eighth of the patch, as in nnU-Net) from the patch's centre, so that no seams show.
 * Images smaller than the patch are continued by their lowest value, as in training.
 *
 * @returns maps one after the other, each with i fastest, on the prepared image's grid
 */
export async function predictTiles(
  image: PreparedImage,
  plan: TilePlan,
  predict: PatchPredictor,
): Promise<Float32Array> {
  const { size } = image.placement
  const { patch, outputs, overlap = 0.5 } = plan
  const batch = plan.batch ?? (patch[2] === 1 ? 8 : 1)
  const starts = size.map((n, axis) => tileStarts(n, patch[axis], overlap))
  const tiles = starts[2].flatMap((k) => starts[1].flatMap((j) => starts[0].map((i): Triple => [i, j, k])))
  const sums = new Float32Array(size[0] * size[1] * size[2] * outputs)
  const weights = new Float32Array(size[0] * size[1] * size[2])
  const weight = tiles.length === 1 ? undefined : tileWeights(patch)
  const patchVoxels = patch[0] * patch[1] * patch[2]
  for (let first = 0; first < tiles.length; first += batch) {
    const group = tiles.slice(first, first + batch)
    const input = new Float32Array(group.length * image.channels * patchVoxels)
    for (const [n, tile] of group.entries()) cutTile(image, patch, tile, input, n * image.channels * patchVoxels)
    const spatial = patch[2] === 1 ? [patch[1], patch[0]] : [patch[2], patch[1], patch[0]]
    const result = await predict(input, [group.length, image.channels, ...spatial])
    for (const [n, tile] of group.entries()) {
      addTile(result.subarray(n * outputs * patchVoxels), { size, patch, tile, outputs }, weight, sums, weights)
    }
  }
  const voxels = weights.length
  for (let k = 0; k < outputs; k++) for (let v = 0; v < voxels; v++) sums[k * voxels + v] /= weights[v]
  return sums
}

type Triple = [number, number, number]

/** Evenly spread starts so that neighbours overlap by at least the share; one centred tile where it covers the axis. */
export function tileStarts(n: number, patch: number, overlap: number): number[] {
  if (n <= patch) return [-Math.floor((patch - n + 1) / 2)]
  const count = Math.ceil((n - patch) / Math.max(1, patch * (1 - overlap))) + 1
  return Array.from({ length: count }, (_, i) => Math.round((i * (n - patch)) / (count - 1)))
}

function tileWeights(patch: readonly number[]): Float32Array {
  const [x, y, z] = patch.map((n) =>
    Float64Array.from({ length: n }, (_, i) => Math.exp(-0.5 * ((i - (n - 1) / 2) / (n / 8)) ** 2)),
  )
  const weights = new Float32Array(patch[0] * patch[1] * patch[2])
  let at = 0
  // Weights near a patch's corners are about 10⁻¹⁰; where one tile alone reaches, a quotient of two such sums is noise.
  for (const c of z) for (const b of y) for (const a of x) weights[at++] = Math.max(1e-3, a * b * c)
  return weights
}

function cutTile(
  { data, channels, outside, placement: { size } }: PreparedImage,
  patch: readonly number[],
  tile: Triple,
  input: Float32Array,
  offset: number,
): void {
  const voxels = size[0] * size[1] * size[2]
  let at = offset
  for (let c = 0; c < channels; c++) {
    for (let w = 0; w < patch[2]; w++) {
      for (let v = 0; v < patch[1]; v++, at += patch[0]) {
        const [j, k] = [tile[1] + v, tile[2] + w]
        const row = input.subarray(at, at + patch[0])
        row.fill(outside[c])
        if (j < 0 || j >= size[1] || k < 0 || k >= size[2]) continue
        const begin = Math.max(0, tile[0])
        const end = Math.min(size[0], tile[0] + patch[0])
        const from = c * voxels + (k * size[1] + j) * size[0]
        row.set(data.subarray(from + begin, from + end), begin - tile[0])
      }
    }
  }
}

interface TilePlace {
  readonly size: readonly number[]
  readonly patch: readonly number[]
  readonly tile: Triple
  readonly outputs: number
}

function addTile(
  result: Float32Array,
  { size, patch, tile, outputs }: TilePlace,
  weight: Float32Array | undefined,
  sums: Float32Array,
  weights: Float32Array,
): void {
  const voxels = weights.length
  const patchVoxels = patch[0] * patch[1] * patch[2]
  const begin = Math.max(0, -tile[0])
  const end = Math.min(patch[0], size[0] - tile[0])
  for (let w = 0; w < patch[2]; w++) {
    for (let v = 0; v < patch[1]; v++) {
      const [j, k] = [tile[1] + v, tile[2] + w]
      if (j < 0 || j >= size[1] || k < 0 || k >= size[2]) continue
      const from = (w * patch[1] + v) * patch[0]
      const to = (k * size[1] + j) * size[0] + tile[0]
      for (let u = begin; u < end; u++) {
        const a = weight === undefined ? 1 : weight[from + u]
        weights[to + u] += a
        for (let o = 0; o < outputs; o++) sums[o * voxels + to + u] += a * result[o * patchVoxels + from + u]
      }
    }
  }
}
