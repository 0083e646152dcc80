// Inner loops of the Gaussian displacement field and of the sampler (src/noise). Pointers are byte offsets into the
// imported memory; rows of float32 are padded to whole vectors of four. Every operation is IEEE-exact (no relaxed
// SIMD), so the same input gives the same bytes on every machine and engine.
export { noisePlane } from './lib/noise-plane'
export { normals } from './lib/normals'
export { columnMax, filterPlanes, interpolatePlanes, interpolateRows } from './lib/planes'

/**
 * The field at 8 voxels in a row: dst[0…7] = Σ_k row[k] · matrix[k][0…7]. 0 taps stand for coefficients that are the
 * field but for two factors: dst[k] = row[k] · scale · matrix[0].
 */
export function expandRow(dst: usize, row: usize, scale: f32, matrix: usize, taps: i32): void {
  let a = f32x4.splat(0)
  let b = f32x4.splat(0)
  if (taps == 0) {
    const factor = f32x4.splat(scale)
    const m = v128.load_splat<f32>(matrix)
    a = f32x4.mul(f32x4.mul(factor, v128.load(row)), m)
    b = f32x4.mul(f32x4.mul(factor, v128.load(row, 16)), m)
  }
  for (let k = 0; k < taps; k++) {
    const c = v128.load_splat<f32>(row + (<usize>k << 2))
    const m = matrix + (<usize>k << 5)
    a = f32x4.add(a, f32x4.mul(c, v128.load(m)))
    b = f32x4.add(b, f32x4.mul(c, v128.load(m, 16)))
  }
  v128.store(dst, a)
  v128.store(dst, b, 16)
}

// ---- Labels moved by the field ------------------------------------------------------------------------------------

// What the moves of a block share, a vector each. It is read from memory where it is used: what an engine can make anew
// (a number in all lanes) it makes anew at every use, in two or three instructions.
const shared = memory.data(16 * 16, 16)
const lastX = shared
const lastY = shared + 16
const lastZ = shared + 32
const strideY = shared + 48
const strideZ = shared + 64
const scaleXAt = shared + 80
const scaleYAt = shared + 96
const scaleZAt = shared + 112
const leastAt = shared + 128
const firstXAt = shared + 144
const farthest = memory.data<f32>([2097152, 2097152, 2097152, 2097152], 16)
const nearestFar = memory.data<f32>([-2097152, -2097152, -2097152, -2097152], 16)
/** All bits of a float32 but its sign. */
const magnitude = memory.data<u32>([0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff], 16)
/** 1.5 · 2²³, as a number and as its bits. */
const integers = memory.data<f32>([12582912, 12582912, 12582912, 12582912], 16)

/**
 * The voxel nearest to voxel + displacement, within 0…last. Adding 1.5·2²³ leaves the nearest integer in the low bits
 * of a float32; a displacement beyond ±2²¹ voxels leads out of any grid whatever it is.
 */
@inline
function nearest(voxel: v128, displacement: v128, last: usize): v128 {
  const limited = f32x4.pmax(v128.load(nearestFar), f32x4.pmin(v128.load(farthest), displacement))
  const shift = v128.load(integers)
  const moved = i32x4.sub(f32x4.add(limited, shift), shift)
  return i32x4.max_s(i32x4.min_s(i32x4.add(voxel, moved), v128.load(last)), i32x4.splat(0))
}

/** Moves up to 4 voxels in a row, from (x, y, z) on, by the field ux, uy, uz; labels of 1 or 2 bytes. */
@inline
function moveFour(
  out: usize, labels: usize, width: i32, count: i32, x: v128, y: v128, z: v128, ux: v128, uy: v128, uz: v128,
): void {
  const px = nearest(x, f32x4.mul(ux, v128.load(scaleXAt)), lastX)
  const py = nearest(y, f32x4.mul(uy, v128.load(scaleYAt)), lastY)
  const pz = nearest(z, f32x4.mul(uz, v128.load(scaleZAt)), lastZ)
  const rows = i32x4.add(i32x4.mul(py, v128.load(strideY)), i32x4.mul(pz, v128.load(strideZ)))
  const from = i32x4.add(px, rows)
  const a = i64x2.extract_lane(from, 0)
  const b = i64x2.extract_lane(from, 1)
  const from0 = <usize>(<u32>a)
  const from1 = <usize>(<u64>a >>> 32)
  const from2 = <usize>(<u32>b)
  const from3 = <usize>(<u64>b >>> 32)
  if (width == 1) {
    const low = <u32>load<u8>(labels + from0) | (<u32>load<u8>(labels + from1) << 8)
    const all = low | (<u32>load<u8>(labels + from2) << 16) | (<u32>load<u8>(labels + from3) << 24)
    if (count > 3) {
      store<u32>(out, all)
    } else {
      store<u8>(out, all)
      if (count > 1) store<u8>(out, all >>> 8, 1)
      if (count > 2) store<u8>(out, all >>> 16, 2)
    }
  } else {
    store<u16>(out, load<u16>(labels + (from0 << 1)))
    if (count > 1) store<u16>(out, load<u16>(labels + (from1 << 1)), 2)
    if (count > 2) store<u16>(out, load<u16>(labels + (from2 << 1)), 4)
    if (count > 3) store<u16>(out, load<u16>(labels + (from3 << 1)), 6)
  }
}

/** The largest of |x|, |y|, |z| in each lane. */
@inline
function largest(x: v128, y: v128, z: v128): v128 {
  const mask = v128.load(magnitude)
  return f32x4.pmax(v128.and(x, mask), f32x4.pmax(v128.and(y, mask), v128.and(z, mask)))
}

/** Whether any component of the field at four voxels is larger than the level below which nothing changes. */
@inline
function exceeds(x: v128, y: v128, z: v128): bool {
  return v128.any_true(f32x4.gt(largest(x, y, z), v128.load(leastAt)))
}

/** Whether any of `taps` coefficients from `row` on, or of up to three behind, is larger than `level`. */
@inline
function rowExceeds(row: usize, componentStride: usize, taps: i32, level: f32): bool {
  let max = i32x4.splat(0)
  const end = row + (<usize>taps << 2)
  for (; row < end; row += 16) {
    const c = largest(v128.load(row), v128.load(row + componentStride), v128.load(row + 2 * componentStride))
    max = f32x4.pmax(max, c)
  }
  return v128.any_true(f32x4.gt(max, f32x4.splat(level)))
}

/**
 * The labels of one block of at most 8×8×8 voxels: out(x) = labels(nearest voxel of x + U(x) ∘ scale), clamped to the
 * box nx×ny×nz. Voxels where no component of U exceeds `level` are left as they are, and so are rows of them whose
 * coefficients do not exceed rowLevel. For component c, the coefficients of row y of plane z start at rows + c ·
 * componentStride + z · planeStride + y · rowStride (bytes); rowScale and `matrix` expand them to 8 voxels along x, as
 * in expandRow. Labels take `width` bytes (1 or 2).
 */
export function moveBlock(
  out: usize, labels: usize, width: i32,
  x0: i32, y0: i32, z0: i32, nx: i32, ny: i32, nz: i32,
  rows: usize, componentStride: usize, planeStride: usize, rowStride: usize, rowScale: f32, matrix: usize, taps: i32,
  firstTaps: i32, lastTap: i32, scaleX: f32, scaleY: f32, scaleZ: f32, level: f32, rowLevel: f32,
): void {
  v128.store(lastX, i32x4.splat(nx - 1))
  v128.store(lastY, i32x4.splat(ny - 1))
  v128.store(lastZ, i32x4.splat(nz - 1))
  v128.store(strideY, i32x4.splat(nx))
  v128.store(strideZ, i32x4.splat(nx * ny))
  v128.store(scaleXAt, f32x4.splat(scaleX))
  v128.store(scaleYAt, f32x4.splat(scaleY))
  v128.store(scaleZAt, f32x4.splat(scaleZ))
  v128.store(leastAt, f32x4.splat(level))
  v128.store(firstXAt, i32x4.add(i32x4.splat(x0), i32x4(0, 1, 2, 3)))
  v128.store(firstXAt, i32x4.add(i32x4.splat(x0), i32x4(4, 5, 6, 7)), 16)
  const endZ = min(8, nz - z0)
  const endY = min(8, ny - y0)
  const endX = min(8, nx - x0)
  for (let z = 0; z < endZ; z++) {
    const vz = i32x4.splat(z0 + z)
    let to = out + <usize>(((z0 + z) * ny + y0) * nx + x0) * <usize>width
    let row = rows + z * planeStride
    for (let y = 0; y < endY; y++, to += <usize>(nx * width), row += rowStride) {
      const vy = i32x4.splat(y0 + y)
      if (taps == 0) {
        const factor = f32x4.splat(rowScale)
        const m = v128.load_splat<f32>(matrix)
        for (let x = 0; x < endX; x += 4) {
          const at = row + (<usize>x << 2)
          const ux = f32x4.mul(f32x4.mul(factor, v128.load(at)), m)
          const uy = f32x4.mul(f32x4.mul(factor, v128.load(at + componentStride)), m)
          const uz = f32x4.mul(f32x4.mul(factor, v128.load(at + 2 * componentStride)), m)
          if (!exceeds(ux, uy, uz)) continue
          const four = to + <usize>(x * width)
          moveFour(four, labels, width, endX - x, v128.load(firstXAt + (<usize>x << 2)), vy, vz, ux, uy, uz)
        }
        continue
      }
      if (level > 0 && !rowExceeds(row, componentStride, taps, rowLevel)) continue
      let ax = f32x4.splat(0)
      let bx = f32x4.splat(0)
      let ay = f32x4.splat(0)
      let by = f32x4.splat(0)
      let az = f32x4.splat(0)
      let bz = f32x4.splat(0)
      let c = row
      let m = matrix
      // The first four voxels need no coefficient from `firstTaps` on, the others none before `lastTap`.
      for (const end = matrix + (<usize>lastTap << 5); m < end; m += 32, c += 4) {
        const ma = v128.load(m)
        ax = f32x4.add(ax, f32x4.mul(v128.load_splat<f32>(c), ma))
        ay = f32x4.add(ay, f32x4.mul(v128.load_splat<f32>(c + componentStride), ma))
        az = f32x4.add(az, f32x4.mul(v128.load_splat<f32>(c + 2 * componentStride), ma))
      }
      for (const end = matrix + (<usize>firstTaps << 5); m < end; m += 32, c += 4) {
        const ma = v128.load(m)
        const mb = v128.load(m, 16)
        const cx = v128.load_splat<f32>(c)
        const cy = v128.load_splat<f32>(c + componentStride)
        const cz = v128.load_splat<f32>(c + 2 * componentStride)
        ax = f32x4.add(ax, f32x4.mul(cx, ma))
        bx = f32x4.add(bx, f32x4.mul(cx, mb))
        ay = f32x4.add(ay, f32x4.mul(cy, ma))
        by = f32x4.add(by, f32x4.mul(cy, mb))
        az = f32x4.add(az, f32x4.mul(cz, ma))
        bz = f32x4.add(bz, f32x4.mul(cz, mb))
      }
      for (const end = matrix + (<usize>taps << 5); m < end; m += 32, c += 4) {
        const mb = v128.load(m, 16)
        bx = f32x4.add(bx, f32x4.mul(v128.load_splat<f32>(c), mb))
        by = f32x4.add(by, f32x4.mul(v128.load_splat<f32>(c + componentStride), mb))
        bz = f32x4.add(bz, f32x4.mul(v128.load_splat<f32>(c + 2 * componentStride), mb))
      }
      if (exceeds(ax, ay, az)) moveFour(to, labels, width, endX, v128.load(firstXAt), vy, vz, ax, ay, az)
      if (endX > 4 && exceeds(bx, by, bz)) {
        moveFour(to + 4 * <usize>width, labels, width, endX - 4, v128.load(firstXAt, 16), vy, vz, bx, by, bz)
      }
    }
  }
}
