import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { gridDifference, worldPosition } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { volumeOfItk } from './itk-image.ts'
import { type ItkImage, withItk } from './itk-worker.ts'
import { openVolume, readVolume, writeVolume } from './volume-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const put = (name: string, ...parts: (string | Uint8Array)[]) => {
  writeFileSync(at(name), Buffer.concat(parts.map((part) => Buffer.from(part as string))))
  return at(name)
}

/** Axis i runs to the patient's posterior with 2 mm, j to the left with 3 mm, k upwards with 4 mm. */
const NRRD = `NRRD0004
type: short
dimension: 3
space: left-posterior-superior
sizes: 2 1 2
space directions: (0,2,0) (3,0,0) (0,0,4)
kinds: domain domain domain
endian: big
encoding: raw
space origin: (10,20,30)
`
const voxels = Uint8Array.of(0, 1, 0, 2, 0, 3, 0xff, 0xfc)
const META = `ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = True
CompressedData = False
TransformMatrix = 0 1 0 1 0 0 0 0 1
Offset = 10 20 30
ElementSpacing = 2 3 4
DimSize = 2 1 2
ElementType = MET_SHORT
ElementDataFile = `

function expectTruth(volume: Volume): void {
  expect([...volume.data]).toEqual([1, 2, 3, -4])
  expect(volume.grid.shape).toEqual([2, 1, 2])
  expect(volume.grid.spacing).toEqual([2, 3, 4])
  // RAS+: x and y change sign.
  expect(worldPosition(volume.grid, [0, 0, 0])).toEqual([-10, -20, 30])
  expect(worldPosition(volume.grid, [1, 0, 0])).toEqual([-10, -22, 30])
  expect(worldPosition(volume.grid, [0, 1, 0])).toEqual([-13, -20, 30])
  expect(worldPosition(volume.grid, [0, 0, 1])).toEqual([-10, -20, 34])
}

describe('hand-written files', () => {
  test('NRRD, attached and detached, raw and gzip', async () => {
    expectTruth(await readVolume(put('a.nrrd', NRRD, '\n', voxels)))
    expectTruth(await readVolume(put('b.nrrd', NRRD.replace('raw', 'gzip'), '\n', gzipSync(voxels))))
    put('c.bin', voxels)
    expectTruth(await readVolume(put('c.nhdr', NRRD, 'data file: c.bin\n')))
  })
  test('an NRRD in RAS is where it says', async () => {
    const ras = NRRD.replace('left-posterior', 'right-anterior')
    expect(worldPosition((await readVolume(put('r.nrrd', ras, '\n', voxels))).grid, [1, 0, 0])).toEqual([10, 22, 30])
  })
  test('a fourth axis and interleaved components become channels; a plane becomes a volume of one slice', async () => {
    const list = NRRD.replace('dimension: 3', 'dimension: 4')
      .replace('sizes: 2 1 2', 'sizes: 2 2 1 1')
      .replace('directions: ', 'directions: none ')
      .replace('kinds: ', 'kinds: list ')
    const interleaved = await readVolume(put('i.nrrd', list, '\n', voxels))
    expect([interleaved.grid.shape, interleaved.channels, [...interleaved.data]]).toEqual([[2, 1, 1], 2, [1, 3, 2, -4]])
    const fourth = META.replace('NDims = 3', 'NDims = 4')
      .replace(/TransformMatrix.*\n/, '')
      .replace('Offset = 10 20 30', 'Offset = 10 20 30 0')
      .replace('2 3 4', '2 3 4 1')
      .replace('2 1 2', '2 1 1 2')
    const stacked = await readVolume(put('f.mha', fourth, 'LOCAL\n', voxels))
    expect([stacked.grid.shape, stacked.channels, [...stacked.data]]).toEqual([[2, 1, 1], 2, [1, 2, 3, -4]])
    expect(stacked.grid.spacing).toEqual([2, 3, 4])
    const flat = META.replace('NDims = 3', 'NDims = 2')
      .replace(/TransformMatrix.*\n/, '')
      .replace('10 20 30', '10 20')
      .replace('2 3 4', '2 3')
      .replace('2 1 2', '2 2')
    const plane = await readVolume(put('p.mha', flat, 'LOCAL\n', voxels))
    expect([plane.grid.shape, plane.grid.spacing, plane.grid.origin]).toEqual([
      [2, 2, 1],
      [2, 3, 1],
      [-10, -20, 0],
    ])
  })
  test('MetaImage, attached and detached', async () => {
    expectTruth(await readVolume(put('a.mha', META, 'LOCAL\n', voxels)))
    put('d.raw', voxels)
    expectTruth(await readVolume(put('d.mhd', META, 'd.raw\n')))
  })
})

describe('written and read again', () => {
  const [c, s] = [Math.cos(0.2), Math.sin(0.2)]
  const grid = {
    shape: [3, 4, 5] as const,
    spacing: [0.5, 0.75, 3] as const,
    origin: [-12.5, 40, 7] as const,
    direction: [c, -s, 0, s, c, 0, 0, 0, -1] as const,
  }
  test.each(['x.nrrd', 'x.nhdr', 'x.mha', 'x.mhd', 'Y.NRRD'])('%s', async (name) => {
    for (const data of [
      new Uint8Array(60).map((_, n) => n),
      new Float32Array(120).map((_, n) => n / 7),
      new Float64Array(60).fill(Math.E),
    ]) {
      const volume: Volume = { grid, channels: data.length / 60, data }
      await writeVolume(at(name), volume)
      const again = await readVolume(at(name))
      expect(gridDifference(again.grid, grid, 1e-6)).toBeUndefined()
      expect([again.channels, again.data]).toEqual([volume.channels, data])
    }
    expect(readdirSync(folder).filter((file) => file.endsWith('.tmp'))).toEqual([])
  })
  test('key/value pairs survive, scaling is applied', async () => {
    const source = put('k.nrrd', NRRD, 'Segment0_Name:=liver\n\n', voxels)
    const volume = await readVolume(source)
    await writeVolume(at('l.nrrd'), { ...volume, scaling: { slope: 0.5, intercept: 1 } })
    expect(readFileSync(at('l.nrrd'), 'latin1')).toContain('Segment0_Name:=liver')
    expect((await readVolume(at('l.nrrd'))).data).toEqual(Float32Array.of(1.5, 2, 2.5, -1))
  })
  test('NRRD to NIfTI keeps the place of every voxel', async () => {
    await writeVolume(at('n.nii.gz'), await readVolume(put('m.nrrd', NRRD, '\n', voxels)))
    expectTruth(await readVolume(at('n.nii.gz')))
  })
  test('ITK finds the NIfTI files that halfdice writes where halfdice does', async () => {
    const data = new Int16Array(60).map((_, n) => n - 30)
    for (const name of ['o.nii', 'o.nii.gz', 'o.hdr']) {
      await writeVolume(at(name), { grid, channels: 1, data })
      const { image } = await withItk((call) => call<{ image: ItkImage }>('niftiReadImageNode', 1e6, at(name)))
      const seen = volumeOfItk(image, name)
      expect(gridDifference(seen.grid, grid, 1e-5), name).toBeUndefined() // float32 fields
      expect(seen.data, name).toEqual(data)
    }
  })
  test('a stream of any format', async () => {
    const chunks: number[][] = []
    for await (const chunk of (await openVolume(put('s.nrrd', NRRD, '\n', voxels), 3)).chunks()) chunks.push([...chunk])
    expect(chunks).toEqual([[1, 2, 3], [-4]])
  })
})

describe('what ITK cannot read gets one sentence, and harms nothing', () => {
  const damaged = (kind: string) =>
    `cannot be read as ${kind}: it is truncated, damaged or of a kind that ITK does not know; export it again`
  test.each([
    ['t.nrrd', damaged('NRRD'), [NRRD, '\n', voxels.subarray(0, 5)]],
    ['u.nrrd', damaged('NRRD'), ['NRRD0004\nnonsense']],
    ['h.nrrd', damaged('NRRD'), [NRRD.replace('2 1 2', '20000 20000 2000'), '\n', voxels]],
    ['v.nrrd', damaged('NRRD'), ['hello']],
    ['t.mha', damaged('MetaImage'), [META, 'LOCAL\n', voxels.subarray(0, 5)]],
    ['u.mha', damaged('MetaImage'), ['hello']],
    ['v.dcm', damaged('DICOM'), ['hello']],
    ['l.nhdr', 'its data file gone.raw is missing; keep the two files together', [NRRD, 'data file: gone.raw\n']],
    ['l.mhd', 'its data file gone.raw is missing; keep the two files together', [META, 'gone.raw\n']],
    ['e.nrrd', 'is empty; was it downloaded or copied completely?', ['']],
  ])('%s: %s', async (name, fault, parts) => {
    await expect(readVolume(put(name, ...parts))).rejects.toThrow(new InputError(at(name), fault))
  })
})
