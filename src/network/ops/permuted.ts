import type { Emitter } from '../graph/tensor.ts'

/** Parts of so many numbers in another order, or as they are where it is theirs. */
export function permuted(
  emit: Emitter,
  x: string,
  size: number,
  order: readonly number[],
  shape: readonly number[],
): string {
  const same = order.every((from, to) => from === to)
  const gathered = () => {
    const [rows] = emit.node('Reshape', [x, emit.ints([-1, size])])
    return emit.node('Gather', [rows, emit.ints(order)], { attributes: { axis: { int: 0 } } })[0]
  }
  return emit.node('Reshape', [same ? x : gathered(), emit.ints(shape)])[0]
}

export function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i)
}
