/**
 * One axis of the separable construction of the Gaussian field.
 *
 * White noise on a lattice of one node every `stride` voxels is filtered with `taps` to coefficients c; the field at
 * voxel x is Σ_t weights[x·support + t] · c[first(x) + t], a quintic B-spline on the lattice. Its covariance along the
 * axis differs from exp(−r²/2ℓ²) by less than 1.5·10⁻⁴ at every pair of voxels, so that the product over three axes is
 * within 5·10⁻⁴ (|Π aᵢ − Π bᵢ| ≤ Σ |aᵢ − bᵢ| for factors of at most 1). axis.test.ts evaluates the bound.
 */
export interface AxisFilter {
  /** Lattice spacing in voxels; 1 (the voxels themselves) or any number from finestSpline on. */
  readonly stride: number
  /** Filter from white noise to coefficients: symmetric, of odd length 2·radius + 1. */
  readonly taps: Float32Array
  readonly radius: number
  /** Coefficients that one voxel needs: 6, or 1 where the lattice is the voxel grid. */
  readonly support: number
  /** first(x) = floor(x / stride) + offset. */
  readonly offset: number
  /** Interpolation weights of voxel x: `support` numbers from x·support; they give exactly unit variance. */
  readonly weights: Float32Array
}

/**
 * The lattice may be this coarse, in units of ℓ. The covariance would be good enough up to 0.62, but near there √S_c
 * has a kink at θ = π and needs up to 35 taps; at ½ it needs 13, which is cheaper for all but the largest organs.
 */
const coarsest = 0.5

/** Below this stride the saving in nodes does not pay for the interpolation. */
const finestSpline = 1.25

/**
 * Designs the construction for an axis of `extent` voxels and a length scale of `lengthVoxels` voxels.
 *
 * Spectral reasoning: with the lattice spacing as unit and a = ℓ / spacing, the coefficients' spectral density is
 * chosen as S_c(θ) = Σ_m G(θ + 2πm) B(θ + 2πm) / Σ_m B(θ + 2πm)², where G is the Gaussian's spectrum and B = |β̂⁵|² the
 * squared spline's: the least-squares fit of S_c·B to G. The taps are the Fourier coefficients of √S_c. On the voxel
 * grid itself (stride 1) no spline is needed, B = 1, and the covariance is exact but for the taps' truncation.
 */
export function designAxis(extent: number, lengthVoxels: number): AxisFilter {
  if (extent === 1) {
    return { stride: 1, taps: Float32Array.of(1), radius: 0, support: 1, offset: 0, weights: Float32Array.of(1) }
  }
  const stride = coarsest * lengthVoxels < finestSpline ? 1 : coarsest * lengthVoxels
  const taps = stride > 1 ? splineTaps(lengthVoxels / stride) : designTaps(lengthVoxels, false)
  const radius = (taps.length - 1) / 2
  const support = stride > 1 ? 6 : 1
  const offset = stride > 1 ? -2 : 0
  const covariance = autocorrelation(taps, support)
  const weights = new Float32Array(extent * support)
  const w = new Float64Array(support)
  for (let x = 0; x < extent; x++) {
    const phase = x / stride - Math.floor(x / stride)
    for (let t = 0; t < support; t++) w[t] = support === 1 ? 1 : quinticSpline(phase - (t + offset))
    let variance = 0
    for (let s = 0; s < support; s++) {
      for (let t = 0; t < support; t++) variance += w[s] * w[t] * covariance[Math.abs(s - t)]
    }
    for (let t = 0; t < support; t++) weights[x * support + t] = w[t] / Math.sqrt(variance)
  }
  return { stride, taps, radius, support, offset, weights }
}

const knownTaps = new Map<number, Float32Array>()

/** On a lattice of splines ℓ is the same number of nodes, whatever it is in voxels: one design serves nearly all. */
function splineTaps(a: number): Float32Array {
  const known = knownTaps.get(a)
  if (known) return known
  const taps = designTaps(a, true)
  if (knownTaps.size < 8) knownTaps.set(a, taps)
  return taps
}

/** Fourier coefficients of √S_c, cut where they are negligible (float32: engines' last bits of exp and cos vanish). */
function designTaps(a: number, spline: boolean): Float32Array {
  const n = 512
  const root = Float64Array.from({ length: n }, (_, i) => {
    const theta = (2 * Math.PI * i) / n - Math.PI
    let numerator = 0
    let denominator = 0
    // The Gaussian's spectrum a√(2π)·exp(−a²ω²/2) needs the more images the smaller a is; eight suffice for a ≥ 0.2.
    for (let m = -8; m <= 8; m++) {
      const omega = theta + 2 * Math.PI * m
      const b = spline ? sinc(omega / 2) ** 12 : 1
      numerator += a * Math.sqrt(2 * Math.PI) * Math.exp(-((a * omega) ** 2) / 2) * b
      denominator += spline ? b * b : m === 0 ? 1 : 0
    }
    return Math.sqrt(numerator / denominator)
  })
  const coefficient = (k: number) => {
    let sum = 0
    for (let i = 0; i < n; i++) sum += root[i] * Math.cos(((2 * Math.PI * i) / n - Math.PI) * k)
    return sum / n
  }
  const half = [coefficient(0)]
  // What is below 10⁻⁴ of the centre changes the covariance by at most 1.2·10⁻⁴, where ℓ is a voxel.
  while (half.length < n / 2) {
    const next = coefficient(half.length)
    if (Math.abs(next) < 1e-4 * half[0]) break
    half.push(next)
  }
  return Float32Array.from([...half.slice(1).reverse(), ...half])
}

/** Σ_k taps[k]·taps[k + lag] for lag < lags. */
function autocorrelation(taps: Float32Array, lags: number): Float64Array {
  return Float64Array.from({ length: lags }, (_, lag) => {
    let sum = 0
    for (let k = 0; k + lag < taps.length; k++) sum += taps[k] * taps[k + lag]
    return sum
  })
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x) / x
}

/** The centred quintic B-spline, supported on (−3, 3). */
function quinticSpline(u: number): number {
  const x = Math.abs(u)
  let sum = 0
  // Σ_j (−1)^j C(6, j) (3 − x − j)₊⁵ / 5!
  for (const [j, binomial] of [1, -6, 15].entries()) sum += binomial * Math.max(0, 3 - x - j) ** 5
  return sum / 120
}
