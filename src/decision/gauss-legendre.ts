/**
 * Nodes and weights of the n-point Gauss–Legendre rule on [−1, 1], exact for polynomials of degree 2n − 1: the roots of
 * the Legendre polynomial by Newton's iteration from Tricomi's approximation (Press et al., Numerical Recipes, §4.6).
 */
export function gaussLegendre(n: number): { readonly nodes: Float64Array; readonly weights: Float64Array } {
  const nodes = new Float64Array(n)
  const weights = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5))
    let derivative = 0
    // From this start 4 steps reach full precision for any n; one more costs nothing.
    for (let step = 0; step < 5; step++) {
      let [previous, value] = [0, 1]
      for (let k = 1; k <= n; k++) [previous, value] = [value, ((2 * k - 1) * x * value - (k - 1) * previous) / k]
      derivative = (n * (x * value - previous)) / (x * x - 1)
      x -= value / derivative
    }
    nodes[i] = x
    weights[i] = 2 / ((1 - x * x) * derivative * derivative)
  }
  return { nodes, weights }
}
