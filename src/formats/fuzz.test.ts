/**
 * Damaged files of every kind that halfdice parses itself. Each must end as a volume or array, or as an InputError: no other
 * error, no hang, no allocation beyond what the bytes can hold.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { voxelCount } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { decodeNifti, decodeNiftiPair, encodeNifti } from './nifti.ts'
import { decodeNpy, encodeNpy, type NpyArray } from './npy.ts'
import { readNpz } from './npz.ts'
import { niftiBytes } from './testing/nifti-bytes.ts'
import { npyBytes } from './testing/npy-bytes.ts'
import { openVolume, readVolume } from './volume-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Mulberry32: the cases are the same on every run. */
function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const EXTREMES = [0, 1, 2, 0x7f, 0x80, 0xff]

/** One to four faults: bytes set to random or extreme values (mostly in the first `head` bytes), runs, cuts, insertions. */
function damaged(bytes: Uint8Array, head: number, random: (below: number) => number): Uint8Array<ArrayBuffer> {
  let out = Uint8Array.from(bytes)
  for (let faults = 1 + random(4); faults > 0 && out.length > 0; faults--) {
    const at = random(random(4) > 0 ? Math.min(head, out.length) : out.length)
    const kind = random(8)
    if (kind < 3) out[at] = random(256)
    else if (kind < 5) out.fill(EXTREMES[random(EXTREMES.length)], at, at + 1 + random(8))
    else if (kind === 5) out[at] ^= 1 << random(8)
    else if (kind === 6) out = out.slice(0, random(out.length + 1))
    else
      out = Uint8Array.of(
        ...out.subarray(0, at),
        ...Array.from({ length: random(20) }, () => random(256)),
        ...out.subarray(at),
      )
  }
  return out
}

/** The result of reading, or undefined where it ended in an InputError as it should. */
async function outcome<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    expect(error.message).not.toContain('\n')
    return undefined
  }
}

/** A volume that damage left readable is consistent, and can be written and read again. */
function expectSound(volume: Volume): void {
  const { grid, channels, data } = volume
  if (data.length !== voxelCount(grid) * channels) throw new Error('voxels and shape disagree')
  if (![...grid.spacing, ...grid.origin, ...grid.direction].every(Number.isFinite))
    throw new Error('geometry not finite')
  if (Math.min(...grid.spacing) <= 0) throw new Error('spacing not positive')
  const again = decodeNifti(encodeNifti(volume), 'again')
  if (again.data.length !== data.length) throw new Error('written volume differs')
}

function expectConsistent({ shape, data }: NpyArray): void {
  if (data.length !== shape.reduce((product, n) => product * n, 1)) throw new Error('elements and shape disagree')
}

const srow = [1, 0, 0, 5, 0, 2, 0, 6, 0, 0, 3, 7]
const seeds = [1, 2].flatMap((version) =>
  [true, false].flatMap((little) =>
    [2, 4, 16, 1024].map((datatype) => {
      const bytes = { 2: 1, 4: 2, 16: 4, 1024: 8 }[datatype] as number
      return niftiBytes({
        version: version as 1 | 2,
        little,
        datatype,
        dim: [4, 3, 2, 2, 2, 1, 1, 1],
        voxels: new Uint8Array(24 * bytes).map((_, n) => (n % bytes === (little ? 0 : bytes - 1) ? n : 0)),
        sformCode: datatype === 4 ? 0 : 1,
        qformCode: 1,
        quatern: [0.5, 0.5, 0.5],
        srow,
        slope: 2,
      })
    }),
  ),
)

const before = process.memoryUsage().arrayBuffers
/** Bytes outside the heap, which a lying header would blow up; the suite's own buffers stay far below. */
const grown = () => process.memoryUsage().arrayBuffers - before

test('12,000 damaged NIfTI headers and files in memory', async () => {
  const random = generator(1)
  let sound = 0
  for (let n = 0; n < 12_000; n++) {
    const seed = seeds[n % seeds.length]
    const bytes = damaged(seed, seed.length > 600 ? 560 : 360, random)
    const volume = await outcome(() => decodeNifti(bytes, 'fuzz.nii'))
    if (!volume) continue
    expectSound(volume)
    sound++
  }
  // Neither all refused nor all accepted, or the damage would test nothing.
  expect(sound).toBeGreaterThan(1000)
  expect(sound).toBeLessThan(11_000)
  expect(grown()).toBeLessThan(500e6)
})

test('3,000 damaged pairs', async () => {
  const random = generator(2)
  for (let n = 0; n < 3000; n++) {
    const hdr = damaged(niftiBytes({ pair: true, version: n % 2 ? 1 : 2, sformCode: 1, srow }), 560, random)
    const img = random(2) ? damaged(new Uint8Array(8), 8, random) : new Uint8Array(8)
    const volume = await outcome(() => decodeNiftiPair(hdr, img, 'fuzz.hdr', 'fuzz.img'))
    if (volume) expectSound(volume)
  }
})

test('4,000 damaged npy files in memory', async () => {
  const random = generator(3)
  for (let n = 0; n < 4000; n++) {
    const descr = ['|u1', '<f4', '>i2', '<f2', '<i8'][n % 5]
    const size = Number(descr[2])
    const seed = npyBytes({ version: ((n % 3) + 1) as 1, descr, shape: [2, 3], elements: new Uint8Array(6 * size) })
    const array = await outcome(() => decodeNpy(damaged(seed, 80, random), 'fuzz.npy'))
    if (!array) continue
    expectConsistent(array)
    expectConsistent(decodeNpy(encodeNpy(array), 'again'))
  }
  expect(grown()).toBeLessThan(500e6)
})

test('1,200 damaged files on disk: .nii, .nii.gz (before and after compression), .npz', async () => {
  const random = generator(4)
  const npz = zipOf('a.npy', npyBytes({}))
  for (let n = 0; n < 1200; n++) {
    const seed = seeds[n % seeds.length]
    const [name, bytes] = [
      ['f.nii', damaged(seed, 360, random)],
      ['f.nii.gz', gzipSync(damaged(seed, 360, random))],
      ['g.nii.gz', damaged(gzipSync(seed), 20, random)],
      ['f.npz', damaged(npz, npz.length, random)],
    ][n % 4] as [string, Uint8Array]
    const path = join(folder, name)
    writeFileSync(path, bytes)
    if (name === 'f.npz')
      for (const array of (await outcome(() => readNpz(path)))?.values() ?? []) expectConsistent(array)
    else {
      const volume = await outcome(() => readVolume(path))
      if (volume) expectSound(volume)
      const streamed = await outcome(async () => {
        let length = 0
        for await (const chunk of (await openVolume(path, 5)).chunks()) length += chunk.length
        return length
      })
      expect(streamed).toBe(volume?.data.length)
    }
  }
  expect(grown()).toBeLessThan(500e6)
})

/** The smallest zip archive: one deflated member. */
function zipOf(name: string, content: Uint8Array): Uint8Array {
  const packed = deflateRawSync(content)
  const checksum = gzipSync(content).subarray(-8, -4)
  const fields = (signature: number, central: boolean) => {
    const head = Buffer.alloc(central ? 46 : 30)
    head.writeUInt32LE(signature)
    const at = central ? 8 : 6
    head.writeUInt16LE(8, at + 2)
    checksum.copy(head, at + 8)
    head.writeUInt32LE(packed.length, at + 12)
    head.writeUInt32LE(content.length, at + 16)
    head.writeUInt16LE(name.length, at + 20)
    return Buffer.concat([head, Buffer.from(name)])
  }
  const local = Buffer.concat([fields(0x04034b50, false), packed])
  const directory = fields(0x02014b50, true)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, directory, end])
}
