/** What the writer knows: enough for the properties of a prediction. */
export type Picklable = null | string | number | readonly Picklable[] | { readonly [key: string]: Picklable }

/** A pickle (protocol 2) of plain data, as Python's `pickle.dumps` would write it; every number as a float. */
export function encodePickle(value: Picklable): Uint8Array {
  return Buffer.concat([Buffer.of(0x80, 2), item(value), Buffer.from('.')])
}

function item(value: Picklable): Buffer {
  if (value === null) return Buffer.from('N')
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    const head = Buffer.from('X....')
    head.writeUInt32LE(text.length, 1)
    return Buffer.concat([head, text])
  }
  if (typeof value === 'number') {
    const float = Buffer.from('G........')
    float.writeDoubleBE(value, 1)
    return float
  }
  if (isList(value)) return Buffer.concat([Buffer.from(']('), ...value.map(item), Buffer.from('e')])
  const entries = Object.entries(value).flatMap(([key, each]) => [item(key), item(each)])
  return Buffer.concat([Buffer.from('}('), ...entries, Buffer.from('u')])
}

const isList = (value: object): value is readonly Picklable[] => Array.isArray(value)
