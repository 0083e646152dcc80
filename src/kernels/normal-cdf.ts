/**
 * Φ(x), the distribution function of the standard normal, with a relative error below 3·10⁻¹³ in both tails (down to
 * x = −37, where it leaves the range of float64).
 */
export function normalCdf(x: number): number {
  return x < 0 ? upperTail(-x) : 1 - upperTail(x)
}

/** 1 − Φ(x) for x ≥ 0. */
function upperTail(x: number): number {
  if (x > 38.6) return 0
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
  if (x < 3) {
    // Φ(x) − ½ = φ(x) Σ_k x^(2k+1) / (1·3·…·(2k+1)): all terms positive, no cancellation.
    let term = x
    let sum = x
    for (let k = 1; term > sum * 1e-17; k++) {
      term *= (x * x) / (2 * k + 1)
      sum += term
    }
    return 0.5 - density * sum
  }
  // Laplace's continued fraction x + 1/(x + 2/(x + 3/(x + …))); it needs about 100 terms at x = 3, 20 far out.
  let fraction = x
  for (let k = Math.ceil(15 + 800 / (x * x)); k > 0; k--) fraction = x + k / fraction
  return density / fraction
}
