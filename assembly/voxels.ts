// Inner loops of src/kernels/voxels.ts over blocks of voxels: every float32 is taken by its bits, which are ordered as
// the numbers are where these are not negative.

/**
 * IEEE 754 binary16 to binary32, exactly, infinities and NaN included: `length` numbers, a multiple of 8. Subnormal
 * halves, which most of a softmax's background is, go through integers: they would be slow as subnormal floats.
 */
export function floatsFromHalves(out: usize, source: usize, length: i32): void {
  const end = source + (<usize>length << 1)
  for (; source < end; source += 16, out += 32) {
    const halves = v128.load(source)
    v128.store(out, widened(i32x4.extend_low_i16x8_u(halves)))
    v128.store(out, widened(i32x4.extend_high_i16x8_u(halves)), 16)
  }
}

@inline
function widened(half: v128): v128 {
  const sign = i32x4.shl(v128.and(half, i32x4.splat(0x8000)), 16)
  const size = v128.and(half, i32x4.splat(0x7fff))
  // The exponent's bias is 15 in a half, 127 in a float; all ones stay all ones.
  const normal = i32x4.add(i32x4.shl(size, 13), i32x4.splat(112 << 23))
  const endless = i32x4.gt_s(size, i32x4.splat(0x7bff))
  const number = i32x4.add(normal, v128.and(endless, i32x4.splat(112 << 23)))
  const subnormal = f32x4.mul(f32x4.convert_i32x4_s(size), f32x4.splat(5.9604644775390625e-8)) // · 2⁻²⁴
  return v128.or(sign, v128.bitselect(subnormal, number, i32x4.lt_s(size, i32x4.splat(0x400))))
}

/** The largest bits, as unsigned numbers, of `length` floats, a multiple of 16. */
export function largestBits(source: usize, length: i32): u32 {
  let a = i32x4.splat(0)
  let b = i32x4.splat(0)
  const end = source + (<usize>length << 2)
  for (; source < end; source += 64) {
    a = i32x4.max_u(a, i32x4.max_u(v128.load(source), v128.load(source, 16)))
    b = i32x4.max_u(b, i32x4.max_u(v128.load(source, 32), v128.load(source, 48)))
  }
  a = i32x4.max_u(a, b)
  a = i32x4.max_u(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1))
  a = i32x4.max_u(a, v128.shuffle<i32>(a, a, 1, 0, 3, 2))
  return i32x4.extract_lane(a, 0)
}

/**
 * Writes, as u16 and in order, at which of `length` floats (a multiple of 16, at most 65,536) the bits, as signed
 * numbers, are at least `bits`; returns how many there are.
 */
export function positionsFrom(source: usize, length: i32, bits: i32, out: usize): i32 {
  const below = i32x4.splat(bits - 1)
  let target = out
  for (let i = 0; i < length; i += 16, source += 64) {
    const a = i32x4.gt_s(v128.load(source), below)
    const b = i32x4.gt_s(v128.load(source, 16), below)
    const c = i32x4.gt_s(v128.load(source, 32), below)
    const d = i32x4.gt_s(v128.load(source, 48), below)
    let lanes = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)))
    for (; lanes; lanes &= lanes - 1, target += 2) store<u16>(target, i + ctz(lanes))
  }
  return <i32>(target - out) >> 1
}
