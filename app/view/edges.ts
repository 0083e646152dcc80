/** Directions of an edge on the screen, clockwise: to the right, down, to the left, up. */
const steps = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const

/** A closed line through corners of pixels: x and y in turn. */
export type Ring = readonly number[]

/**
 * The edges between the pixels inside and outside of a set, as closed lines with the set on their right; pixels that
 * touch at a corner alone are apart.
 *
 * @param isInside one number a pixel, rows from the top; what is not 0 is inside
 */
export function ringsOf(isInside: Uint8Array, width: number, height: number): Ring[] {
  const columns = width + 1
  // For each corner, which edges leave it: bit d for direction d.
  const leaving = new Uint8Array(columns * (height + 1))
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (isInside[at] === 0) continue
      const corner = y * columns + x
      if (y === 0 || isInside[at - width] === 0) leaving[corner] |= 1
      if (x === width - 1 || isInside[at + 1] === 0) leaving[corner + 1] |= 2
      if (y === height - 1 || isInside[at + width] === 0) leaving[corner + columns + 1] |= 4
      if (x === 0 || isInside[at - 1] === 0) leaving[corner + columns] |= 8
    }
  }
  const rings: Ring[] = []
  for (let start = 0; start < leaving.length; start++) {
    while (leaving[start] !== 0) rings.push(ringFrom(start, leaving, columns))
  }
  return rings
}

/** Follows edges until they are back where they began, and takes them away. */
function ringFrom(start: number, leaving: Uint8Array, columns: number): Ring {
  const ring: number[] = []
  let [at, direction] = [start, -1]
  do {
    const next = turn(leaving[at], direction)
    // Corners where the line turns; it is straight through the others.
    if (next !== direction) ring.push(at % columns, Math.floor(at / columns))
    leaving[at] &= ~(1 << next)
    const [x, y] = steps[next]
    at += y * columns + x
    direction = next
  } while (at !== start)
  return ring
}

/** The edge to go on with: where two sets meet at a corner, the one to the right stays with its own. */
function turn(bits: number, direction: number): number {
  if (direction >= 0) {
    for (const by of [1, 0, 3]) {
      const next = (direction + by) % 4
      if (bits & (1 << next)) return next
    }
  }
  return 31 - Math.clz32(bits & -bits)
}
