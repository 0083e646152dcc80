import type { Vec3 } from '../../volume/grid.ts'
import { tableCuts } from '../cut-table.ts'

/** A map in levels: how many of `tableCuts` each voxel reaches. */
export interface SweptLevels {
  readonly levels: Uint16Array
  /** 0 where nobody has annotated, 2 in the reference, 1 elsewhere. */
  readonly weights: Uint8Array
  readonly shape: Vec3
}

/** Annotated voxels of a mask, and those of them that are in the reference, at every cut. */
export interface CutCounts {
  readonly volume: Float64Array
  readonly hits: Float64Array
}

/** Masks at every cut after components of 26 neighbours were dropped. */
export interface GrownComponents {
  readonly all: CutCounts
  /** Of several equally large ones the first in memory, as `largestComponent`. */
  readonly largest: CutCounts
  /** Those of at least so many voxels, for each of the sizes asked for. */
  readonly large: readonly CutCounts[]
}

/**
 * The components of {level > cut} for every cut in one sweep from the highest level down: each voxel joins what it
 * touches (union-find), and the sums over components follow each union.
 *
 * @param minVoxels ascending
 */
export function growComponents({ levels, weights, shape }: SweptLevels, minVoxels: readonly number[]): GrownComponents {
  const cuts = tableCuts.length
  const [all, largest] = [noCounts(cuts), noCounts(cuts)]
  const large = minVoxels.map(() => noCounts(cuts))
  const [nx, ny, nz] = shape
  const n = levels.length
  const { order, starts } = byLevel(levels, cuts)
  const parent = new Int32Array(n).fill(-1)
  const size = new Int32Array(n)
  const counted = new Int32Array(n)
  const inReference = new Int32Array(n)
  const first = new Int32Array(n)
  const rootOf = (voxel: number): number => {
    let at = voxel
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]]
      at = parent[at]
    }
    return at
  }
  // Running sums: of all voxels, and of the components that are too small for each size; most voxels are in large ones.
  let [volume, hits] = [0, 0]
  const smallVolume = new Float64Array(minVoxels.length)
  const smallHits = new Float64Array(minVoxels.length)
  const count = (root: number, sign: number): void => {
    for (let i = minVoxels.length - 1; i >= 0 && size[root] < minVoxels[i]; i--) {
      smallVolume[i] += sign * counted[root]
      smallHits[i] += sign * inReference[root]
    }
  }
  let best = -1
  for (let level = cuts; level > 0; level--) {
    for (let o = starts[level]; o < starts[level + 1]; o++) {
      const v = order[o]
      const weight = weights[v]
      parent[v] = v
      first[v] = v
      size[v] = 1
      counted[v] = Number(weight > 0)
      inReference[v] = Number(weight === 2)
      volume += counted[v]
      hits += inReference[v]
      let root = v
      const i = v % nx
      const row = (v - i) / nx
      const j = row % ny
      const k = (row - j) / ny
      for (let z = k > 0 ? -1 : 0; z <= (k < nz - 1 ? 1 : 0); z++) {
        for (let y = j > 0 ? -1 : 0; y <= (j < ny - 1 ? 1 : 0); y++) {
          const line = v + (z * ny + y) * nx
          for (let x = i > 0 ? -1 : 0; x <= (i < nx - 1 ? 1 : 0); x++) {
            const touched = parent[line + x]
            if (touched < 0 || touched === root) continue
            const other = rootOf(touched)
            if (other === root) continue
            // Voxels that have just come count nowhere yet.
            count(other, -1)
            const [into, from] = size[other] >= size[root] ? [other, root] : [root, other]
            first[into] = Math.min(first[into], first[from])
            parent[from] = into
            size[into] += size[from]
            counted[into] += counted[from]
            inReference[into] += inReference[from]
            root = into
          }
        }
      }
      count(root, 1)
      if (best >= 0) best = rootOf(best)
      if (best < 0 || size[root] > size[best] || (size[root] === size[best] && first[root] < first[best])) best = root
    }
    const cut = level - 1
    all.volume[cut] = volume
    all.hits[cut] = hits
    if (best >= 0) {
      best = rootOf(best)
      largest.volume[cut] = counted[best]
      largest.hits[cut] = inReference[best]
    }
    for (let i = 0; i < large.length; i++) {
      large[i].volume[cut] = volume - smallVolume[i]
      large[i].hits[cut] = hits - smallHits[i]
    }
  }
  return { all, largest, large }
}

const noCounts = (cuts: number): CutCounts => ({ volume: new Float64Array(cuts), hits: new Float64Array(cuts) })

/** The voxels sorted by level; those of level l stand from `starts[l]` to `starts[l + 1]`. Level 0 is left out. */
function byLevel(levels: Uint16Array, highest: number): { readonly order: Int32Array; readonly starts: Int32Array } {
  const starts = new Int32Array(highest + 3)
  for (let v = 0; v < levels.length; v++) if (levels[v] > 0) starts[levels[v] + 2]++
  for (let level = 1; level < starts.length; level++) starts[level] += starts[level - 1]
  const order = new Int32Array(starts[starts.length - 1])
  for (let v = 0; v < levels.length; v++) if (levels[v] > 0) order[starts[levels[v] + 1]++] = v
  return { order, starts }
}
