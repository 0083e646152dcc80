import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { decodeNpy, encodeNpy, inCOrder } from './npy.ts'
import { npyBytes } from './testing/npy-bytes.ts'

describe('decodeNpy', () => {
  test('NumPy’s own example bytes: np.save of np.array([[1, 2], [3, 4]], dtype="<i2")', () => {
    // Made once with NumPy 1.24: 128 bytes of header, then the elements.
    const text = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 2), }"
    const bytes = Uint8Array.of(
      ...[0x93, 78, 85, 77, 80, 89, 1, 0, 118, 0],
      ...new TextEncoder().encode(text.padEnd(117)),
      10,
    )
    const array = decodeNpy(Uint8Array.of(...bytes, 1, 0, 2, 0, 3, 0, 4, 0), 'a.npy')
    expect(array).toEqual({ shape: [2, 2], fortranOrder: false, data: Int16Array.of(1, 2, 3, 4) })
    expect(encodeNpy(array)).toEqual(Uint8Array.of(...bytes, 1, 0, 2, 0, 3, 0, 4, 0))
  })

  test.each([
    ['|b1', [1, 0], Uint8Array.of(1, 0)],
    ['|i1', [0xff, 1], Int8Array.of(-1, 1)],
    ['<u2', [1, 2], Uint16Array.of(0x0201)],
    ['>u2', [1, 2], Uint16Array.of(0x0102)],
    ['>i4', [0xff, 0xff, 0xff, 0xfe], Int32Array.of(-2)],
    ['<u4', [0, 0, 0, 0x80], Uint32Array.of(2 ** 31)],
    ['<i8', [1, 0, 0, 0, 0, 1, 0, 0], Float64Array.of(2 ** 40 + 1)],
    ['>f4', [0x3f, 0xc0, 0, 0], Float32Array.of(1.5)],
    ['>f8', [0x3f, 0xf8, 0, 0, 0, 0, 0, 0], Float64Array.of(1.5)],
    // binary16: 1.5, −2, smallest subnormal, ∞
    ['<f2', [0, 0x3e, 0, 0xc0, 1, 0, 0, 0x7c], Float32Array.of(1.5, -2, 2 ** -24, Number.POSITIVE_INFINITY)],
    ['>f2', [0x3e, 0], Float32Array.of(1.5)],
  ])('%s', (descr, elements, data) => {
    const bytes = npyBytes({ descr, shape: [data.length], elements: Uint8Array.from(elements) })
    const before = bytes.slice()
    expect(decodeNpy(bytes, 'a.npy')).toEqual({ shape: [data.length], fortranOrder: false, data })
    expect(bytes).toEqual(before)
  })

  test.each([1, 2, 3] as const)('header version %i', (version) => {
    const elements = Uint8Array.of(1, 2, 3, 4, 5, 6)
    expect(decodeNpy(npyBytes({ version, shape: [3, 2], fortran: true, elements }), 'a.npy')).toEqual({
      shape: [3, 2],
      fortranOrder: true,
      data: elements,
    })
    expect(decodeNpy(npyBytes({ version, shape: [], elements: Uint8Array.of(7) }), 'a.npy').shape).toEqual([])
    expect(decodeNpy(npyBytes({ version, shape: [0, 5], elements: new Uint8Array(0) }), 'a.npy').data.length).toBe(0)
  })

  test.each([
    ['is empty', new Uint8Array(0)],
    ['is not a NumPy .npy array', Uint8Array.of(1, 2, 3)],
    ['is truncated', npyBytes({}).subarray(0, 9)],
    ['has npy version 9', npyBytes({}).with(6, 9)],
    ['has elements that are Python objects; save it as an array of real numbers', npyBytes({ descr: '|O' })],
    ['has elements that are of type <U5', npyBytes({ descr: '<U5' })],
    ['has elements that are of an unknown type; save', npyBytes({ descr: '<\n2' })],
    ['has elements that are of type <c8', npyBytes({ descr: '<c8' })],
    ['has elements that are of type <f16', npyBytes({ descr: '<f16' })],
    [
      'is truncated: shape (1000, 1000, 1000) of uint8 needs 1000000000 bytes, it has 4',
      npyBytes({ shape: [1000, 1000, 1000] }),
    ],
    ['holds more data than its header promises', npyBytes({ shape: [2] })],
    ['claims shape', npyBytes({ shape: [1e9, 1e9] })],
    ['claims shape (2000000000000000, 0)', npyBytes({ shape: [2e15, 0], elements: new Uint8Array(0) })],
    ['claims shape (1, 1, 1, 1, 1, 1, 1, 1, …)', npyBytes({ version: 2, shape: Array(65).fill(1) })],
    ['has elements that are of type constructor', npyBytes({ descr: 'constructor' })],
    ['has elements that are of type __proto__', npyBytes({ descr: '__proto__' })],
    ['has elements that are of type <toString', npyBytes({ descr: '<toString' })],
    ['has an unreadable npy header', npyBytes({}).fill(0x20, 10, 40)],
    ['has an unreadable npy header', npyBytes({ descr: "|u1', 'shape': (4,), 'x': '" })],
    ['claims a header of', npyBytes({ version: 2 }).with(10, 9)],
    ['beyond 2^53', npyBytes({ descr: '<i8', shape: [1], elements: Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0x40) })],
  ])('%s', (fault, bytes) => {
    expect(() => decodeNpy(bytes, 'a.npy')).toThrow(InputError)
    expect(() => decodeNpy(bytes, 'a.npy')).toThrow(fault)
  })

  test('records are refused', () => {
    const bytes = npyBytes({})
    const text = String.fromCharCode(...bytes).replace("'|u1'", "[('']")
    expect(() =>
      decodeNpy(
        Uint8Array.from(text, (c) => c.charCodeAt(0)),
        'a.npy',
      ),
    ).toThrow('elements that are records')
  })
})

test('inCOrder transposes Fortran order of any rank', () => {
  const shape = [2, 3, 4]
  const c = Float32Array.from({ length: 24 }, (_, n) => n)
  const fortran = new Float32Array(24)
  for (let i = 0; i < 2; i++)
    for (let j = 0; j < 3; j++) for (let k = 0; k < 4; k++) fortran[i + 2 * (j + 3 * k)] = c[(i * 3 + j) * 4 + k]
  expect(inCOrder({ shape, fortranOrder: true, data: fortran })).toEqual({ shape, data: c })
  expect(inCOrder({ shape, data: c }).data).toBe(c)
})
