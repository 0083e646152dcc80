import { type Grid, type Mat3, type Vec3, vec3 } from '../volume/grid.ts'
import type { Placement } from './case-maps.ts'

/**
 * For an axis of the wanted grid: the axis of the stored array that runs along it, and whether in the other direction.
 */
export interface AlongAxis {
  readonly own: number
  readonly flip: boolean
}

/** The array's grid with its axes in another order and direction, and where the array's voxels lie in that. */
export function turned(
  array: Grid,
  along: readonly [AlongAxis, AlongAxis, AlongAxis],
): { grid: Grid; placement: Placement } {
  const { spacing, direction } = array
  const shape = vec3((axis) => array.shape[along[axis].own])
  const steps = [1, shape[0], shape[0] * shape[1]]
  const strides = [0, 0, 0]
  const origin = [...array.origin]
  let offset = 0
  for (const [axis, { own, flip }] of along.entries()) {
    strides[own] = flip ? -steps[axis] : steps[axis]
    if (!flip) continue
    offset += (shape[axis] - 1) * steps[axis]
    for (let row = 0; row < 3; row++) origin[row] += (shape[axis] - 1) * spacing[own] * direction[3 * row + own]
  }
  const cosines = along.map(({ own, flip }) => [0, 1, 2].map((row) => (flip ? -1 : 1) * direction[3 * row + own] + 0))
  const grid: Grid = {
    shape,
    spacing: vec3((axis) => spacing[along[axis].own]),
    origin: vec3((axis) => origin[axis]),
    direction: [0, 1, 2].flatMap((row) => cosines.map((column) => column[row])) as unknown as Mat3,
  }
  return { grid, placement: { shape: array.shape, strides: vec3((axis) => strides[axis]), offset } }
}

/**
 * The axes of `array` that run along those of another grid of the same voxels; undefined where they do not match one to
 * one.
 */
export function alongGrid(array: Grid, wanted: Grid): [AlongAxis, AlongAxis, AlongAxis] | undefined {
  const along = [0, 1, 2].map((axis): AlongAxis => {
    const cosines = [0, 1, 2].map((own) =>
      [0, 3, 6].reduce((sum, row) => sum + wanted.direction[row + axis] * array.direction[row + own], 0),
    )
    const own = cosines.reduce((best, value, i) => (Math.abs(value) > Math.abs(cosines[best]) ? i : best), 0)
    return { own, flip: cosines[own] < 0 }
  })
  return new Set(along.map(({ own }) => own)).size === 3 ? [along[0], along[1], along[2]] : undefined
}

/**
 * The axes of `array` that run along those of an orientation such as `LPS`: letters name the side of the patient to
 * which each axis runs (as in nibabel's `aff2axcodes` and SimpleITK's `DICOMOrient`). Undefined where the text is no
 * orientation.
 */
export function alongOrientation(array: Grid, orientation: string): [AlongAxis, AlongAxis, AlongAxis] | undefined {
  const letters = [...orientation].map((letter) => ({
    world: ['RL', 'AP', 'SI'].findIndex((pair) => pair.includes(letter)),
    positive: 'RAS'.includes(letter),
  }))
  const ordered = letters.map(({ world }) => world).toSorted()
  if (ordered.join() !== '0,1,2') return undefined
  const axes = worldAxes(array.direction)
  const along = letters.map(({ world, positive }): AlongAxis => {
    const own = axes[world]
    return { own, flip: array.direction[3 * world + own] > 0 !== positive }
  })
  return [along[0], along[1], along[2]]
}

/** For each world axis the voxel axis closest to it: the largest cosine first, as ITK's `DICOMOrientation` does. */
function worldAxes(direction: Mat3): Vec3 {
  const axes = [-1, -1, -1]
  for (let found = 0; found < 3; found++) {
    let best = { world: 0, own: 0, cosine: -1 }
    for (let world = 0; world < 3; world++) {
      for (let own = 0; own < 3; own++) {
        const cosine = Math.abs(direction[3 * world + own])
        if (axes[world] < 0 && !axes.includes(own) && cosine >= best.cosine) best = { world, own, cosine }
      }
    }
    axes[best.world] = best.own
  }
  return vec3((axis) => axes[axis])
}
