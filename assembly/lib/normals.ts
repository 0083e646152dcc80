// Standard normal numbers addressed by lattice position. Every operation is IEEE-exact (no relaxed SIMD), so a number
// is the same on every machine and engine.

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): multipliers and key
// increments.
const M0: i32 = 0xd2511f53
const M1: i32 = 0xcd9e8d57
const W0: i32 = 0x9e3779b9
const W1: i32 = 0xbb67ae85

/** Natural logarithm of four numbers in (0, 1]; within 2 ulp (minimax polynomial of Cephes' logf). */
@inline
function logf(x: v128): v128 {
  // x = 2^e · m with m in [√½, √2): shift the mantissa's window by √½.
  const shifted = i32x4.sub(x, i32x4.splat(0x3f3504f3))
  const e = f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23))
  const m = i32x4.add(v128.and(shifted, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3))
  const f = f32x4.sub(m, f32x4.splat(1))
  const z = f32x4.mul(f, f)
  let p = f32x4.splat(7.0376836292e-2)
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(-1.151461031e-1))
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(1.1676998740e-1))
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(-1.2420140846e-1))
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(1.4249322787e-1))
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(-1.6668057665e-1))
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(2.0000714765e-1))
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(-2.4999993993e-1))
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(3.3333331174e-1))
  let y = f32x4.mul(f32x4.mul(p, z), f)
  y = f32x4.add(y, f32x4.mul(e, f32x4.splat(-2.12194440e-4)))
  y = f32x4.sub(y, f32x4.mul(z, f32x4.splat(0.5)))
  y = f32x4.add(y, f)
  return f32x4.add(y, f32x4.mul(e, f32x4.splat(0.693359375)))
}

let normalA: v128 = i32x4.splat(0)
let normalB: v128 = i32x4.splat(0)

/** Box–Muller: two vectors of random bits to two vectors of standard normals (normalA, normalB). |z| ≤ 6.77. */
@inline
function boxMuller(x: v128, y: v128): void {
  const u = f32x4.mul(f32x4.add(f32x4.convert_i32x4_u(x), f32x4.splat(0.5)), f32x4.splat(2.3283064365386963e-10))
  const r = f32x4.sqrt(f32x4.mul(logf(u), f32x4.splat(-2)))
  // The top two bits of y choose the quadrant, the rest an angle in [−π/4, π/4): no range reduction is needed.
  const a = f32x4.mul(f32x4.convert_i32x4_s(i32x4.shl(y, 2)), f32x4.splat(3.6572339e-10)) // π/4 · 2⁻³¹
  const z = f32x4.mul(a, a)
  let s = f32x4.splat(-1.9515295891e-4)
  s = f32x4.add(f32x4.mul(s, z), f32x4.splat(8.3321608736e-3))
  s = f32x4.add(f32x4.mul(s, z), f32x4.splat(-1.6666654611e-1))
  s = f32x4.add(f32x4.mul(f32x4.mul(s, z), a), a)
  let c = f32x4.splat(2.443315711809948e-5)
  c = f32x4.add(f32x4.mul(c, z), f32x4.splat(-1.388731625493765e-3))
  c = f32x4.add(f32x4.mul(c, z), f32x4.splat(4.166664568298827e-2))
  c = f32x4.add(f32x4.mul(f32x4.mul(c, z), z), f32x4.sub(f32x4.splat(1), f32x4.mul(z, f32x4.splat(0.5))))
  const q = i32x4.shr_u(y, 30)
  const odd = i32x4.neg(v128.and(q, i32x4.splat(1)))
  const signC = i32x4.shl(v128.and(i32x4.add(q, i32x4.splat(1)), i32x4.splat(2)), 30)
  const signS = i32x4.shl(v128.and(q, i32x4.splat(2)), 30)
  normalA = f32x4.mul(r, v128.xor(v128.bitselect(s, c, odd), signC))
  normalB = f32x4.mul(r, v128.xor(v128.bitselect(c, s, odd), signS))
}

/**
 * Standard normals for 4 rows y … y + 3 of a lattice plane, nodes 4·group … 4·(group + groups) − 1: node 4g + o of row
 * y is output o of Philox at counter (g, y, c2, c3) under the key (k0, k1), so its number depends on its address alone.
 * Seven rounds are the fewest with which Philox4x32 passes BigCrush (Salmon et al., table 2). Rows are `stride` bytes
 * apart.
 */
export function normals(
  dst: usize, stride: usize, groups: i32, group: i32, y: i32, c2: i32, c3: i32, k0: i32, k1: i32,
): void {
  const m0 = i32x4.splat(M0)
  const m1 = i32x4.splat(M1)
  for (let g = 0; g < groups; g++) {
    let x0 = i32x4.splat(group + g)
    let x1 = i32x4.add(i32x4.splat(y), i32x4(0, 1, 2, 3))
    let x2 = i32x4.splat(c2)
    let x3 = i32x4.splat(c3)
    let key0 = k0
    let key1 = k1
    for (let round = 0; round < 7; round++) {
      const aLow = i64x2.extmul_low_i32x4_u(x0, m0)
      const aHigh = i64x2.extmul_high_i32x4_u(x0, m0)
      const bLow = i64x2.extmul_low_i32x4_u(x2, m1)
      const bHigh = i64x2.extmul_high_i32x4_u(x2, m1)
      const lo0 = v128.shuffle<i32>(aLow, aHigh, 0, 2, 4, 6)
      const hi0 = v128.shuffle<i32>(aLow, aHigh, 1, 3, 5, 7)
      const lo1 = v128.shuffle<i32>(bLow, bHigh, 0, 2, 4, 6)
      const hi1 = v128.shuffle<i32>(bLow, bHigh, 1, 3, 5, 7)
      x0 = v128.xor(v128.xor(hi1, x1), i32x4.splat(key0))
      x1 = lo1
      x2 = v128.xor(v128.xor(hi0, x3), i32x4.splat(key1))
      x3 = lo0
      key0 += W0
      key1 += W1
    }
    boxMuller(x0, x1)
    const a = normalA
    const c = normalB
    boxMuller(x2, x3)
    const d = normalA
    const e = normalB
    // Transpose: lane = row, vector = output.
    const ac0 = v128.shuffle<i32>(a, c, 0, 4, 1, 5)
    const ac1 = v128.shuffle<i32>(a, c, 2, 6, 3, 7)
    const de0 = v128.shuffle<i32>(d, e, 0, 4, 1, 5)
    const de1 = v128.shuffle<i32>(d, e, 2, 6, 3, 7)
    v128.store(dst, v128.shuffle<i32>(ac0, de0, 0, 1, 4, 5))
    v128.store(dst + stride, v128.shuffle<i32>(ac0, de0, 2, 3, 6, 7))
    v128.store(dst + 2 * stride, v128.shuffle<i32>(ac1, de1, 0, 1, 4, 5))
    v128.store(dst + 3 * stride, v128.shuffle<i32>(ac1, de1, 2, 3, 6, 7))
    dst += 16
  }
}
