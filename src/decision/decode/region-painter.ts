import type { MapCut } from './label-decoder.ts'

/**
 * Why an order of painting contradicts the regions that it is for, or undefined where it does not. Region after region
 * paints its own label, later ones over earlier ones. That gives a label map whose regions are the ones painted only if
 * each region paints a label of its own that no later region holds.
 *
 * @param regions the labels that make up each region
 * @param paint the label that each region paints
 */
export function orderContradiction(
  regions: readonly (readonly number[])[],
  paint: readonly number[],
): string | undefined {
  for (const [i, label] of paint.entries()) {
    if (!regions[i]?.includes(label)) return `region ${i + 1} paints label ${label}, which it does not hold`
    const later = regions.findIndex((labels, j) => j > i && labels.includes(label))
    if (later >= 0) return `label ${label} of region ${i + 1} is painted over by region ${later + 1}`
  }
  return undefined
}

/**
 * One label a voxel from maps of regions whose order of painting contradicts them: each region's own set {m ≥ t} gets
 * its label, later regions over earlier ones, as nnU-Net does (`convert_probabilities_to_segmentation` in nnunetv2's
 * label_handling.py, with ½ for t).
 */
export class RegionPainter {
  readonly #paint: readonly number[]
  readonly #labels: Uint8Array | Uint16Array

  /** @param paint the label that each map paints */
  constructor(voxels: number, paint: readonly number[]) {
    this.#paint = paint
    this.#labels = Math.max(0, ...paint) > 255 ? new Uint16Array(voxels) : new Uint8Array(voxels)
  }

  /** Takes in the map of a region; without a cut the region is absent. */
  add(region: number, map: Float32Array, cut: MapCut | undefined): void {
    if (cut === undefined) return
    const labels = this.#labels
    for (let i = 0; i < map.length; i++) if (map[i] >= cut.threshold) labels[i] = this.#paint[region]
  }

  finish(): Uint8Array | Uint16Array {
    return this.#labels
  }
}
