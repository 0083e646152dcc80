/**
 * The lower envelope of the parabolas h(q) + (spacing·(p − q))², with sites q and queries p added in ascending order
 * (Felzenszwalb & Huttenlocher, "Distance transforms of sampled functions", 2012).
 */
export class Envelope {
  readonly #sites: Int32Array
  /** Heights in units of spacing². */
  readonly #heights: Float64Array
  /** Where each parabola begins to be the lowest. */
  readonly #from: Float64Array
  #size = 0
  #cursor = 0
  #scale = 1

  constructor(capacity: number) {
    this.#sites = new Int32Array(capacity)
    this.#heights = new Float64Array(capacity)
    this.#from = new Float64Array(capacity)
  }

  get isEmpty(): boolean {
    return this.#size === 0
  }

  reset(spacing: number): void {
    this.#size = 0
    this.#cursor = 0
    this.#scale = 1 / (spacing * spacing)
  }

  add(site: number, height: number): void {
    const scaled = height * this.#scale
    let top = this.#size - 1
    let from = Number.NEGATIVE_INFINITY
    while (top >= 0) {
      const other = this.#sites[top]
      from = (scaled - this.#heights[top]) / (2 * (site - other)) + (site + other) / 2
      if (from > this.#from[top]) break
      top--
    }
    if (top < 0) from = Number.NEGATIVE_INFINITY
    this.#size = top + 2
    this.#sites[top + 1] = site
    this.#heights[top + 1] = scaled
    this.#from[top + 1] = from
  }

  /** The site of the parabola that is lowest at p. */
  nearest(p: number): number {
    while (this.#cursor + 1 < this.#size && this.#from[this.#cursor + 1] < p) this.#cursor++
    return this.#sites[this.#cursor]
  }
}
