import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { decodePickle, type PickledValue } from './pickle.ts'
import { golden } from './testing/pickle-golden.ts'

const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'))
const decode = (base64: string) => plain(decodePickle(bytes(base64), 'x.pkl'))

/** Maps as objects, for comparison. */
function plain(value: PickledValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [key, plain(each)]))
  if (Array.isArray(value)) return value.map(plain)
  return value
}

const box = [
  [0, 4],
  [1, 5],
  [0, 6],
]

describe.each([0, 2, 4, 5] as const)('protocol %i', (protocol) => {
  test('nnU-Net v2, SimpleITKIO', () => {
    expect(decode(golden[`v2Protocol${protocol}`])).toEqual({
      sitk_stuff: {
        spacing: [0.75, 1, 2.5],
        origin: [-40, 12.5, 130],
        direction: [0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1],
      },
      spacing: [2.5, 1, 0.75],
      shape_before_cropping: [4, 5, 6],
      bbox_used_for_cropping: box,
      shape_after_cropping_and_before_resampling: [4, 4, 6],
    })
  })

  test('nnU-Net v2, NibabelIOWithReorient: arrays in both orders', () => {
    const affine = [
      [-0.8, 0.6, 0, 40],
      [0.6, 0.8, 0, -12.5],
      [0, 0, 2.5, 130],
      [0, 0, 0, 1],
    ]
    expect(decode(golden[`nibabelProtocol${protocol}`])).toEqual({
      nibabel_stuff: { original_affine: affine, reoriented_affine: affine },
      spacing: [2.5, 1, 1],
    })
  })

  test('nnU-Net v1: OrderedDict, arrays of every kind, big integers', () => {
    expect(decode(golden[`v1Protocol${protocol}`])).toEqual({
      itk_spacing: [0.75, 1, 2.5],
      itk_origin: [-40, 12.5, 130],
      itk_direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      original_size_of_raw_data: [4, 5, 6],
      crop_bbox: box,
      size_after_cropping: [4, 4, 6],
      classes: [-1, 0, 1],
      big: [0, 1, 2],
      flags: [true, false],
      seg_file: null,
      note: 'ü',
      long: -(2 ** 40),
      done: true,
      raw: new Uint8Array([0, 255]),
    })
  })
})

describe('what is refused', () => {
  test('a pickle that calls a function, and an object array that holds one', () => {
    expect(() => decode(golden.codePickle)).toThrow(InputError)
    expect(() => decode(golden.codePickle)).toThrow(
      /x\.pkl: asks to load 'posix\.system', which may run code; .*--like/,
    )
    expect(() => decode(golden.objectPickle)).toThrow(
      /x\.pkl: holds NumPy data of type O8, which is not read; .*--like/,
    )
  })

  test.each(['builtins eval', 'os system', 'numpy.core.multiarray scalarx', '__main__ X'])('the name %s', (name) => {
    const [module, attribute] = name.split(' ')
    const text = `c${module}\n${attribute}\n(S'1'\ntR.`
    expect(() => decodePickle(new TextEncoder().encode(text), 'x.pkl')).toThrow(/asks to load/)
  })

  test.each(['i', 'o', '\x81', '\x92', 'P', 'Q', '\x82'])('the opcode %j', (op) => {
    expect(() => decodePickle(new TextEncoder().encode(`(N${op}.`), 'x.pkl')).toThrow(InputError)
  })

  test('nesting that would take for ever to write out is shared, not copied', () => {
    // Each level is a list of the level below, ten times: 10^40 leaves.
    let text = ']q\x00'
    for (let level = 1; level < 40; level++)
      text += `]q${String.fromCharCode(level)}(${`h${String.fromCharCode(level - 1)}`.repeat(10)}e`
    const value = decodePickle(
      Uint8Array.from(`${text}.`, (c) => c.charCodeAt(0)),
      'x.pkl',
    )
    expect(value).toHaveLength(10)
    // A list inside itself.
    expect(() =>
      decodePickle(
        Uint8Array.from(']q\x00h\x00a.', (c) => c.charCodeAt(0)),
        'x.pkl',
      ),
    ).toThrow(/nests/)
  })

  test('damage: any cut or changed byte gives a value or an InputError', () => {
    const whole = bytes(golden.v1Protocol4)
    const run = (data: Uint8Array) => {
      try {
        decodePickle(data, 'x.pkl')
      } catch (error) {
        if (!(error instanceof InputError)) throw error
      }
    }
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodePickle(whole.slice(0, length), 'x.pkl')).toThrow(InputError)
    }
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => run(whole.with(at, byte))),
      { numRuns: 3000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (data) => run(data)),
      { numRuns: 3000 },
    )
  })
})
