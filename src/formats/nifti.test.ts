import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { InputError } from '../volume/errors.ts'
import { createGrid, worldPosition } from '../volume/grid.ts'
import type { Volume } from '../volume/volume.ts'
import { gunzip } from './gunzip.ts'
import { decodeNifti, decodeNiftiPair, encodeNifti } from './nifti.ts'
import { type NiftiRecipe, niftiBytes } from './testing/nifti-bytes.ts'

const decode = (recipe: NiftiRecipe) => decodeNifti(niftiBytes(recipe), 'a.nii')

describe('element types', () => {
  const setters = {
    2: ['setUint8', 1, [0, 1, 255]],
    256: ['setInt8', 1, [-128, 0, 127]],
    4: ['setInt16', 2, [-32768, 0, 32767]],
    512: ['setUint16', 2, [0, 1, 65535]],
    8: ['setInt32', 4, [-(2 ** 31), 0, 2 ** 31 - 1]],
    768: ['setUint32', 4, [0, 1, 2 ** 32 - 1]],
    16: ['setFloat32', 4, [-1.5, 0, 2 ** 100]],
    64: ['setFloat64', 8, [Math.PI, -0, 1e300]],
  } as const
  for (const [code, [setter, size, values]] of Object.entries(setters)) {
    for (const little of [true, false]) {
      for (const version of [1, 2] as const) {
        test(`${setter} ${little ? 'little' : 'big'}-endian, NIfTI-${version}`, () => {
          const voxels = new Uint8Array(3 * size)
          const view = new DataView(voxels.buffer)
          values.forEach((value, n) => {
            view[setter](n * size, value, little)
          })
          const bytes = niftiBytes({ version, little, datatype: Number(code), voxels, dim: [3, 3, 1, 1, 1, 1, 1, 1] })
          const before = bytes.slice()
          const volume = decodeNifti(bytes, 'a.nii')
          expect([...volume.data]).toEqual([...values])
          expect(volume.grid.shape).toEqual([3, 1, 1])
          expect(bytes, 'the input is left alone').toEqual(before)
          const again = encodeNifti(volume)
          // bitpix and scl_slope are the only fields that the recipe leaves out
          expect(decodeNifti(again, 'b.nii')).toEqual({ ...volume, header: expect.anything() })
          expect(again.subarray(-voxels.length)).toEqual(voxels)
        })
      }
    }
  }

  test('64-bit integers become float64 where that is exact', () => {
    const integers = (values: bigint[], type: typeof BigInt64Array | typeof BigUint64Array) =>
      new Uint8Array(new type(values).buffer)
    const dim = [3, 2, 1, 1, 1, 1, 1, 1]
    const signed = decode({ datatype: 1024, dim, voxels: integers([-(2n ** 53n), 7n], BigInt64Array) })
    expect(signed.data).toEqual(Float64Array.of(-(2 ** 53), 7))
    const unsigned = decode({ datatype: 1280, dim, voxels: integers([2n ** 63n, 2n ** 53n], BigUint64Array) })
    expect(unsigned.data).toEqual(Float64Array.of(2 ** 63, 2 ** 53))
    expect(() => decode({ datatype: 1024, dim, voxels: integers([1n, 2n ** 53n + 1n], BigInt64Array) })).toThrow(
      new InputError(
        'a.nii',
        'has int64 voxels beyond 2^53, which halfdice cannot hold exactly; convert it to float64 or int32',
      ),
    )
  })

  test.each([0, 1, 32, 128, 1536, 1792, 2048, 2304, 777])('datatype %i is refused', (datatype) => {
    expect(() => decode({ datatype, voxels: new Uint8Array(1000) })).toThrow(/has voxels that are .*convert it$/)
  })
})

describe('shape', () => {
  const shapeOf = (dim: number[]) => {
    const count = dim.slice(1, dim[0] + 1).reduce((product, n) => product * Math.max(1, n), 1)
    const { grid, channels } = decode({
      dim: [...dim, ...Array(8 - dim.length).fill(1)],
      voxels: new Uint8Array(count),
    })
    return [...grid.shape, channels]
  }
  test('one to seven axes, of which one beyond z may hold channels', () => {
    expect(shapeOf([1, 5])).toEqual([5, 1, 1, 1])
    expect(shapeOf([2, 5, 4])).toEqual([5, 4, 1, 1])
    expect(shapeOf([3, 5, 4, 3])).toEqual([5, 4, 3, 1])
    expect(shapeOf([4, 5, 4, 3, 2])).toEqual([5, 4, 3, 2])
    expect(shapeOf([4, 5, 4, 3, 0])).toEqual([5, 4, 3, 1])
    expect(shapeOf([5, 5, 4, 3, 1, 2])).toEqual([5, 4, 3, 2])
    expect(shapeOf([7, 5, 4, 3, 1, 1, 1, 6])).toEqual([5, 4, 3, 6])
    expect(shapeOf([3, 5, 4, 3, 0, 0, 0, 0])).toEqual([5, 4, 3, 1])
  })
  test('what is no image is refused', () => {
    expect(() => shapeOf([5, 5, 4, 3, 2, 2])).toThrow('more than one axis beyond x, y, z (shape 5×4×3×2×2)')
    expect(() => shapeOf([3, 5, 0, 3])).toThrow('has no voxels (shape 5×0×3)')
    expect(() => shapeOf([3, 5, -4, 3])).toThrow('has no voxels')
    expect(() => decode({ dim: [0, 1, 1, 1, 1, 1, 1, 1] })).toThrow('claims 0 dimensions')
    expect(() => decode({ dim: [8, 1, 1, 1, 1, 1, 1, 1] })).toThrow('claims 8 dimensions')
    const huge = 2 ** 40
    expect(() => decode({ version: 2, dim: [3, huge, huge, huge, 1, 1, 1, 1] })).toThrow('claims')
    expect(() => decode({ dim: [3, 1000, 1000, 1000, 1, 1, 1, 1] })).toThrow(
      'a.nii: is truncated: 1000×1000×1000 uint8 voxels need 1000000352 bytes, it has 360; get it again',
    )
  })
})

describe('geometry', () => {
  // Columns of lengths 2, 3 and 4: x to world y, y to world −x, z to world z.
  const srow = [0, -3, 0, 10, 2, 0, 0, 20, 0, 0, 4, 30]
  const rotation = { quatern: [0, 0, Math.SQRT1_2], qoffset: [1, 2, 3], pixdim: [1, 5, 6, 7, 1, 1, 1, 1] }
  test('the sform comes first, its columns give the spacing', () => {
    const { grid } = decode({ sformCode: 2, srow, qformCode: 1, ...rotation })
    expect(grid.spacing).toEqual([2, 3, 4])
    expect(grid.origin).toEqual([10, 20, 30])
    expect(grid.direction).toEqual([0, -1, 0, 1, 0, 0, 0, 0, 1])
  })
  test('then the qform, a quarter turn about z, with and without qfac', () => {
    const { grid } = decode({ version: 2, srow, qformCode: 1, ...rotation })
    expect(grid.spacing.map((mm) => Number(mm.toFixed(12)))).toEqual([5, 6, 7])
    expect(worldPosition(grid, [1, 1, 1]).map((mm) => Number(mm.toFixed(12)))).toEqual([1 - 6, 2 + 5, 3 + 7])
    const mirrored = decode({ version: 2, qformCode: 1, ...rotation, pixdim: [-1, 5, 6, 7, 1, 1, 1, 1] }).grid
    expect(worldPosition(mirrored, [1, 1, 1]).map((mm) => Number(mm.toFixed(12)))).toEqual([1 - 6, 2 + 5, 3 - 7])
  })
  test("then nibabel's base affine: x flipped, centre of the image at the world's origin", () => {
    const { grid } = decode({ srow, ...rotation })
    expect(grid).toEqual({
      shape: [2, 2, 2],
      spacing: [5, 6, 7],
      origin: [2.5, -3, -3.5],
      direction: [-1, 0, 0, 0, 1, 0, 0, 0, 1],
    })
  })
  test('metres and micrometres become millimetres and are written back as they were', () => {
    for (const [units, mm] of [
      [1, 1000],
      [3, 0.001],
      [0, 1],
      [2 + 8, 1],
    ]) {
      const volume = decode({ version: 2, sformCode: 1, srow, units })
      volume.grid.spacing.forEach((value, axis) => {
        expect(value).toBeCloseTo([2, 3, 4][axis] * mm, 12)
      })
      expect(volume.grid.origin[0]).toBeCloseTo(10 * mm, 12)
      const moved = { ...volume, grid: { ...volume.grid, origin: [5 * mm, 6 * mm, 7 * mm] as const } }
      const again = encodeNifti(moved)
      expect(new DataView(again.buffer).getInt32(500, true)).toBe(units)
      expect(new DataView(again.buffer).getFloat64(400 + 24, true)).toBeCloseTo(5, 12)
    }
  })
  test('an image without depth may leave its third column empty', () => {
    const flat = [2, 0, 0, 1, 0, 3, 0, 2, 0, 0, 0, 3]
    const dim = [2, 4, 2, 1, 1, 1, 1, 1]
    expect(decode({ dim, sformCode: 1, srow: flat }).grid).toMatchObject({
      spacing: [2, 3, 1],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    })
    expect(decode({ dim, pixdim: [0, 2, 3, 0, 0, 0, 0, 0] }).grid.spacing).toEqual([2, 3, 1])
  })
  test('no affine, no image', () => {
    expect(() => decode({ sformCode: 1, srow: Array(12).fill(0) })).toThrow('its sform gives spacing 0, 0, 0 mm')
    expect(() => decode({ sformCode: 1, srow: [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0] })).toThrow(
      'its sform gives directions that map voxels onto a plane or a line',
    )
    expect(() => decode({ sformCode: 1, srow: srow.with(3, Number.NaN) })).toThrow('its sform holds NaN')
    expect(() => decode({ pixdim: [1, 1, 0, 1, 1, 1, 1, 1] })).toThrow('its voxel size pixdim[2] is 0; set it')
    expect(() => decode({ pixdim: [1, 1, Number.NaN, 1, 1, 1, 1, 1] })).toThrow('its voxel size pixdim[2] is NaN')
    expect(() => decode({ qformCode: 1, quatern: [3, 0, 0] })).toThrow('its qform is no rotation')
  })
})

test('a cifti file is named as what it is', () => {
  const dim = [6, 1, 1, 1, 1, 2, 4, 1]
  const fault = 'is a cifti file (dscalar, intent code 3006), a table of surface data; give an image of voxels'
  for (const version of [1, 2] as const) {
    expect(() => decode({ version, dim, intentCode: 3006 })).toThrow(new InputError('a.nii', fault))
  }
  expect(() => decode({ dim, intentCode: 3099 })).toThrow('is a cifti file (intent code 3099)')
})

test.each([-352, 100, 351, 352.5, 4e9, Number.NaN, Number.POSITIVE_INFINITY])('vox_offset %d is refused', (offset) => {
  const bytes = niftiBytes({})
  new DataView(bytes.buffer).setFloat32(108, offset, true)
  expect(() => decodeNifti(bytes, 'a.nii')).toThrow(/says that its voxels begin at byte .* \(vox_offset\)/)
})

test('scaling: none for slope 0, NaN or ∞, and for 1 and 0', () => {
  expect(decode({ slope: 2, inter: -1 }).scaling).toEqual({ slope: 2, intercept: -1 })
  for (const slope of [0, Number.NaN, Number.POSITIVE_INFINITY])
    expect(decode({ slope, inter: 3 }).scaling).toBeUndefined()
  expect(decode({ slope: 1 }).scaling).toBeUndefined()
  expect(() => decode({ slope: 1, inter: Number.NaN })).toThrow('has scl_slope 1 but scl_inter NaN')
})

describe('what is read is written back', () => {
  const extension = new Uint8Array(4 + 32).map((_, n) => (n === 0 ? 1 : n === 4 ? 32 : n * 7))
  const recipe: NiftiRecipe = {
    sformCode: 4,
    srow: [0.1, 0, 0, -3.3, 0, -0.7, 0, 1, 0, 0, 2, 7],
    qformCode: 2,
    quatern: [0.5, 0.5, 0.5],
    units: 10,
    descrip: 'as it was',
    intentCode: 1002,
    slope: 0.5,
    inter: 2,
    extension,
    voxels: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  }
  for (const version of [1, 2] as const) {
    for (const little of [true, false]) {
      test(`byte by byte, NIfTI-${version} ${little ? 'little' : 'big'}-endian`, () => {
        const bytes = niftiBytes({ ...recipe, version, little })
        new DataView(bytes.buffer).setInt16(version === 1 ? 72 : 14, 8, little) // bitpix
        expect(encodeNifti(decodeNifti(bytes, 'a.nii'))).toEqual(bytes)
      })
    }
  }
  test('a derived volume differs in type, scaling and channels only', () => {
    const bytes = niftiBytes(recipe)
    const volume = decodeNifti(bytes, 'a.nii')
    const { scaling: _, ...unscaled } = volume
    const derived: Volume = { ...unscaled, channels: 3, data: new Float32Array(24).map((_, n) => n / 24) }
    const out = encodeNifti(derived)
    expect(decodeNifti(out, 'b.nii')).toEqual({ ...derived, header: expect.anything() })
    const changed = [...out.subarray(0, 352 + 32).keys()].filter((at) => out[at] !== bytes[at])
    const fields = { dim: [40, 56], datatype: [70, 74], slope: [112, 120] }
    for (const at of changed) {
      expect(
        Object.values(fields).some(([from, to]) => at >= from && at < to),
        `byte ${at}`,
      ).toBe(true)
    }
  })
  test('a cropped volume keeps codes, units and description but gets its own geometry', () => {
    const volume = decodeNifti(niftiBytes({ ...recipe, version: 2 }), 'a.nii')
    const grid = { ...volume.grid, shape: [1, 2, 2] as const, origin: worldPosition(volume.grid, [1, 0, 0]) }
    const again = decodeNifti(encodeNifti({ ...volume, grid, data: new Uint8Array(4) }), 'b.nii')
    expect(again.grid.shape).toEqual([1, 2, 2])
    again.grid.origin.forEach((mm, axis) => {
      expect(mm).toBeCloseTo(grid.origin[axis], 12)
    })
    const view = new DataView((again.header as { bytes: Uint8Array<ArrayBuffer> }).bytes.buffer)
    expect([view.getInt32(344, true), view.getInt32(348, true), view.getInt32(500, true)]).toEqual([2, 4, 10])
  })
  test('a pair becomes a single file and keeps its extension', () => {
    const hdr = niftiBytes({ ...recipe, pair: true })
    const img = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    const volume = decodeNiftiPair(hdr, img, 'a.hdr', 'a.img')
    const single = niftiBytes(recipe)
    new DataView(single.buffer).setInt16(72, 8, true)
    expect(encodeNifti(volume)).toEqual(single)
    expect(() => decodeNifti(hdr, 'a.hdr')).toThrow('is the header of a .hdr/.img pair')
    expect(() => decodeNiftiPair(single, img, 'a.nii', 'a.img')).toThrow('is a single-file NIfTI image')
    expect(() => decodeNiftiPair(hdr, img.subarray(1), 'a.hdr', 'a.img')).toThrow('a.img: is truncated')
  })
})

describe('new volumes', () => {
  test('NIfTI-1 in mm with matching sform and qform', () => {
    const [c, s] = [Math.cos(0.3), Math.sin(0.3)]
    const grid = {
      shape: [2, 3, 4] as const,
      spacing: [0.5, 1, 2.5] as const,
      origin: [-10, 20, 0.25] as const,
      direction: [-c, 0, s, 0, 1, 0, s, 0, c] as const, // a reflection: qfac −1
    }
    const bytes = encodeNifti({ grid, channels: 1, data: new Int16Array(24) })
    const view = new DataView(bytes.buffer)
    expect([view.getInt32(0, true), view.getInt16(252, true), view.getInt16(254, true), bytes[123]]).toEqual([
      348, 1, 1, 2,
    ])
    const bySform = decodeNifti(bytes, 's').grid
    view.setInt16(254, 0, true)
    const byQform = decodeNifti(bytes, 'q').grid
    for (const got of [bySform, byQform]) {
      for (const corner of [
        [0, 0, 0],
        [1, 2, 3],
      ] as const) {
        const expected = worldPosition(grid, corner)
        worldPosition(got, corner).forEach((mm, axis) => {
          expect(mm).toBeCloseTo(expected[axis], 5) // float32 fields
        })
      }
    }
  })
  test('a sheared grid has no qform; a long axis asks for NIfTI-2', () => {
    const sheared = { ...createGrid([2, 2, 2]), direction: [1, Math.SQRT1_2, 0, 0, Math.SQRT1_2, 0, 0, 0, 1] as const }
    const bytes = encodeNifti({ grid: sheared, channels: 1, data: new Uint8Array(8) })
    expect(new DataView(bytes.buffer).getInt16(252, true)).toBe(0)
    const long = encodeNifti({ grid: createGrid([40000, 1, 1]), channels: 1, data: new Uint8Array(40000) })
    expect(new DataView(long.buffer).getInt32(0, true)).toBe(540)
    expect(decodeNifti(long, 'long').grid).toEqual(createGrid([40000, 1, 1]))
    const source = decode({ sformCode: 3, srow: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0], descrip: 'kept', little: false })
    const upgraded = encodeNifti({ ...source, grid: createGrid([40000, 1, 1]), data: new Uint8Array(40000) })
    expect(new DataView(upgraded.buffer).getInt32(0, false)).toBe(540)
    expect(new TextDecoder().decode(upgraded.subarray(240, 244))).toBe('kept')
    expect(new DataView(upgraded.buffer).getInt32(348, false)).toBe(3)
  })
})

describe('what is no NIfTI image gets one sentence', () => {
  const good = niftiBytes({})
  test.each([
    ['is empty', new Uint8Array(0)],
    ['is no image that halfdice knows', new TextEncoder().encode('hello, world')],
    ['is no image that halfdice knows', Uint8Array.of(1, 2)],
    ['ends within its 348-byte NIfTI header', good.subarray(0, 300)],
    ['is gzip-compressed; decompress it first', gzipSync(good)],
    ['is truncated', good.subarray(0, -1)],
    ['holds more data than its header promises (2×2×2 uint8 voxels)', Uint8Array.of(...good, 1)],
    ['an ANALYZE 7.5 header', good.map((byte, at) => (at >= 344 && at < 348 ? 0 : byte))],
    ['has a wrong NIfTI-2 magic', niftiBytes({ version: 2 }).map((byte, at) => (at === 5 ? 0 : byte))],
    ['in text mode', niftiBytes({ version: 2 }).map((byte, at) => (at === 8 ? 0x0a : byte))],
    ['begin at byte 100 (vox_offset)', niftiBytes({ voxOffset: 100 })],
    ['begin at byte -1 (vox_offset)', niftiBytes({ voxOffset: -1 })],
    ['begin at byte 352.5 (vox_offset)', niftiBytes({}).with(111, 0x43).with(110, 0xb0).with(109, 0x40)],
  ])('%s', (fault, bytes) => {
    expect(() => decodeNifti(bytes, 'a.nii')).toThrow(InputError)
    expect(() => decodeNifti(bytes, 'a.nii')).toThrow(fault)
  })
  test('zeros after the voxels are padding, and vox_offset 0 means 352', () => {
    expect(decodeNifti(Uint8Array.of(...good, 0, 0), 'a.nii').data.length).toBe(8)
    const zero = niftiBytes({ voxels: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) })
    new DataView(zero.buffer).setFloat32(108, 0, true)
    expect([...decodeNifti(zero, 'a.nii').data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })
})

test('gunzip inflates and names damage', async () => {
  const packed = new Uint8Array(gzipSync(niftiBytes({})))
  expect(await gunzip(packed, 'a.nii.gz')).toEqual(niftiBytes({}))
  for (const bytes of [packed.slice(0, -5), packed.with(14, packed[14] ^ 0xff), packed.with(-6, packed.at(-6)! ^ 1)]) {
    await expect(gunzip(bytes, 'a.nii.gz')).rejects.toThrow('a.nii.gz: is a truncated or damaged gzip file')
  }
})
