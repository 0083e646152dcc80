import { openVolume } from '../formats/volume-file.ts'
import { type Grid, vec3, voxelAt, voxelCount, worldPosition } from '../volume/grid.ts'
import { realValue, unscaled } from '../volume/scaling.ts'

/** An image as another grid sees it. */
export interface SampledImage {
  /** The first channel's value at each voxel of the grid; NaN outside the image. */
  readonly values: Float32Array
  /** The share of the grid's voxels that lie within the image. */
  readonly share: number
}

/**
 * The values of an image at the voxels of a grid, each that of the nearest voxel of the image. It is read in pieces, so
 * that a slice costs the memory of a slice.
 *
 * @throws InputError where the file is no image or is damaged
 */
export async function sampleImage(path: string, grid: Grid): Promise<SampledImage> {
  const image = await openVolume(path)
  const values = new Float32Array(voxelCount(grid)).fill(Number.NaN)
  const places = placesIn(image.grid, grid)
  // In the order in which the file holds them.
  const order = [...places.keys()].filter((at) => places[at] >= 0).sort((a, b) => places[a] - places[b])
  if (order.length === 0) await image.close()
  else {
    const scaling = image.scaling ?? unscaled
    let [start, next] = [0, 0]
    for await (const chunk of image.chunks()) {
      const end = start + chunk.length
      for (; next < order.length && places[order[next]] < end; next++) {
        values[order[next]] = realValue(chunk[places[order[next]] - start], scaling)
      }
      start = end
      if (next === order.length) break
    }
  }
  return { values, share: order.length / values.length }
}

/** For each voxel of `grid` the index of the nearest voxel of `image`, −1 where it lies outside. */
function placesIn(image: Grid, grid: Grid): Float64Array {
  const places = new Float64Array(voxelCount(grid))
  const toVoxel = voxelAt(image)
  const [nx, ny, nz] = grid.shape
  for (let k = 0, at = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, at++) {
        const exact = toVoxel(worldPosition(grid, [i, j, k]))
        const near = vec3((axis) => Math.round(exact[axis]))
        const inside = near.every((n, axis) => n >= 0 && n < image.shape[axis])
        places[at] = inside ? (near[2] * image.shape[1] + near[1]) * image.shape[0] + near[0] : -1
      }
    }
  }
  return places
}
