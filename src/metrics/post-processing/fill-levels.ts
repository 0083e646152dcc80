import type { Vec3 } from '../../volume/grid.ts'
import { tableCuts } from '../cut-table.ts'

/**
 * A map in levels with its holes filled, so that {filled > cut} is {level > cut} with its holes filled, for every cut
 * at once: a voxel gets the lowest level that any path of 6 neighbours to the outside must climb (the grey-scale
 * fillhole transform; Soille, Morphological Image Analysis, 2003, section 6.3.7). Levels are flooded from the faces in,
 * the lowest first.
 *
 * @param levels of a box outside of which the level is 0
 * @param open of each axis, whether the outside can be reached along it
 */
export function fillLevels(
  levels: Uint16Array,
  [nx, ny, nz]: Vec3,
  open: readonly [boolean, boolean, boolean],
): Uint16Array {
  const filled = Uint16Array.from(levels)
  const n = levels.length
  const reached = new Uint8Array(n)
  // Voxels that wait, in a chain for each level.
  const next = new Int32Array(n)
  const heads = new Int32Array(tableCuts.length + 1).fill(-1)
  const reach = (v: number, level: number): void => {
    if (reached[v] === 1) return
    reached[v] = 1
    const own = Math.max(levels[v], level)
    filled[v] = own
    next[v] = heads[own]
    heads[own] = v
  }
  for (let k = 0, v = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++, v++) {
        const face =
          (open[0] && (i === 0 || i === nx - 1)) ||
          (open[1] && (j === 0 || j === ny - 1)) ||
          (open[2] && (k === 0 || k === nz - 1))
        if (face) reach(v, 0)
      }
    }
  }
  for (let level = 0; level < heads.length; level++) {
    while (heads[level] >= 0) {
      const v = heads[level]
      heads[level] = next[v]
      const i = v % nx
      const row = (v - i) / nx
      const j = row % ny
      const k = (row - j) / ny
      if (i > 0) reach(v - 1, level)
      if (i < nx - 1) reach(v + 1, level)
      if (j > 0) reach(v - nx, level)
      if (j < ny - 1) reach(v + nx, level)
      if (k > 0) reach(v - nx * ny, level)
      if (k < nz - 1) reach(v + nx * ny, level)
    }
  }
  return filled
}
