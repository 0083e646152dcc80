import { largestComponent, withHolesFilled, withoutSmallComponents } from '../../volume/components.ts'
import type { Vec3 } from '../../volume/grid.ts'

/** What is done to a mask once it is cut. */
export interface PostProcessing {
  /** First of all, holes are filled: what the mask shuts off from the image's edge. */
  readonly holes: boolean
  /** Then components of 26 neighbours are kept: all, the largest, or those of at least so many mm³. */
  readonly keep: 'all' | 'largest' | number
}

/** The grid that masks lie on. */
export interface MaskGrid {
  readonly shape: Vec3
  readonly voxelMm3: number
}

/** A mask after post-processing, as 0 and 1. */
export function postProcessed(mask: Uint8Array, { shape, voxelMm3 }: MaskGrid, post: PostProcessing): Uint8Array {
  const filled = post.holes ? withHolesFilled(mask, shape) : mask
  if (post.keep === 'all') return filled
  if (post.keep === 'largest') return largestComponent(filled, shape)
  return withoutSmallComponents(filled, shape, post.keep / voxelMm3)
}

/**
 * Post-processes the classes or regions of a label map in place, one after the other. A voxel that is taken from a
 * region gets the label of what is left: that of the regions around it, or the background's. A voxel in a hole gets the
 * region's label, unless it belongs to a class that cannot lie in the region.
 *
 * @param regions the labels of each map; undefined for the background
 * @param posts what is done to each
 */
export function postProcessLabels(
  data: Uint8Array | Uint16Array,
  grid: MaskGrid,
  regions: readonly (readonly number[] | undefined)[],
  posts: readonly (PostProcessing | undefined)[],
): void {
  const labels = [0, ...new Set(regions.flatMap((own) => own ?? []))]
  const regionsOf = new Map(
    labels.map((label) => [label, regions.flatMap((own, r) => (own?.includes(label) ? [r] : []))] as const),
  )
  const within = (label: number, other: readonly number[]) => regionsOf.get(label)?.every((r) => other.includes(r))
  const count = (label: number) => regionsOf.get(label)?.length ?? 0
  for (const [r, post] of posts.entries()) {
    const own = regions[r]
    if (post === undefined || own === undefined) continue
    const mask = Uint8Array.from(data, (label) => Number(own.includes(label)))
    const wanted = postProcessed(mask, grid, post)
    const taken = new Map<number, number>()
    const given = new Map<number, number>()
    for (const label of labels) {
      const around = regionsOf.get(label) ?? []
      const left = labels.filter((each) =>
        within(
          each,
          around.filter((each) => each !== r),
        ),
      )
      taken.set(
        label,
        left.reduce((a, b) => (count(b) > count(a) ? b : a)),
      )
      const needed = [...around, r]
      const more = labels.filter((each) => needed.every((region) => regionsOf.get(each)?.includes(region)))
      if (more.length > 0)
        given.set(
          label,
          more.reduce((a, b) => (count(b) < count(a) ? b : a)),
        )
    }
    for (let v = 0; v < data.length; v++) {
      if (wanted[v] === mask[v]) continue
      data[v] = (wanted[v] === 0 ? taken : given).get(data[v]) ?? data[v]
    }
  }
}
