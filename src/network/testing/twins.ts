import type { DoubleArray } from './finite-differences.ts'

/** Naive loops in double precision, written from the definitions: the oracles of the operator tests. */

const product = (numbers: readonly number[]) => numbers.reduce((p, n) => p * n, 1)

/** Calls back with every index of a shape, last axis fastest. */
export function eachIndex(shape: readonly number[], visit: (index: number[], flat: number) => void): void {
  for (let flat = 0; flat < product(shape); flat++) {
    const index: number[] = new Array(shape.length)
    for (let axis = shape.length - 1, rest = flat; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]
      rest = Math.floor(rest / shape[axis])
    }
    visit(index, flat)
  }
}

/** Element at an index, zero outside. */
export function at({ data, shape }: DoubleArray, index: readonly number[]): number {
  let flat = 0
  for (const [axis, i] of index.entries()) {
    if (i < 0 || i >= shape[axis]) return 0
    flat = flat * shape[axis] + i
  }
  return data[flat]
}

function build(shape: readonly number[], value: (index: number[]) => number): DoubleArray {
  const data = new Float64Array(product(shape))
  eachIndex(shape, (index, flat) => {
    data[flat] = value(index)
  })
  return { data, shape }
}

export function convTwin(x: DoubleArray, w: DoubleArray): DoubleArray {
  const kernel = w.shape.slice(2)
  return build([x.shape[0], w.shape[0], ...x.shape.slice(2)], ([n, o, ...v]) => {
    let sum = 0
    eachIndex([x.shape[1], ...kernel], ([c, ...k]) => {
      sum += at(w, [o, c, ...k]) * at(x, [n, c, ...v.map((i, axis) => i + k[axis] - (kernel[axis] - 1) / 2)])
    })
    return sum
  })
}

export function convDownTwin(x: DoubleArray, w: DoubleArray): DoubleArray {
  const kernel = w.shape.slice(2)
  const shape = [x.shape[0], w.shape[0], ...x.shape.slice(2).map((n) => n / 2)]
  return build(shape, ([n, o, ...v]) => {
    let sum = 0
    eachIndex([x.shape[1], ...kernel], ([c, ...k]) => {
      sum += at(w, [o, c, ...k]) * at(x, [n, c, ...v.map((i, axis) => 2 * i + k[axis])])
    })
    return sum
  })
}

export function convUpTwin(x: DoubleArray, w: DoubleArray): DoubleArray {
  return build([x.shape[0], w.shape[1], ...x.shape.slice(2).map((n) => 2 * n)], ([n, o, ...v]) => {
    let sum = 0
    for (let c = 0; c < x.shape[1]; c++) {
      sum += at(x, [n, c, ...v.map((i) => Math.floor(i / 2))]) * at(w, [c, o, ...v.map((i) => i % 2)])
    }
    return sum
  })
}

export function maxPoolTwin(x: DoubleArray): DoubleArray {
  const half = x.shape.map((n, axis) => (axis < 2 ? n : n / 2))
  return build(half, ([n, c, ...v]) => {
    let largest = Number.NEGATIVE_INFINITY
    eachIndex(
      v.map(() => 2),
      (k) => {
        largest = Math.max(largest, at(x, [n, c, ...v.map((i, axis) => 2 * i + k[axis])]))
      },
    )
    return largest
  })
}

export function upsampleTwin(x: DoubleArray): DoubleArray {
  const shape = x.shape.map((n, axis) => (axis < 2 ? n : 2 * n))
  return build(shape, ([n, c, ...v]) => at(x, [n, c, ...v.map((i) => Math.floor(i / 2))]))
}

export function instanceNormTwin(x: DoubleArray, scale: DoubleArray, bias: DoubleArray, epsilon = 1e-5): DoubleArray {
  const size = product(x.shape.slice(2))
  const data = new Float64Array(x.data.length)
  for (let plane = 0; plane < x.shape[0] * x.shape[1]; plane++) {
    const values = x.data.subarray(plane * size, (plane + 1) * size)
    const mean = values.reduce((sum, value) => sum + value, 0) / size
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size
    const channel = plane % x.shape[1]
    for (let i = 0; i < size; i++) {
      const normalised = (values[i] - mean) / Math.sqrt(variance + epsilon)
      data[plane * size + i] = normalised * scale.data[channel] + bias.data[channel]
    }
  }
  return { data, shape: x.shape }
}

export function mapTwin(x: DoubleArray, f: (value: number) => number): DoubleArray {
  return { data: x.data.map(f), shape: x.shape }
}

/** Elementwise with NumPy's broadcasting; both arrays must have the same number of axes. */
export function zipTwin(a: DoubleArray, b: DoubleArray, f: (x: number, y: number) => number): DoubleArray {
  const shape = a.shape.map((n, axis) => Math.max(n, b.shape[axis]))
  const pick = (array: DoubleArray, index: number[]) =>
    at(
      array,
      index.map((i, axis) => (array.shape[axis] === 1 ? 0 : i)),
    )
  return build(shape, (index) => f(pick(a, index), pick(b, index)))
}

export function concatChannelsTwin(a: DoubleArray, b: DoubleArray): DoubleArray {
  const shape = a.shape.map((n, axis) => (axis === 1 ? n + b.shape[1] : n))
  return build(shape, ([n, c, ...v]) => (c < a.shape[1] ? at(a, [n, c, ...v]) : at(b, [n, c - a.shape[1], ...v])))
}
