/** pydicom, dciodvfy (David Clunie's validator) and dcmqi are the oracles, each where it is installed. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { InputError } from '../../volume/errors.ts'
import { type Mat3, vec3, worldPosition } from '../../volume/grid.ts'
import type { Volume } from '../../volume/volume.ts'
import { bigEndian, implicit } from '../testing/dicom-bytes.ts'
import { seriesRecipes, writeSeries } from '../testing/dicom-series.ts'
import { pydicomPython, runPython } from '../testing/peers.ts'
import { readVolume, writeVolume } from '../volume-file.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(root, { recursive: true }))
const at = (name: string) => join(root, name)

let count = 0
const series = (recipe = {}) => writeSeries(at(`series${count++}`), recipe)

/** Labels 1 and 2 in all slices but the first, where the image is. */
async function labelMap(folder: string): Promise<Volume> {
  const { grid, header } = await readVolume(folder)
  const plane = grid.shape[0] * grid.shape[1]
  const data = Uint8Array.from({ length: plane * grid.shape[2] }, (_, n) =>
    n < plane ? 0 : [0, 1, 0, 2, 2, 0, 1][(n * 5 + Math.floor(n / plane)) % 7],
  )
  return {
    grid,
    channels: 1,
    data,
    header,
    labelNames: new Map([
      [1, 'liver'],
      [2, 'Größe'],
      [3, 'absent'],
    ]),
  }
}

/** Masks that share voxels. */
async function overlapping(folder: string): Promise<Volume> {
  const { labelNames: _, ...map } = await labelMap(folder)
  const masks = [map.data.map((label) => Number(label > 0)), map.data.map((label) => Number(label === 2))]
  const data = Uint8Array.from(masks.flatMap((mask) => [...mask]))
  return {
    ...map,
    channels: 2,
    data,
    labelNames: new Map([
      [1, 'whole'],
      [2, 'core'],
    ]),
  }
}

async function written(volume: Volume): Promise<string> {
  const path = at(`${count++}.dcm`)
  await writeVolume(path, volume)
  return path
}

/** The places (LPS, mm) of the voxels of each segment. */
function places({ grid, channels, data }: Volume, segment: number): string[] {
  const [nx, ny, nz] = grid.shape
  const count = nx * ny * nz
  const found: string[] = []
  for (let n = 0; n < count; n++) {
    const inside = channels > 1 ? data[(segment - 1) * count + n] === 1 : data[n] === segment
    if (!inside) continue
    const [x, y, z] = worldPosition(grid, [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))])
    found.push([-x, -y, z].map((mm) => (mm + 0).toFixed(3).replace(/^-0\.000$/, '0.000')).join(' '))
  }
  return found.sort()
}

const pydicomScript = `
import sys, json, numpy as np, pydicom
d = pydicom.dcmread(sys.argv[1])
# Types 1 and 2 of the modules that PS3.3, A.51 wants: patient, study, series, segmentation series, frame of reference,
# equipment, enhanced equipment, image, pixels, segmentation image, functional groups, dimensions, references, SOP.
one = '''StudyInstanceUID Modality SeriesInstanceUID SeriesNumber FrameOfReferenceUID Manufacturer ManufacturerModelName
DeviceSerialNumber SoftwareVersions ImageType InstanceNumber ContentLabel SamplesPerPixel PhotometricInterpretation Rows
Columns BitsAllocated BitsStored HighBit PixelRepresentation LossyImageCompression SegmentationType SegmentSequence
ContentDate ContentTime NumberOfFrames SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
DimensionOrganizationSequence DimensionIndexSequence ReferencedSeriesSequence SOPClassUID SOPInstanceUID
PixelData'''.split()
two = '''PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName StudyID
AccessionNumber PositionReferenceIndicator ContentDescription ContentCreatorName'''.split()
missing = [k for k in one if not hasattr(d, k) or getattr(d, k) in ('', None)] + [k for k in two if k not in d]
for s in d.SegmentSequence:
    missing += [k for k in '''SegmentNumber SegmentLabel SegmentAlgorithmType SegmentAlgorithmName
      SegmentedPropertyCategoryCodeSequence SegmentedPropertyTypeCodeSequence'''.split() if not getattr(s, k, '')]
shared = d.SharedFunctionalGroupsSequence[0]
o = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
dr, dc = map(float, shared.PixelMeasuresSequence[0].PixelSpacing)
frames = d.pixel_array.reshape(-1, d.Rows, d.Columns)
places, sources = {}, []
for bits, g in zip(frames, d.PerFrameFunctionalGroupsSequence):
    p = np.array(g.PlanePositionSequence[0].ImagePositionPatient, float)
    s = int(g.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
    for r, c in np.argwhere(bits):
        q = p + o[:3] * dc * c + o[3:] * dr * r
        places.setdefault(s, []).append(' '.join('%.3f' % (round(v, 3) + 0) for v in q))
    source = g.DerivationImageSequence[0].SourceImageSequence[0]
    sources.append([s, g.FrameContentSequence[0].DimensionIndexValues[1], source.ReferencedSOPInstanceUID])
series = d.ReferencedSeriesSequence[0]
print(json.dumps(dict(missing=missing, places={k: sorted(v) for k, v in places.items()}, sources=sources,
    names=[s.SegmentLabel for s in d.SegmentSequence], numbers=[s.SegmentNumber for s in d.SegmentSequence],
    patient=str(d.PatientName), id=d.PatientID, sex=d.PatientSex, study=d.StudyInstanceUID, frame=d.FrameOfReferenceUID,
    series=series.SeriesInstanceUID, instances=len(series.ReferencedInstanceSequence),
    meta=d.file_meta.MediaStorageSOPInstanceUID,
    own=d.SOPInstanceUID)))
`

interface Seen {
  readonly missing: string[]
  readonly places: Record<string, string[]>
  readonly sources: [segment: number, place: number, instance: string][]
  readonly names: string[]
  readonly numbers: number[]
  readonly [key: string]: unknown
}

describe.each(Object.entries(seriesRecipes))('beside a %s series', (_, recipe) => {
  test.skipIf(!pydicomPython)('pydicom finds every attribute, and every voxel at its place', async () => {
    for (const volume of [await labelMap(series(recipe)), await overlapping(series(recipe))]) {
      const path = await written(volume)
      const seen = runPython(pydicomPython ?? '', pydicomScript, path) as Seen
      expect(seen.missing).toEqual([])
      for (const segment of [1, 2]) expect(seen.places[segment]).toEqual(places(volume, segment))
      expect(seen.names).toEqual([...(volume.labelNames?.values() ?? [])])
      expect(seen.numbers).toEqual(seen.names.map((_, n) => n + 1))
      expect(seen).toMatchObject({ patient: 'Doe^Jane', id: 'P17', sex: 'F', study: '1.2.3.1', frame: '1.2.3.9' })
      expect(seen).toMatchObject({ series: '1.2.3.4', instances: 5, meta: seen.own })
      // Slice k is instance k + 1; the first one is empty.
      expect(seen.sources).toEqual([1, 2].flatMap((s) => [2, 3, 4, 5].map((k) => [s, k - 1, `1.2.3.4.${k}`])))
    }
  })

  test('halfdice reads what it wrote', async () => {
    const volume = await labelMap(series(recipe))
    const back = await readVolume(await written(volume))
    expect(back.grid.shape).toEqual([6, 4, 4])
    for (const segment of [1, 2]) expect(places(back, segment)).toEqual(places(volume, segment))
    expect(back.labelNames).toEqual(volume.labelNames)
    const both = await overlapping(series(recipe))
    const again = await readVolume(await written(both))
    expect(again.channels).toBe(2)
    for (const segment of [1, 2]) expect(places(again, segment)).toEqual(places(both, segment))
    // A segmentation of a segmentation refers to the images of the first.
    const second = await written({ ...again, data: again.data.slice() })
    expect(readFileSync(second).equals(readFileSync(await written(both)))).toBe(false)
    expect(await readVolume(second)).toMatchObject({ channels: 2, header: { seriesUid: '1.2.3.4' } })
  })

  const validator = spawnSync('dciodvfy', ['-version']).error === undefined
  test.skipIf(!validator)('dciodvfy has nothing to say', async () => {
    for (const volume of [await labelMap(series(recipe)), await overlapping(series(recipe))]) {
      const { stderr, status } = spawnSync('dciodvfy', [await written(volume)], { encoding: 'utf8' })
      expect(stderr.trim()).toBe('Segmentation')
      expect(status).toBe(0)
    }
  })

  test('dcmqi reads it', async () => {
    const volume = await labelMap(series(recipe))
    const path = await written(volume)
    // In a process of its own: its WebAssembly prints, and does not end.
    const script = `
      import { readSegmentationNode } from '@itk-wasm/dicom'
      const { segImage: { size, origin, data }, metaInfo } = await readSegmentationNode(process.argv[1])
      const names = metaInfo.segmentAttributes.flat().map((s) =>
        [s.labelID, s.SegmentLabel, s.recommendedDisplayRGBValue])
      console.log('\\n' + JSON.stringify({ size, origin, data: [...data], names }))
      process.exit(0)`
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, path], { encoding: 'utf8' })
    const seen = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '')
    expect(seen.size).toEqual([6, 4, 4])
    expect(seen.data).toEqual([...volume.data.subarray(24)])
    const [x, y, z] = worldPosition(volume.grid, [0, 0, 1])
    for (const [axis, mm] of [-x, -y, z].entries()) expect(seen.origin[axis]).toBeCloseTo(mm, 6)
    expect(seen.names.slice(0, 2)).toEqual([
      [1, 'liver', [0, 255, 0]],
      [2, 'Größe', [0, 0, 255]],
    ])
  }, 60_000)
})

describe('masks on other axes than the images', () => {
  /** The same voxels with axes in another order and direction. */
  function turnedRound(volume: Volume): Volume {
    const { grid, data } = volume
    const [nx, ny, nz] = grid.shape
    // New axes: k, i, then j the other way.
    const out = new Uint8Array(data.length)
    for (let k = 0, n = 0; k < nz; k++) {
      for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++, n++) out[((ny - 1 - j) * nx + i) * nz + k] = data[n]
    }
    const order = [2, 0, 1]
    const direction = [0, 1, 2].flatMap((world) =>
      order.map((axis) => grid.direction[3 * world + axis] * (axis === 1 ? -1 : 1)),
    ) as unknown as Mat3
    const turned = {
      shape: vec3((axis) => grid.shape[order[axis]]),
      spacing: vec3((axis) => grid.spacing[order[axis]]),
      origin: worldPosition(grid, [0, ny - 1, 0]),
      direction,
    }
    return { ...volume, grid: turned, data: out }
  }

  test('give the same file', async () => {
    const volume = await labelMap(series(seriesRecipes.turned))
    const [a, b] = [await written(volume), await written(turnedRound(volume))]
    expect(readFileSync(b).equals(readFileSync(a))).toBe(true)
  })

  test('of a part of the images are filled up with background', async () => {
    const volume = await labelMap(series())
    const { grid, data } = volume
    const part = { ...grid, shape: [6, 4, 2] as const, origin: worldPosition(grid, [0, 0, 2]) }
    const back = await readVolume(await written({ ...volume, grid: part, data: data.slice(48, 96) }))
    expect([...back.data]).toEqual([...data.slice(48, 96)])
    expect(back.grid.origin).toEqual(part.origin)
  })
})

describe('what it takes from the images', () => {
  test.each([
    ['implicit VR', implicit],
    ['big endian', bigEndian],
  ])('is read from %s too', async (_, syntax) => {
    const volumes = [await labelMap(series()), await labelMap(series({ syntax }))]
    const [a, b] = await Promise.all(volumes.map(written))
    expect(readFileSync(b).equals(readFileSync(a))).toBe(true)
  })

  test('names in any character set become UTF-8; without any, there is no character set', async () => {
    const more = [[0x00080005, 'CS', 'ISO_IR 144']] as const
    const { header, ...map } = await labelMap(series({ more }))
    const { header: cyrillic } = await labelMap(
      series({ more: [...more, [0x00100010, 'PN', Buffer.from([0xb8, 0xb2, 0xb0, 0xdd]) as never]] }),
    )
    const bytes = readFileSync(await written({ ...map, header: cyrillic, labelNames: new Map() }))
    expect(bytes.includes(Buffer.from('ИВАн'))).toBe(true)
    expect(bytes.includes('ISO_IR 192')).toBe(true)
    const plain = readFileSync(await written({ ...map, header, labelNames: new Map([[1, 'liver']]) }))
    expect(plain.includes('ISO_IR')).toBe(false)
  })

  test('patients are named in a segmentation only', async () => {
    const volume = await labelMap(series())
    for (const name of ['x.nii', 'x.nrrd', 'x.mha']) {
      await writeVolume(at(name), volume)
      const bytes = readFileSync(at(name))
      for (const text of ['Doe', 'P17', '1.2.3.1', '19500102']) expect(bytes.includes(text), name).toBe(false)
    }
    expect(readFileSync(await written(volume)).includes('Doe^Jane')).toBe(true)
  })
})

test('an empty mask is a frame of zeros; the same masks give the same bytes, others another identity', async () => {
  const folder = series()
  const volume = await labelMap(folder)
  const empty = await readVolume(await written({ ...volume, data: new Uint8Array(volume.data.length) }))
  expect([...new Set(empty.data)]).toEqual([0])
  expect(empty.labelNames).toEqual(volume.labelNames)
  const [a, b] = [readFileSync(await written(volume)), readFileSync(await written(await labelMap(folder)))]
  expect(a.equals(b)).toBe(true)
  const uid = (bytes: Buffer) => /2\.25\.\d{30,39}/.exec(bytes.toString('latin1'))?.[0]
  const others = [
    { ...volume, labelNames: new Map() },
    { ...volume, data: volume.data.map((x) => x && 3 - x) },
  ]
  const uids = [a, ...(await Promise.all(others.map(written))).map((path) => readFileSync(path))].map(uid)
  expect(new Set(uids).size).toBe(3)
})

test('labels with gaps are numbered from 1, and keep their names', async () => {
  const volume = await labelMap(series())
  const data = volume.data.map((label) => 5 * label)
  const back = await readVolume(await written({ ...volume, data, labelNames: new Map([[10, 'core']]) }))
  expect([...back.data]).toEqual([...volume.data.subarray(24)])
  expect([...(back.labelNames ?? [])]).toEqual([
    [1, 'label 5'],
    [2, 'core'],
  ])
})

describe('what cannot become a segmentation is refused', () => {
  const fault = async (volume: Volume) => {
    const error = await written(volume).catch((error) => error)
    expect(error).toBeInstanceOf(InputError)
    return error.message as string
  }

  test('no images, other images, and images that are missing', async () => {
    const { header, ...volume } = await labelMap(series())
    expect(await fault(volume)).toMatch(/\d\.dcm: is a DICOM segmentation, which refers to DICOM images: give these/)
    const elsewhere = await labelMap(series(seriesRecipes.turned))
    expect(await fault({ ...volume, header: elsewhere.header })).toMatch(
      /would lie on another grid than the images of .*series\d+ \(.*, elsewhere\)|against/,
    )
    const short = await labelMap(series({ slices: 4 }))
    expect(await fault({ ...volume, header: short.header })).toMatch(
      /would lie in more than the images of .*\(6×4×5 voxels of .* against 6×4×4 voxels of .*\); give the whole series/,
    )
    const nameless = await labelMap(series({ more: [[0x0020000d, 'UI', undefined]] }))
    expect(await fault(nameless)).toContain('has no StudyInstanceUID, which a segmentation of it has to name')
  })

  test('probabilities, and what is neither a label map nor masks', async () => {
    const volume = await labelMap(series())
    expect(await fault({ ...volume, data: new Float32Array(volume.data.length) })).toContain('not probabilities')
    const data = Uint8Array.from({ length: 2 * volume.data.length }, (_, n) => n % 3)
    expect(await fault({ ...volume, channels: 2, data })).toContain('several masks of 0 and 1')
  })
})
