import { type CutTable, tableCuts } from './cut-table.ts'

/**
 * Beta calibration: logit g(p) = a·ln p − b·ln(1 − p) + c (Kull, Silva Filho, Flach, AISTATS 2017). a = b is
 * temperature scaling with a shift; a = b = 1, c = 0 leaves p as it is. a, b ≥ 0, so that g never falls.
 */
export interface BetaCalibration {
  readonly a: number
  readonly b: number
  readonly c: number
}

/** Networks saturate: beyond this, a probability says nothing more. */
const edge = 1e-6
/** A weak pull towards the identity, of this many voxels: keeps separable data finite. */
const prior = 1

/** Below the first cut of tables nothing is known in detail. */
const [floor] = tableCuts

/**
 * The calibrated probability. Below the first of `tableCuts` it falls to 0 in proportion to p: so a table, which knows
 * the mean of these voxels only, agrees with the map, and a background of 0 stays one.
 */
export function calibrated(calibration: BetaCalibration, p: number): number {
  if (p < floor) return (Math.max(0, p) / floor) * calibrated(calibration, floor)
  const { a, b, c } = calibration
  const x = Math.min(1 - edge, p)
  return 1 / (1 + Math.exp(-(a * Math.log(x) - b * Math.log(1 - x) + c)))
}

/** The probability that `calibrated` makes at least p of: where a map is cut that its calibrated one is cut at p. */
export function uncalibrated(calibration: BetaCalibration, p: number): number {
  let [low, high] = [0, 1]
  // Doubles have 53 bits.
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (calibrated(calibration, middle) >= p) high = middle
    else low = middle
  }
  return high
}

/** What ½ becomes in a map that is calibrated. */
export function calibratedHalf(calibration: BetaCalibration): number {
  return Math.fround(calibrated(calibration, 0.5))
}

/**
 * `calibrated` of each voxel, in new memory. Voxels below ½ stay below `calibratedHalf`, by the next smaller float32 if
 * nothing else tells them apart, so that the cut at ½ is still known.
 */
export function calibratedMap(calibration: BetaCalibration, map: Float32Array): Float32Array {
  // Most voxels are background, or beyond doubt.
  const half = calibratedHalf(calibration)
  const below = half - half * 2 ** -24
  const [slope, most] = [calibrated(calibration, floor) / floor, calibrated(calibration, 1)]
  const out = new Float32Array(map.length)
  for (let i = 0; i < map.length; i++) {
    const p = map[i]
    out[i] = p < floor ? slope * p : p >= 1 - edge ? most : calibrated(calibration, p)
    if (p < 0.5 && out[i] >= half) out[i] = below
    else if (p >= 0.5 && out[i] < half) out[i] = half
  }
  return out
}

/**
 * Fits by maximum likelihood (Newton's method) to the voxels of tables, taken together. Where a or b would be negative
 * it is held at 0.
 */
export function fitBetaCalibration(tables: readonly CutTable[]): BetaCalibration {
  const bins = pooled(tables)
  const free = [true, true, true]
  let fit = solve(bins, free)
  for (const i of [0, 1]) {
    if (fit[i] >= 0) continue
    free[i] = false
    fit = solve(bins, free)
  }
  const [a, b, c] = fit
  return { a: Math.max(0, a), b: Math.max(0, b), c }
}

interface Bin {
  readonly features: readonly [number, number, number]
  readonly count: number
  readonly hits: number
}

function pooled(tables: readonly CutTable[]): Bin[] {
  const length = tables[0]?.counts.length ?? 0
  const bins: Bin[] = []
  for (let i = 0; i < length; i++) {
    let [count, hits, sum] = [0, 0, 0]
    for (const table of tables) {
      count += table.counts[i]
      hits += table.hits[i]
      sum += table.sums[i]
    }
    if (count === 0) continue
    const p = Math.min(1 - edge, Math.max(edge, sum / count))
    bins.push({ features: [Math.log(p), -Math.log(1 - p), 1], count, hits })
  }
  return bins
}

function solve(bins: readonly Bin[], free: readonly boolean[]): [number, number, number] {
  const start = [1, 1, 0].map((value, i) => (free[i] ? value : 0))
  let theta = start
  let loss = lossOf(bins, theta, start)
  for (let iteration = 0; iteration < 100; iteration++) {
    const gradient = theta.map((value, i) => prior * (value - start[i]))
    const hessian = theta.map((_, i) => theta.map((_, j) => (i === j ? prior : 0)))
    for (const { features, count, hits } of bins) {
      const p = 1 / (1 + Math.exp(-features.reduce((sum, x, i) => sum + x * theta[i], 0)))
      for (let i = 0; i < 3; i++) {
        gradient[i] += (count * p - hits) * features[i]
        for (let j = 0; j < 3; j++) hessian[i][j] += count * p * (1 - p) * features[i] * features[j]
      }
    }
    const step = solveLinear(hessian, gradient, free)
    let scale = 1
    let next = theta
    let nextLoss = Number.POSITIVE_INFINITY
    while (scale > 1e-6 && !(nextLoss <= loss)) {
      next = theta.map((value, i) => value - scale * step[i])
      nextLoss = lossOf(bins, next, start)
      scale /= 2
    }
    if (!(nextLoss <= loss)) break
    const done = Math.max(...step.map(Math.abs)) < 1e-9 || loss - nextLoss <= 1e-12 * Math.abs(loss)
    theta = next
    loss = nextLoss
    if (done) break
  }
  return [theta[0], theta[1], theta[2]]
}

function lossOf(bins: readonly Bin[], theta: readonly number[], start: readonly number[]): number {
  let loss = theta.reduce((sum, value, i) => sum + (prior * (value - start[i]) ** 2) / 2, 0)
  for (const { features, count, hits } of bins) {
    const z = features.reduce((sum, x, i) => sum + x * theta[i], 0)
    // log(1 + e^z) without overflow.
    loss += count * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))) - hits * z
  }
  return loss
}

/** Solves the equations of the free unknowns by elimination; the others stay 0. */
function solveLinear(matrix: readonly number[][], right: readonly number[], free: readonly boolean[]): number[] {
  const index = [0, 1, 2].filter((i) => free[i])
  const rows = index.map((i) => [...index.map((j) => matrix[i][j]), right[i]])
  for (let column = 0; column < rows.length; column++) {
    const pivot = rows
      .slice(column)
      .reduce((best, row, k) => (Math.abs(row[column]) > Math.abs(rows[best][column]) ? column + k : best), column)
    ;[rows[column], rows[pivot]] = [rows[pivot], rows[column]]
    for (const [k, row] of rows.entries()) {
      if (k === column) continue
      const factor = row[column] / rows[column][column]
      for (let j = column; j < row.length; j++) row[j] -= factor * rows[column][j]
    }
  }
  const out = [0, 0, 0]
  for (const [k, i] of index.entries()) out[i] = rows[k][rows.length] / rows[k][k]
  return out
}
