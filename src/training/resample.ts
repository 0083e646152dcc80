/** Sizes along (i, j, k). */
type Size = readonly [number, number, number]

/** The size of an image of `size` voxels at `from` mm, at `to` mm: at least one voxel. */
export function resampledSize(size: Size, from: Size, to: Size): [number, number, number] {
  return [0, 1, 2].map((axis) => Math.max(1, Math.round((size[axis] * from[axis]) / to[axis]))) as [
    number,
    number,
    number,
  ]
}

/**
 * Resamples by linear interpolation along each axis; where it gets coarser, by the triangle that covers a new voxel's
 * neighbourhood, so that nothing is skipped. Both images cover the same space; voxel values stand at voxel centres.
 */
export function resampleLinear(data: Float32Array, from: Size, to: Size): Float32Array {
  let values = data
  const size = [...from]
  for (let axis = 0; axis < 3; axis++) {
    if (size[axis] === to[axis]) continue
    const inner = size.slice(0, axis).reduce((p, n) => p * n, 1)
    const outer = size.slice(axis + 1).reduce((p, n) => p * n, 1)
    values = resampleAxis(values, inner, size[axis], outer, to[axis])
    size[axis] = to[axis]
  }
  return values
}

/** Resamples labels: each new voxel takes the value of the nearest old one. */
export function resampleNearest<A extends Uint32Array | Uint8Array>(data: A, from: Size, to: Size): A {
  if (from.every((n, axis) => n === to[axis])) return data
  const nearest = (axis: number) =>
    Int32Array.from({ length: to[axis] }, (_, i) =>
      Math.min(from[axis] - 1, Math.floor(((i + 0.5) * from[axis]) / to[axis])),
    )
  const [is, js, ks] = [nearest(0), nearest(1), nearest(2)]
  const result = new (data.constructor as new (length: number) => A)(to[0] * to[1] * to[2])
  let at = 0
  for (const k of ks) for (const j of js) for (const i of is) result[at++] = data[(k * from[1] + j) * from[0] + i]
  return result
}

function resampleAxis(data: Float32Array, inner: number, n: number, outer: number, m: number): Float32Array {
  const result = new Float32Array(inner * m * outer)
  const ratio = n / m
  const reach = Math.max(1, ratio)
  for (let i = 0; i < m; i++) {
    const centre = (i + 0.5) * ratio - 0.5
    const first = Math.ceil(centre - reach)
    const last = Math.floor(centre + reach)
    const weights: [number, number][] = []
    let total = 0
    for (let j = first; j <= last; j++) {
      const weight = 1 - Math.abs(j - centre) / reach
      if (weight <= 0) continue
      weights.push([Math.min(n - 1, Math.max(0, j)), weight])
      total += weight
    }
    for (const [j, weight] of weights) {
      const share = weight / total
      for (let o = 0; o < outer; o++) {
        const source = (o * n + j) * inner
        const target = (o * m + i) * inner
        for (let v = 0; v < inner; v++) result[target + v] += share * data[source + v]
      }
    }
  }
  return result
}
