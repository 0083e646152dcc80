// Inner loops of the Gaussian displacement field and of the sampler (src/noise). Pointers are byte offsets into the
// imported memory; rows of float32 are padded to whole vectors of four. Every operation is IEEE-exact (no relaxed
// SIMD), so the same input gives the same bytes on every machine and engine.
import { normals } from './lib/normals'

export { normals }

// ---- Separable filters --------------------------------------------------------------------------------------------

/** dst[x] = Σ_k weights[k] · src[x + k · stride] for x < n; stride in bytes; n is a multiple of 4. */
@inline
function combine(dst: usize, src: usize, stride: usize, n: i32, weights: usize, taps: i32): void {
  const end = dst + (<usize>n << 2)
  for (; dst + 48 < end; dst += 64, src += 64) {
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    let c = f32x4.splat(0)
    let d = f32x4.splat(0)
    let s = src
    let w = weights
    for (let k = 0; k < taps; k++) {
      const weight = v128.load_splat<f32>(w)
      a = f32x4.add(a, f32x4.mul(weight, v128.load(s)))
      b = f32x4.add(b, f32x4.mul(weight, v128.load(s, 16)))
      c = f32x4.add(c, f32x4.mul(weight, v128.load(s, 32)))
      d = f32x4.add(d, f32x4.mul(weight, v128.load(s, 48)))
      s += stride
      w += 4
    }
    v128.store(dst, a)
    v128.store(dst, b, 16)
    v128.store(dst, c, 32)
    v128.store(dst, d, 48)
  }
  for (; dst < end; dst += 16, src += 16) {
    let sum = f32x4.splat(0)
    let s = src
    let w = weights
    for (let k = 0; k < taps; k++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(w), v128.load(s)))
      s += stride
      w += 4
    }
    v128.store(dst, sum)
  }
}

/**
 * A plane of white noise filtered along x: dst[r][x] = Σ_k weights[k] · noise[y + r][skip + x + k], rows of n floats, a
 * multiple of 4 rows. `scratch` holds 4 rows of 4·groups floats.
 */
export function noiseRows(
  dst: usize, rows: i32, n: i32, scratch: usize, groups: i32, group: i32, skip: i32, weights: usize, taps: i32,
  y: i32, c2: i32, c3: i32, k0: i32, k1: i32,
): void {
  const stride = <usize>groups << 4
  for (let r = 0; r < rows; r += 4) {
    normals(scratch, stride, groups, group, y + r, c2, c3, k0, k1)
    let src = scratch + (<usize>skip << 2)
    for (let i = 0; i < 4; i++) {
      combine(dst, src, 4, n, weights, taps)
      dst += <usize>n << 2
      src += stride
    }
  }
}

/** Filter along y: dst[r] = Σ_k weights[k] · src[r + k], rows of n floats. */
export function filterRows(dst: usize, src: usize, rows: i32, n: i32, weights: usize, taps: i32): void {
  const stride = <usize>n << 2
  for (let r = 0; r < rows; r++) {
    combine(dst, src, stride, n, weights, taps)
    dst += stride
    src += stride
  }
}

/** Interpolation along y: dst[r] = Σ_k weights[r][k] · src[first[r] + k], rows of n floats; `first` points to int32. */
export function interpolateRows(
  dst: usize, src: usize, first: usize, rows: i32, n: i32, weights: usize, taps: i32,
): void {
  const stride = <usize>n << 2
  for (let r = 0; r < rows; r++) {
    const from = src + <usize>load<i32>(first) * stride
    if (taps == 6) {
      const w0 = v128.load_splat<f32>(weights)
      const w1 = v128.load_splat<f32>(weights, 4)
      const w2 = v128.load_splat<f32>(weights, 8)
      const w3 = v128.load_splat<f32>(weights, 12)
      const w4 = v128.load_splat<f32>(weights, 16)
      const w5 = v128.load_splat<f32>(weights, 20)
      let s = from
      for (const end = dst + stride; dst < end; dst += 16, s += 16) {
        let sum = f32x4.mul(w0, v128.load(s))
        let t = s + stride
        sum = f32x4.add(sum, f32x4.mul(w1, v128.load(t)))
        t += stride
        sum = f32x4.add(sum, f32x4.mul(w2, v128.load(t)))
        t += stride
        sum = f32x4.add(sum, f32x4.mul(w3, v128.load(t)))
        t += stride
        sum = f32x4.add(sum, f32x4.mul(w4, v128.load(t)))
        t += stride
        sum = f32x4.add(sum, f32x4.mul(w5, v128.load(t)))
        v128.store(dst, sum)
      }
    } else {
      combine(dst, from, stride, n, weights, taps)
      dst += stride
    }
    first += 4
    weights += <usize>taps << 2
  }
}

/** dst[x] = Σ_k weights[k] · planes[k][x] for x < n; `planes` points to a table of addresses; n is a multiple of 4. */
export function combinePlanes(dst: usize, planes: usize, n: i32, weights: usize, taps: i32): void {
  const bytes = <usize>n << 2
  let x: usize = 0
  for (; x + 48 < bytes; x += 64) {
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    let c = f32x4.splat(0)
    let d = f32x4.splat(0)
    for (let k = 0; k < taps; k++) {
      const s = <usize>load<u32>(planes + (<usize>k << 2)) + x
      const weight = v128.load_splat<f32>(weights + (<usize>k << 2))
      a = f32x4.add(a, f32x4.mul(weight, v128.load(s)))
      b = f32x4.add(b, f32x4.mul(weight, v128.load(s, 16)))
      c = f32x4.add(c, f32x4.mul(weight, v128.load(s, 32)))
      d = f32x4.add(d, f32x4.mul(weight, v128.load(s, 48)))
    }
    v128.store(dst + x, a)
    v128.store(dst + x, b, 16)
    v128.store(dst + x, c, 32)
    v128.store(dst + x, d, 48)
  }
  for (; x < bytes; x += 16) {
    let sum = f32x4.splat(0)
    for (let k = 0; k < taps; k++) {
      const s = <usize>load<u32>(planes + (<usize>k << 2)) + x
      sum = f32x4.add(sum, f32x4.mul(v128.load_splat<f32>(weights + (<usize>k << 2)), v128.load(s)))
    }
    v128.store(dst + x, sum)
  }
}

/**
 * dst[x] = max(dst[x], max_r |src[r · stride + x]|) over `rows` rows, for x < n; stride in bytes; n is a multiple of 4.
 */
export function columnMax(dst: usize, src: usize, rows: i32, stride: usize, n: i32): void {
  const end = dst + (<usize>n << 2)
  for (; dst + 48 < end; dst += 64, src += 64) {
    let a = v128.load(dst)
    let b = v128.load(dst, 16)
    let c = v128.load(dst, 32)
    let d = v128.load(dst, 48)
    let s = src
    for (let r = 0; r < rows; r++) {
      a = f32x4.pmax(a, f32x4.abs(v128.load(s)))
      b = f32x4.pmax(b, f32x4.abs(v128.load(s, 16)))
      c = f32x4.pmax(c, f32x4.abs(v128.load(s, 32)))
      d = f32x4.pmax(d, f32x4.abs(v128.load(s, 48)))
      s += stride
    }
    v128.store(dst, a)
    v128.store(dst, b, 16)
    v128.store(dst, c, 32)
    v128.store(dst, d, 48)
  }
  for (; dst < end; dst += 16, src += 16) {
    let max = v128.load(dst)
    let s = src
    for (let r = 0; r < rows; r++) {
      max = f32x4.pmax(max, f32x4.abs(v128.load(s)))
      s += stride
    }
    v128.store(dst, max)
  }
}

/** The field at 8 voxels in a row: dst[0…7] = Σ_k row[k] · matrix[k][0…7]. */
export function expandRow(dst: usize, row: usize, matrix: usize, taps: i32): void {
  let a = f32x4.splat(0)
  let b = f32x4.splat(0)
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

/**
 * The voxel nearest to voxel + displacement, within 0…last. Adding 1.5·2²³ leaves the nearest integer in the low bits
 * of a float32; a displacement beyond ±2²¹ voxels leads out of any grid whatever it is.
 */
@inline
function nearest(voxel: v128, displacement: v128, last: v128): v128 {
  const limited = f32x4.pmax(f32x4.splat(-2097152), f32x4.pmin(f32x4.splat(2097152), displacement))
  const moved = i32x4.sub(f32x4.add(limited, f32x4.splat(12582912)), i32x4.splat(0x4b400000))
  return i32x4.max_s(i32x4.min_s(i32x4.add(voxel, moved), last), i32x4.splat(0))
}

/** Where the labels of a box lie in memory: `width` bytes each, nx×ny×nz, i fastest. */
let labelsAt: usize = 0
let labelWidth: i32 = 1
let lastX: v128 = i32x4.splat(0)
let lastY: v128 = i32x4.splat(0)
let lastZ: v128 = i32x4.splat(0)
let strideY: v128 = i32x4.splat(0)
let strideZ: v128 = i32x4.splat(0)

/** Moves up to 4 voxels in a row, from (x, y, z) on, by the displacements ux, uy, uz (voxels). */
@inline
function moveFour(out: usize, count: i32, x: v128, y: v128, z: v128, ux: v128, uy: v128, uz: v128): void {
  const px = nearest(x, ux, lastX)
  const py = nearest(y, uy, lastY)
  const pz = nearest(z, uz, lastZ)
  const from = i32x4.add(px, i32x4.add(i32x4.mul(py, strideY), i32x4.mul(pz, strideZ)))
  const a = i64x2.extract_lane(from, 0)
  const b = i64x2.extract_lane(from, 1)
  const from0 = <usize>(<u32>a)
  const from1 = <usize>(<u64>a >>> 32)
  const from2 = <usize>(<u32>b)
  const from3 = <usize>(<u64>b >>> 32)
  if (labelWidth == 1) {
    const low = <u32>load<u8>(labelsAt + from0) | (<u32>load<u8>(labelsAt + from1) << 8)
    const all = low | (<u32>load<u8>(labelsAt + from2) << 16) | (<u32>load<u8>(labelsAt + from3) << 24)
    if (count > 3) {
      store<u32>(out, all)
    } else {
      store<u8>(out, all)
      if (count > 1) store<u8>(out, all >>> 8, 1)
      if (count > 2) store<u8>(out, all >>> 16, 2)
    }
  } else {
    store<u16>(out, load<u16>(labelsAt + (from0 << 1)))
    if (count > 1) store<u16>(out, load<u16>(labelsAt + (from1 << 1)), 2)
    if (count > 2) store<u16>(out, load<u16>(labelsAt + (from2 << 1)), 4)
    if (count > 3) store<u16>(out, load<u16>(labelsAt + (from3 << 1)), 6)
  }
}

/**
 * The labels of one block of at most 8×8×8 voxels: out(x) = labels(nearest voxel of x + U(x) ∘ scale), clamped to the
 * box nx×ny×nz. For component c, the coefficients of block row r = 8·z + y start at rows + c · componentStride +
 * r · rowStride (bytes); `matrix` expands them to 8 voxels along x. Labels take `width` bytes (1 or 2).
 */
export function moveBlock(
  out: usize, labels: usize, width: i32,
  x0: i32, y0: i32, z0: i32, nx: i32, ny: i32, nz: i32,
  rows: usize, componentStride: usize, rowStride: usize, matrix: usize, taps: i32,
  scaleX: f32, scaleY: f32, scaleZ: f32,
): void {
  labelsAt = labels
  labelWidth = width
  lastX = i32x4.splat(nx - 1)
  lastY = i32x4.splat(ny - 1)
  lastZ = i32x4.splat(nz - 1)
  strideY = i32x4.splat(nx)
  strideZ = i32x4.splat(nx * ny)
  const sx = f32x4.splat(scaleX)
  const sy = f32x4.splat(scaleY)
  const sz = f32x4.splat(scaleZ)
  const xs = i32x4.add(i32x4.splat(x0), i32x4(0, 1, 2, 3))
  const endZ = min(8, nz - z0)
  const endY = min(8, ny - y0)
  const endX = min(8, nx - x0)
  const matrixEnd = matrix + (<usize>taps << 5)
  for (let z = 0; z < endZ; z++) {
    const vz = i32x4.splat(z0 + z)
    for (let y = 0; y < endY; y++) {
      const vy = i32x4.splat(y0 + y)
      let row = rows + <usize>(8 * z + y) * rowStride
      let ax = f32x4.splat(0)
      let bx = f32x4.splat(0)
      let ay = f32x4.splat(0)
      let by = f32x4.splat(0)
      let az = f32x4.splat(0)
      let bz = f32x4.splat(0)
      for (let m = matrix; m < matrixEnd; m += 32, row += 4) {
        const ma = v128.load(m)
        const mb = v128.load(m, 16)
        const cx = v128.load_splat<f32>(row)
        const cy = v128.load_splat<f32>(row + componentStride)
        const cz = v128.load_splat<f32>(row + 2 * componentStride)
        ax = f32x4.add(ax, f32x4.mul(cx, ma))
        bx = f32x4.add(bx, f32x4.mul(cx, mb))
        ay = f32x4.add(ay, f32x4.mul(cy, ma))
        by = f32x4.add(by, f32x4.mul(cy, mb))
        az = f32x4.add(az, f32x4.mul(cz, ma))
        bz = f32x4.add(bz, f32x4.mul(cz, mb))
      }
      const to = out + <usize>(((z0 + z) * ny + y0 + y) * nx + x0) * <usize>width
      moveFour(to, endX, xs, vy, vz, f32x4.mul(ax, sx), f32x4.mul(ay, sy), f32x4.mul(az, sz))
      if (endX > 4) {
        const xs4 = i32x4.add(xs, i32x4.splat(4))
        const ux = f32x4.mul(bx, sx)
        moveFour(to + 4 * <usize>width, endX - 4, xs4, vy, vz, ux, f32x4.mul(by, sy), f32x4.mul(bz, sz))
      }
    }
  }
}
