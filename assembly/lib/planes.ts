// From white noise, filtered along x and y, to rows of coefficients along x. Several planes lie row by row, row r of
// all of them before row r + 1, since that is how they are combined.

/**
 * Filter along z: in each of `rows` rows, target i < count is scale · Σ_k weights[k] · source[i + k], of each row a
 * span, as in noise-plane.ts, of 8 floats at least. Rows of targets and sources are dstBytes and srcBytes apart;
 * `targets` and `sources` are tables of where the planes' rows start within these. There are 3 taps at least; `sources`
 * goes on for as long as four targets at a time would read.
 */
export function filterPlanes(
  dst: usize, dstBytes: usize, targets: usize, src: usize, srcBytes: usize, sources: usize, count: i32, rows: i32,
  spans: usize, weights: usize, taps: i32, scale: f32,
): void {
  for (let r = 0; r < rows; r++, dst += dstBytes, src += srcBytes, spans += 8) {
    const from = load<i32>(spans)
    const until = load<i32>(spans, 4)
    if (from >= until) continue
    for (let i = 0; i < count; i += 4) {
      const table = sources + (<usize>i << 2)
      filterFour(dst, targets + (<usize>i << 2), src, table, count - i, from, until, weights, taps, scale)
    }
  }
}

/** Four targets at once, since they share most of what they read. */
@inline
function filterFour(
  dst: usize, targets: usize, src: usize, sources: usize, count: i32, from: i32, until: i32, weights: usize, taps: i32,
  scale: f32,
): void {
  const factor = f32x4.splat(scale)
  const steadyEnd = sources + (<usize>taps << 2)
  const last = (<usize>until << 2) - 32
  let at = <usize>from << 2
  for (;;) {
    const x = src + at
    let w = weights
    // The first three sources, of which not all targets are made.
    let s = x + load<u32>(sources)
    let v0 = v128.load(s)
    let v1 = v128.load(s, 16)
    const w0 = v128.load_splat<f32>(w)
    const w1 = v128.load_splat<f32>(w, 4)
    const w2 = v128.load_splat<f32>(w, 8)
    let a0 = f32x4.mul(w0, v0)
    let a1 = f32x4.mul(w0, v1)
    s = x + load<u32>(sources, 4)
    v0 = v128.load(s)
    v1 = v128.load(s, 16)
    a0 = f32x4.add(a0, f32x4.mul(w1, v0))
    a1 = f32x4.add(a1, f32x4.mul(w1, v1))
    let b0 = f32x4.mul(w0, v0)
    let b1 = f32x4.mul(w0, v1)
    s = x + load<u32>(sources, 8)
    v0 = v128.load(s)
    v1 = v128.load(s, 16)
    a0 = f32x4.add(a0, f32x4.mul(w2, v0))
    a1 = f32x4.add(a1, f32x4.mul(w2, v1))
    b0 = f32x4.add(b0, f32x4.mul(w1, v0))
    b1 = f32x4.add(b1, f32x4.mul(w1, v1))
    let c0 = f32x4.mul(w0, v0)
    let c1 = f32x4.mul(w0, v1)
    let d0 = f32x4.splat(0)
    let d1 = f32x4.splat(0)
    let t = sources + 12
    for (; t < steadyEnd; t += 4, w += 4) {
      s = x + load<u32>(t)
      v0 = v128.load(s)
      v1 = v128.load(s, 16)
      const wa = v128.load_splat<f32>(w, 12)
      a0 = f32x4.add(a0, f32x4.mul(wa, v0))
      a1 = f32x4.add(a1, f32x4.mul(wa, v1))
      const wb = v128.load_splat<f32>(w, 8)
      b0 = f32x4.add(b0, f32x4.mul(wb, v0))
      b1 = f32x4.add(b1, f32x4.mul(wb, v1))
      const wc = v128.load_splat<f32>(w, 4)
      c0 = f32x4.add(c0, f32x4.mul(wc, v0))
      c1 = f32x4.add(c1, f32x4.mul(wc, v1))
      const wd = v128.load_splat<f32>(w)
      d0 = f32x4.add(d0, f32x4.mul(wd, v0))
      d1 = f32x4.add(d1, f32x4.mul(wd, v1))
    }
    // The last three.
    const w3 = v128.load_splat<f32>(w)
    const w4 = v128.load_splat<f32>(w, 4)
    const w5 = v128.load_splat<f32>(w, 8)
    s = x + load<u32>(t)
    v0 = v128.load(s)
    v1 = v128.load(s, 16)
    b0 = f32x4.add(b0, f32x4.mul(w5, v0))
    b1 = f32x4.add(b1, f32x4.mul(w5, v1))
    c0 = f32x4.add(c0, f32x4.mul(w4, v0))
    c1 = f32x4.add(c1, f32x4.mul(w4, v1))
    d0 = f32x4.add(d0, f32x4.mul(w3, v0))
    d1 = f32x4.add(d1, f32x4.mul(w3, v1))
    s = x + load<u32>(t, 4)
    v0 = v128.load(s)
    v1 = v128.load(s, 16)
    c0 = f32x4.add(c0, f32x4.mul(w5, v0))
    c1 = f32x4.add(c1, f32x4.mul(w5, v1))
    d0 = f32x4.add(d0, f32x4.mul(w4, v0))
    d1 = f32x4.add(d1, f32x4.mul(w4, v1))
    s = x + load<u32>(t, 8)
    d0 = f32x4.add(d0, f32x4.mul(w5, v128.load(s)))
    d1 = f32x4.add(d1, f32x4.mul(w5, v128.load(s, 16)))
    const to = dst + at
    storeTwo(to + load<u32>(targets), f32x4.mul(a0, factor), f32x4.mul(a1, factor))
    if (count > 1) storeTwo(to + load<u32>(targets, 4), f32x4.mul(b0, factor), f32x4.mul(b1, factor))
    if (count > 2) storeTwo(to + load<u32>(targets, 8), f32x4.mul(c0, factor), f32x4.mul(c1, factor))
    if (count > 3) storeTwo(to + load<u32>(targets, 12), f32x4.mul(d0, factor), f32x4.mul(d1, factor))
    if (at == last) return
    at = min(at + 32, last)
  }
}

@inline
function storeTwo(at: usize, a: v128, b: v128): void {
  v128.store(at, a)
  v128.store(at, b, 16)
}

/** dst[x] = Σ_k w[k] · s[k][x] for 6 rows s, from byte `at` to before `end` of each, 32 bytes at least. */
function combineSix(
  dst: usize, at: usize, end: usize, weights: usize, s0: usize, s1: usize, s2: usize, s3: usize, s4: usize, s5: usize,
): void {
  const w0 = v128.load_splat<f32>(weights)
  const w1 = v128.load_splat<f32>(weights, 4)
  const w2 = v128.load_splat<f32>(weights, 8)
  const w3 = v128.load_splat<f32>(weights, 12)
  const w4 = v128.load_splat<f32>(weights, 16)
  const w5 = v128.load_splat<f32>(weights, 20)
  // Eight numbers at a time; the last eight may repeat some.
  const last = end - 32
  for (;;) {
    let a = f32x4.mul(w0, v128.load(s0 + at))
    let b = f32x4.mul(w0, v128.load(s0 + at, 16))
    a = f32x4.add(a, f32x4.mul(w1, v128.load(s1 + at)))
    b = f32x4.add(b, f32x4.mul(w1, v128.load(s1 + at, 16)))
    a = f32x4.add(a, f32x4.mul(w2, v128.load(s2 + at)))
    b = f32x4.add(b, f32x4.mul(w2, v128.load(s2 + at, 16)))
    a = f32x4.add(a, f32x4.mul(w3, v128.load(s3 + at)))
    b = f32x4.add(b, f32x4.mul(w3, v128.load(s3 + at, 16)))
    a = f32x4.add(a, f32x4.mul(w4, v128.load(s4 + at)))
    b = f32x4.add(b, f32x4.mul(w4, v128.load(s4 + at, 16)))
    a = f32x4.add(a, f32x4.mul(w5, v128.load(s5 + at)))
    b = f32x4.add(b, f32x4.mul(w5, v128.load(s5 + at, 16)))
    v128.store(dst + at, a)
    v128.store(dst + at, b, 16)
    if (at == last) return
    at = min(at + 32, last)
  }
}

/** dst[x] = weight · src[x], from byte `at` to before `end`. */
@inline
function scaleRow(dst: usize, src: usize, at: usize, end: usize, weight: usize): void {
  const w = v128.load_splat<f32>(weight)
  for (; at < end; at += 16) v128.store(dst + at, f32x4.mul(w, v128.load(src + at)))
}

/**
 * Interpolation along z: in each of `rows` rows, plane v < count is Σ_k weights[v][k] · source[v][k], of six planes
 * each; rows, `sources` and spans as in filterPlanes. The planes' rows of n floats follow one another in dst.
 */
export function interpolatePlanes(
  dst: usize, dstBytes: usize, src: usize, srcBytes: usize, sources: usize, count: i32, rows: i32, n: i32,
  spans: usize, weights: usize,
): void {
  for (let r = 0; r < rows; r++, dst += dstBytes, src += srcBytes, spans += 8) {
    const at = <usize>load<i32>(spans) << 2
    const end = <usize>load<i32>(spans, 4) << 2
    if (at == end) continue
    let t = sources
    let w = weights
    let to = dst
    for (let v = 0; v < count; v++, t += 24, w += 24, to += <usize>n << 2) {
      combineSix(
        to, at, end, w, src + load<u32>(t), src + load<u32>(t, 4), src + load<u32>(t, 8), src + load<u32>(t, 12),
        src + load<u32>(t, 16), src + load<u32>(t, 20),
      )
    }
  }
}

/**
 * Interpolation along y: in each of `planes` planes, row r < rows is Σ_k weights[r][k] · src[places[r][k]], of each the
 * floats from … until − 1, in multiples of 4, eight at least. Rows of dst are rowBytes apart; `places` holds the bytes
 * at which rows of src start. There are 1 or 6 taps.
 */
export function interpolateRows(
  dst: usize, rowBytes: usize, src: usize, places: usize, planes: i32, rows: i32, n: i32, from: i32, until: i32,
  weights: usize, taps: i32,
): void {
  const at = <usize>from << 2
  const end = <usize>until << 2
  for (let r = 0; r < rows; r++, dst += rowBytes, places += <usize>taps << 2, weights += <usize>taps << 2) {
    let to = dst
    let s = src
    for (let z = 0; z < planes; z++, to += <usize>n << 2, s += <usize>n << 2) {
      if (taps == 6) {
        combineSix(
          to, at, end, weights, s + load<u32>(places), s + load<u32>(places, 4), s + load<u32>(places, 8),
          s + load<u32>(places, 12), s + load<u32>(places, 16), s + load<u32>(places, 20),
        )
      } else {
        scaleRow(to, s + load<u32>(places), at, end, weights)
      }
    }
  }
}

/** All bits of a float32 but its sign. */
const magnitude = memory.data<u32>([0x7fffffff])

/** dst[x] = max_r |src[r · stride + x]| over `rows` rows, for x < n; n is a multiple of 4, 8 at least. */
export function columnMax(dst: usize, src: usize, rows: i32, stride: usize, n: i32): void {
  const last = (<usize>n << 2) - 32
  const mask = v128.load_splat<u32>(magnitude)
  let x: usize = 0
  for (;;) {
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    let s = src + x
    for (let r = 0; r < rows; r++, s += stride) {
      a = f32x4.pmax(a, v128.and(v128.load(s), mask))
      b = f32x4.pmax(b, v128.and(v128.load(s, 16), mask))
    }
    v128.store(dst + x, a)
    v128.store(dst + x, b, 16)
    if (x == last) return
    x = min(x + 32, last)
  }
}
