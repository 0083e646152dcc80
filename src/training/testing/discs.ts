import { createGrid, type Vec3, voxelCount } from '../../volume/grid.ts'
import { randomStream } from '../../volume/random.ts'
import type { TrainingCase } from '../training-config.ts'

/** A made-up case: a bright ellipsoid (label 1) with a dark core (label 2) at a random place in noise. */
export function discCase(index: number, shape: Vec3 = [20, 24, 8]): TrainingCase {
  const random = randomStream(5, index)
  const grid = createGrid(shape, [1, 1, 2])
  const image = new Float32Array(voxelCount(grid))
  const label = new Uint8Array(image.length)
  const centre = shape.map((n) => n / 2 + random.between(-n / 8, n / 8))
  const radius = shape.map((n) => n / 4 + random.between(0, n / 12))
  for (let k = 0, at = 0; k < shape[2]; k++) {
    for (let j = 0; j < shape[1]; j++) {
      for (let i = 0; i < shape[0]; i++, at++) {
        const r = Math.hypot((i - centre[0]) / radius[0], (j - centre[1]) / radius[1], (k - centre[2]) / radius[2])
        label[at] = r < 0.5 ? 2 : r < 1 ? 1 : 0
        image[at] = 100 + [0, 80, -60][label[at]] + 15 * random.normal()
      }
    }
  }
  return { id: `disc${index}`, image: { grid, channels: 1, data: image }, label: { grid, channels: 1, data: label } }
}
