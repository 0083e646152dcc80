import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import type { VoxelArray } from '../volume/volume.ts'
import { openNpy, openNpz, readNpy, readNpz, writeNpy, writeNpz } from './npz.ts'
import { npyBytes } from './testing/npy-bytes.ts'
import { nibabelPython, runPython } from './testing/peers.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

const ramp = Float32Array.from({ length: 700_000 }, (_, n) => (n % 1000) / 999)
const arrays = {
  probabilities: { shape: [7, 100, 1000], data: ramp },
  labels: { shape: [2, 3], fortranOrder: true, data: Int16Array.of(1, 2, 3, 4, 5, 6) },
  empty: { shape: [0], data: new Float64Array(0) },
}

async function collect(chunks: AsyncIterable<VoxelArray>): Promise<{ values: number[]; lengths: number[] }> {
  const values: number[] = []
  const lengths: number[] = []
  for await (const chunk of chunks) {
    for (const value of chunk) values.push(value)
    lengths.push(chunk.length)
  }
  return { values, lengths }
}

test('npz: written and read again, whole and in chunks, the same bytes each time', async () => {
  await writeNpz(at('a.npz'), arrays)
  await writeNpz(at('b.npz'), arrays)
  expect(readFileSync(at('a.npz')).equals(readFileSync(at('b.npz')))).toBe(true)
  const npz = await openNpz(at('a.npz'))
  expect(npz.names).toEqual(['probabilities', 'labels', 'empty'])
  expect(await npz.read('labels')).toEqual(arrays.labels)
  expect(await npz.read('empty')).toEqual({ ...arrays.empty, fortranOrder: false })
  const stream = await npz.open('probabilities')
  expect(stream).toMatchObject({ shape: [7, 100, 1000], fortranOrder: false, length: 700_000, type: 'float32' })
  const { values, lengths } = await collect(stream.chunks(300_000))
  expect(lengths).toEqual([300_000, 300_000, 100_000])
  expect(values.every((value, n) => value === ramp[n])).toBe(true)
  const all = await readNpz(at('a.npz'))
  expect(
    Buffer.compare(Buffer.from(all.get('probabilities')?.data.buffer as ArrayBuffer), Buffer.from(ramp.buffer)),
  ).toBe(0)
  await expect(npz.open('nothing')).rejects.toThrow(
    new InputError(at('a.npz'), 'has no array "nothing"; it has probabilities, labels, empty'),
  )
})

describe('numbers read into memory of the caller', () => {
  // float16 of the whole numbers 0 to 29: exponent and fraction by hand, the first two on their own.
  const halves = Uint16Array.from({ length: 30 }, (_, n) => {
    const exponent = Math.floor(Math.log2(n || 1))
    return n === 0 ? 0 : ((exponent + 15) << 10) | Math.round((n / 2 ** exponent - 1) * 1024)
  })
  const floats = Float32Array.from({ length: 30 }, (_, n) => n)
  const swapped = (array: Uint16Array) => Uint16Array.from(array, (bits) => ((bits & 255) << 8) | (bits >> 8))
  const files = {
    '<f2': halves,
    '>f2': swapped(halves),
    '<f4': floats,
    '>f4': undefined,
    '<i2': Int16Array.from(floats),
  }

  test.each(Object.entries(files))('%s', async (descr, array) => {
    const elements = array ? new Uint8Array(array.buffer) : Uint8Array.from(new Uint8Array(floats.buffer))
    if (!array) for (let n = 0; n < 30; n++) elements.subarray(4 * n, 4 * n + 4).reverse()
    writeFileSync(at('into.npy'), npyBytes({ descr, shape: [3, 10], elements }))
    for (const length of [4, 7, 10, 11, 100]) {
      const into = new Float32Array(12).subarray(1, 11)
      const read: number[] = []
      for await (const chunk of (await openNpy(at('into.npy'))).chunks(length, into)) {
        if (descr === '<i2') expect(chunk.buffer).not.toBe(into.buffer)
        else expect(chunk).toMatchObject({ buffer: into.buffer, byteOffset: 4 + ((4 * read.length) % 40) })
        read.push(...chunk)
      }
      expect(read).toEqual([...floats])
      if (descr !== '<i2') expect([...new Float32Array(into.buffer)]).toEqual([0, ...floats.subarray(20), 0])
    }
  })

  test('a truncated file of float16: how many bytes it has', async () => {
    writeFileSync(
      at('short.npy'),
      npyBytes({ descr: '<f2', shape: [30], elements: new Uint8Array(halves.buffer, 0, 41) }),
    )
    const stream = openNpy(at('short.npy')).then((npy) => collect(npy.chunks(7, new Float32Array(10))))
    await expect(stream).rejects.toThrow('shape (30) of float16 needs 60 bytes, it has 41')
  })
})

test('npy: written and read again; a stream left early is closed', async () => {
  await writeNpy(at('a.npy'), arrays.labels)
  expect(await readNpy(at('a.npy'))).toEqual(arrays.labels)
  const stream = await openNpy(at('a.npy'))
  for await (const chunk of stream.chunks(2)) {
    expect([...chunk]).toEqual([1, 2])
    break
  }
  await (await openNpy(at('a.npy'))).close()
})

describe('damage ends in one sentence', () => {
  const cases: [string, (good: Buffer) => Uint8Array][] = [
    ['is empty', () => new Uint8Array(0)],
    ['is no zip archive (.npz), or is truncated', (good) => good.subarray(0, good.length - 30)],
    ['is no zip archive (.npz), or is truncated', () => Buffer.from('just text')],
    ['is a truncated or damaged zip archive', (good) => good.subarray(20)],
    ['labels.npy: is damaged (its checksum is wrong)', (good) => withEntry(withLocalFlag(good, 8), 16, 1)],
    ['is a truncated or damaged zip archive', (good) => withEntry(withLocalFlag(good, 0), 16, 1)],
    ['labels.npy: is a truncated or damaged zip archive', (good) => withEntry(good, 24, 10)],
    ['holds labels.npz, which is no .npy array; remove it', (good) => withEntry(good, 55, 0x7a)],
    // The name in the directory is another than the entry's own.
    ['is a truncated or damaged zip archive', (good) => withEntry(good, 46, 0x4c)],
    ['labels.npy: is encrypted', (good) => withEntry(good, 8, 1)],
    ['labels.npy: is compressed by method 12', (good) => withEntry(good, 10, 12)],
    ['labels.npy: is damaged (its compressed data are invalid)', (good) => good.fill(0xff, 40, 44)],
  ]
  /** Sets a byte in the first directory entry. */
  function withEntry(good: Buffer, field: number, value: number): Buffer {
    const entry = good.indexOf(Buffer.of(0x50, 0x4b, 1, 2))
    good[entry + field] = value
    return good
  }
  /** Flag 8: the checksum follows the data, so that only the directory has it. */
  function withLocalFlag(good: Buffer, flag: number): Buffer {
    good[6] = flag
    return good
  }
  test.each(cases)('%s', async (fault, damage) => {
    await writeNpz(at('good.npz'), { labels: arrays.labels })
    writeFileSync(at('bad.npz'), damage(readFileSync(at('good.npz'))))
    const error = await readNpz(at('bad.npz')).catch((error) => error)
    expect(error).toBeInstanceOf(InputError)
    expect(error.message).toContain(fault)
  })
  test('names twice, and members that share their bytes', async () => {
    const two = { a: arrays.labels, b: { shape: [3], data: new Uint8Array(3) } }
    await writeNpz(at('two.npz'), two)
    const good = readFileSync(at('two.npz'))
    const second = good.lastIndexOf(Buffer.of(0x50, 0x4b, 1, 2))
    const first = good.indexOf(Buffer.of(0x50, 0x4b, 1, 2))
    writeFileSync(at('twice.npz'), Buffer.from(good).fill('a', second + 46, second + 47))
    await expect(readNpz(at('twice.npz'))).rejects.toThrow(
      new InputError(at('twice.npz'), 'holds a.npy twice; write it again'),
    )
    // Both entries claim nearly the whole file.
    const bomb = Buffer.from(good)
    for (const entry of [first, second]) {
      bomb.writeUInt32LE(0, entry + 42)
      bomb.writeUInt32LE(good.length - 100, entry + 20)
    }
    writeFileSync(at('bomb.npz'), bomb)
    await expect(openNpz(at('bomb.npz'))).rejects.toThrow('is a truncated or damaged zip archive')
    const miscounted = Buffer.from(good)
    miscounted[good.length - 12] = 1
    writeFileSync(at('miscounted.npz'), miscounted)
    await expect(openNpz(at('miscounted.npz'))).rejects.toThrow('is a truncated or damaged zip archive')
  })
  test('a member that lies about its shape costs no memory', async () => {
    writeFileSync(at('lie.npy'), npyBytes({ descr: '<f8', shape: [1000, 1000, 1000] }))
    await expect(readNpy(at('lie.npy'))).rejects.toThrow(
      'is truncated: shape (1000, 1000, 1000) of float64 needs 8000000000',
    )
    await expect(readNpy(at('none.npy'))).rejects.toThrow('no such file')
    await expect(openNpz(at('none.npz'))).rejects.toThrow('no such file')
    await expect(openNpz(folder)).rejects.toThrow(InputError)
    await writeNpz(at('missing/a.npz'), arrays)
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

describe.skipIf(!nibabelPython)('against NumPy (skipped where no Python with nibabel is installed)', () => {
  const python = nibabelPython as string
  test('what NumPy writes, halfdice reads: every type and order, stored and deflated, zip64 members', async () => {
    const script = `
import sys, json, numpy as np
folder = sys.argv[1]
rng = np.random.default_rng(3)
types = ['?', 'u1', 'i1', '<u2', '>u2', '<i2', '>i4', '<u4', '<i8', '>u8', '<f2', '>f2', '<f4', '>f4', '<f8', '>f8']
arrays = {}
for n, t in enumerate(types):
    a = np.abs(rng.normal(size=(3, 4, 5)) * 50).astype(t)
    arrays['a%d' % n] = np.asfortranarray(a) if n % 2 else a
arrays['scalar'] = np.array(2.5); arrays['empty'] = np.zeros((0, 3), 'f4')
np.savez(folder + '/stored.npz', **arrays)
np.savez_compressed(folder + '/packed.npz', **arrays)
print(json.dumps({k: dict(shape=list(v.shape), values=v.astype('f8').ravel(order='K').tolist())
                  for k, v in arrays.items()}))
`
    const truth = runPython(python, script, folder) as Record<string, { shape: number[]; values: number[] }>
    for (const name of ['stored.npz', 'packed.npz']) {
      const read = await readNpz(at(name))
      expect([...read.keys()]).toEqual(Object.keys(truth))
      for (const [key, { shape, values }] of Object.entries(truth)) {
        expect([read.get(key)?.shape, [...(read.get(key)?.data ?? [])]], key).toEqual([shape, values])
      }
    }
  })

  test('what halfdice writes, NumPy reads', async () => {
    await writeNpz(at('ours.npz'), arrays)
    await writeNpy(at('ours.npy'), arrays.labels)
    const script = `
import sys, json, zipfile, numpy as np
z = np.load(sys.argv[1])
assert zipfile.ZipFile(sys.argv[1]).testzip() is None
a = np.load(sys.argv[2])
p = z['probabilities']
print(json.dumps([sorted(z.files), list(p.shape), p.dtype.str,
  float(np.abs(p.ravel() - (np.arange(700000) % 1000 / 999).astype('f4')).max()),
  z['labels'].tolist(), a.tolist(), a.flags.f_contiguous, list(z['empty'].shape)]))
`
    expect(runPython(python, script, at('ours.npz'), at('ours.npy'))).toEqual([
      ['empty', 'labels', 'probabilities'],
      [7, 100, 1000],
      '<f4',
      0,
      [
        [1, 3, 5],
        [2, 4, 6],
      ],
      [
        [1, 3, 5],
        [2, 4, 6],
      ],
      true,
      [0],
    ])
    execFileSync(python, ['-m', 'zipfile', '-t', at('ours.npz')])
  })
})
