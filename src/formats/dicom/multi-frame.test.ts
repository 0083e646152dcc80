import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../../volume/errors.ts'
import { worldPosition } from '../../volume/grid.ts'
import {
  bigEndian,
  deflated,
  dicomFile,
  type Elements,
  encapsulatedFile,
  explicitVr,
  type FramesRecipe,
  frameElements,
  implicit,
  sliceElements,
  withElements,
} from '../testing/dicom-bytes.ts'
import { readVolume } from '../volume-file.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(root, { recursive: true }))

let count = 0
function put(bytes: Uint8Array, ending = '.dcm'): string {
  const path = join(root, `${count++}${ending}`)
  writeFileSync(path, bytes)
  return path
}
const read = (elements: Elements, options = {}) => readVolume(put(dicomFile(elements, options)))
async function fault(elements: Elements, options = {}): Promise<string> {
  const error = await read(elements, options).catch((error) => error)
  expect(error).toBeInstanceOf(InputError)
  return error.fault
}

/** Frames of 4 columns × 3 rows, the frame at z = 10 + 2.5·k holding 100·k + pixel. */
const recipe = (order: readonly number[]): FramesRecipe => ({
  rows: 3,
  columns: 4,
  pixels: order.flatMap((k) => Array.from({ length: 12 }, (_, n) => 100 * k + n)),
  positions: order.map((k) => [-3, -4, 10 + 2.5 * k]),
})
const frames = (order: readonly number[], more: Partial<FramesRecipe> = {}) =>
  frameElements({ ...recipe(order), ...more })
const ascending = [0, 1, 2, 3].flatMap((k) => Array.from({ length: 12 }, (_, n) => 100 * k + n))
const slice = sliceElements({
  rows: 2,
  columns: 3,
  pixels: Int16Array.of(-2, -1, 0, 1, 2, 3),
  position: [1, 2, 3],
  pixelSpacing: [2, 1.5],
})

describe('the frames of one file', () => {
  test('are ordered by position, with or without lengths of sequences', async () => {
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
      [2, 0, 3, 1],
    ]) {
      for (const delimited of [true, false]) {
        const { grid, data } = await read(frames(order), { delimited })
        expect([...data]).toEqual(ascending)
        expect(grid.shape).toEqual([4, 3, 4])
        expect(grid.spacing).toEqual([0.7, 0.9, 2.5]) // the spacing of rows comes first in DICOM
        expect(grid.origin).toEqual([3, 4, 10])
      }
    }
  })
  test('in oblique planes: each pixel lies where the standard says (PS3.3, C.7.6.2.1.1)', async () => {
    // Row and column of a rotation by angles without symmetry; LPS.
    const [a, b] = [0.4, 0.7]
    const row = [Math.cos(a), Math.sin(a) * Math.cos(b), Math.sin(a) * Math.sin(b)]
    const column = [-Math.sin(a), Math.cos(a) * Math.cos(b), Math.cos(a) * Math.sin(b)]
    const normal = [0, -Math.sin(b), Math.cos(b)]
    const first = [11, -7, 5]
    const at = (i: number, j: number, k: number) =>
      first.map((mm, n) => mm + row[n] * 0.7 * i + column[n] * 0.9 * j + normal[n] * 2.5 * k)
    const order = [1, 3, 0, 2]
    const { grid, data } = await read(
      frames(order, { orientation: [...row, ...column], positions: order.map((k) => at(0, 0, k)) }),
    )
    expect([...data]).toEqual(ascending)
    for (const voxel of [
      [0, 0, 0],
      [3, 0, 0],
      [0, 2, 0],
      [0, 0, 3],
      [3, 2, 3],
    ] as const) {
      const [l, p, s] = at(voxel[0], voxel[1], voxel[2])
      worldPosition(grid, voxel).forEach((mm, axis) => {
        expect(mm).toBeCloseTo([-l, -p, s][axis], 9)
      })
    }
  })
  test('have their rescaling from the shared group, or each its own', async () => {
    const scaling = (slope: number): Elements => [
      [
        0x00289145,
        'SQ',
        [
          [
            [0x00281052, 'DS', '-1024'],
            [0x00281053, 'DS', String(slope)],
          ],
        ],
      ],
    ]
    const alike = await read(frames([0, 1, 2, 3], { shared: scaling(2) }))
    expect(alike.scaling).toEqual({ slope: 2, intercept: -1024 })
    expect([...alike.data]).toEqual(ascending)
    const own = await read(frames([3, 2, 1, 0], { group: (n) => scaling(n === 3 ? 0.5 : 2) }))
    expect(own.scaling).toBeUndefined()
    expect([...own.data]).toEqual(ascending.map((value, n) => value * (n < 12 ? 0.5 : 2) - 1024))
  })
  test('have a group of their own before the shared one', async () => {
    const spacing: Elements = [[0x00289110, 'SQ', [[[0x00280030, 'DS', '3\\4']]]]]
    expect((await read(frames([0, 1], { group: () => spacing }))).grid.spacing).toEqual([4, 3, 2.5])
  })
  test('with half a rescaling, or one by 0, are refused', async () => {
    const values = (slope: string | undefined, intercept: string | undefined) =>
      fault(withElements(slice, [0x00281052, 'DS', intercept], [0x00281053, 'DS', slope]))
    expect(await values('2', undefined)).toContain('a RescaleSlope of 2 and a RescaleIntercept of (none)')
    expect(await values(undefined, '-1024')).toContain('a RescaleSlope of (none) and a RescaleIntercept of -1024')
    expect(await values('0', '0')).toContain('a RescaleSlope of 0')
    expect(
      (await read(withElements(slice, [0x00281052, 'DS', undefined], [0x00281053, 'DS', undefined]))).scaling,
    ).toBe(undefined)
  })
  test('are refused where they are not one volume', async () => {
    const content = (n: number): Elements => [[0x00209111, 'SQ', [[[0x00209128, 'UL', [1 + (n % 2)]]]]]]
    expect(await fault(frames([0, 0, 1, 1, 2, 2], { group: content }))).toBe(
      'has two frames at 10.00 mm (2 time points); give a file with one volume',
    )
    expect(await fault(frames([0, 1, 3, 4]))).toBe(
      'its frames are 5.00 mm apart after 2 frames, elsewhere 2.50 mm: one is missing or too many; complete the series',
    )
    const moved = recipe([0, 1, 2, 3]).positions.map(([x, y, z], n) => [n === 1 ? x + 1 : x, y, z])
    expect(await fault(frames([0, 1, 2, 3], { positions: moved }))).toContain('not stacked along a line')
    expect(
      await fault(
        frames([0, 1], {
          positions: [
            [0, 0, 0],
            [9, 0, 1],
          ],
        }),
      ),
    ).toContain('not stacked')
    expect(await fault(frames([0, 1], { orientation: [1, 0, 0, 0, 0.8, 0] }))).toContain('which is no rotation')
    expect(await fault(frames([0, 1], { orientation: [1, 0, 0, 0.1, 0.995, 0] }))).toContain('which is no rotation')
    expect(await fault(frames([0, 1], { pixelSpacing: [0, 1] }))).toContain('PixelSpacing of 0, 1 mm')
    expect(await fault(withElements(frames([0, 1]), [0x52009229, 'SQ', undefined]))).toContain('how large its pixels')
    const groups = [0x52009229, 0x52009230].map((tag) => [tag, 'SQ', undefined] as const)
    expect(await fault(withElements(frames([0, 1]), ...groups))).toBe(
      'has 2 frames and does not say where each lies; convert it to NIfTI, or give one file a slice',
    )
    expect(await fault(withElements(frames([0, 1]), [0x00280008, 'IS', '3']))).toContain('describes 2 of its 3 frames')
  })
  test('take exactly the bytes that the header promises', async () => {
    const bytes = new Uint8Array(2 * 24)
    const with_ = (pixels: Uint8Array) => frames([0, 1], { pixels })
    expect((await read(with_(bytes))).data.length).toBe(24)
    for (const length of [46, 50, 2]) {
      expect(await fault(with_(new Uint8Array(length)))).toBe(
        `has ${length} bytes of pixels where its header promises 48: it is damaged; copy or export it again`,
      )
    }
    const odd = { rows: 1, columns: 3, bits: 8, positions: [[0, 0, 0]], measures: [] }
    expect([...(await read(frameElements({ ...odd, pixels: Uint8Array.of(1, 2, 3) }))).data]).toEqual([1, 2, 3])
    expect(await fault(frameElements({ ...odd, pixels: new Uint8Array(5) }))).toContain('6 bytes of pixels')
  })
})

describe('the ways to write a data set', () => {
  test.each([explicitVr, implicit, deflated, bigEndian])('transfer syntax %s', async (syntax) => {
    for (const delimited of [false, true]) {
      const { grid, data } = await read(frames([1, 0, 2, 3]), { syntax, delimited })
      expect([[...data], grid.spacing]).toEqual([ascending, [0.7, 0.9, 2.5]])
      const signed = await read(slice, { syntax, delimited })
      expect([[...signed.data], signed.grid.spacing]).toEqual([
        [-2, -1, 0, 1, 2, 3],
        [1.5, 2, 1],
      ])
    }
  })
  test('32 bits that lie askew in memory, in either order', async () => {
    const pixels = [1, 70_000, 2 ** 32 - 1]
    const wide = withElements(frameElements({ rows: 1, columns: 3, bits: 32, positions: [[0, 0, 0]], pixels: [] }), [
      0x7fe00010,
      'OL',
      pixels,
    ])
    for (const syntax of [explicitVr, deflated, bigEndian]) {
      // Two bytes more or less before the pixels.
      for (const name of ['a', 'abc']) {
        const { data } = await read(withElements(wide, [0x0008103e, 'LO', name]), { syntax })
        expect([...data]).toEqual(pixels)
      }
    }
  })
  test('a sequence of unknown type holds implicit VR', async () => {
    const [, , groups] = frames([0, 1]).filter(([tag]) => tag >= 0x52009229 || tag === 0x00080016)
    const body = dicomFile([groups], { syntax: implicit, delimited: true, preamble: false, meta: false })
    const head = Uint8Array.of(0x00, 0x52, 0x30, 0x92, 0x55, 0x4e, 0, 0, 255, 255, 255, 255) // UN, undefined length
    const known = frames([0, 1])
    const before = dicomFile(known.filter(([tag]) => tag < 0x52009230))
    const after = dicomFile(
      known.filter(([tag]) => tag > 0x52009230),
      { preamble: false, meta: false },
    )
    const { data, grid } = await readVolume(put(Buffer.concat([before, head, body.subarray(8), after])))
    expect([[...data], grid.spacing[2]]).toEqual([ascending.slice(0, 24), 2.5])
  })
  test('without a preamble, without meta information', async () => {
    for (const syntax of [explicitVr, implicit]) {
      for (const ending of ['.dcm', '']) {
        const bare = put(dicomFile(slice, { syntax, preamble: false, meta: false }), ending)
        expect([...(await readVolume(bare)).data]).toEqual([-2, -1, 0, 1, 2, 3])
      }
    }
    expect((await readVolume(put(dicomFile(slice, { preamble: false }), ''))).data.length).toBe(6)
  })
  test('bytes in big-endian words change places', async () => {
    const bytes = frameElements({ rows: 1, columns: 4, bits: 8, positions: [[0, 0, 0]], pixels: [] })
    const words = withElements(bytes, [0x7fe00010, 'OW', Uint8Array.of(2, 1, 4, 3)])
    expect([...(await read(words, { syntax: bigEndian })).data]).toEqual([1, 2, 3, 4])
    expect([...(await read(words)).data]).toEqual([2, 1, 4, 3])
  })
  test('bits above BitsStored are not part of a number', async () => {
    const twelve = (signed: number) =>
      withElements(
        slice,
        [0x00280101, 'US', [12]],
        [0x00280102, 'US', [11]],
        [0x00280103, 'US', [signed]],
        [0x7fe00010, 'OW', [0xf001, 0x0fff, 0x1800, 0x07ff, 0, 0x8002]],
      )
    expect([...(await read(twelve(0))).data]).toEqual([1, 4095, 2048, 2047, 0, 2])
    expect([...(await read(twelve(1))).data]).toEqual([1, -1, -2048, 2047, 0, 2])
  })
  test('fragments that are plain, or deflated one by one', async () => {
    const { deflateRawSync } = await import('node:zlib')
    const { pixels } = recipe([0, 1])
    const plain = [0, 1].map((n) => Buffer.from(Uint16Array.from(pixels.slice(12 * n, 12 * n + 12)).buffer))
    for (const [syntax, parts] of [
      ['1.2.840.10008.1.2.1.98', plain],
      ['1.2.840.10008.1.2.8.1', plain.map((part) => deflateRawSync(part))],
    ] as const) {
      const path = put(encapsulatedFile(frames([0, 1]), parts, syntax))
      expect([...(await readVolume(path)).data]).toEqual([...pixels])
    }
  })
})

describe('what is not an image of one quantity', () => {
  test.each([
    ['1.2.840.10008.5.1.4.1.1.481.3', 'is an RT Structure Set (contours)'],
    ['1.2.840.10008.5.1.4.1.1.481.2', 'is an RT Dose'],
    ['1.2.840.10008.5.1.4.1.1.481.5', 'is a radiotherapy object without an image'],
    ['1.2.840.10008.5.1.4.1.1.88.33', 'is a Structured Report'],
    ['1.2.840.10008.5.1.4.1.1.104.1', 'is an encapsulated document (PDF, STL)'],
    ['1.2.840.10008.5.1.4.1.1.30', 'is a Parametric Map'],
    ['1.2.840.10008.1.3.10', 'is a DICOMDIR'],
    ['1.2.840.10008.5.1.4.1.1.4.3', 'is an Enhanced MR image in colour'],
    ['1.2.9', 'is a DICOM object of class 1.2.9'],
  ])('%s is refused by name', async (uid, words) => {
    expect(await fault(withElements(slice, [0x00080016, 'UI', uid]))).toContain(words)
  })
  test('colours, contradicting classes, pixels of unknown size', async () => {
    expect(await fault(withElements(slice, [0x00280002, 'US', [3]], [0x00280004, 'CS', 'RGB']))).toContain(
      'in colour (RGB)',
    )
    expect(await fault(withElements(slice, [0x00280030, 'DS', undefined]))).toContain('how large its pixels are')
    expect(await fault(withElements(slice, [0x00280102, 'US', [7]]))).toContain('the highest being bit 7')
    expect(await fault(withElements(slice, [0x00280010, 'DS', '2 ']))).toContain('its Rows is of type DS, not US')
    expect(await fault(withElements(slice, [0x00200032, 'DS', '1\\2,5\\3']))).toContain(
      'ImagePositionPatient is not 3 numbers',
    )
    const bytes = Buffer.from(dicomFile(slice))
    bytes.write('4', bytes.indexOf('1.2.840.10008.5.1.4.1.1.2') + 24)
    await expect(readVolume(put(bytes))).rejects.toThrow('names two SOP classes')
  })
  const oddities =
    'elements out of order, too many numbers, several samples of grey, a class in the meta information alone'
  test(oddities, async () => {
    const [first, second, ...rest] = slice
    expect(await fault([second, first, ...rest])).toContain('its elements are not in order')
    expect(await fault(withElements(slice, [0x00280030, 'DS', '1\\1\\1']))).toContain(
      'its PixelSpacing is not 2 numbers',
    )
    expect(await fault(withElements(slice, [0x00280002, 'US', [3]]))).toContain('pixels in colour')
    const bytes = Buffer.from(dicomFile(withElements(slice, [0x00080016, 'UI', '1.2.840.10008.1.3.10'])))
    bytes[bytes.indexOf(Uint8Array.of(8, 0, 0x16, 0)) + 2] = 0x15 // the class becomes another element
    await expect(readVolume(put(bytes))).rejects.toThrow('is a DICOMDIR')
  })
  test('codings that nobody decodes are named', async () => {
    expect(await fault(slice, { syntax: '1.2.840.10008.1.2.4.201' })).toContain('High-Throughput JPEG 2000')
    expect(await fault(slice, { syntax: '1.2.9' })).toContain('unknown transfer syntax 1.2.9')
    expect(await fault(slice, { syntax: '1.2.840.10008.1.2.4.70' })).toContain('not stored as its transfer syntax says')
  })
})

describe('damage', () => {
  test('a file cut anywhere is refused, or right where only its padding is lost', async () => {
    const whole = dicomFile(frames([0, 1]), { delimited: true })
    for (let length = 1; length < whole.length; length++) {
      await expect(readVolume(put(whole.subarray(0, length))), String(length)).rejects.toThrow(InputError)
    }
  })
  test('sequences nested without end', async () => {
    const open = Uint8Array.of(
      8,
      0,
      0x40,
      0x11,
      0x53,
      0x51,
      0,
      0,
      255,
      255,
      255,
      255,
      254,
      255,
      0,
      224,
      255,
      255,
      255,
      255,
    )
    const bytes = Buffer.concat([dicomFile([]), ...Array.from({ length: 50_000 }, () => open)])
    await expect(readVolume(put(bytes))).rejects.toThrow('nested too deep')
  })
})

describe('a folder', () => {
  const folder = (): string => {
    const path = join(root, `folder-${count++}`)
    mkdirSync(path)
    return path
  }
  const sliceAt = (k: number) => withElements(slice, [0x00200032, 'DS', `1\\2\\${3 * k}`])
  test('with links, other files and slices without a preamble is read', async () => {
    const path = folder()
    for (const k of [0, 1, 2])
      writeFileSync(join(path, `${k}`), dicomFile(sliceAt(k), { preamble: k > 0, meta: k > 0 }))
    symlinkSync(root, join(path, 'elsewhere'))
    writeFileSync(join(path, 'notes.txt'), 'words')
    writeFileSync(join(path, '._0.dcm'), 'of macOS')
    writeFileSync(join(path, 'DICOMDIR'), dicomFile(withElements(slice, [0x00080016, 'UI', '1.2.840.10008.1.3.10'])))
    expect((await readVolume(path)).grid.shape).toEqual([3, 2, 3])
  })
  test('of several series names them; one whose slices lie deeper says so', async () => {
    const path = folder()
    for (const [n, name] of ['T1', 'T2', 'T2'].entries()) {
      const about = [
        [0x0008103e, 'LO', name],
        [0x0020000e, 'UI', `1.${name.charCodeAt(1)}`],
        [0x00200011, 'IS', '7'],
      ] as const
      writeFileSync(join(path, `${n}.dcm`), dicomFile(withElements(sliceAt(n), ...about)))
    }
    await expect(readVolume(path)).rejects.toThrow(
      'holds 2 DICOM series: 7 "T2" (2 files), 7 "T1" (1 file); give a folder with one series',
    )
    const outer = folder()
    mkdirSync(join(outer, 'a'))
    await expect(readVolume(outer)).rejects.toThrow('is a folder without DICOM files; it has 1 folders in it: give one')
  })
  test('does not pass over a damaged slice', async () => {
    const path = folder()
    for (const k of [0, 1]) writeFileSync(join(path, `${k}.dcm`), dicomFile(sliceAt(k)))
    writeFileSync(join(path, '2.dcm'), dicomFile(sliceAt(2)).subarray(0, 100))
    await expect(readVolume(path)).rejects.toThrow(`${join(path, '2.dcm')}: cannot be read as DICOM`)
  })
  test('with signed and unsigned slices keeps all their numbers', async () => {
    const path = folder()
    const unsigned = withElements(sliceAt(1), [0x00280103, 'US', [0]], [0x7fe00010, 'OW', [65535, 0, 1, 2, 3, 4]])
    for (const [k, each] of [sliceAt(0), unsigned].entries()) writeFileSync(join(path, `${k}`), dicomFile(each))
    expect([...(await readVolume(path)).data]).toEqual([-2, -1, 0, 1, 2, 3, 65535, 0, 1, 2, 3, 4])
  })
  test('with a segmentation of the same series names it', async () => {
    const path = folder()
    const class_ = [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.66.4'] as const
    for (const [k, each] of [sliceAt(0), withElements(sliceAt(1), class_)].entries())
      writeFileSync(join(path, `${k}`), dicomFile(each))
    await expect(readVolume(path)).rejects.toThrow(`${join(path, '1')}: is a segmentation among the 2 files`)
  })
})
