import type { Emitter } from '../graph/tensor.ts'

/** A size that is known when the graph is written, or the name of a vector of one integer that holds it. */
export type Size = number | string

/** The sizes of x along its axes: numbers where shapes are fixed, else read off x when the graph runs. */
export function emitSizes(emit: Emitter, x: string, shape: readonly number[]): Size[] {
  if (emit.target.purpose === 'train') return [...shape]
  return shape.map(
    (_, axis) => emit.node('Shape', [x], { attributes: { start: { int: axis }, end: { int: axis + 1 } } })[0],
  )
}

/** Reshapes to sizes of which some may be known only when the graph runs; -1 stands for what remains. */
export function emitReshape(emit: Emitter, x: string, sizes: readonly Size[]): string {
  const known = sizes.filter((size) => typeof size === 'number')
  if (known.length === sizes.length) return emit.node('Reshape', [x, emit.ints(known)])[0]
  const parts = sizes.map((size) => (typeof size === 'number' ? emit.ints([size]) : size))
  const [shape] = emit.node('Concat', parts, { attributes: { axis: { int: 0 } } })
  return emit.node('Reshape', [x, shape])[0]
}
