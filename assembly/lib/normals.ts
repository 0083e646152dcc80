// Standard normal numbers addressed by lattice position. Every operation is IEEE-exact (no relaxed SIMD), so a number
// is the same on every machine and engine.

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): multipliers and key
// increments.
const M0: u32 = 0xd2511f53
const M1: u32 = 0xcd9e8d57
const W0: u32 = 0x9e3779b9
const W1: u32 = 0xbb67ae85

// The constants of Box–Muller are read from memory where they are used: an engine that knows them as constants makes
// each anew, in three instructions, in every turn of the loop.
/** −2 times the minimax polynomial of Cephes' logf: doubling changes no rounding. */
const logarithm = memory.data<f32>([
  -2 * 7.0376836292e-2, 2 * 1.151461031e-1, -2 * 1.1676998740e-1, 2 * 1.2420140846e-1, -2 * 1.4249322787e-1,
  2 * 1.6668057665e-1, -2 * 2.0000714765e-1, 2 * 2.4999993993e-1, -2 * 3.3333331174e-1,
])
/** −2 ln 2 in two parts. */
const logarithm2 = memory.data<f32>([2 * 2.12194440e-4, -2 * 0.693359375])
const sine = memory.data<f32>([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1])
const cosine = memory.data<f32>([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2])
const half = memory.data<f32>([0.5])
const one = memory.data<f32>([1])
/** π/4 · 2⁻³¹ */
const turn = memory.data<f32>([3.6572339e-10])
/** The float32 numbers 2²³ and 2³⁹, whose mantissas count ones and 2¹⁶s, their sum, and the mask of half a word. */
const ones = memory.data<u32>([0x4b000000])
const halfWords = memory.data<u32>([0x53000000])
const both = memory.data<f32>([549764202496])
const halfWord = memory.data<u32>([0x0000ffff])
/** √½, √½ · 2³², and the masks of a float32's mantissa and sign. */
const root = memory.data<u32>([0x3f3504f3])
const root32 = memory.data<u32>([0x4f3504f3])
const mantissa = memory.data<u32>([0x007fffff])
const sign = memory.data<u32>([0x80000000])

/** Number `index` of a table, in all lanes. */
@inline
function lanes(table: usize, index: usize = 0): v128 {
  return v128.load_splat<u32>(table + (index << 2))
}

/** p · x + c */
@inline
function horner(p: v128, x: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(p, x), c)
}

/** The logarithm's argument of four words x: (x + ½)·2⁻³² = 2^e · (1 + f) with 1 + f in [√½, √2), as f and e. */
@inline
function argument(x: v128, to: usize, exponent: usize): void {
  // The word as a float, rounded once: its halves are exact in the mantissas of 2²³ and 2³⁹.
  const low = v128.or(v128.and(x, lanes(halfWord)), lanes(ones))
  const high = v128.or(i32x4.shr_u(x, 16), lanes(halfWords))
  const u = f32x4.add(f32x4.add(f32x4.sub(high, lanes(both)), low), lanes(half))
  // Shift the mantissa's window by √½.
  const shifted = i32x4.sub(u, lanes(root32))
  v128.store(exponent, f32x4.convert_i32x4_s(i32x4.shr_s(shifted, 23)))
  v128.store(to, f32x4.sub(i32x4.add(v128.and(shifted, lanes(mantissa)), lanes(root)), lanes(one)))
}

/** The polynomial of the logarithm. */
@inline
function polynomial(f: v128): v128 {
  let p = horner(lanes(logarithm), f, lanes(logarithm, 1))
  p = horner(p, f, lanes(logarithm, 2))
  p = horner(p, f, lanes(logarithm, 3))
  p = horner(p, f, lanes(logarithm, 4))
  p = horner(p, f, lanes(logarithm, 5))
  p = horner(p, f, lanes(logarithm, 6))
  p = horner(p, f, lanes(logarithm, 7))
  return horner(p, f, lanes(logarithm, 8))
}

/** √(−2 ln(2^e · (1 + f))), where p is the polynomial of f; the logarithm is within 2 ulp. */
@inline
function radius(p: v128, f: v128, e: v128): v128 {
  const z = f32x4.mul(f, f)
  let y = f32x4.mul(f32x4.mul(p, z), f)
  y = f32x4.add(y, f32x4.mul(e, lanes(logarithm2)))
  y = f32x4.sub(f32x4.add(y, z), f32x4.add(f, f))
  return f32x4.sqrt(f32x4.add(y, f32x4.mul(e, lanes(logarithm2, 1))))
}

/** The angle of a word in its quadrant, in [−π/4, π/4): its top two bits choose the quadrant, so none is reduced. */
@inline
function angleOf(y: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shl(y, 2)), lanes(turn))
}

/** sin a, where z = a². */
@inline
function sineOf(a: v128, z: v128): v128 {
  const s = horner(horner(lanes(sine), z, lanes(sine, 1)), z, lanes(sine, 2))
  return horner(f32x4.mul(s, z), a, a)
}

/** cos a, where z = a². */
@inline
function cosineOf(z: v128): v128 {
  const c = horner(horner(lanes(cosine), z, lanes(cosine, 1)), z, lanes(cosine, 2))
  return horner(f32x4.mul(c, z), z, f32x4.sub(lanes(one), f32x4.mul(z, lanes(half))))
}

/** The low halves of the products of four words with others. */
@inline
function lowOf(x: v128, m: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(x, m), i64x2.extmul_high_i32x4_u(x, m), 0, 2, 4, 6)
}

/** The high halves of the products of four words with others. */
@inline
function highOf(x: v128, m: v128): v128 {
  return v128.shuffle<i32>(i64x2.extmul_low_i32x4_u(x, m), i64x2.extmul_high_i32x4_u(x, m), 1, 3, 5, 7)
}

/** Groups whose exponents and polynomials are kept at a time, one a pair of outputs. */
const batch: i32 = 16
/** Room for one group more lets loops take two at a time. */
const exponents = memory.data(32 * 17, 16)
const polynomials = memory.data(32 * 17, 16)

/** What all groups of four rows share, as vectors: multipliers, keys of the rounds from the third on, first words. */
const shared = memory.data(14 * 16, 16)

@inline
function share(index: usize, value: v128): void {
  v128.store(shared + (index << 4), value)
}

@inline
function same(index: usize): v128 {
  return v128.load(shared + (index << 4))
}

/**
 * Standard normals for 4 rows y … y + 3 of a lattice plane, nodes 4·group … 4·(group + groups) − 1: node 4g + o of row
 * y is output o of Philox at counter (g, y, c2, c3) under the key (k0, k1), so its number depends on its address alone.
 * Seven rounds are the fewest with which Philox4x32 passes BigCrush (Salmon et al., table 2). Node by node, four rows
 * each, go to dst, which has room for one group more.
 *
 * Words first and normals then, in loops of their own: a processor overlaps the turns of a short loop, and either chain
 * of operations is long.
 */
export function normals(
  dst: usize, groups: i32, group: i32, y: i32, c2: i32, c3: i32, k0: i32, k1: i32,
): void {
  // The first two rounds mix g with c2 and c3, and y with c2, but not g with y: here is what is the same in all groups,
  // in philox what is the same in all rows.
  const b = <u64>(<u32>c2) * M1
  const first = v128.xor(i32x4.add(i32x4.splat(y), i32x4(0, 1, 2, 3)), i32x4.splat(<u32>(b >> 32) ^ k0))
  const m0 = i32x4.splat(M0)
  share(0, m0)
  share(1, i32x4.splat(M1))
  share(2, highOf(first, m0))
  share(3, v128.xor(lowOf(first, m0), i32x4.splat(k1 + 2 * W1)))
  for (let round = 3; round < 7; round++) {
    share(2 * round - 2, i32x4.splat(k0 + round * W0))
    share(2 * round - 1, i32x4.splat(k1 + round * W1))
  }
  for (let done = 0; done < groups; done += batch) {
    const count = min(batch, groups - done)
    philox(dst, group + done, count, <u32>b, c3, k0, k1)
    boxMuller(dst, count)
    dst += <usize>count << 6
  }
}

/** Philox's words of `count` groups from `group` on, for four rows each; b is the low half of c2 · M1. */
@inline
function philox(dst: usize, group: i32, count: i32, b: u32, c3: u32, k0: u32, k1: u32): void {
  const end = dst + (<usize>count << 6)
  for (let to = dst; to < end; to += 64) {
    const a = <u64>(<u32>group) * M0
    const c = <u64>((<u32>(a >> 32)) ^ c3 ^ k1) * M1
    const d = <u64>((<u32>(c >> 32)) ^ b ^ (k0 + W0)) * M0
    group++
    const m0 = same(0)
    const m1 = same(1)
    // Round 3, the first in which all differ.
    let p = v128.xor(same(2), i32x4.splat(<u32>a ^ (k1 + W1)))
    let x0 = v128.xor(highOf(p, m1), i32x4.splat(<u32>c ^ (k0 + 2 * W0)))
    let x1 = lowOf(p, m1)
    let x2 = v128.xor(i32x4.splat(<u32>(d >> 32)), same(3))
    let x3 = i32x4.splat(<u32>d)
    // Rounds 4 … 7.
    p = v128.xor(v128.xor(highOf(x2, m1), x1), same(4))
    let q = v128.xor(v128.xor(highOf(x0, m0), x3), same(5))
    x1 = lowOf(x2, m1)
    x3 = lowOf(x0, m0)
    x0 = v128.xor(v128.xor(highOf(q, m1), x1), same(6))
    x2 = v128.xor(v128.xor(highOf(p, m0), x3), same(7))
    x1 = lowOf(q, m1)
    x3 = lowOf(p, m0)
    p = v128.xor(v128.xor(highOf(x2, m1), x1), same(8))
    q = v128.xor(v128.xor(highOf(x0, m0), x3), same(9))
    x1 = lowOf(x2, m1)
    x3 = lowOf(x0, m0)
    x0 = v128.xor(v128.xor(highOf(q, m1), x1), same(10))
    x2 = v128.xor(v128.xor(highOf(p, m0), x3), same(11))
    v128.store(to, x0)
    v128.store(to, lowOf(q, m1), 16)
    v128.store(to, x2, 32)
    v128.store(to, lowOf(p, m0), 48)
  }
}

/** Makes normals of the words of `count` groups. */
@inline
function boxMuller(words: usize, count: i32): void {
  const end = words + (<usize>count << 6)
  let e = exponents
  for (let at = words; at < end; at += 64, e += 32) {
    argument(v128.load(at), at, e)
    argument(v128.load(at, 32), at + 32, e + 16)
  }
  let p = polynomials
  for (let at = words; at < end; at += 128, p += 64) {
    const p1 = polynomial(v128.load(at))
    const p2 = polynomial(v128.load(at, 32))
    const p3 = polynomial(v128.load(at, 64))
    const p4 = polynomial(v128.load(at, 96))
    v128.store(p, p1)
    v128.store(p, p2, 16)
    v128.store(p, p3, 32)
    v128.store(p, p4, 48)
  }
  e = exponents
  p = polynomials
  for (let at = words; at < end; at += 64, e += 32, p += 32) {
    v128.store(at, radius(v128.load(p), v128.load(at), v128.load(e)))
    v128.store(at, radius(v128.load(p, 16), v128.load(at, 32), v128.load(e, 16)), 32)
  }
  for (let at = words; at < end; at += 64) {
    const r1 = v128.load(at)
    const r2 = v128.load(at, 32)
    const y1 = v128.load(at, 16)
    const y2 = v128.load(at, 48)
    const t1 = angleOf(y1)
    const t2 = angleOf(y2)
    const z1 = f32x4.mul(t1, t1)
    const z2 = f32x4.mul(t2, t2)
    const s1 = sineOf(t1, z1)
    const s2 = sineOf(t2, z2)
    const c1 = cosineOf(z1)
    const c2 = cosineOf(z2)
    // In odd quadrants sine and cosine change places; then they take the signs of the quadrant.
    const twice1 = i32x4.shl(y1, 1)
    const twice2 = i32x4.shl(y2, 1)
    const change1 = v128.and(v128.xor(s1, c1), i32x4.shr_s(twice1, 31))
    const change2 = v128.and(v128.xor(s2, c2), i32x4.shr_s(twice2, 31))
    const signs = lanes(sign)
    v128.store(at, f32x4.mul(r1, v128.xor(v128.xor(c1, change1), v128.and(v128.xor(y1, twice1), signs))))
    v128.store(at, f32x4.mul(r1, v128.xor(v128.xor(s1, change1), v128.and(y1, signs))), 16)
    v128.store(at, f32x4.mul(r2, v128.xor(v128.xor(c2, change2), v128.and(v128.xor(y2, twice2), signs))), 32)
    v128.store(at, f32x4.mul(r2, v128.xor(v128.xor(s2, change2), v128.and(y2, signs))), 48)
  }
}
