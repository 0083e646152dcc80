import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { gridDifference, worldPosition } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { openVolume, readVolume, writeVolume } from './volume-file.ts'
import { bytesOf } from './voxel-types.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)
const put = (name: string, ...parts: (string | Uint8Array)[]) => {
  writeFileSync(at(name), Buffer.concat(parts.map((part) => Buffer.from(part as string))))
  return at(name)
}

/** Axis i runs to the patient's posterior with 2 mm, j to the left with 3 mm, k upwards with 4 mm. */
const nrrdText = `NRRD0004
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
const meta = `ObjectType = Image
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
    expectTruth(await readVolume(put('a.nrrd', nrrdText, '\n', voxels)))
    expectTruth(await readVolume(put('b.nrrd', nrrdText.replace('raw', 'gzip'), '\n', gzipSync(voxels))))
    put('c.bin', voxels)
    expectTruth(await readVolume(put('c.nhdr', nrrdText, 'data file: c.bin\n')))
  })
  test('an NRRD in RAS is where it says', async () => {
    const ras = nrrdText.replace('left-posterior', 'right-anterior')
    expect(worldPosition((await readVolume(put('r.nrrd', ras, '\n', voxels))).grid, [1, 0, 0])).toEqual([10, 22, 30])
  })
  test('a fourth axis and interleaved components become channels; a plane becomes a volume of one slice', async () => {
    const list = nrrdText
      .replace('dimension: 3', 'dimension: 4')
      .replace('sizes: 2 1 2', 'sizes: 2 2 1 1')
      .replace('directions: ', 'directions: none ')
      .replace('kinds: ', 'kinds: list ')
    const interleaved = await readVolume(put('i.nrrd', list, '\n', voxels))
    expect([interleaved.grid.shape, interleaved.channels, [...interleaved.data]]).toEqual([[2, 1, 1], 2, [1, 3, 2, -4]])
    const fourth = meta
      .replace('NDims = 3', 'NDims = 4')
      .replace(/TransformMatrix.*\n/, '')
      .replace('Offset = 10 20 30', 'Offset = 10 20 30 0')
      .replace('2 3 4', '2 3 4 1')
      .replace('2 1 2', '2 1 1 2')
    const stacked = await readVolume(put('f.mha', fourth, 'LOCAL\n', voxels))
    expect([stacked.grid.shape, stacked.channels, [...stacked.data]]).toEqual([[2, 1, 1], 2, [1, 2, 3, -4]])
    expect(stacked.grid.spacing).toEqual([2, 3, 4])
    const flat = meta
      .replace('NDims = 3', 'NDims = 2')
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
    expectTruth(await readVolume(put('a.mha', meta, 'LOCAL\n', voxels)))
    put('d.raw', voxels)
    expectTruth(await readVolume(put('d.mhd', meta, 'd.raw\n')))
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
    const source = put('k.nrrd', nrrdText, 'Segment0_Name:=liver\n\n', voxels)
    const volume = await readVolume(source)
    await writeVolume(at('l.nrrd'), { ...volume, scaling: { slope: 0.5, intercept: 1 } })
    expect(readFileSync(at('l.nrrd'), 'latin1')).toContain('Segment0_Name:=liver')
    expect((await readVolume(at('l.nrrd'))).data).toEqual(Float32Array.of(1.5, 2, 2.5, -1))
  })
  test('NRRD to NIfTI keeps the place of every voxel', async () => {
    await writeVolume(at('n.nii.gz'), await readVolume(put('m.nrrd', nrrdText, '\n', voxels)))
    expectTruth(await readVolume(at('n.nii.gz')))
  })
  test('a stream of any format', async () => {
    const chunks: number[][] = []
    for await (const chunk of (await openVolume(put('s.nrrd', nrrdText, '\n', voxels), 3)).chunks())
      chunks.push([...chunk])
    expect(chunks).toEqual([[1, 2, 3], [-4]])
  })
})

describe('what is damaged or unknown gets one sentence', () => {
  const n = (from: string | RegExp, to: string) => [nrrdText.replace(from, to), '\n', voxels]
  const m = (from: string | RegExp, to: string) => [meta.replace(from, to), 'LOCAL\n', voxels]
  const packed = meta.replace('CompressedData = False', 'CompressedData = True')
  const damaged = 'is damaged (its compressed data are invalid); copy or download it again'
  test.each<[string, string, (string | Uint8Array)[]]>([
    [
      't.nrrd',
      'is truncated: its voxels need 8 bytes, it has 5; get it again',
      [nrrdText, '\n', voxels.subarray(0, 5)],
    ],
    ['u.nrrd', 'has the header line "nonsense", which NRRD does not know; mend it', ['NRRD0004\nnonsense']],
    [
      'h.nrrd',
      'is truncated: its voxels need 1600000000000 bytes, it has 8; get it again',
      n('2 1 2', '20000 20000 2000'),
    ],
    ['v.nrrd', 'is no NRRD file; was it damaged or renamed?', ['hello']],
    ['e.nrrd', 'is empty; was it downloaded or copied completely?', ['']],
    ['l.nhdr', 'its data file gone.raw is missing; keep the two files together', [nrrdText, 'data file: gone.raw\n']],
    [
      'w.nrrd',
      'holds more data than its header promises (8 bytes); one of them is damaged',
      [nrrdText, '\n', voxels, 'x'],
    ],
    ['a.nrrd', 'has the field "Type" twice; keep the right one', [nrrdText, 'Type: uint8\n\n', voxels]],
    ['b.nrrd', 'has two values for the key "a"; keep the right one', [nrrdText, 'a:=1\na:=2\n\n', voxels]],
    ['c.nrrd', 'has the field "colour", which NRRD does not know; mend it', [nrrdText, 'colour: red\n\n', voxels]],
    ['d.nrrd', 'has voxels of type "block"; halfdice reads numbers: convert it', n('short', 'block')],
    ['d.nrrd', 'has voxels of type "constructor"; halfdice reads numbers: convert it', n('short', 'constructor')],
    ['f.nrrd', 'has the encoding "bzip2"; write it as gzip or raw', n('raw', 'bzip2')],
    ['g.nrrd', 'has the byte order ""; it is damaged', n('endian: big\n', '')],
    [
      'i.nrrd',
      'has an axis of kind "rgb-color"; halfdice reads real numbers on a grid: convert it',
      n('kinds: domain', 'kinds: RGB-color'),
    ],
    [
      'i.nrrd',
      'has an axis of kind "list" with a space direction; keep the right one',
      n('kinds: domain', 'kinds: list'),
    ],
    [
      'j.nrrd',
      'has the space "scanner-xyz", which has no known place in the patient; set left-posterior-superior or another',
      n('left-posterior-superior', 'scanner-xyz'),
    ],
    [
      'j.nrrd',
      'has the space "3d-right-handed", which has no known place in the patient; ' +
        'set left-posterior-superior or another',
      n('left-posterior-superior', '3D-right-handed'),
    ],
    ['k.nrrd', 'does not name its space; add "space: left-posterior-superior" or what is right', n(/space: .*\n/, '')],
    ['m.nrrd', 'has the space origin "(10,nan,30)"; it is damaged', n('10,20', '10,nan')],
    [
      'n.nrrd',
      'has spacing 2, 3, Infinity mm; write it again with a valid geometry',
      n('(0,0,4)', '(0,0,inf)'.replace('inf', '1e999')),
    ],
    [
      'o.nrrd',
      'has directions that map voxels onto a plane or a line; write it again with a valid geometry',
      n('(0,0,4)', '(2,2,0)'),
    ],
    ['p.nrrd', 'has 2 space directions for 3 axes; it is damaged', n(' (0,0,4)', '')],
    ['q.nrrd', 'has lengths in "inches"; write it with mm', [nrrdText, 'space units: "mm" "mm" "inches"\n\n', voxels]],
    ['r.nrrd', 'was quantised (old min, old max); write real values', [nrrdText, 'old min: 0\nold max: 1\n\n', voxels]],
    ['s.nrrd', 'gives its place as axis mins; write a space origin', [nrrdText, 'axis mins: 0 0 1\n\n', voxels]],
    [
      's.nrrd',
      'has spacing 0; set it in mm',
      ['NRRD0001\ntype: uint8\ndimension: 2\nsizes: 2 1\nspacings: 0 1\nencoding: raw\n\n', 'xx'],
    ],
    [
      'x.nrrd',
      'has 1 axes in space; give an image of 2 or 3',
      ['NRRD0001\ntype: uint8\ndimension: 1\nsizes: 2\nencoding: raw\n\n', 'xx'],
    ],
    ['y.nrrd', damaged, [nrrdText.replace('raw', 'gzip'), '\n', gzipSync(voxels).with(12, 77)]],
    [
      'y.nrrd',
      'is truncated (its compressed data end early); copy or download it again',
      [nrrdText.replace('raw', 'gzip'), '\n', gzipSync(voxels).subarray(0, -1)],
    ],
    ['z.nrrd', 'has byteskip -2; it is damaged', [nrrdText, 'byte skip: -2\n\n', voxels]],
    [
      'p.nhdr',
      'names its data files by "x%s.raw 1 3 1", which makes no sense; list their names',
      [nrrdText, 'data file: x%s.raw 1 3 1\n'],
    ],
    [
      'p.nhdr',
      'names its data files by "x%d.raw 1 3000000000 1", which makes no sense; list their names',
      [nrrdText, 'data file: x%d.raw 1 3000000000 1\n'],
    ],
    [
      'aa.nrrd',
      'gives both spacings and space directions; keep the right one',
      [nrrdText, 'spacings: 1 1 1\n\n', voxels],
    ],
    [
      'ab.nrrd',
      'gives both a space and a space dimension; keep the right one',
      [nrrdText, 'space dimension: 3\n\n', voxels],
    ],
    [
      'ac.nrrd',
      'has more than one axis of channels; extract one of them first',
      [
        'NRRD0004\ntype: uint8\ndimension: 5\nsizes: 2 1 1 1 2\nencoding: raw\n',
        'kinds: list domain domain domain list\n\n',
        'abcd',
      ],
    ],
    [
      'ad.nrrd',
      'has an axis that runs through both space and time; it is damaged',
      [
        'NRRD0004\ntype: uint8\ndimension: 3\nspace: LPST\nsizes: 1 1 1\nencoding: raw\n',
        'space directions: (1,0,0,0) (0,1,0,2) (0,0,1,0)\n\nx',
      ],
    ],
    [
      'ae.nrrd',
      'skips 67108865 bytes of compressed data; write it again without a byte skip',
      [nrrdText.replace('raw', 'gzip'), 'byte skip: 67108865\n\n', gzipSync(voxels)],
    ],
    ['aa.mha', 'has headers in its slices; convert it', m('NDims', 'HeaderSizePerSlice = 1\nNDims')],
    [
      'ab.mha',
      'has both a fourth axis and channels; extract one of them first',
      [
        'NDims = 4\nBinaryData = True\nDimSize = 1 1 1 2\n' +
          'ElementNumberOfChannels = 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n',
        'abcd',
      ],
    ],
    [
      'ac.mha',
      'has a TransformMatrix that mixes space with its fourth axis; extract a 3-D image first',
      [
        'NDims = 4\nBinaryData = True\nDimSize = 1 1 1 2\n' +
          'TransformMatrix = 1 0 0 1 0 1 0 0 0 0 1 0 0 0 0 1\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n',
        'ab',
      ],
    ],
    [
      't.mha',
      'is truncated: its voxels need 8 bytes, it has 5; get it again',
      [meta, 'LOCAL\n', voxels.subarray(0, 5)],
    ],
    ['u.mha', 'has the header line "hello", which is not "Key = Value"; mend it', ['hello']],
    ['l.mhd', 'its data file gone.raw is missing; keep the two files together', [meta, 'gone.raw\n']],
    [
      'w.mha',
      'holds more data than its header promises (8 bytes); one of them is damaged',
      [meta, 'LOCAL\n', voxels, '\0'],
    ],
    ['a.mha', 'has ElementSpacing = "2 nan 4"; it is damaged', m('2 3 4', '2 nan 4')],
    ['a.mha', 'has spacing 2 -3 4; set it in mm', m('2 3 4', '2 -3 4')],
    ['a.mha', 'has spacing 2 0 4; set it in mm', m('2 3 4', '2 0 4')],
    ['b.mha', 'has Offset = "10 inf 30"; it is damaged', m('10 20 30', '10 inf 30')],
    [
      'c.mha',
      'has directions that map voxels onto a plane or a line; write it again with a valid geometry',
      m('0 1 0 1 0 0', '0 1 0 0 1 0'),
    ],
    ['d.mha', 'has two values for "Offset"; keep the right one', m('Offset', 'Position = 1 2 3\nOffset')],
    ['e.mha', 'has voxels of type "MET_STRING"; halfdice reads numbers: convert it', m('MET_SHORT', 'MET_STRING')],
    [
      'f.mha',
      'has CompressedData = "Perhaps"; write True or False',
      m('CompressedData = False', 'CompressedData = Perhaps'),
    ],
    ['g.mha', 'has lengths in "furlong"; write it with mm', m('NDims', 'DistanceUnits = furlong\nNDims')],
    [
      'h.mha',
      'scales its voxels (ElementToIntensityFunction…); write real values',
      m('NDims', 'ElementToIntensityFunctionSlope = 2\nNDims'),
    ],
    ['y.mha', damaged, [packed, 'LOCAL\n', deflateSync(voxels).with(-1, 0)]],
    [
      'y.mha',
      'has something behind its compressed data, which is damaged; get it again',
      [packed, 'LOCAL\n', deflateSync(voxels), 'x'],
    ],
    [
      'z.mha',
      'is truncated (99 compressed bytes, it has 16); get it again',
      [packed.replace('NDims', 'CompressedDataSize = 99\nNDims'), 'LOCAL\n', deflateSync(voxels)],
    ],
  ])('%s: %s', async (name, fault, parts) => {
    await expect(readVolume(put(name, ...parts))).rejects.toThrow(new InputError(at(name), fault))
  })
})

describe('spaces, units and headers', () => {
  test('left-anterior-superior is where it says, not turned about z', async () => {
    const las = nrrdText.replace('left-posterior', 'left-anterior')
    const { grid } = await readVolume(put('las.nrrd', las, '\n', voxels))
    expect(grid.origin).toEqual([-10, 20, 30])
    expect(worldPosition(grid, [1, 0, 0])).toEqual([-10, 22, 30])
    expect(worldPosition(grid, [0, 1, 0])).toEqual([-13, 20, 30])
  })
  test('lengths in cm, m and µm become mm', async () => {
    for (const [unit, mm] of [
      ['cm', 10],
      ['m', 1000],
      ['µm', 0.001],
      ['um', 0.001],
      ['', 1],
    ] as const) {
      const units = `space units: "${unit}" "${unit}" "${unit}"\n\n`
      const { grid } = await readVolume(put('units.nrrd', nrrdText, units, voxels))
      expect(grid.spacing[2]).toBeCloseTo(4 * mm, 12)
      expect(grid.origin[2]).toBeCloseTo(30 * mm, 12)
    }
    const { grid } = await readVolume(
      put('cm.mha', meta.replace('NDims', 'DistanceUnits = cm\nNDims'), 'LOCAL\n', voxels),
    )
    expect([grid.spacing, grid.origin]).toEqual([
      [20, 30, 40],
      [-100, -200, 300],
    ])
  })
  test('a slice that stands in space gets a perpendicular third axis', async () => {
    const slice = nrrdText
      .replace('dimension: 3', 'dimension: 2')
      .replace('2 1 2', '2 2')
      .replace(' (0,0,4)', '')
      .replace('kinds: domain domain domain\n', '')
    const { grid } = await readVolume(put('slice.nrrd', slice, '\n', voxels))
    expect(grid.shape).toEqual([2, 2, 1])
    expect(Math.abs(grid.direction[8])).toBe(1)
  })
  test('units of axes without a space, and bytes skipped behind compression', async () => {
    const head =
      'NRRD0004\ntype: uint8\ndimension: 3\nsizes: 2 1 1\nspacings: 1 2 3\nunits: "cm" "mm" "um"\nencoding: gzip\n'
    const volume = await readVolume(put('skip.nrrd', head, 'byte skip: 3\n\n', gzipSync('xyz\x05\x06')))
    expect([...volume.data]).toEqual([5, 6])
    expect(volume.grid.spacing.map((mm) => Number(mm.toFixed(9)))).toEqual([10, 2, 0.003])
  })
  test('channels in the middle', async () => {
    const middle = nrrdText
      .replace('dimension: 3', 'dimension: 4')
      .replace('2 1 2', '2 2 1 1')
      .replace('kinds: domain', 'kinds: domain list')
      .replace('(0,2,0)', '(0,2,0) none')
    const volume = await readVolume(put('middle.nrrd', middle, '\n', voxels))
    expect([volume.grid.shape, volume.channels, [...volume.data]]).toEqual([[2, 1, 1], 2, [1, 2, 3, -4]])
  })
  test('compressed MetaImage without a size', async () => {
    const packed = meta.replace('CompressedData = False', 'CompressedData = True')
    expectTruth(await readVolume(put('unsized.mha', packed, 'LOCAL\n', deflateSync(voxels))))
    expectTruth(await readVolume(put('gzip.mha', packed, 'LOCAL\n', gzipSync(voxels))))
  })
  test('MET_LONG has four bytes', async () => {
    const long = meta.replace('MET_SHORT', 'MET_LONG').replace('DimSize = 2 1 2', 'DimSize = 2 1 1')
    expect([...(await readVolume(put('long.mha', long, 'LOCAL\n', voxels))).data]).toEqual([0x10002, 0x3fffc])
  })
  test('a header of 100,000 keys takes linear time, one without end is refused', async () => {
    const keys = Array.from({ length: 100_000 }, (_, n) => `key ${n}:=${n}\n`).join('')
    const start = performance.now()
    expectTruth(await readVolume(put('keys.nrrd', nrrdText, keys, '\n', voxels)))
    expectTruth(await readVolume(put('keys.mha', keys.replaceAll(':=', ' = '), meta, 'LOCAL\n', voxels)))
    expect(performance.now() - start).toBeLessThan(5000)
    await expect(readVolume(put('endless.nrrd', nrrdText, 'a:=b\n'.repeat(4e6)))).rejects.toThrow(
      'has a header without an end',
    )
  }, 30_000)
})

describe('one flipped bit of compressed data', () => {
  const size = 4000
  const data = new Uint8Array(size).map((_, n) => (n * n) >> 9)
  const nrrd = 'NRRD0004\ntype: uint8\ndimension: 3\nsizes: 20 20 10\nencoding: gzip\n\n'
  const meta =
    'ObjectType = Image\nNDims = 3\nBinaryData = True\nCompressedData = True\n' +
    'DimSize = 20 20 10\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n'
  test.each([
    ['flip.nrrd', nrrd, gzipSync(data)],
    ['flip.mha', meta, deflateSync(data)],
  ])('%s', async (name, head, packed) => {
    let refused = 0
    for (let bit = 0; bit < 8 * packed.length; bit += 13) {
      const flipped = packed.slice()
      flipped[bit >> 3] ^= 1 << (bit & 7)
      const path = put(name, head, flipped)
      const read = await readVolume(path).catch((error) => {
        if (!(error instanceof InputError)) throw error
        refused++
        return undefined
      })
      if (read) expect(Buffer.compare(bytesOf(read.data), data), `bit ${bit}`).toBe(0)
    }
    expect(refused).toBeGreaterThan((8 * packed.length) / 13 - 20)
  })
})
