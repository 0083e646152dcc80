// Inner loop of the marginal probabilities (src/noise/marginal.ts).

/**
 * A banded matrix times rows: dst[r] = Σ_{s < band} weights[r][s] · src[first + s] for the 4 rows r = 0…3, rows of n
 * floats (a multiple of 8), weights [band][4], strides in bytes. Four rows at once share every load of src.
 */
export function bandRows(
  dst: usize, dstStride: usize, src: usize, srcStride: usize, n: i32, weights: usize, band: i32,
): void {
  const bytes = <usize>n << 2
  for (let x: usize = 0; x < bytes; x += 32) {
    let a0 = f32x4.splat(0)
    let a1 = f32x4.splat(0)
    let b0 = f32x4.splat(0)
    let b1 = f32x4.splat(0)
    let c0 = f32x4.splat(0)
    let c1 = f32x4.splat(0)
    let d0 = f32x4.splat(0)
    let d1 = f32x4.splat(0)
    let s = src + x
    let w = weights
    for (let k = 0; k < band; k++) {
      const v0 = v128.load(s)
      const v1 = v128.load(s, 16)
      const wa = v128.load_splat<f32>(w)
      a0 = f32x4.add(a0, f32x4.mul(wa, v0))
      a1 = f32x4.add(a1, f32x4.mul(wa, v1))
      const wb = v128.load_splat<f32>(w, 4)
      b0 = f32x4.add(b0, f32x4.mul(wb, v0))
      b1 = f32x4.add(b1, f32x4.mul(wb, v1))
      const wc = v128.load_splat<f32>(w, 8)
      c0 = f32x4.add(c0, f32x4.mul(wc, v0))
      c1 = f32x4.add(c1, f32x4.mul(wc, v1))
      const wd = v128.load_splat<f32>(w, 12)
      d0 = f32x4.add(d0, f32x4.mul(wd, v0))
      d1 = f32x4.add(d1, f32x4.mul(wd, v1))
      s += srcStride
      w += 16
    }
    let d = dst + x
    v128.store(d, a0)
    v128.store(d, a1, 16)
    d += dstStride
    v128.store(d, b0)
    v128.store(d, b1, 16)
    d += dstStride
    v128.store(d, c0)
    v128.store(d, c1, 16)
    d += dstStride
    v128.store(d, d0)
    v128.store(d, d1, 16)
  }
}
