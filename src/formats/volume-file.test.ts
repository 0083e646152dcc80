import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { createGrid } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { decodeNifti, encodeNifti } from './nifti.ts'
import { niftiBytes } from './testing/nifti-bytes.ts'
import { openVolume, readVolume, writeVolume } from './volume-file.ts'
import { bytesOf } from './voxel-types.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

/** Writes bytes to a file and returns the one-line error of reading it, whole and in chunks. */
async function faultOf(name: string, bytes: Uint8Array): Promise<string> {
  writeFileSync(at(name), bytes)
  const errors: unknown[] = []
  await readVolume(at(name)).catch((error) => errors.push(error))
  try {
    for await (const _ of (await openVolume(at(name), 3)).chunks());
  } catch (error) {
    errors.push(error)
  }
  expect(errors.every((error) => error instanceof InputError)).toBe(true)
  const [whole, streamed] = errors.map((error) => (error as InputError).fault)
  expect(streamed).toBe(whole)
  expect((errors[0] as InputError).subject).toBe(at(name))
  return whole
}

describe('chunks of float32 read into memory of the caller', () => {
  const grid = createGrid([5, 2, 1])
  const data = Float32Array.from({ length: 30 }, (_, n) => n / 7)

  test.each([4, 7, 10, 11, 100])('%s voxels at a time: parts of it that end where it ends', async (chunkVoxels) => {
    await writeVolume(at('into.nii.gz'), { grid, channels: 3, data })
    const into = new Float32Array(10)
    const read: number[] = []
    for await (const chunk of (await openVolume(at('into.nii.gz'), chunkVoxels)).chunks(into)) {
      expect(chunk.buffer).toBe(into.buffer)
      expect(chunk.byteOffset).toBe((4 * read.length) % 40)
      read.push(...chunk)
    }
    expect(read).toEqual([...data])
  })

  test('other types come in memory of their own', async () => {
    await writeVolume(at('into.nii'), { grid, channels: 3, data: Int16Array.from(data) })
    const into = new Float32Array(10)
    for await (const chunk of (await openVolume(at('into.nii'), 7)).chunks(into))
      expect(chunk.buffer).not.toBe(into.buffer)
  })
})

/** Larger than the slabs and chunks of a megabyte, so that their seams are covered. */
const large: Volume<Int16Array> = {
  grid: { ...createGrid([128, 127, 33], [1, 2, 3]), origin: [4, 5, 6] },
  channels: 3,
  data: new Int16Array(128 * 127 * 33 * 3).map((_, n) => (n % 1000) * (n % 7) - 3000),
  scaling: { slope: 0.5, intercept: 0 },
}

function expectSame(a: Volume, b: Volume): void {
  expect([a.grid, a.channels, a.scaling]).toEqual([b.grid, b.channels, b.scaling])
  expect(a.data.constructor).toBe(b.data.constructor)
  expect(Buffer.compare(bytesOf(a.data), bytesOf(b.data))).toBe(0)
}

describe('written and read again', () => {
  test.each(['a.nii', 'a.nii.gz', 'b.hdr', 'c.img', 'd.hdr.gz', 'e.img.gz', 'F.NII.GZ'])('%s', async (name) => {
    await writeVolume(at(name), large)
    const volume = await readVolume(at(name))
    expectSame(volume, large)
    const stream = await openVolume(at(name), 100_000)
    expect(stream).toMatchObject({ grid: large.grid, channels: 3, scaling: large.scaling, type: 'int16' })
    const streamed = new Int16Array(large.data.length)
    let filled = 0
    for await (const chunk of stream.chunks()) {
      expect(chunk.length).toBe(Math.min(100_000, streamed.length - filled))
      streamed.set(chunk, filled)
      filled += chunk.length
    }
    expectSame({ ...large, data: streamed }, large)
    await writeVolume(at(name), volume)
    expectSame(await readVolume(at(name)), large)
  })

  test('either file of a pair will do, also big-endian', async () => {
    const data = Uint8Array.of(0, 1, 0, 2)
    const recipe = { little: false, datatype: 4, dim: [3, 2, 1, 1, 1, 1, 1, 1] } as const
    writeFileSync(at('pair.hdr'), niftiBytes({ ...recipe, pair: true, voxOffset: 6 }))
    writeFileSync(at('pair.img.gz'), gzipSync(Uint8Array.of(9, 9, 9, 9, 9, 9, ...data)))
    const volume = await readVolume(at('pair.hdr'))
    expect([...volume.data]).toEqual([1, 2])
    await writeVolume(at('turned.img'), volume)
    expect([...readFileSync(at('turned.img'))]).toEqual([...data])
    await writeVolume(at('turned.nii'), volume)
    expect(readFileSync(at('turned.nii'))).toEqual(Buffer.from(encodeNifti(volume)))
    expect([...(await readVolume(at('turned.hdr'))).data]).toEqual([1, 2])
  })

  test('.nii.gz is one deterministic gzip member of the .nii', async () => {
    await writeVolume(at('one.nii.gz'), large)
    await writeVolume(at('one.nii'), large)
    const packed = readFileSync(at('one.nii.gz'))
    expect(gunzipSync(packed).equals(readFileSync(at('one.nii')))).toBe(true)
    expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
    await writeVolume(at('two.nii.gz'), large)
    expect(readFileSync(at('two.nii.gz')).equals(packed)).toBe(true)
    expectSame(decodeNifti(readFileSync(at('one.nii')), 'one.nii'), large)
  })

  test('the content decides, not the name: a compressed .nii, a plain .nii.gz', async () => {
    const bytes = niftiBytes({})
    writeFileSync(at('packed.nii'), gzipSync(bytes))
    writeFileSync(at('plain.nii.gz'), bytes)
    for (const name of ['packed.nii', 'plain.nii.gz']) expect((await readVolume(at(name))).data.length).toBe(8)
  })
})

test('a file of several gzip members (bgzip) is one image', async () => {
  const bytes = niftiBytes({ voxels: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) })
  writeFileSync(
    at('members.nii.gz'),
    Buffer.concat([bytes.subarray(0, 100), bytes.subarray(100)].map((part) => gzipSync(part))),
  )
  expect([...(await readVolume(at('members.nii.gz'))).data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

describe('bad input ends in one sentence', () => {
  const good = niftiBytes({
    dim: [3, 20, 20, 20, 1, 1, 1, 1],
    voxels: new Uint8Array(8000).map((_, n) => (n * n) >> 3),
  })
  const packed = gzipSync(good)

  test.each<[string, string, Uint8Array]>([
    ['x.nii', 'is empty; was it downloaded or copied completely?', new Uint8Array(0)],
    ['x.nii.gz', 'is empty; was it downloaded or copied completely?', gzipSync(new Uint8Array(0))],
    [
      'x.nii',
      'is no image that halfdice knows; give NIfTI, NRRD, MetaImage or a DICOM folder',
      Buffer.from('just some text\n'),
    ],
    ['x.nii', 'is truncated: 20×20×20 uint8 voxels need 8352 bytes, it has 5000; get it again', good.subarray(0, 5000)],
    [
      'x.nii.gz',
      'is truncated: 20×20×20 uint8 voxels need 8352 bytes, it has 5000; get it again',
      gzipSync(good.subarray(0, 5000)),
    ],
    [
      'x.nii.gz',
      'is truncated (its compressed data end early); copy or download it again',
      packed.subarray(0, packed.length / 2),
    ],
    ['x.nii.gz', 'is truncated (its compressed data end early); copy or download it again', packed.subarray(0, -1)],
    [
      'x.nii.gz',
      'is damaged (its compressed data are invalid); copy or download it again',
      packed.map((byte, n) => (n === packed.length - 6 ? byte ^ 1 : byte)),
    ],
    [
      'x.nii.gz',
      'is damaged (its compressed data are invalid); copy or download it again',
      Buffer.concat([packed, Buffer.from('garbage')]),
    ],
    [
      'x.nii',
      'holds more data than its header promises (20×20×20 uint8 voxels); one of them is damaged',
      Buffer.concat([good, Buffer.from('garbage')]),
    ],
    [
      'x.nii.gz',
      'holds more data than its header promises (20×20×20 uint8 voxels); one of them is damaged',
      gzipSync(Buffer.concat([good, Buffer.from('garbage')])),
    ],
    [
      'x.hdr',
      `has no ${join(folder, 'x.img')} beside it; keep the two files of the pair together`,
      niftiBytes({ pair: true }),
    ],
    ['x.nii', 'is the header of a .hdr/.img pair; name it .hdr, with its .img beside it', niftiBytes({ pair: true })],
  ])('%s %s', async (name, fault, bytes) => {
    expect(await faultOf(name, bytes)).toBe(fault)
  })

  test('a header that lies about 10⁹ voxels costs no memory', async () => {
    const lie = niftiBytes({ datatype: 64, dim: [3, 1000, 1000, 1000, 1, 1, 1, 1] })
    const before = process.memoryUsage().arrayBuffers
    expect(await faultOf('lie.nii', lie)).toContain('is truncated: 1000×1000×1000 float64 voxels need 8000000352 bytes')
    expect(await faultOf('lie.nii.gz', gzipSync(lie))).toMatch(
      /^is truncated: 1000×1000×1000 float64.*it has at most \d+;/,
    )
    const offset = niftiBytes({ version: 2 })
    new DataView(offset.buffer).setBigInt64(168, 2n ** 40n, true)
    expect(await faultOf('offset.nii.gz', gzipSync(offset))).toContain('(vox_offset); the header is damaged')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6)
  })

  test('what follows a header of a pair without end is refused', async () => {
    const bomb = Buffer.concat([niftiBytes({ pair: true }), new Uint8Array(70e6)])
    writeFileSync(at('bomb.img.gz'), gzipSync(new Uint8Array(8)))
    expect(await faultOf('bomb.hdr.gz', gzipSync(bomb))).toBe(
      'holds more than 64 MiB behind its NIfTI header; it is damaged',
    )
  })

  test('paths that are no file', async () => {
    mkdirSync(at('empty-folder'))
    await expect(readVolume(at('none.nii'))).rejects.toThrow(
      new InputError(at('none.nii'), 'no such file; check the path'),
    )
    await expect(readVolume(join(at('x.nii'), 'y.nii'))).rejects.toThrow('is not a folder); check the path')
    await expect(readVolume('a\0b.nii')).rejects.toThrow(InputError)
    await expect(readVolume('/dev/null')).rejects.toThrow('is a device, not a regular file')
    await expect(openVolume(at('none.nii'))).rejects.toThrow(InputError)
  })

  test('outputs that cannot be written leave nothing behind', async () => {
    const small: Volume = { grid: createGrid([2, 2, 2]), channels: 1, data: new Uint8Array(8) }
    mkdirSync(at('out'))
    mkdirSync(at('out/folder.nii'))
    await expect(writeVolume(at('out/a.tif'), small)).rejects.toThrow('asks for no known format')
    await writeVolume(at('missing/a.nii'), small)
    await expect(writeVolume(at('out/folder.nii'), small)).rejects.toThrow('is a folder; give a file name')
    await expect(writeVolume(at('out/a\0.nii'), small)).rejects.toThrow(InputError)
    await expect(writeVolume(at(`out/${'a'.repeat(300)}.nii`), small)).rejects.toThrow('has too long a name')
    expect(readdirSync(at('out'))).toEqual(['folder.nii'])
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})
