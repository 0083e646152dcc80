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

test('protocol 0 spells infinity and NaN as Python does', () => {
  const text = '(lp0\nFinf\naF-inf\naFnan\naF1e-05\naI-7\naL36893488147419103232L\na.'
  expect(decodePickle(new TextEncoder().encode(text), 'x.pkl')).toEqual([
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    1e-5,
    -7,
    2 ** 65,
  ])
})

test('keys that are tuples of numbers become text, other kinds are refused', () => {
  const read = (text: string) => decodePickle(latin(text), 'x.pkl')
  expect(plain(read('}K\x01K\x02\x86Ns.'))).toEqual({ '1,2': null })
  expect(() => read('}}Ns.')).toThrow(InputError)
  expect(() => read(`}(${'N'.repeat(17)}tNs.`)).toThrow(InputError)
})

const latin = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0))

describe('what a pickle may cost', () => {
  const u32 = (n: number) => String.fromCharCode(n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >> 24) & 255)
  const long = (n: number) => `J${u32(n)}`
  const dtype = (code: string) => `cnumpy\ndtype\n(V${code}\nI0\nI1\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntb`
  /** `_frombuffer(data, dtype, shape, 'C')`. */
  const array = (data: string, code: string, shape: string) =>
    `cnumpy.core.numeric\n_frombuffer\n(${data}${dtype(code)}${shape}VC\ntR`
  const bytesOfLength = (n: number) => `B${u32(n)}${'\x01'.repeat(n)}`

  test('an array of voxels is passed over, not read', () => {
    const text = `(}Va\n${array(bytesOfLength(70_000), 'u1', `(${long(70)}${long(1000)}t`)}sVb\nK\x07st.`
    const [value] = decodePickle(latin(text), 'x.pkl') as [ReadonlyMap<string, PickledValue>]
    expect(value.get('b')).toBe(7)
    expect(value.get('a')).toMatchObject({ name: 'voxels' })
  })
  test('small arrays without elements are read', () => {
    expect(decodePickle(latin(`${array('C\x00', 'f8', '(K\x02K\x00t')}.`), 'x.pkl')).toEqual([[], []])
  })

  const megabyte = 1 << 20
  const bombs: Record<string, () => string> = {
    'shape (2^31 - 1, 0)': () => array('C\x00', 'f8', `(${long(2 ** 31 - 1)}K\x00t`),
    'shape (30000, 30000, 0)': () => array('C\x00', 'f8', `(${long(30000)}${long(30000)}K\x00t`),
    'shape (10^9, 1, 0)': () => array('C\x00', 'f8', `(${long(1e9)}K\x01K\x00t`),
    'shape (0, 10^9)': () => `(${array('C\x00', 'f8', `(K\x00${long(-1)}t`)}t`,
    'rank 100,000': () => array('C\x01\x01', 'u1', `(${'K\x01'.repeat(100_000)}t`),
    'an integer of 400 kB': () => `\x8b${u32(400_000)}${'\x7f'.repeat(400_000)}`,
    'an integer of a million digits': () => `L${'9'.repeat(megabyte)}L\n`,
    'a memoised megabyte made an array 2000 times': () => {
      const once =
        `cnumpy.core.numeric\n_frombuffer\nq\x01${bytesOfLength(60_000)}q\x02` +
        `${dtype('u1')}q\x03(${long(60_000)}tq\x04`
      return `(${once}${'h\x01(h\x02h\x03h\x04VC\ntR'.repeat(2000)}l`
    },
    'a memoised megabyte encoded 1000 times': () => {
      const once = `c_codecs\nencode\nq\x01X${u32(megabyte)}${'a'.repeat(megabyte)}q\x02Vlatin1\nq\x03`
      return `(${once}${'h\x01h\x02h\x03\x86R'.repeat(1000)}l`
    },
    'an OrderedDict of 50,000 pairs made 20,000 times': () => {
      const once = `ccollections\nOrderedDict\nq\x01(${'NN\x86'.repeat(50_000)}lq\x02\x85q\x03`
      return `(${once}${'h\x01h\x03R'.repeat(20_000)}l`
    },
    'a key that spells out shared lists': () => {
      const memo = (n: number) => String.fromCharCode(n)
      const levels = Array.from({ length: 20 }, (_, n) => `(${`h${memo(n)}`.repeat(10)}tq${memo(n + 1)}0`)
      return `})q\x000${levels.join('')}h${memo(20)}Ns`
    },
    'three million empty lists': () => ']'.repeat(3e6),
  }
  test.each(Object.keys(bombs))('%s', (name) => {
    const data = latin(`${bombs[name]()}.`)
    const [start, before] = [performance.now(), process.memoryUsage()]
    expect(() => decodePickle(data, 'x.pkl')).toThrow(InputError)
    const after = process.memoryUsage()
    // Tens of milliseconds on an idle machine, which this one is not while other tests run.
    expect(performance.now() - start).toBeLessThan(1000)
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(200e6)
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
