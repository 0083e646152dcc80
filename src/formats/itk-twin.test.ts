/** NRRD and MetaImage by halfdice against ITK, which read them before: the same voxels at the same places. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gridDifference } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { type ItkCall, type ItkImage, withItk } from './itk-worker.ts'
import { volumeOfItk } from './testing/itk-image.ts'
import { readVolume, writeVolume } from './volume-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(folder, { recursive: true }))

const [c, s] = [Math.cos(0.2), Math.sin(0.2)]
const direction = [c, -s, 0, s, c, 0, 0, 0, -1] as const
const bytes = Uint8Array.from({ length: 48 }, (_, n) => (n * 37) % 251)
const oblique = '(1.2,0.1,0) (-0.2,2,0.3) (0,-0.4,2.5)'

/** Header lines, the encoded data, and whether the header is right-anterior-superior. */
const nrrd: Record<string, [string, Uint8Array]> = {
  rawShort: [
    'type: short\ndimension: 3\nsizes: 2 3 4\nspace: LPS\n' +
      `space directions: ${oblique}\nspace origin: (1,2,3)\nendian: big\nencoding: raw`,
    bytes,
  ],
  ras: [
    'type: uint16\ndimension: 3\nspace: right-anterior-superior\nsizes: 2 3 4\n' +
      `space directions: ${oblique}\nspace origin: (1,2,3)\nendian: little\nencoding: gz`,
    gzipSync(bytes),
  ],
  noSpace: ['type: uchar\ndimension: 3\nsizes: 2 4 6\nspacings: 0.5 1 2\nencoding: raw', bytes],
  bare: ['type: uint8\ndimension: 3\nsizes: 2 4 6\nencoding: gzip', gzipSync(bytes)],
  plane: ['type: uint8\ndimension: 2\nsizes: 6 8\nspacings: 0.5 2\nencoding: raw', bytes],
  planeSpace: [
    'type: uint8\ndimension: 2\nspace dimension: 2\nsizes: 6 8\n' +
      'space directions: (0.5,0) (0,2)\nspace origin: (3,4)\nencoding: raw',
    bytes,
  ],
  vectorFirst: [
    'type: int8\ndimension: 4\nspace: LPS\nsizes: 2 2 3 4\n' +
      `space directions: none ${oblique}\n` +
      'kinds: vector domain domain domain\nspace origin: (1,2,3)\nencoding: raw',
    bytes,
  ],
  listLast: [
    'type: int8\ndimension: 4\nspace: LPS\nsizes: 2 3 4 2\n' +
      `space directions: ${oblique} none\n` +
      'kinds: domain domain domain list\nspace origin: (1,2,3)\nencoding: raw',
    bytes,
  ],
  fourAxes: ['type: int8\ndimension: 4\nsizes: 2 3 4 2\nencoding: raw', bytes],
  time: [
    'type: int8\ndimension: 4\nspace: left-posterior-superior-time\nsizes: 2 3 4 2\n' +
      'space directions: (1,0,0,0) (0,2,0,0) (0,0,3,0) (0,0,0,1)\n' +
      'space origin: (1,2,3,0)\nencoding: raw',
    bytes,
  ],
  text: ['type: float\ndimension: 3\nsizes: 2 1 2\nencoding: ascii', Buffer.from('1.5 -2\n3e2 0.25\n')],
  skip: [
    'type: uint8\ndimension: 3\nsizes: 2 2 2\nline skip: 1\nbyte skip: 3\nencoding: raw',
    Buffer.concat([Buffer.from('line\nxyz'), bytes.subarray(0, 8)]),
  ],
  fromEnd: [
    'type: uint8\ndimension: 3\nsizes: 2 2 2\nbyte skip: -1\nencoding: raw',
    Buffer.concat([Buffer.from('xyz'), bytes.subarray(0, 8)]),
  ],
  double: ['type: double\ndimension: 3\nsizes: 3 2 1\nendian: little\nencoding: raw', bytes],
  wide: [
    'type: int64\ndimension: 3\nsizes: 3 1 2\nendian: little\nencoding: raw',
    bytes.map((byte, n) => (n % 8 < 6 ? byte : 0)),
  ],
  hex: ['type: uint8\ndimension: 2\nsizes: 2 2\nencoding: hex', Buffer.from('0a ff\n10 7F\n')],
}

const meta: Record<string, [string, Uint8Array]> = {
  rawShort: [
    'NDims = 3\nBinaryData = True\nElementByteOrderMSB = True\n' +
      'TransformMatrix = 0.6 0.8 0 -0.8 0.6 0 0 0 -1\nOffset = 1 2 3\n' +
      'ElementSpacing = 0.5 2 3\nDimSize = 2 3 4\nElementType = MET_SHORT',
    bytes,
  ],
  zlib: [
    `NDims = 3\nBinaryData = True\nCompressedData = True\nCompressedDataSize = ${deflateSync(bytes).length}\n` +
      'Rotation = 0 1 0 1 0 0 0 0 1\nPosition = 1 2 3\n' +
      'ElementSize = 0.5 2 3\nDimSize = 2 4 6\nElementType = MET_UCHAR',
    deflateSync(bytes),
  ],
  channels: [
    'NDims = 3\nBinaryData = True\nElementNumberOfChannels = 2\nDimSize = 2 3 4\n' +
      'ElementSpacing = 1 2 3\nElementType = MET_UCHAR_ARRAY',
    bytes,
  ],
  fourAxes: [
    'NDims = 4\nBinaryData = True\nDimSize = 2 3 4 2\n' +
      'ElementSpacing = 1 2 3 1\nOffset = 1 2 3 0\nElementType = MET_UCHAR',
    bytes,
  ],
  plane: [
    'NDims = 2\nBinaryData = True\nDimSize = 6 8\nElementSpacing = 0.5 2\nOffset = 3 4\nElementType = MET_UCHAR',
    bytes,
  ],
  wide: [
    'NDims = 3\nBinaryData = True\nDimSize = 3 2 1\nElementType = MET_LONG_LONG',
    bytes.map((byte, n) => (n % 8 < 6 ? byte : 0)),
  ],
  float: [
    'NDims = 3\nBinaryData = True\nDimSize = 3 2 2\nElementType = MET_FLOAT',
    new Uint8Array(Float32Array.from({ length: 12 }, (_, n) => n / 3).buffer),
  ],
  text: ['NDims = 3\nBinaryData = False\nDimSize = 2 1 2\nElementType = MET_FLOAT', Buffer.from('1.5 -2\n3e2 0.25\n')],
  fromEnd: [
    'NDims = 3\nBinaryData = True\nHeaderSize = -1\nDimSize = 2 2 2\nElementType = MET_UCHAR',
    Buffer.concat([Buffer.from('xyz'), bytes.subarray(0, 8)]),
  ],
}

/** One thread for all tests. */
let call: ItkCall
let finish = () => {}
beforeAll(async () => {
  await new Promise<void>((started, failed) => {
    withItk((lent) => {
      call = lent
      started()
      return new Promise<void>((done) => {
        finish = done
      })
    }).catch(failed)
  })
})
afterAll(() => finish())

async function itk(path: string, format: 'nrrd' | 'meta' | 'nifti'): Promise<Volume> {
  const { image } = await call<{ image: ItkImage }>(`${format}ReadImageNode`, 1e6, path)
  return volumeOfItk(image, path)
}

function expectTwins(ours: Volume, twin: Volume): void {
  expect(ours.channels).toBe(twin.channels)
  expect(gridDifference(ours.grid, twin.grid, 1e-6)).toBeUndefined()
  expect(ours.data).toEqual(twin.data)
}

test.each(Object.entries(nrrd))('NRRD %s', async (name, [head, data]) => {
  const path = join(folder, `${name}.nrrd`)
  writeFileSync(path, Buffer.concat([Buffer.from(`NRRD0005\n# made by hand\n${head}\n\n`), data]))
  expectTwins(await readVolume(path), await itk(path, 'nrrd'))
})

test.each(Object.entries(meta))('MetaImage %s', async (name, [head, data]) => {
  const path = join(folder, `${name}.mha`)
  writeFileSync(path, Buffer.concat([Buffer.from(`ObjectType = Image\n${head}\nElementDataFile = LOCAL\n`), data]))
  expectTwins(await readVolume(path), await itk(path, 'meta'))
})

test('lists and patterns of files', async () => {
  for (let n = 0; n < 4; n++) writeFileSync(join(folder, `s${n + 7}.raw`), bytes.subarray(6 * n, 6 * n + 6))
  const names = [7, 8, 9, 10].map((n) => `s${n}.raw`).join('\n')
  const head = 'NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 3 4\nencoding: raw\ndata file: '
  const metaHead =
    'ObjectType = Image\nNDims = 3\nBinaryData = True\nDimSize = 2 3 4\nElementType = MET_UCHAR\nElementDataFile = '
  const files = {
    'list.nhdr': `${head}LIST\n${names}\n`,
    'pattern.nhdr': `${head}s%d.raw 7 10 1\n`,
    'list.mhd': `${metaHead}LIST\n${names}\n`,
    'pattern.mhd': `${metaHead}s%d.raw 7 10 1\n`,
  }
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text)
    const volume = await readVolume(join(folder, name))
    expect([...volume.data], name).toEqual([...bytes.subarray(0, 24)])
    expectTwins(volume, await itk(join(folder, name), name.endsWith('nhdr') ? 'nrrd' : 'meta'))
  }
})

test('what halfdice writes, ITK reads', async () => {
  const grid = { shape: [3, 4, 5], spacing: [0.5, 0.75, 3], origin: [-12.5, 40, 7], direction } as const
  const volumes: Volume[] = [
    ...[Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array].map(
      (type) => ({ grid, channels: 1, data: new type(60).map((_, n) => n) }),
    ),
    { grid, channels: 3, data: new Float32Array(180).map((_, n) => n / 7) },
    {
      grid: { ...grid, shape: [128, 127, 100] },
      channels: 1,
      data: new Uint16Array(128 * 127 * 100).map((_, n) => n * 7),
    },
  ]
  for (const [n, volume] of volumes.entries()) {
    for (const extension of ['nrrd', 'nhdr', 'mha', 'mhd']) {
      const path = join(folder, `w${n}.${extension}`)
      await writeVolume(path, volume)
      const twin = await itk(path, extension.startsWith('n') ? 'nrrd' : 'meta')
      expect(twin.channels).toBe(volume.channels)
      expect(
        gridDifference(twin.grid, grid.shape[0] === volume.grid.shape[0] ? grid : volume.grid, 1e-6),
      ).toBeUndefined()
      expect(
        Buffer.compare(
          Buffer.from(twin.data.buffer, twin.data.byteOffset, twin.data.byteLength),
          Buffer.from(volume.data.buffer),
        ),
      ).toBe(0)
      const own = await readVolume(path)
      expect(own.data.constructor).toBe(volume.data.constructor)
      expect(
        Buffer.compare(
          Buffer.from(own.data.buffer, own.data.byteOffset, own.data.byteLength),
          Buffer.from(volume.data.buffer),
        ),
      ).toBe(0)
    }
  }
})

test('ITK finds the NIfTI files that halfdice writes where halfdice does', async () => {
  const grid = { shape: [3, 4, 5], spacing: [0.5, 0.75, 3], origin: [-12.5, 40, 7], direction } as const
  const data = new Int16Array(60).map((_, n) => n - 30)
  for (const name of ['o.nii', 'o.nii.gz', 'o.hdr']) {
    await writeVolume(join(folder, name), { grid, channels: 1, data })
    const seen = await itk(join(folder, name), 'nifti')
    expect(gridDifference(seen.grid, grid, 1e-5), name).toBeUndefined() // float32 fields
    expect(seen.data, name).toEqual(data)
  }
})
