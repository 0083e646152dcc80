import { type Covariances, fitCovariances, solve } from './covariogram.ts'
import { type FieldParameters, type Problem, type Statistics, simulatedStatistics, total } from './problem.ts'

/** The field whose simulated annotators look like the real ones, and what they look like. */
export interface MatchedField {
  readonly field: FieldParameters
  readonly simulated: Statistics
  /** τ², mm²: what real outlines share beyond what the field's do. */
  readonly shared: number
}

/** Simulated and real annotators agree when σ and ℓ read off their covariances differ by less than this share. */
const tolerance = 0.01
const mostSteps = 6

/** No step multiplies σ or ℓ by more than this, or divides it. */
const longestStep = Math.log(2)

/**
 * Indirect inference (Gouriéroux, Monfort & Renault, J. Appl. Econometrics 1993): σ and ℓ as the covariances of
 * outlines alone give them are too large or too small, by what voxels, thin parts and the mask in the middle do to
 * outlines. The same happens to annotators simulated from that mask, so the field is sought whose annotators give the
 * same numbers. Steps are Broyden's, from the covariances' own numbers; every simulation uses the same random numbers.
 *
 * The mask in the middle is rougher than what the annotators looked at, and so what is simulated from it differs a
 * little. By how much, annotators simulated from the middle of simulated ones show: the numbers sought are moved by it.
 */
export function matchField(problem: Problem, observed: Statistics, start?: FieldParameters): MatchedField {
  const read = (sums: readonly Float64Array[]) => fitCovariances(total(sums), problem.groups)
  const real = read(observed.sums)
  let target = logsOf(problem, real)
  let point = start ? [...start.sigmaMm.map(Math.log), Math.log(start.lengthMm)] : target
  if (point.length < target.length) point = [point[0], ...point]
  const first = point
  point = bounded(point, problem, first)
  const size = target.length
  const inverse = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => Number(i === j)))
  const residualOf = (simulated: Statistics) =>
    logsOf(problem, read(simulated.sums)).map((value, i) => target[i] - value)
  let simulated = simulatedStatistics(problem, fieldOf(point))
  let best = { point, simulated, residual: residualOf(simulated) }
  const search = (steps: number) => {
    let residual = residualOf(simulated)
    best = { point, simulated, residual }
    for (let step = 0; step < steps && norm(residual) > tolerance; step++) {
      const wanted = inverse.map((row) => dot(row, residual))
      const shrink = Math.min(1, longestStep / norm(wanted))
      const next = bounded(
        point.map((value, i) => value + shrink * wanted[i]),
        problem,
        first,
      )
      const moved = next.map((value, i) => value - point[i])
      if (norm(moved) < 1e-6) break
      simulated = simulatedStatistics(problem, fieldOf(next))
      const left = residualOf(simulated)
      improve(
        inverse,
        moved,
        residual.map((value, i) => value - left[i]),
      )
      point = next
      residual = left
      if (norm(residual) < norm(best.residual)) best = { point, simulated, residual }
    }
    ;({ point, simulated } = best)
  }
  search(mostSteps)
  const once = read(simulated.sums)
  const again = read(simulatedStatistics(problem, fieldOf(point), true).sums)
  const rougher = logsOf(problem, once)
  target = logsOf(problem, again).map((value, i) => target[i] + Math.max(-0.5, Math.min(0.5, value - rougher[i])))
  search(2)
  const shared = real.shared + again.shared - once.shared - read(simulated.sums).shared
  return { field: fieldOf(point), simulated, shared }
}

/** How the numbers read off covariances change with the field: derivatives of logarithms, row by row. */
export function sensitivity(problem: Problem, { field, simulated }: MatchedField): number[][] {
  const at = [...field.sigmaMm.map(Math.log), Math.log(field.lengthMm)]
  const read = ({ sums }: Statistics) => logsOf(problem, fitCovariances(total(sums), problem.groups))
  const here = read(simulated)
  const step = 0.15
  const columns = at.map((_, p) => {
    const moved = at.map((value, i) => value + (i === p ? step : 0))
    const there = read(simulatedStatistics(problem, fieldOf(moved)))
    return there.map((value, i) => (value - here[i]) / step)
  })
  return here.map((_, row) => columns.map((column) => column[row]))
}

/** Where a field would have to move for its annotators to give the numbers `target` in place of `now`. */
export function stepFor(
  problem: Problem,
  jacobian: readonly (readonly number[])[],
  target: Covariances,
  now: Covariances,
): number[] {
  const difference = logsOf(problem, target)
  const step = solve(
    jacobian,
    logsOf(problem, now).map((value, i) => difference[i] - value),
  )
  return step.map((value) => Math.max(-3, Math.min(3, value)))
}

/**
 * Logarithms of σ and ℓ as the covariances give them; a variance that is not positive counts as almost none. One σ for
 * all axes is read off those within thick slices: across them most displacements are too small to be seen.
 */
function logsOf({ sigmas }: Problem, { variances, lengthMm }: Covariances): number[] {
  const most = Math.max(...variances, 1e-6)
  return [
    ...variances.slice(0, sigmas).map((variance) => 0.5 * Math.log(Math.max(variance, 1e-3 * most))),
    Math.log(lengthMm),
  ]
}

function fieldOf(point: readonly number[]): FieldParameters {
  return { sigmaMm: point.slice(0, -1).map(Math.exp), lengthMm: Math.exp(point[point.length - 1]) }
}

/** What voxels, slices and the mask in the middle make of σ and ℓ is a smaller factor than this. */
const farthest = Math.log(8)

/**
 * Within what voxels and organs can show: σ from a fiftieth of a voxel, ℓ from a third of one, both up to 300 mm; and
 * not farther from what the covariances say than `farthest`, where outlines fall apart and each sample takes minutes.
 */
function bounded(point: readonly number[], { cases }: Problem, from: readonly number[]): number[] {
  const finest = Math.min(...cases.map(({ outlines: { grid } }) => Math.min(...grid.spacing)))
  return point.map((value, i) => {
    const least = Math.log(i === point.length - 1 ? finest / 3 : finest / 50)
    const near = Math.max(from[i] - farthest, Math.min(from[i] + farthest, value))
    return Math.max(least, Math.min(Math.log(300), near))
  })
}

/** Broyden's update of the inverse Jacobian: `moved` is what changed the numbers by `change`. */
function improve(inverse: number[][], moved: readonly number[], change: readonly number[]): void {
  const predicted = inverse.map((row) => dot(row, change))
  const scale = dot(moved, predicted)
  // A step that changed nothing, or the wrong way, teaches nothing.
  if (!(scale > 0.05 * dot(moved, moved))) return
  const row = inverse[0].map((_, j) => moved.reduce((sum, value, i) => sum + value * inverse[i][j], 0))
  for (const [i, own] of inverse.entries()) {
    for (let j = 0; j < own.length; j++) own[j] += ((moved[i] - predicted[i]) * row[j]) / scale
  }
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0)
}

function norm(values: readonly number[]): number {
  return Math.max(...values.map(Math.abs))
}
