/** Which outputs each voxel belongs to, a bit an output. */
export type LabelBits = Uint8Array | Uint32Array

/** Bit k of a voxel is set where `outputs[k]` lists its label; bytes where 8 bits suffice. */
export function labelBits(labels: ArrayLike<number>, outputs: readonly (readonly number[])[]): LabelBits {
  const bits = new Map<number, number>()
  for (const [k, values] of outputs.entries())
    for (const value of values) bits.set(value, (bits.get(value) ?? 0) | (1 << k))
  const result = outputs.length <= 8 ? new Uint8Array(labels.length) : new Uint32Array(labels.length)
  let [previous, current] = [Number.NaN, 0]
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]
    if (label !== previous) [previous, current] = [label, bits.get(label) ?? 0]
    result[i] = current
  }
  return result
}
