import { type Vec3, vec3 } from '../../volume/grid.ts'

/**
 * For each of the 256 ways in which 8 neighbouring voxels can be inside a mask or outside, the area, in mm², of the
 * surface that marching cubes (Lorensen and Cline, 1987) draws between their centres. Bit 1·i + 2·j + 4·k of the code
 * says whether the voxel at (i, j, k) of the 2×2×2 is inside.
 *
 * The surface passes through the middles of the edges between inside and outside. Two choices are those of the table of
 * google-deepmind/surface-distance: where two opposite corners of a face are inside, the corners of which the cube has
 * fewer are cut off one by one; and a polygon that lies in no plane becomes the triangles that have the largest area at
 * equal spacing.
 */
export function elementAreas(spacing: Vec3): Float64Array {
  normals ??= Array.from({ length: 256 }, (_, code) => surfaceNormals(code))
  const [sx, sy, sz] = spacing
  return Float64Array.from(normals, (own) =>
    own.reduce((sum, [x, y, z]) => sum + Math.hypot(x * sy * sz, y * sx * sz, z * sx * sy), 0),
  )
}

/** By code, of each triangle the normal whose length is its area, in voxels. */
let normals: readonly (readonly Vec3[])[] | undefined

const corners: readonly Vec3[] = Array.from({ length: 8 }, (_, corner) => vec3((axis) => (corner >> axis) & 1))

/** The corners of each face, going round. */
const faces: readonly (readonly number[])[] = [0, 1, 2].flatMap((axis) =>
  [0, 1].map((side) => {
    const [u, v] = [1 << ((axis + 1) % 3), 1 << ((axis + 2) % 3)]
    const first = side << axis
    return [first, first + u, first + u + v, first + v]
  }),
)

function surfaceNormals(code: number): Vec3[] {
  const inside = corners.map((_, corner) => (code >> corner) & 1)
  const few = inside.filter((is) => is === 1).length <= 4 ? 1 : 0
  return polygons(inside, few).flatMap((polygon) => largestTriangles(polygon.map(middleOf)))
}

/** An edge of the cube, by its two corners: the sum of their bits tells it. */
const edgeOf = (a: number, b: number): number => (1 << a) | (1 << b)

function middleOf(edge: number): Vec3 {
  const ends = corners.filter((_, corner) => (edge >> corner) & 1)
  return vec3((axis) => (ends[0][axis] + ends[1][axis]) / 2)
}

/** The closed polygons of edges that the surface passes through, made of its lines on the faces. */
function polygons(inside: readonly number[], few: number): number[][] {
  const links = new Map<number, number[]>()
  const link = (a: number, b: number): void => {
    links.set(a, [...(links.get(a) ?? []), b])
    links.set(b, [...(links.get(b) ?? []), a])
  }
  for (const face of faces) {
    const edges = face.map((corner, n) => edgeOf(corner, face[(n + 1) % 4]))
    const crossed = edges.filter((_, n) => inside[face[n]] !== inside[face[(n + 1) % 4]])
    if (crossed.length === 2) link(crossed[0], crossed[1])
    if (crossed.length < 4) continue
    for (let n = 0; n < 4; n++) if (inside[face[n]] === few) link(edges[(n + 3) % 4], edges[n])
  }
  const found: number[][] = []
  while (links.size > 0) {
    const polygon: number[] = []
    for (let at = links.keys().next().value; at !== undefined; ) {
      polygon.push(at)
      const ends = links.get(at) ?? []
      links.delete(at)
      at = ends.find((end) => links.has(end))
    }
    found.push(polygon)
  }
  return found
}

/** The normals of the triangles that fill a polygon with the largest area. */
function largestTriangles(polygon: readonly Vec3[]): Vec3[] {
  const fill = (from: number, to: number): { area: number; normals: Vec3[] } => {
    let best = { area: -1, normals: [] as Vec3[] }
    if (to - from < 2) return { ...best, area: 0 }
    for (let tip = from + 1; tip < to; tip++) {
      const [before, behind] = [fill(from, tip), fill(tip, to)]
      const normal = normalOf(polygon[from], polygon[tip], polygon[to])
      const area = before.area + behind.area + Math.hypot(...normal)
      if (area > best.area) best = { area, normals: [...before.normals, ...behind.normals, normal] }
    }
    return best
  }
  return fill(0, polygon.length - 1).normals
}

/** Half the cross product of two sides of a triangle. */
function normalOf(a: Vec3, b: Vec3, c: Vec3): Vec3 {
  const [u, v] = [b, c].map((end) => vec3((axis) => end[axis] - a[axis]))
  return vec3((axis) => {
    const [p, q] = [(axis + 1) % 3, (axis + 2) % 3]
    return (u[p] * v[q] - u[q] * v[p]) / 2
  })
}
