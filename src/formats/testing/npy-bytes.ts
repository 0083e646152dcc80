export interface NpyRecipe {
  version?: 1 | 2 | 3
  descr?: string
  fortran?: boolean
  shape?: readonly number[]
  elements?: Uint8Array
}

/** An .npy file written byte by byte after NumPy's format description (NEP 1), for tests. */
export function npyBytes({
  version = 1,
  descr = '|u1',
  fortran = false,
  shape = [4],
  elements,
}: NpyRecipe): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${tuple}, }\n`
  const length = version === 1 ? [text.length, 0] : [text.length, 0, 0, 0]
  const magic = [0x93, ...'NUMPY'].map((part) => (typeof part === 'string' ? part.charCodeAt(0) : part))
  return Uint8Array.of(
    ...magic,
    version,
    0,
    ...length,
    ...new TextEncoder().encode(text),
    ...(elements ?? [1, 2, 3, 4]),
  )
}
