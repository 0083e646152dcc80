/**
 * Damaged files of every kind that halfdice parses itself. Each must end as a volume or array, or as an InputError: no
 * other error, no hang, no allocation beyond what the bytes can hold; where there is a checksum, as the same volume or
 * an InputError. `HALFDICE_FUZZ=50` tries fifty times as many.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, expect, test, vi } from 'vitest'
import { voxelCount } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { decodeNifti, decodeNiftiPair, encodeNifti } from './nifti.ts'
import { decodeNpy, encodeNpy, type NpyArray } from './npy.ts'
import { readNpz } from './npz.ts'
import { decodePickle } from './pickle.ts'
import { cases, damaged, damagedText, flipped, generator, outcome } from './testing/damage.ts'
import {
  deflated,
  dicomFile,
  dicomSlice,
  frameElements,
  implicit,
  packBits,
  segmentsOf,
} from './testing/dicom-bytes.ts'
import { niftiBytes } from './testing/nifti-bytes.ts'
import { npyBytes } from './testing/npy-bytes.ts'
import { golden } from './testing/pickle-golden.ts'
import { openVolume, readVolume } from './volume-file.ts'

vi.setConfig({ testTimeout: cases(120_000) })
const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(folder, { recursive: true }))
const put = (name: string, bytes: Uint8Array) => {
  writeFileSync(join(folder, name), bytes)
  return join(folder, name)
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
  for (let n = 0; n < cases(12_000); n++) {
    const seed = seeds[n % seeds.length]
    const bytes = damaged(seed, seed.length > 600 ? 560 : 360, random)
    const volume = await outcome(() => decodeNifti(bytes, 'fuzz.nii'))
    if (!volume) continue
    expectSound(volume)
    sound++
  }
  // Neither all refused nor all accepted, or the damage would test nothing.
  expect(sound).toBeGreaterThan(cases(1000))
  expect(sound).toBeLessThan(cases(11_000))
  expect(grown()).toBeLessThan(500e6)
})

test('3,000 damaged pairs', async () => {
  const random = generator(2)
  for (let n = 0; n < cases(3000); n++) {
    const hdr = damaged(niftiBytes({ pair: true, version: n % 2 ? 1 : 2, sformCode: 1, srow }), 560, random)
    const img = random(2) ? damaged(new Uint8Array(8), 8, random) : new Uint8Array(8)
    const volume = await outcome(() => decodeNiftiPair(hdr, img, 'fuzz.hdr', 'fuzz.img'))
    if (volume) expectSound(volume)
  }
})

test('4,000 damaged npy files in memory', async () => {
  const random = generator(3)
  for (let n = 0; n < cases(4000); n++) {
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

test('600 damaged files on disk: .nii, .nii.gz (before and after compression), .npz', async () => {
  const random = generator(4)
  const npz = zipOf('a.npy', npyBytes({}))
  for (let n = 0; n < cases(600); n++) {
    const seed = seeds[n % seeds.length]
    const [name, bytes] = [
      ['f.nii', damaged(seed, 360, random)],
      ['f.nii.gz', gzipSync(damaged(seed, 360, random))],
      ['g.nii.gz', damaged(gzipSync(seed), 20, random)],
      ['f.npz', damaged(npz, npz.length, random)],
    ][n % 4] as [string, Uint8Array]
    const path = put(name, bytes)
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

const spaced = `space: left-posterior-superior
space directions: (1,0,0) (0,2,0) (0,0,3)
space origin: (4,5,6)
kinds: domain domain domain
space units: "mm" "mm" "mm"
endian: little
name:=value
`
const nrrdHead = `NRRD0005\n# a comment\ntype: int16\ndimension: 3\nsizes: 12 10 6\n${spaced}encoding: gzip\n\n`
const metaHead = `ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = False
CompressedData = True
TransformMatrix = 1 0 0 0 1 0 0 0 1
Offset = 4 5 6
CenterOfRotation = 0 0 0
ElementSpacing = 1 2 3
DimSize = 12 10 6
ElementType = MET_SHORT
ElementDataFile = LOCAL
`
const voxels = new Uint8Array(new Int16Array(720).map((_, n) => (n * n) % 811).buffer)

/** Text headers with their data behind them. */
const headed = [
  { name: 'NRRD, gzip', file: 'h.nrrd', head: nrrdHead, data: gzipSync(voxels) },
  { name: 'NRRD, raw', file: 'h.nrrd', head: nrrdHead.replace('gzip', 'raw'), data: voxels },
  { name: 'NRRD, text', file: 'h.nrrd', head: nrrdHead.replace('gzip', 'text'), data: Buffer.from('7 '.repeat(720)) },
  {
    name: 'NRRD, detached',
    file: 'h.nhdr',
    head: nrrdHead.replace('\n\n', '\ndata file: h.raw.gz\n'),
    data: Buffer.of(),
  },
  { name: 'MetaImage, zlib', file: 'h.mha', head: metaHead, data: deflateSync(voxels) },
  { name: 'MetaImage, raw', file: 'h.mha', head: metaHead.replace('CompressedData = True\n', ''), data: voxels },
  { name: 'MetaImage, list', file: 'h.mhd', head: metaHead.replace('LOCAL', 'LIST\nh.raw.gz'), data: Buffer.of() },
]
test.each(headed)('200 damaged headers: $name', async ({ file, head, data }) => {
  const random = generator(5)
  put('h.raw.gz', gzipSync(voxels))
  let sound = 0
  for (let n = 0; n < cases(200); n++) {
    const path = put(file, Buffer.concat([damagedText(head, random), data]))
    const volume = await outcome(() => readVolume(path))
    if (!volume) continue
    expectSound(volume)
    sound++
  }
  expect(sound).toBeGreaterThan(0)
  expect(grown()).toBeLessThan(500e6)
})

test.each(headed)('80 damaged files: $name', async ({ file, head, data }) => {
  const random = generator(6)
  for (let n = 0; n < cases(80); n++) {
    const path = put(file, damaged(Buffer.concat([Buffer.from(head), data]), head.length, random))
    const volume = await outcome(() => readVolume(path))
    if (volume) expectSound(volume)
  }
})

const frames = { rows: 3, columns: 4, positions: [0, 1, 2].map((k) => [1, 2, 2.5 * k]) }
const values = Array.from({ length: 36 }, (_, n) => n * 7)
const dicom = [
  {
    name: 'a slice',
    bytes: dicomSlice({ rows: 2, columns: 3, pixels: new Int16Array(6).fill(7), position: [1, 2, 3] }),
  },
  { name: 'frames', bytes: dicomFile(frameElements({ ...frames, pixels: values })) },
  { name: 'frames, implicit', bytes: dicomFile(frameElements({ ...frames, pixels: values }), { syntax: implicit }) },
  { name: 'frames, deflated', bytes: dicomFile(frameElements({ ...frames, pixels: values }), { syntax: deflated }) },
  {
    name: 'a segmentation',
    bytes: dicomFile(
      frameElements({
        ...frames,
        pixels: packBits(values.map((value) => value & 1)),
        measures: [[0x00180088, 'DS', '2.5']],
        ...segmentsOf({ 1: 'liver', 2: 'spleen' }, [1, 1, 2]),
      }),
      { delimited: true },
    ),
  },
]
test.each(dicom)('100 damaged DICOM files: $name', async ({ bytes }) => {
  const random = generator(9)
  expectSound(await readVolume(put('d.dcm', bytes)))
  let sound = 0
  for (let n = 0; n < cases(100); n++) {
    // Behind the preamble, which means nothing.
    const content = bytes.subarray(132)
    const worse = random(2) ? damaged(content, content.length, random) : flipped(content, 0, random)
    const volume = await outcome(() => readVolume(put('d.dcm', Buffer.concat([bytes.subarray(0, 132), worse]))))
    if (!volume) continue
    expectSound(volume)
    sound++
  }
  expect(sound).toBeGreaterThan(cases(100) / 20)
  expect(grown()).toBeLessThan(500e6)
})

/** Files whose data have a checksum behind byte `from`, and how their content is put into words. */
const checked = [
  { name: 'NIfTI, gzip', file: 'c.nii.gz', bytes: gzipSync(seeds[2]), from: 0, read: volumeText },
  {
    name: 'NRRD, gzip',
    file: 'c.nrrd',
    bytes: Buffer.concat([Buffer.from(nrrdHead), gzipSync(voxels)]),
    from: nrrdHead.length,
    read: volumeText,
  },
  {
    name: 'MetaImage, zlib',
    file: 'c.mha',
    bytes: Buffer.concat([Buffer.from(metaHead), deflateSync(voxels)]),
    from: metaHead.length,
    read: volumeText,
  },
  {
    name: 'npz',
    file: 'c.npz',
    bytes: zipOf('a.npy', npyBytes({ shape: [720], elements: voxels.subarray(0, 720) })),
    from: 0,
    read: npzText,
  },
  { name: 'npz, stored', file: 'd.npz', bytes: zipOf('a.npy', npyBytes({}), false), from: 0, read: npzText },
]
test.each(checked)(
  '150 single flipped bits, the same result or an InputError: $name',
  async ({ file, bytes, from, read }) => {
    const random = generator(7)
    const truth = await read(put(file, bytes))
    let refused = 0
    for (let n = 0; n < cases(150); n++) {
      const path = put(file, flipped(bytes, from, random))
      const seen = await outcome(() => read(path))
      if (seen === undefined) refused++
      else expect(seen).toBe(truth)
    }
    expect(refused).toBeGreaterThan(cases(150) / 2)
  },
)

async function volumeText(path: string): Promise<string> {
  const { grid, channels, scaling, data } = await readVolume(path)
  return JSON.stringify([grid, channels, scaling, data.constructor.name, [...data]])
}

async function npzText(path: string): Promise<string> {
  return JSON.stringify([...(await readNpz(path))].map(([name, { shape, data }]) => [name, shape, [...data]]))
}

test('8,000 damaged pickles', async () => {
  const random = generator(8)
  const pickles = Object.values(golden).map((base64) => Buffer.from(base64, 'base64'))
  let read = 0
  for (let n = 0; n < cases(8000); n++) {
    const pickle = pickles[n % pickles.length]
    const bytes = random(2) ? damaged(pickle, pickle.length, random) : flipped(pickle, 0, random)
    if ((await outcome(() => decodePickle(bytes, 'fuzz.pkl'))) !== undefined) read++
  }
  expect(read).toBeGreaterThan(cases(8000) / 10)
  expect(grown()).toBeLessThan(500e6)
})

/** The smallest zip archive: one member. */
function zipOf(name: string, content: Uint8Array, deflate = true): Uint8Array {
  const packed = deflate ? deflateRawSync(content) : content
  const checksum = gzipSync(content).subarray(-8, -4)
  const fields = (signature: number, central: boolean) => {
    const head = Buffer.alloc(central ? 46 : 30)
    head.writeUInt32LE(signature)
    const at = central ? 8 : 6
    head.writeUInt16LE(deflate ? 8 : 0, at + 2)
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
