import { type Vec3, vec3 } from '../../volume/grid.ts'

/**
 * A solid by its signed distance: negative inside, mm. Only near the surface does the value need to be a distance;
 * farther away it only needs the right sign.
 */
export interface Shape {
  distance(x: number, y: number, z: number): number
  /** Axis-aligned box, mm, outside which the solid has no part. */
  readonly box: readonly [low: Vec3, high: Vec3]
}

const everywhere: Shape['box'] = [
  [-1e4, -1e4, -1e4],
  [1e4, 1e4, 1e4],
]

/** A solid without a useful bounding box, or whose box is stated. */
export function solid(distance: Shape['distance'], box: Shape['box'] = everywhere): Shape {
  return { distance, box }
}

/** An ellipsoid; first-order distance |p/r|(|p/r| − 1)/|p/r²|, exact on the surface. */
export function ellipsoid([cx, cy, cz]: Vec3, [rx, ry, rz]: Vec3): Shape {
  const distance = (x: number, y: number, z: number): number => {
    const ux = (x - cx) / rx
    const uy = (y - cy) / ry
    const uz = (z - cz) / rz
    const k = Math.sqrt(ux * ux + uy * uy + uz * uz)
    const g = Math.sqrt((ux / rx) ** 2 + (uy / ry) ** 2 + (uz / rz) ** 2)
    return g > 0 ? (k * (k - 1)) / g : -Math.min(rx, ry, rz)
  }
  return solid(distance, [
    [cx - rx, cy - ry, cz - rz],
    [cx + rx, cy + ry, cz + rz],
  ])
}

/**
 * A cylinder along z whose section is |x/rx|^p + |y/ry|^p ≤ 1 with p = 2¼ (an ellipse with slightly square shoulders,
 * and a power that needs only square roots); unbounded in z.
 */
export function trunkCylinder([cx, cy]: readonly [number, number], rx: number, ry: number): Shape {
  const narrow = Math.min(rx, ry)
  const distance = (x: number, y: number): number => {
    const ux = Math.abs(x - cx) / rx
    const uy = Math.abs(y - cy) / ry
    const sx = ux * Math.sqrt(Math.sqrt(ux))
    const sy = uy * Math.sqrt(Math.sqrt(uy))
    const s = ux * sx + uy * sy
    if (s < 0.5) return -0.26 * narrow
    return (s - 1) / (2.25 * Math.sqrt((sx / rx) ** 2 + (sy / ry) ** 2))
  }
  return solid(distance, [
    [cx - rx, cy - ry, -1e4],
    [cx + rx, cy + ry, 1e4],
  ])
}

/** A tube through `points`, its radius interpolated between theirs: a union of round cones. */
export function tube(points: readonly Vec3[], radii: readonly number[]): Shape {
  const segments = points.slice(1).map((b, i) => {
    const a = points[i]
    const d = [b[0] - a[0], b[1] - a[1], b[2] - a[2]] as const
    return { a, d, inverseSquare: 1 / (d[0] ** 2 + d[1] ** 2 + d[2] ** 2), ra: radii[i], dr: radii[i + 1] - radii[i] }
  })
  const distance = (x: number, y: number, z: number): number => {
    let best = Number.POSITIVE_INFINITY
    for (const { a, d, inverseSquare, ra, dr } of segments) {
      const px = x - a[0]
      const py = y - a[1]
      const pz = z - a[2]
      const t = Math.min(1, Math.max(0, (px * d[0] + py * d[1] + pz * d[2]) * inverseSquare))
      const value = Math.sqrt((px - t * d[0]) ** 2 + (py - t * d[1]) ** 2 + (pz - t * d[2]) ** 2) - ra - t * dr
      if (value < best) best = value
    }
    return best
  }
  const reach = Math.max(...radii)
  const low = vec3((axis) => Math.min(...points.map((p) => p[axis])) - reach)
  const high = vec3((axis) => Math.max(...points.map((p) => p[axis])) + reach)
  return solid(distance, [low, high])
}

/** The points of a Catmull-Rom spline through `points`, `steps` to a segment: curved tubes from few control points. */
export function spline(points: readonly Vec3[], steps = 5): Vec3[] {
  const result: Vec3[] = []
  for (let i = 0; i + 1 < points.length; i++) {
    const [p0, p1, p2, p3] = [
      points[Math.max(i - 1, 0)],
      points[i],
      points[i + 1],
      points[Math.min(i + 2, points.length - 1)],
    ]
    for (let step = 0; step < steps; step++) {
      const t = step / steps
      const at = (axis: 0 | 1 | 2): number =>
        p1[axis] +
        0.5 *
          t *
          (p2[axis] -
            p0[axis] +
            t *
              (2 * p0[axis] -
                5 * p1[axis] +
                4 * p2[axis] -
                p3[axis] +
                t * (3 * (p1[axis] - p2[axis]) + p3[axis] - p0[axis])))
      result.push([at(0), at(1), at(2)])
    }
  }
  result.push(points[points.length - 1])
  return result
}

/** Linear interpolation of `values` at the points that `spline` with the same number of steps makes. */
export function along(values: readonly number[], steps = 5): number[] {
  const result: number[] = []
  for (let i = 0; i + 1 < values.length; i++) {
    for (let step = 0; step < steps; step++) result.push(values[i] + (step / steps) * (values[i + 1] - values[i]))
  }
  result.push(values[values.length - 1])
  return result
}

/** Union with a fillet of about `blend` mm (the polynomial smooth minimum). */
export function smoothUnion(a: Shape, b: Shape, blend: number): Shape {
  const distance = (x: number, y: number, z: number): number => {
    const da = a.distance(x, y, z)
    const db = b.distance(x, y, z)
    const h = Math.max(0, 1 - Math.abs(da - db) / blend)
    return Math.min(da, db) - 0.25 * blend * h * h
  }
  const margin = 0.25 * blend
  const low = vec3((axis) => Math.min(a.box[0][axis], b.box[0][axis]) - margin)
  const high = vec3((axis) => Math.max(a.box[1][axis], b.box[1][axis]) + margin)
  return solid(distance, [low, high])
}

/** What lies in `shape` and in all of `others`. */
export function within(shape: Shape, ...others: readonly Shape[]): Shape {
  const distance = (x: number, y: number, z: number): number => {
    let d = shape.distance(x, y, z)
    for (const other of others) if (d < 4) d = Math.max(d, other.distance(x, y, z))
    return d
  }
  return solid(distance, shape.box)
}

/** What lies in `shape` but not in `hole`. */
export function without(shape: Shape, hole: Shape): Shape {
  const distance = (x: number, y: number, z: number): number => {
    const d = shape.distance(x, y, z)
    return d < 4 ? Math.max(d, -hole.distance(x, y, z)) : d
  }
  return solid(distance, shape.box)
}

/** The solid grown by `mm` (shrunk where negative). */
export function grown(shape: Shape, mm: number): Shape {
  const [low, high] = shape.box
  return solid(
    (x, y, z) => shape.distance(x, y, z) - mm,
    [
      [low[0] - mm, low[1] - mm, low[2] - mm],
      [high[0] + mm, high[1] + mm, high[2] + mm],
    ],
  )
}
