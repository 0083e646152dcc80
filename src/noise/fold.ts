import { normalCdf } from '../kernels/normal-cdf.ts'
import { checkGrid } from '../volume/checks.ts'
import type { Grid } from '../volume/grid.ts'
import { checkNoiseModel, type NoiseModel } from './model.ts'

/**
 * The probability that the deformation x ↦ x + X(x) folds at a point: P(det(I + ∇X) ≤ 0), docs/theory.md, "A noise
 * model for contours". The entries of row i of ∇X are independent N(0, (σᵢ/ℓ)²), so it depends on σ/ℓ and on the number
 * of axes that move (extent > 1, σ > 0) alone. In one dimension it is Φ(−ℓ/σ). Above about 1 % noisy labels show
 * torn-off islands.
 *
 * Method: the determinant is linear in its first row, so given the other rows it is normal and P(fold | others) =
 * Φ(−c/τ₁), where c is the cosine between the first axis and the normal of the other rows' span. That leaves an
 * integral over the directions of the other rows, whose densities (offset normal) are known; it is taken by quadrature,
 * to better than 1 % of its value even where the ratios of the axes differ by orders of magnitude.
 *
 * @returns a probability; 0 where it is below 10⁻³⁰
 * @throws InputError for σ or ℓ that are not positive
 * @example
 * const grid = createGrid([64, 64, 64])
 * foldProbability({ sigmaMm: [4, 4, 4], lengthMm: 12 }, grid) // 0.0146…
 */
export function foldProbability(noise: NoiseModel, grid: Grid): number {
  checkGrid(grid)
  checkNoiseModel(noise)
  const ratios = noise.sigmaMm.map((s) => s / noise.lengthMm).filter((t, axis) => t > 0 && grid.shape[axis] > 1)
  // The largest ratio last: its row's density is the widest and the best to integrate.
  ratios.sort((a, b) => a - b)
  if (ratios.length === 0 || Math.max(...ratios) < 0.08) return 0
  const [first, second, third] = ratios
  if (ratios.length === 1) return normalCdf(-1 / first)
  return ratios.length === 2 ? foldInPlane(first, second) : foldInSpace(first, second, third)
}

/** Rows e₁ + τ₁z and e₂ + τ₂z: the normal of the second row at angle φ from e₂ has cosine cos φ with e₁. */
function foldInPlane(t1: number, t2: number): number {
  let sum = 0
  for (let i = 0; i < steps; i++) {
    const phi = (2 * Math.PI * i) / steps
    sum += circleDensity(Math.cos(phi) / t2, 1 / t2) * normalCdf(-Math.cos(phi) / t1)
  }
  return (sum * 2 * Math.PI) / steps
}

/**
 * The third row has direction u (polar angle θ from e₃, azimuth ψ); the second row matters through its projection on
 * the plane across u, whose direction makes the angle φ with the projection of e₂.
 */
function foldInSpace(t1: number, t2: number, t3: number): number {
  const polar = steps / 2
  let sum = 0
  for (let i = 0; i < polar; i++) {
    // Fejér's rule in cos θ, periodic sums in ψ and φ: all converge exponentially. ψ and its mirror images agree.
    const theta = (Math.PI * (i + 0.5)) / polar
    const density = sphereDensity(Math.cos(theta) / t3, 1 / t3) * fejerWeight(theta, polar)
    for (let j = 0; j < quarter; j++) {
      const psi = (Math.PI * (j + 0.5)) / (2 * quarter)
      const u = [Math.sin(theta) * Math.cos(psi), Math.sin(theta) * Math.sin(psi), Math.cos(theta)]
      // p: unit projection of e₂ across u; q = p × u completes the plane. normal = v × u for v = p cos φ + q sin φ.
      const length = Math.sqrt(1 - u[1] ** 2)
      const p = [(-u[1] * u[0]) / length, length, (-u[1] * u[2]) / length]
      const q1 = p[1] * u[2] - p[2] * u[1]
      let inner = 0
      for (let k = 0; k < steps; k++) {
        const c = Math.cos((2 * Math.PI * k) / steps)
        const s = Math.sin((2 * Math.PI * k) / steps)
        // (v × u)₁ with p × u = q and q × u = −p.
        const cosine = q1 * c - p[0] * s
        inner += circleDensity((length * c) / t2, length / t2) * normalCdf(-cosine / t1)
      }
      sum += density * inner
    }
  }
  return sum * ((2 * Math.PI) / quarter) * ((2 * Math.PI) / steps)
}

/** Weight of the node cos θ in Fejér's first quadrature rule with n nodes on [−1, 1]. */
function fejerWeight(theta: number, n: number): number {
  let sum = 1
  for (let j = 1; j <= n / 2; j++) sum -= (2 * Math.cos(2 * j * theta)) / (4 * j * j - 1)
  return (2 / n) * sum
}

/** Nodes of a full circle: the densities' peaks are at least 0.08 wide. */
const steps = 128
const quarter = 12

/** Density over angles of the direction of a plane normal vector with mean length m (in its σ); b = m · cosine. */
function circleDensity(b: number, m: number): number {
  return (
    (Math.exp((-m * m) / 2) + Math.sqrt(2 * Math.PI) * b * normalCdf(b) * Math.exp((b * b - m * m) / 2)) / (2 * Math.PI)
  )
}

/** The same over the unit sphere. */
function sphereDensity(b: number, m: number): number {
  const tail = Math.sqrt(2 * Math.PI) * normalCdf(b) * Math.exp((b * b - m * m) / 2)
  return (b * Math.exp((-m * m) / 2) + (1 + b * b) * tail) / (2 * Math.PI) ** 1.5
}
