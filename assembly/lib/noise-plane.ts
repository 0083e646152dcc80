// White noise and its filters along x and y, over planes of float32 (rows of n, a multiple of 4). Of each row only a
// span is made: `spans` holds two int32 a row, the first float of the span and the first behind it, multiples of 4; an
// empty span skips the row.
import { normals } from './normals'

/**
 * A plane of white noise filtered along x and y: row r is Σ_k yWeights[k] · filtered[r + k], where
 * filtered[r][x] = Σ_k xWeights[k] · noise[y + r][skip + x + k]; `rows` rows, rowBytes apart. `fours` are the spans of
 * the rows filtered along x, one for every four. Node 0 of the noise is the first of its group number `group`. `buffer`
 * holds `capacity` rows, a multiple of 4, and 6 more at least than the filter along y reads at once; `scratch` holds 4
 * rows of whole groups and what more `normals` and `filteredRows` read.
 */
export function noisePlane(
  dst: usize, rowBytes: usize, rows: i32, n: i32, spans: usize, fours: usize, buffer: usize, capacity: i32,
  scratch: usize, group: i32, skip: i32, xWeights: usize, xTaps: i32, yWeights: usize, yTaps: i32,
  y: i32, c2: i32, c3: i32, k0: i32, k1: i32,
): void {
  const row = <usize>n << 2
  // The buffer holds the rows first … made − 1.
  let first = 0
  let made = 0
  for (let r = 0; r < rows; ) {
    if (made - first == capacity) {
      const kept = r & ~3
      memory.copy(buffer, buffer + (kept - first) * row, (made - kept) * row)
      first = kept
    }
    const to = buffer + (made - first) * row
    filteredRows(to, row, fours, scratch, group, skip, xWeights, xTaps, y + made, c2, c3, k0, k1)
    made += 4
    fours += 8
    for (; r < rows && r + yTaps <= made; r++, dst += rowBytes, spans += 8) {
      if (r + 1 < rows && r + yTaps < made) {
        const from = min(load<i32>(spans), load<i32>(spans, 8))
        const length = max(load<i32>(spans, 4), load<i32>(spans, 12)) - from
        if (length >= 16) {
          const at = <usize>from << 2
          const src = buffer + (r - first) * row + at
          combineTwo(dst + at, dst + rowBytes + at, src, row, length, yWeights, yTaps)
          r++
          dst += rowBytes
          spans += 8
          continue
        }
      }
      const from = load<i32>(spans)
      const length = load<i32>(spans, 4) - from
      const at = <usize>from << 2
      if (length > 0) combine(dst + at, buffer + (r - first) * row + at, row, length, yWeights, yTaps)
    }
  }
}

/** Four rows of white noise filtered along x; four nodes behind the last that counts are read. */
@inline
function filteredRows(
  dst: usize, row: usize, span: usize, scratch: usize, group: i32, skip: i32, weights: usize, taps: i32,
  y: i32, c2: i32, c3: i32, k0: i32, k1: i32,
): void {
  const from = load<i32>(span)
  const length = load<i32>(span, 4) - from
  if (length <= 0) return
  const first = (skip + from) >> 2
  const groups = ((skip + from + length + taps + 2) >> 2) - first
  normals(scratch, groups, group + first, y, c2, c3, k0, k1)
  dst += <usize>from << 2
  const end = dst + (<usize>length << 2)
  const weightsEnd = weights + (<usize>taps << 2)
  let src = scratch + (<usize>(skip + from - 4 * first) << 4)
  // Four nodes at a time: a tap later they are the next three and one more, so that each tap reads one vector.
  for (; dst < end; dst += 16, src += 64) {
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    let c = f32x4.splat(0)
    let d = f32x4.splat(0)
    let v0 = v128.load(src)
    let v1 = v128.load(src, 16)
    let v2 = v128.load(src, 32)
    let v3 = v128.load(src, 48)
    let s = src
    let w = weights
    for (; w + 12 < weightsEnd; w += 16) {
      const w0 = v128.load_splat<f32>(w)
      a = f32x4.add(a, f32x4.mul(w0, v0))
      b = f32x4.add(b, f32x4.mul(w0, v1))
      c = f32x4.add(c, f32x4.mul(w0, v2))
      d = f32x4.add(d, f32x4.mul(w0, v3))
      v0 = v128.load(s, 64)
      const w1 = v128.load_splat<f32>(w, 4)
      a = f32x4.add(a, f32x4.mul(w1, v1))
      b = f32x4.add(b, f32x4.mul(w1, v2))
      c = f32x4.add(c, f32x4.mul(w1, v3))
      d = f32x4.add(d, f32x4.mul(w1, v0))
      v1 = v128.load(s, 80)
      const w2 = v128.load_splat<f32>(w, 8)
      a = f32x4.add(a, f32x4.mul(w2, v2))
      b = f32x4.add(b, f32x4.mul(w2, v3))
      c = f32x4.add(c, f32x4.mul(w2, v0))
      d = f32x4.add(d, f32x4.mul(w2, v1))
      v2 = v128.load(s, 96)
      const w3 = v128.load_splat<f32>(w, 12)
      a = f32x4.add(a, f32x4.mul(w3, v3))
      b = f32x4.add(b, f32x4.mul(w3, v0))
      c = f32x4.add(c, f32x4.mul(w3, v1))
      d = f32x4.add(d, f32x4.mul(w3, v2))
      v3 = v128.load(s, 112)
      s += 64
    }
    for (; w < weightsEnd; w += 4) {
      const weight = v128.load_splat<f32>(w)
      a = f32x4.add(a, f32x4.mul(weight, v0))
      b = f32x4.add(b, f32x4.mul(weight, v1))
      c = f32x4.add(c, f32x4.mul(weight, v2))
      d = f32x4.add(d, f32x4.mul(weight, v3))
      s += 16
      v0 = v1
      v1 = v2
      v2 = v3
      v3 = v128.load(s, 48)
    }
    // From nodes of four rows to rows of four nodes.
    const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
    const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
    const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
    const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
    v128.store(dst, v128.shuffle<i32>(ab0, cd0, 0, 1, 4, 5))
    v128.store(dst + row, v128.shuffle<i32>(ab0, cd0, 2, 3, 6, 7))
    v128.store(dst + 2 * row, v128.shuffle<i32>(ab1, cd1, 0, 1, 4, 5))
    v128.store(dst + 3 * row, v128.shuffle<i32>(ab1, cd1, 2, 3, 6, 7))
  }
}

/** dst[x] = Σ_k weights[k] · src[x + k · stride] for x < 4. */
@inline
function combine4(dst: usize, src: usize, stride: usize, weights: usize, weightsEnd: usize): void {
  let sum = f32x4.splat(0)
  for (let w = weights; w < weightsEnd; w += 4, src += stride) {
    sum = f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(w), v128.load(src)))
  }
  v128.store(dst, sum)
}

/** The same for x < 16. */
@inline
function combine16(dst: usize, src: usize, stride: usize, weights: usize, weightsEnd: usize): void {
  let a = f32x4.splat(0)
  let b = f32x4.splat(0)
  let c = f32x4.splat(0)
  let d = f32x4.splat(0)
  for (let w = weights; w < weightsEnd; w += 4, src += stride) {
    const weight = v128.load_splat<f32>(w)
    a = f32x4.add(a, f32x4.mul(weight, v128.load(src)))
    b = f32x4.add(b, f32x4.mul(weight, v128.load(src, 16)))
    c = f32x4.add(c, f32x4.mul(weight, v128.load(src, 32)))
    d = f32x4.add(d, f32x4.mul(weight, v128.load(src, 48)))
  }
  storeFour(dst, a, b, c, d)
}

@inline
function storeFour(dst: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(dst, a)
  v128.store(dst, b, 16)
  v128.store(dst, c, 32)
  v128.store(dst, d, 48)
}

/** dst[x] = Σ_k weights[k] · src[x + k · stride] for x < n; stride in bytes; n is a multiple of 4. */
function combine(dst: usize, src: usize, stride: usize, n: i32, weights: usize, taps: i32): void {
  const bytes = <usize>n << 2
  const weightsEnd = weights + (<usize>taps << 2)
  if (bytes < 64) {
    for (let x: usize = 0; x < bytes; x += 16) combine4(dst + x, src + x, stride, weights, weightsEnd)
    return
  }
  for (let x: usize = 0; x < bytes; x += 64) {
    // The last 16 may repeat some.
    const at = min(x, bytes - 64)
    combine16(dst + at, src + at, stride, weights, weightsEnd)
  }
}

/** As combine, for n ≥ 16, and from `stride` behind src on to `next`: two rows, since they share what they read. */
function combineTwo(dst: usize, next: usize, src: usize, stride: usize, n: i32, weights: usize, taps: i32): void {
  const last = (<usize>n << 2) - 64
  const weightsEnd = weights + (<usize>taps << 2)
  let x: usize = 0
  for (;;) {
    let s = src + x
    let v0 = v128.load(s)
    let v1 = v128.load(s, 16)
    let v2 = v128.load(s, 32)
    let v3 = v128.load(s, 48)
    const first = v128.load_splat<f32>(weights)
    let a0 = f32x4.mul(first, v0)
    let a1 = f32x4.mul(first, v1)
    let a2 = f32x4.mul(first, v2)
    let a3 = f32x4.mul(first, v3)
    let b0 = f32x4.splat(0)
    let b1 = f32x4.splat(0)
    let b2 = f32x4.splat(0)
    let b3 = f32x4.splat(0)
    let w = weights + 4
    for (; w < weightsEnd; w += 4) {
      s += stride
      v0 = v128.load(s)
      v1 = v128.load(s, 16)
      v2 = v128.load(s, 32)
      v3 = v128.load(s, 48)
      const wa = v128.load_splat<f32>(w)
      a0 = f32x4.add(a0, f32x4.mul(wa, v0))
      a1 = f32x4.add(a1, f32x4.mul(wa, v1))
      a2 = f32x4.add(a2, f32x4.mul(wa, v2))
      a3 = f32x4.add(a3, f32x4.mul(wa, v3))
      const wb = v128.load_splat<f32>(w - 4)
      b0 = f32x4.add(b0, f32x4.mul(wb, v0))
      b1 = f32x4.add(b1, f32x4.mul(wb, v1))
      b2 = f32x4.add(b2, f32x4.mul(wb, v2))
      b3 = f32x4.add(b3, f32x4.mul(wb, v3))
    }
    s += stride
    const wb = v128.load_splat<f32>(w - 4)
    b0 = f32x4.add(b0, f32x4.mul(wb, v128.load(s)))
    b1 = f32x4.add(b1, f32x4.mul(wb, v128.load(s, 16)))
    b2 = f32x4.add(b2, f32x4.mul(wb, v128.load(s, 32)))
    b3 = f32x4.add(b3, f32x4.mul(wb, v128.load(s, 48)))
    storeFour(dst + x, a0, a1, a2, a3)
    storeFour(next + x, b0, b1, b2, b3)
    if (x == last) return
    x = min(x + 64, last)
  }
}
