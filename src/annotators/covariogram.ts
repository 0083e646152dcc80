import type { Displacements } from './displacements.ts'

/** Bins of the distance between two points: three to an octave, from a quarter of a mm to a quarter of a metre. */
export const lagBins = 31
const [firstLagMm, binsPerOctave] = [0.25, 3]

/**
 * Sums over pairs of points, bin by bin: pairs, squared distance, the product y of displacements, the agreement g of
 * normals (of each group of axes its own), and products of these.
 */
export const [pairs, squaredLag, product, g0, g1, g00, g01, g11, y0, y1] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
export const sumsPerBin = 10

/**
 * One case's displacements as deviations from the annotators' mean at each point, less their biases. Displacements
 * farther than `clipMm` from the median of their point count as that far: a missed part must not look like noise.
 */
export function deviations(
  { byAnnotator }: Displacements,
  clipMm: number,
  biasMm: readonly number[] = byAnnotator.map(() => 0),
): readonly Float32Array[] {
  // Biases are taken off first: clipped with them, wide and tight annotators would look less noisy than they are.
  const result = byAnnotator.map((own, r) => own.map((mm) => mm - biasMm[r]))
  const sorted = new Float64Array(byAnnotator.length)
  for (let u = 0; u < byAnnotator[0].length; u++) {
    const median = medianAt(result, u, sorted)
    let mean = 0
    for (const own of result) {
      own[u] = Math.max(-clipMm, Math.min(clipMm, own[u] - median))
      mean += own[u] / byAnnotator.length
    }
    for (const own of result) own[u] -= mean
  }
  return result
}

/** The median of all annotators' displacements at point u. */
export function medianAt(byAnnotator: readonly Float32Array[], u: number, sorted: Float64Array): number {
  for (const [r, own] of byAnnotator.entries()) sorted[r] = own[u]
  sorted.sort()
  const half = sorted.length / 2
  return Number.isInteger(half) ? (sorted[half - 1] + sorted[half]) / 2 : sorted[Math.floor(half)]
}

/**
 * Adds one case's pairs of points to sums. The product y = Σ_r d_r(u)d_r(v)/(R − 1) of deviations from the mean has the
 * annotators' covariance as its mean, σ²ρ n_u·n_v + τ², whatever their number R.
 *
 * @param groupOf of each axis the group (0 or 1) whose σ moves it
 */
export function addPairs(
  sums: Float64Array,
  { points, normals }: Displacements,
  deviating: readonly Float32Array[],
  groupOf: readonly number[],
): void {
  const n = points.length / 3
  const annotators = deviating.length
  // With one group all axes are its own.
  const [f0, f1, f2] = groupOf.map((group) => 1 - group)
  for (let u = 0; u < n; u++) {
    const [px, py, pz] = [points[3 * u], points[3 * u + 1], points[3 * u + 2]]
    const [nx, ny, nz] = [normals[3 * u], normals[3 * u + 1], normals[3 * u + 2]]
    for (let v = u + 1; v < n; v++) {
      const at = 3 * v
      const squared = (px - points[at]) ** 2 + (py - points[at + 1]) ** 2 + (pz - points[at + 2]) ** 2
      const [ax, ay, az] = [nx * normals[at], ny * normals[at + 1], nz * normals[at + 2]]
      const own0 = f0 * ax + f1 * ay + f2 * az
      const own1 = ax + ay + az - own0
      let y = 0
      for (let r = 0; r < annotators; r++) y += deviating[r][u] * deviating[r][v]
      y /= annotators - 1
      const bin = binOf(squared) * sumsPerBin
      sums[bin + pairs]++
      sums[bin + squaredLag] += squared
      sums[bin + product] += y
      sums[bin + g0] += own0
      sums[bin + g1] += own1
      sums[bin + g00] += own0 * own0
      sums[bin + g01] += own0 * own1
      sums[bin + g11] += own1 * own1
      sums[bin + y0] += y * own0
      sums[bin + y1] += y * own1
    }
  }
}

function binOf(squaredMm: number): number {
  const bin = Math.floor((binsPerOctave * Math.log2(squaredMm / firstLagMm ** 2)) / 2)
  return bin < 0 ? 0 : bin >= lagBins ? lagBins - 1 : bin
}

/** What the covariances alone say, before voxels are taken into account. */
export interface Covariances {
  /** σ² of each group of axes, mm²; may be negative where there is none. */
  readonly variances: readonly number[]
  readonly lengthMm: number
  /** τ²: what all points of an outline share, mm². May be negative. */
  readonly shared: number
}

/** The least-squares fit of y = ρ(h)·Σ σ²ᵢgᵢ + τ², ρ(h) = exp(−h²/2ℓ²), to the sums: all but ℓ is linear. */
export function fitCovariances(sums: Float64Array, groups: 1 | 2): Covariances {
  const bins: Bin[] = []
  let [total, meanLag2] = [0, 0]
  for (let b = 0; b < lagBins; b++) {
    total += sums[b * sumsPerBin + pairs]
    meanLag2 += sums[b * sumsPerBin + squaredLag]
  }
  meanLag2 /= total
  for (let b = 0; b < lagBins; b++) {
    const of = sums.subarray(b * sumsPerBin, (b + 1) * sumsPerBin)
    const count = of[pairs]
    if (count === 0) continue
    const lag2 = of[squaredLag] / count
    // Bins count alike, since errors within a bin go together, but for those with few pairs, and for lags as long as
    // the organ, at which real annotators do what no stationary field does.
    bins.push({ of, lag2, weight: 1 / ((count + 0.0005 * total) * (1 + (4 * lag2) / meanLag2)) })
  }
  const at = (logLength: number) => solveLinear(bins, Math.exp(logLength), groups)
  // From shorter than the first bin to where ρ is 1 within any organ; then between the neighbours of the best.
  const grid = Array.from({ length: 40 }, (_, i) => Math.log(0.3) + (i * Math.log(300 / 0.3)) / 39)
  const scores = grid.map((logLength) => at(logLength).explained)
  const best = scores.reduce((a, score, i) => (score > scores[a] ? i : a), 0)
  let [low, high] = [grid[Math.max(0, best - 1)], grid[Math.min(39, best + 1)]]
  for (let n = 0; n < 30; n++) {
    const [a, b] = [low + 0.382 * (high - low), high - 0.382 * (high - low)]
    if (at(a).explained > at(b).explained) high = b
    else low = a
  }
  const { solution } = at((low + high) / 2)
  return { variances: solution.slice(0, groups), lengthMm: Math.exp((low + high) / 2), shared: solution[groups] }
}

interface Bin {
  readonly of: Float64Array
  readonly lag2: number
  readonly weight: number
}

function solveLinear(bins: readonly Bin[], lengthMm: number, groups: 1 | 2) {
  const m = new Float64Array(9)
  const rhs = new Float64Array(3)
  for (const { of, lag2, weight } of bins) {
    const rho = Math.exp(-lag2 / (2 * lengthMm ** 2))
    m[0] += weight * rho * rho * of[g00]
    m[1] += weight * rho * rho * of[g01]
    m[4] += weight * rho * rho * of[g11]
    m[2] += weight * rho * of[g0]
    m[5] += weight * rho * of[g1]
    m[8] += weight * of[pairs]
    rhs[0] += weight * rho * of[y0]
    rhs[1] += weight * rho * of[y1]
    rhs[2] += weight * of[product]
  }
  const matrix =
    groups === 1
      ? [
          [m[0], m[2]],
          [m[2], m[8]],
        ]
      : [
          [m[0], m[1], m[2]],
          [m[1], m[4], m[5]],
          [m[2], m[5], m[8]],
        ]
  const right = groups === 1 ? [rhs[0], rhs[2]] : [...rhs]
  const solution = solve(matrix, right)
  return { solution, explained: solution.reduce((sum, x, i) => sum + x * right[i], 0) }
}

/** Solves a small system by elimination with pivots; a ridge of 10⁻⁹ of the diagonal keeps singular ones finite. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [
    ...row.map((value, j) => (i === j ? value * (1 + 1e-9) + 1e-300 : value)),
    right[i],
  ])
  const n = rows.length
  for (let c = 0; c < n; c++) {
    let pivot = c
    for (let r = c + 1; r < n; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[pivot][c])) pivot = r
    ;[rows[c], rows[pivot]] = [rows[pivot], rows[c]]
    for (let r = c + 1; r < n; r++) {
      const factor = rows[r][c] / rows[c][c]
      for (let k = c; k <= n; k++) rows[r][k] -= factor * rows[c][k]
    }
  }
  const x = new Array<number>(n).fill(0)
  for (let r = n - 1; r >= 0; r--) {
    let sum = rows[r][n]
    for (let k = r + 1; k < n; k++) sum -= rows[r][k] * x[k]
    x[r] = sum / rows[r][r]
  }
  return x
}
