/** pydicom as the writer of files, numpy and nibabel as the oracles for voxels and places. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { worldPosition } from '../../volume/grid.ts'
import { realValues } from '../../volume/scaling.ts'
import { pydicomPython, runPython } from '../testing/peers.ts'
import { readVolume } from '../volume-file.ts'

const root = mkdtempSync(join(tmpdir(), 'halfdice-'))
afterAll(() => rmSync(root, { recursive: true }))

const common = `
import sys, os, json, numpy as np, pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import generate_uid
root = sys.argv[1]
rng = np.random.default_rng(3)
implicit, explicitVr, BIG, deflated, RLE = ['1.2.840.10008.1.2' + e for e in ('', '.1', '.2', '.1.99', '.5')]

def rotation():
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q if np.linalg.det(q) > 0 else -q

def item(**values):
    d = Dataset()
    for k, v in values.items(): setattr(d, k, v)
    return d

def image(sop, array, bits, syntax):
    d = item(SOPClassUID=sop, SOPInstanceUID=generate_uid(), SeriesInstanceUID='1.2.3', Modality='CT',
             SamplesPerPixel=1, PhotometricInterpretation='MONOCHROME2', Rows=array.shape[-2], Columns=array.shape[-1],
             BitsAllocated=bits, BitsStored=bits, HighBit=bits - 1, PixelRepresentation=int(array.dtype.kind == 'i'))
    d.is_little_endian = syntax != BIG
    d.is_implicit_VR = syntax == implicit
    d.PixelData = array.astype(array.dtype.newbyteorder('>' if syntax == BIG else '<')).tobytes()
    d.file_meta = FileMetaDataset()
    d.file_meta.MediaStorageSOPClassUID, d.file_meta.MediaStorageSOPInstanceUID = sop, d.SOPInstanceUID
    d.file_meta.TransferSyntaxUID = explicitVr if syntax == RLE else syntax
    return d

def save(d, name, syntax=None):
    if syntax == RLE: d.compress(pydicom.uid.RLELossless, encoding_plugin='pydicom')
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    d.save_as(path, write_like_original=False)
    return path

def decimals(values): return [float('%.9g' % v) for v in values]
`

const seriesScript = `${common}
from nibabel.nicom.dicomwrappers import wrapper_from_file
out = []
for n, syntax in enumerate([implicit, explicitVr, BIG, deflated, RLE]):
    r = rotation()
    pixel, step, first = (0.9, 0.7), 2.5, rng.normal(size=3) * 50
    stored = rng.integers(-900, 3000, size=(4, 5, 6)).astype('i2')
    places, values = [], []
    for k in rng.permutation(4):
        d = image('1.2.840.10008.5.1.4.1.1.2', stored[k], 16, syntax)
        d.ImageOrientationPatient = decimals(np.r_[r[:, 0], r[:, 1]])
        d.ImagePositionPatient = decimals(first + r[:, 2] * step * k)
        d.PixelSpacing, d.RescaleSlope, d.RescaleIntercept = list(pixel), 2, -1024
        path = save(d, 'series%d/%d' % (n, rng.integers(1e9)), syntax)
        affine = wrapper_from_file(path).affine  # of (row, column, slice), LPS
        for row, column in [(0, 0), (4, 0), (0, 5), (4, 5)]:
            places.append([[column, row, int(k)], (affine @ [row, column, 0, 1])[:3].tolist()])
    out.append(dict(path=os.path.join(root, 'series%d' % n), shape=[6, 5, 4], places=places,
                    values=(stored.astype('f8') * 2 - 1024).ravel().tolist()))
print(json.dumps(out))
`

const enhancedScript = `${common}
from nibabel.nicom.dicomwrappers import wrapper_from_file
out = []
for n, syntax in enumerate([implicit, explicitVr, BIG, deflated, RLE]):
    r = rotation()
    pixel, step, first = (0.9, 0.7), 2.5, rng.normal(size=3) * 50
    stored = rng.integers(0, 4000, size=(4, 5, 6)).astype('u2')
    d = image('1.2.840.10008.5.1.4.1.1.4.1', stored, 16, syntax)
    d.NumberOfFrames = 4
    d.DimensionOrganizationSequence = [item(DimensionOrganizationUID='1.2.3.4')]
    d.DimensionIndexSequence = [item(DimensionIndexPointer=0x00209056, FunctionalGroupPointer=0x00209111),
                                item(DimensionIndexPointer=0x00209057, FunctionalGroupPointer=0x00209111)]
    d.SharedFunctionalGroupsSequence = [item(
        PixelMeasuresSequence=[item(PixelSpacing=list(pixel), SliceThickness=step, SpacingBetweenSlices=step)],
        PlaneOrientationSequence=[item(ImageOrientationPatient=decimals(np.r_[r[:, 0], r[:, 1]]))])]
    d.PerFrameFunctionalGroupsSequence = [item(
        FrameContentSequence=[item(StackID='1', InStackPositionNumber=k + 1, DimensionIndexValues=[1, k + 1])],
        PlanePositionSequence=[item(ImagePositionPatient=decimals(first + r[:, 2] * step * k))]) for k in range(4)]
    path = save(d, 'enhanced%d.dcm' % n, syntax)
    # The affine supposes a direction of the slices; where they are is in each frame's group.
    affine = wrapper_from_file(path).affine
    ipp = [np.array(g.PlanePositionSequence[0].ImagePositionPatient, 'f8') for g in d.PerFrameFunctionalGroupsSequence]
    places = [[[c, r, k], ((affine @ [r, c, 0, 1])[:3] + ipp[k] - ipp[0]).tolist()]
              for c in (0, 5) for r in (0, 4) for k in (0, 3)]
    out.append(dict(path=path, shape=[6, 5, 4], places=places, values=stored.ravel().tolist()))
print(json.dumps(out))
`

const segmentationClasses = `${common}
from pydicom.pixel_data_handlers.numpy_handler import pack_bits
out = []
for n, syntax in enumerate([implicit, explicitVr, deflated]):
    r = rotation()
    pixel, step, first = (0.9, 0.7), 2.5, rng.normal(size=3) * 50
    labels = rng.choice([0, 0, 0, 1, 2, 7], size=(6, 5, 7))
    labels[[1, 4]] = 0
    frames = [(s, k) for s in (1, 2, 7) for k in range(6) if (labels[k] == s).any()]
    rng.shuffle(frames)
    bits = np.array([labels[k] == s for s, k in frames]).astype('u1')
    d = image('1.2.840.10008.5.1.4.1.1.66.4', bits, 8, syntax)
    d.BitsAllocated, d.BitsStored, d.HighBit, d.NumberOfFrames = 1, 1, 0, len(frames)
    d.PixelData = pack_bits(bits.ravel())
    d.SegmentationType, d.SegmentsOverlap = 'BINARY', 'NO'
    d.SpecificCharacterSet = 'ISO_IR 192'
    d.SegmentSequence = [item(SegmentNumber=s, SegmentLabel='Stück %d' % s) for s in (1, 2, 7)]
    d.SharedFunctionalGroupsSequence = [item(
        PixelMeasuresSequence=[item(PixelSpacing=list(pixel), SliceThickness=1, SpacingBetweenSlices=step)],
        PlaneOrientationSequence=[item(ImageOrientationPatient=decimals(np.r_[r[:, 0], r[:, 1]]))])]
    d.PerFrameFunctionalGroupsSequence = [item(
        PlanePositionSequence=[item(ImagePositionPatient=decimals(first + r[:, 2] * step * k))],
        SegmentIdentificationSequence=[item(ReferencedSegmentNumber=int(s))]) for s, k in frames]
    path = save(d, 'seg%d.dcm' % n)
    places = [[[i, j, k], (first + r[:, 0] * .7 * i + r[:, 1] * .9 * j + r[:, 2] * step * k).tolist()]
              for i in (0, 6) for j in (0, 4) for k in (0, 5)]
    out.append(dict(path=path, shape=[7, 5, 6], places=places, values=labels.ravel().tolist()))
print(json.dumps(out))
`

interface Truth {
  path: string
  shape: number[]
  /** Voxels with their LPS positions in mm. */
  places: [[number, number, number], number[]][]
  values: number[]
}

test.skipIf(!pydicomPython).each([
  ['series in a folder', seriesScript],
  ['enhanced multi-frame', enhancedScript],
  ['segmentations', segmentationClasses],
])('%s: the values and places that pydicom wrote', async (_, script) => {
  for (const truth of runPython(pydicomPython ?? '', script, root) as Truth[]) {
    const { grid, data, scaling, labelNames } = await readVolume(truth.path)
    expect(grid.shape, truth.path).toEqual(truth.shape)
    expect([...realValues(data, scaling, new Float64Array(data.length))]).toEqual(truth.values)
    for (const [voxel, [l, p, s]] of truth.places) {
      // Positions are written with nine digits.
      worldPosition(grid, voxel).forEach((mm, axis) => {
        expect(mm).toBeCloseTo([-l, -p, s][axis], 5)
      })
    }
    if (script === segmentationClasses) expect(labelNames?.get(7)).toBe('Stück 7')
  }
})

const sampleFiles = `
import json, numpy as np, pydicom, pydicom.data
def path(name): return pydicom.data.get_testdata_file(name, download=False)
names = ['MR_small.dcm', 'MR_small_implicit.dcm', 'MR_small_bigendian.dcm', 'MR_small_expb.dcm', 'MR_small_RLE.dcm',
         'MR_small_jp2klossless.dcm', 'MR_small_jpeg_ls_lossless.dcm', 'CT_small.dcm']
out = []
for name in names:
    # The variants of MR_small hold the pixels of MR_small.
    d = pydicom.dcmread(path('MR_small.dcm' if name.startswith('MR') else name))
    real = d.pixel_array.astype('f8') * float(d.get('RescaleSlope', 1)) + float(d.get('RescaleIntercept', 0))
    if path(name): out.append(dict(path=path(name), values=real.ravel().tolist()))
print(json.dumps(out))
`

test.skipIf(!pydicomPython)("pydicom's own sample files, one a transfer syntax", async () => {
  const samples = runPython(pydicomPython ?? '', sampleFiles) as Pick<Truth, 'path' | 'values'>[]
  expect(samples.length).toBeGreaterThan(3)
  for (const { path, values } of samples) {
    const { data, scaling } = await readVolume(path)
    expect([...realValues(data, scaling, new Float64Array(data.length))], path).toEqual(values)
  }
})
