import type { MapCut } from './label-decoder.ts'

/** A label with the numbers of the maps of the regions that it lies in. */
export type LabelRegions = readonly [label: number, regions: readonly number[]]

/**
 * One label a voxel from maps of regions that overlap: BraTS's whole tumour ⊇ core ⊇ enhancing. A label lies in certain
 * regions, and a voxel gets the label with the largest Σ weight·(m − t) over the regions that it lies in, or none where
 * no sum is positive: the labelling that costs the sum of the regions' Dice least (docs/pipelines.md). Each label's
 * scores are held.
 *
 * @example
 * const decoder = new RegionDecoder(n, [[1, [0]], [2, [0, 1]], [3, [0, 1, 2]]])
 * decoder.add(0, whole, cut) // and so on
 * decoder.finish() // 1 where only the whole tumour is, 3 where it enhances
 */
export class RegionDecoder {
  readonly #labels: readonly { readonly label: number; readonly regions: readonly number[]; scores: Float32Array }[]
  readonly #absent = new Set<number>()

  constructor(voxels: number, labels: readonly LabelRegions[]) {
    this.#labels = labels.map(([label, regions]) => ({ label, regions, scores: new Float32Array(voxels) }))
  }

  /** Takes in the map of a region; without a cut the region is absent, and so are all labels in it. */
  add(region: number, map: Float32Array, cut: MapCut | undefined): void {
    if (cut === undefined) {
      this.#absent.add(region)
      return
    }
    const { threshold, weight } = cut
    // Scores of 10⁻⁶ and less keep their seven digits: float32 scales.
    for (const { regions, scores } of this.#labels) {
      if (!regions.includes(region)) continue
      for (let i = 0; i < map.length; i++) scores[i] += weight * (map[i] - threshold)
    }
  }

  /** The label map. A score of 0 takes the voxel in, as m = t does for a single map. */
  finish(): Uint8Array | Uint16Array {
    // A label that lies in no region has nothing that speaks for it.
    const able = this.#labels.filter(
      ({ regions }) => regions.length > 0 && !regions.some((region) => this.#absent.has(region)),
    )
    const voxels = this.#labels[0]?.scores.length ?? 0
    const out = labelArray(
      voxels,
      this.#labels.map(({ label }) => label),
    )
    for (let i = 0; i < voxels; i++) {
      let best = 0
      for (const { label, scores } of able) {
        if (scores[i] < best || (scores[i] === best && out[i] !== 0)) continue
        best = scores[i]
        out[i] = label
      }
    }
    return out
  }
}

function labelArray(voxels: number, labels: readonly number[]): Uint8Array | Uint16Array {
  return Math.max(0, ...labels) > 255 ? new Uint16Array(voxels) : new Uint8Array(voxels)
}
