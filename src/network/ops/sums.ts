import { type Emitter, sizeOf } from '../graph/tensor.ts'

// Long sums. On the CPU they are single operators. On other devices an operator gives each result to one group of some
// hundred threads at most, and moves the numbers first where the axis is not the last: there, long sums are made in
// parts, all at once, and what lies along the first axis is added up as a product with ones.

/**
 * Longer rows than this are summed in parts. 64 threads read this many numbers in 128 rounds, each as long as memory
 * takes to answer (by estimate 0.2 to 0.8 µs): more than a second operator costs.
 */
const longRow = 2 ** 13
/** Below so many terms, what a part of a sum of products costs in writing and reading it outweighs its terms. */
export const fewestTerms = 256

/** Sums of x of `shape` over the axes, which stay with size 1. */
export function emitSum(emit: Emitter, x: string, shape: readonly number[], axes: readonly number[]): string {
  const plain = () => emit.node('ReduceSum', [x, emit.ints(axes)], { attributes: { keepdims: { int: 1 } } })[0]
  if (emit.target.device === 'cpu') return plain()
  const kept = shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]))
  const [first, end] = kept.length === 0 ? [0, 0] : [kept[0], kept[kept.length - 1] + 1]
  if (kept.length < end - first) return plain()
  const [before, here, length] = [shape.slice(0, first), shape.slice(first, end), shape.slice(end)].map(sizeOf)
  const rows = length === 1 ? x : sumOfRows(emit, x, [before * here, length])
  const sums = before === 1 ? rows : sumOfFirst(emit, rows, before)
  const result = shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
  return emit.node('Reshape', [sums, emit.ints(result)])[0]
}

/** The sum of each row. */
function sumOfRows(emit: Emitter, x: string, [rows, length]: readonly [number, number]): string {
  const [matrix] = emit.node('Reshape', [x, emit.ints([rows, length])])
  if (length <= longRow) return emit.node('ReduceSum', [matrix, emit.ints([1])])[0]
  const whole = fillUp(length)
  const [filled] = whole === length ? [matrix] : emit.node('Pad', [matrix, emit.ints([0, 0, 0, whole - length])])
  const parts = nearestDivisor(whole, Math.sqrt(whole))
  const [apart] = emit.node('Reshape', [filled, emit.ints([rows, parts, whole / parts])])
  return sumOfRows(emit, emit.node('ReduceSum', [apart, emit.ints([2])])[0], [rows, parts])
}

/** The sum along the first of so many rows: [1, …] as a matrix. */
export function sumOfFirst(emit: Emitter, x: string, rows: number): string {
  const [matrix] = emit.node('Reshape', [x, emit.ints([rows, -1])])
  if (rows === 1) return matrix
  return emit.node('MatMul', [emit.constant(new Float32Array(rows).fill(1), [1, rows]), matrix])[0]
}

/** Σ over cases and l of a [cases, p, l] · b [cases, q, l]: [p, q]. Not for the CPU. */
export function sumOfProducts(
  emit: Emitter,
  [a, b]: readonly [a: string, b: string],
  [p, q]: readonly [number, number],
  [cases, l]: readonly [number, number],
): string {
  const parts = nearestDivisor(l, l / fewestTerms)
  const left = partsFirst(emit, a, [cases, p, parts, l / parts], [0, 2, 1, 3])
  const right = partsFirst(emit, b, [cases, q, parts, l / parts], [0, 2, 3, 1])
  const products = emit.node('MatMul', [left, right])[0]
  return emit.node('Reshape', [sumOfFirst(emit, products, cases * parts), emit.ints([p, q])])[0]
}

/** x with its axis split in parts (`shape`), transposed. */
export function partsFirst(emit: Emitter, x: string, shape: readonly number[], perm: readonly number[]): string {
  const [apart] = emit.node('Reshape', [x, emit.ints(shape)])
  return emit.node('Transpose', [apart], { attributes: { perm: { ints: perm } } })[0]
}

/** A length that can be cut in about as many parts as each is long: this one, or one with zeros behind it. */
function fillUp(length: number): number {
  const root = Math.ceil(Math.sqrt(length))
  const divisor = nearestDivisor(length, root)
  return 8 * divisor >= root && divisor <= 8 * root ? length : Math.ceil(length / root) * root
}

/** The divisor of n whose ratio to `wanted` is nearest to 1. */
export function nearestDivisor(n: number, wanted: number): number {
  const distance = (d: number) => Math.abs(Math.log(d / wanted))
  let best = 1
  for (let d = 1; d * d <= n; d++) {
    if (n % d !== 0) continue
    for (const one of [d, n / d]) if (distance(one) < distance(best)) best = one
  }
  return best
}
