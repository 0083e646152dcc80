/**
 * A sum of float64 terms that carries its rounding error along (Neumaier's compensated summation): the result is as
 * accurate as if it had been computed in about twice the precision and rounded once.
 */
export class ExactSum {
  #sum = 0
  #error = 0

  add(x: number): void {
    const sum = this.#sum + x
    this.#error += Math.abs(this.#sum) >= Math.abs(x) ? this.#sum - sum + x : x - sum + this.#sum
    this.#sum = sum
  }

  get value(): number {
    return this.#sum + this.#error
  }
}
