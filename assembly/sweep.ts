// The inner loop of src/decision/sweep.ts: one pass over a block of float32 probabilities in [0, 1].

/**
 * Reads `length` floats (a multiple of 16; pad with zeros) at `input`. Bits of non-negative floats are ordered as the
 * floats are, so voxels are compared as integers: one is above where bits ≥ bits of `high`, inside where
 * `lowBits` ≤ bits < bits of `high`. Values inside are copied to `inside` in order.
 *
 * Writes at `result`: f64 sums (total, above, ≥ ½), u32 counts (above, ≥ ½, inside) and the largest bits as u32.
 */
export function sweepBlock(input: usize, length: i32, lowBits: i32, high: f32, inside: usize, result: usize): void {
  const belowLow = i32x4.splat(lowBits - 1)
  const belowHigh = i32x4.splat(reinterpret<i32>(high) - 1)
  const belowHalf = i32x4.splat(0x3effffff)
  const highs = f64x2.splat(<f64>high)
  const halves = f64x2.splat(0.5)
  let total0 = f64x2.splat(0)
  let total1 = f64x2.splat(0)
  // Σ max(m, high) and Σ max(m, ½): they take fewer instructions than masked sums, and are as exact.
  let high0 = f64x2.splat(0)
  let high1 = f64x2.splat(0)
  let half0 = f64x2.splat(0)
  let half1 = f64x2.splat(0)
  let countAbove = i32x4.splat(0)
  let countHalf = i32x4.splat(0)
  let largest = i32x4.splat(0)
  let target = inside
  let read = 0
  const end = input + (<usize>length << 2)
  for (let p = input; p < end; p += 64) {
    const a = v128.load(p)
    const b = v128.load(p, 16)
    const c = v128.load(p, 32)
    const d = v128.load(p, 48)
    // Most of a volume is zero.
    if (!v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) continue
    read += 16
    largest = i32x4.max_u(largest, i32x4.max_u(i32x4.max_u(a, b), i32x4.max_u(c, d)))

    const aboveA = i32x4.gt_s(a, belowHigh)
    const aboveB = i32x4.gt_s(b, belowHigh)
    const aboveC = i32x4.gt_s(c, belowHigh)
    const aboveD = i32x4.gt_s(d, belowHigh)
    countAbove = i32x4.add(countAbove, i32x4.add(i32x4.add(aboveA, aboveB), i32x4.add(aboveC, aboveD)))
    countHalf = i32x4.add(
      countHalf,
      i32x4.add(
        i32x4.add(i32x4.gt_s(a, belowHalf), i32x4.gt_s(b, belowHalf)),
        i32x4.add(i32x4.gt_s(c, belowHalf), i32x4.gt_s(d, belowHalf)),
      ),
    )
    const insideA = v128.andnot(i32x4.gt_s(a, belowLow), aboveA)
    const insideB = v128.andnot(i32x4.gt_s(b, belowLow), aboveB)
    const insideC = v128.andnot(i32x4.gt_s(c, belowLow), aboveC)
    const insideD = v128.andnot(i32x4.gt_s(d, belowLow), aboveD)
    if (v128.any_true(v128.or(v128.or(insideA, insideB), v128.or(insideC, insideD)))) {
      let lanes =
        i32x4.bitmask(insideA) |
        (i32x4.bitmask(insideB) << 4) |
        (i32x4.bitmask(insideC) << 8) |
        (i32x4.bitmask(insideD) << 12)
      while (lanes) {
        store<i32>(target, load<i32>(p + (<usize>ctz(lanes) << 2)))
        target += 4
        lanes &= lanes - 1
      }
    }

    let x = f64x2.promote_low_f32x4(a)
    let y = f64x2.promote_low_f32x4(v128.shuffle<i32>(a, a, 2, 3, 2, 3))
    total0 = f64x2.add(total0, x)
    total1 = f64x2.add(total1, y)
    high0 = f64x2.add(high0, f64x2.pmax(x, highs))
    high1 = f64x2.add(high1, f64x2.pmax(y, highs))
    half0 = f64x2.add(half0, f64x2.pmax(x, halves))
    half1 = f64x2.add(half1, f64x2.pmax(y, halves))
    x = f64x2.promote_low_f32x4(b)
    y = f64x2.promote_low_f32x4(v128.shuffle<i32>(b, b, 2, 3, 2, 3))
    total0 = f64x2.add(total0, x)
    total1 = f64x2.add(total1, y)
    high0 = f64x2.add(high0, f64x2.pmax(x, highs))
    high1 = f64x2.add(high1, f64x2.pmax(y, highs))
    half0 = f64x2.add(half0, f64x2.pmax(x, halves))
    half1 = f64x2.add(half1, f64x2.pmax(y, halves))
    x = f64x2.promote_low_f32x4(c)
    y = f64x2.promote_low_f32x4(v128.shuffle<i32>(c, c, 2, 3, 2, 3))
    total0 = f64x2.add(total0, x)
    total1 = f64x2.add(total1, y)
    high0 = f64x2.add(high0, f64x2.pmax(x, highs))
    high1 = f64x2.add(high1, f64x2.pmax(y, highs))
    half0 = f64x2.add(half0, f64x2.pmax(x, halves))
    half1 = f64x2.add(half1, f64x2.pmax(y, halves))
    x = f64x2.promote_low_f32x4(d)
    y = f64x2.promote_low_f32x4(v128.shuffle<i32>(d, d, 2, 3, 2, 3))
    total0 = f64x2.add(total0, x)
    total1 = f64x2.add(total1, y)
    high0 = f64x2.add(high0, f64x2.pmax(x, highs))
    high1 = f64x2.add(high1, f64x2.pmax(y, highs))
    half0 = f64x2.add(half0, f64x2.pmax(x, halves))
    half1 = f64x2.add(half1, f64x2.pmax(y, halves))
  }
  const above = -laneSum(countAbove)
  const half = -laneSum(countHalf)
  store<f64>(result, pairSum(f64x2.add(total0, total1)))
  store<f64>(result, pairSum(f64x2.add(high0, high1)) - <f64>(read - above) * <f64>high, 8)
  store<f64>(result, pairSum(f64x2.add(half0, half1)) - <f64>(read - half) * 0.5, 16)
  store<i32>(result, above, 24)
  store<i32>(result, half, 28)
  store<i32>(result, <i32>(target - inside) >> 2, 32)
  largest = i32x4.max_u(largest, v128.shuffle<i32>(largest, largest, 2, 3, 0, 1))
  largest = i32x4.max_u(largest, v128.shuffle<i32>(largest, largest, 1, 0, 3, 2))
  store<i32>(result, i32x4.extract_lane(largest, 0), 36)
}

@inline
function pairSum(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1)
}

@inline
function laneSum(v: v128): i32 {
  return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3)
}
