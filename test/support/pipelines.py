"""Writes predictions as pipelines leave them on disk, by their documented forms, and reads masks back with nibabel.
Usage: pipelines.py write FOLDER | pipelines.py read FILE..."""

import gzip
import json
import pickle
import sys
from collections import OrderedDict
from itertools import permutations, product
from os import makedirs
from os.path import join

import nibabel as nib
import numpy as np
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

SHAPE = (12, 14, 16)  # z, y, x
SPACING = (0.75, 1.0, 2.5)  # x, y, z, as SimpleITK gives it
ORIGIN = (-40.0, 12.5, 130.0)  # LPS
DIRECTION = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def affine_of_itk():
    """NIfTI's affine of an ITK geometry: x and y change sign, as nibabel's users do it."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(DIRECTION).reshape(3, 3) * np.array(SPACING)
    affine[:3, 3] = ORIGIN
    return np.diag([-1, -1, 1, 1]) @ affine


def logits(classes, seed, shape=SHAPE):
    """Smooth blobs, one a class, off the centre, so that a swapped axis is noticed."""
    r = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*[np.arange(n) for n in shape], indexing='ij')
    out = np.zeros((classes, *shape), dtype=np.float32)
    for c in range(1, classes):
        centre = r.uniform(0.25, 0.75, 3) * shape
        d = np.sqrt(((z - centre[0]) * 1.3) ** 2 + (y - centre[1]) ** 2 + ((x - centre[2]) * 0.8) ** 2)
        out[c] = 3.5 - d + r.normal(0, 0.3, shape)
    return out


def softmax(a):
    e = np.exp(a - a.max(0))
    return (e / e.sum(0)).astype(np.float32)


def optimum(p):
    """t*, the sum of p inside {p >= t*} and its size, by sorting."""
    s = np.sort(p.astype(np.float64), axis=None)[::-1]
    c = np.cumsum(s)
    d = 2 * c / (np.arange(1, s.size + 1) + c[-1])
    k = int(np.argmax(d))
    return d[k] / 2, c[k], k + 1, c[-1]


def exclusive(p):
    """Label map of a softmax whose first class is the background: the claimant with the largest
    (p - t) / (#S + |p|)."""
    best = np.zeros(p.shape[1:])
    labels = np.zeros(p.shape[1:], dtype=np.uint8)
    for c in range(1, len(p)):
        t, _, count, total = optimum(p[c])
        score = np.where(p[c] >= t, (p[c].astype(np.float64) - t) / (count + total), -1)
        take = (score > best) | ((score >= best) & (labels == 0) & (p[c] >= t))
        labels[take] = c
        best[take] = score[take]
    return labels


def dump(path, value):
    with open(path, 'wb') as f:
        pickle.dump(value, f)


def sitk_properties():
    return {
        'sitk_stuff': {'spacing': SPACING, 'origin': ORIGIN, 'direction': DIRECTION},
        'spacing': list(np.abs(SPACING[::-1])),
        'shape_before_cropping': SHAPE,
        'bbox_used_for_cropping': [[0, n] for n in SHAPE],
        'shape_after_cropping_and_before_resampling': SHAPE,
    }


def write(folder):
    affine = affine_of_itk()
    truth = {}

    # nnU-Net v2, SimpleITKIO, nnUNetv2_predict --save_probabilities: CASE.npz, CASE.pkl, CASE.nii.gz, dataset.json.
    v2 = join(folder, 'nnunet_v2')
    makedirs(v2)
    names = {'background': 0, 'liver': 1, 'tumour': 2}
    with open(join(v2, 'dataset.json'), 'w') as f:
        json.dump({'labels': names, 'file_ending': '.nii.gz', 'channel_names': {'0': 'CT'}}, f)
    for i, dtype in enumerate((np.float32, np.float16)):
        p = softmax(logits(3, i)).astype(dtype)
        np.savez_compressed(join(v2, f'case_{i}.npz'), probabilities=p)
        dump(join(v2, f'case_{i}.pkl'), sitk_properties())
        truth[f'case_{i}'] = exclusive(p.astype(np.float32)).transpose(2, 1, 0).tolist()
        nib.save(nib.Nifti1Image(p.argmax(0).astype(np.uint8).transpose(2, 1, 0), affine), join(v2, f'case_{i}.nii.gz'))

    # nnU-Net v2, regions: sigmoid, one map a region.
    brats = join(folder, 'brats')
    makedirs(brats)
    with open(join(brats, 'dataset.json'), 'w') as f:
        labels = {'background': 0, 'whole tumor': [1, 2, 3], 'tumor core': [2, 3], 'enhancing tumor': [3]}
        json.dump({'labels': labels, 'regions_class_order': [1, 2, 3], 'file_ending': '.nii.gz'}, f)
    z = logits(2, 7)[1]
    p = 1 / (1 + np.exp(-np.stack([z, z - 1.2, z - 2.4])))
    np.savez_compressed(join(brats, 'tumour.npz'), probabilities=p.astype(np.float32))
    dump(join(brats, 'tumour.pkl'), sitk_properties())

    # nnU-Net v2 with NibabelIOWithReorient, which TotalSegmentator's models use too: the image is turned to RAS, the
    # array is its transpose, and the pipeline's own mask is turned back.
    total = join(folder, 'totalsegmentator')
    makedirs(total)
    turned = np.array([[0, 0, -1.5, 40], [-1.25, 0, 0, 50], [0, 2.0, 0, -60], [0, 0, 0, 1]])
    image = nib.Nifti1Image(np.zeros((SHAPE[1], SHAPE[0], SHAPE[2]), dtype=np.int16), turned)
    canonical = image.as_reoriented(io_orientation(turned))
    p = softmax(logits(6, 3, canonical.shape[::-1]))
    np.savez_compressed(join(total, 's01.npz'), probabilities=p)
    stuff = {'original_affine': turned, 'reoriented_affine': canonical.affine}
    properties = {'nibabel_stuff': stuff, 'spacing': [1.0] * 3, 'shape_before_cropping': canonical.shape[::-1]}
    dump(join(total, 's01.pkl'), properties)
    mask = nib.Nifti1Image(exclusive(p).transpose(2, 1, 0), canonical.affine)
    back = mask.as_reoriented(ornt_transform(axcodes2ornt('RAS'), io_orientation(turned)))
    assert np.allclose(back.affine, turned) and back.shape == image.shape
    truth['s01'] = np.asarray(back.dataobj).tolist()

    # nnU-Net v2 with SimpleITKIOWithReorient: the geometry is that of the copy in RAS order, and original_orientation
    # the letters of the image. One image in each of the 48 orientations, oblique.
    turned48 = join(folder, 'reorient')
    makedirs(turned48)
    reorient = {}
    for order in permutations(range(3)):
        for sides in product((0, 1), repeat=3):
            code = ''.join('RAS'[axis] if sides[axis] == 0 else 'LPI'[axis] for axis in order)
            canonical = nib.Nifti1Image(np.zeros(SHAPE[::-1], dtype=np.int16), affine @ np.diag([-1, -1, 1, 1]))
            assert ''.join(nib.aff2axcodes(canonical.affine)) == 'RAS'
            p = softmax(logits(2, 21))
            np.savez_compressed(join(turned48, f'{code}.npz'), probabilities=p)
            lps = np.diag([-1, -1, 1, 1]) @ canonical.affine
            spacing = np.linalg.norm(lps[:3, :3], axis=0)
            stuff = {
                'spacing': tuple(spacing.tolist()),
                'origin': tuple(lps[:3, 3].tolist()),
                'direction': tuple((lps[:3, :3] / spacing).ravel().tolist()),
                'original_orientation': code,
            }
            dump(join(turned48, f'{code}.pkl'), {**sitk_properties(), 'sitk_stuff': stuff})
            mask = nib.Nifti1Image(exclusive(p).transpose(2, 1, 0), canonical.affine)
            back = mask.as_reoriented(ornt_transform(axcodes2ornt('RAS'), axcodes2ornt(code)))
            assert ''.join(nib.aff2axcodes(back.affine)) == code
            reorient[code] = {'affine': back.affine.tolist(), 'data': np.asarray(back.dataobj).tolist()}

    # nnU-Net v1: cropped, float16, axes of the crop in z, y, x.
    v1 = join(folder, 'nnunet_v1')
    makedirs(v1)
    box = [[2, 11], [1, 13], [3, 15]]
    inner = tuple(slice(a, b) for a, b in box)
    p = softmax(logits(3, 5)).astype(np.float16)
    np.savez_compressed(join(v1, 'old.npz'), softmax=p[(slice(None), *inner)])
    dump(
        join(v1, 'old.pkl'),
        OrderedDict(
            original_size_of_raw_data=np.array(SHAPE),
            original_spacing=np.array(SPACING[::-1]),
            list_of_data_files=['old_0000.nii.gz'],
            seg_file=None,
            itk_origin=ORIGIN,
            itk_spacing=SPACING,
            itk_direction=DIRECTION,
            crop_bbox=box,
            classes=np.array([-1.0, 0.0], dtype=np.float32),
            size_after_cropping=tuple(b - a for a, b in box),
        ),
    )
    whole = np.zeros((3, *SHAPE), dtype=np.float32)
    whole[0] = 1
    whole[(slice(None), *inner)] = p[(slice(None), *inner)]
    truth['old'] = exclusive(whole).transpose(2, 1, 0).tolist()

    # MONAI: SaveImage writes channels last, so a 4-D NIfTI image of axes x, y, z, class.
    monai = join(folder, 'monai')
    makedirs(monai)
    raw = logits(4, 11)
    p = softmax(raw)
    last = lambda a: a.transpose(3, 2, 1, 0)
    nib.save(nib.Nifti1Image(last(p), affine), join(monai, 'image_seg.nii.gz'))
    nib.save(nib.Nifti1Image(last(raw), affine), join(folder, 'logits.nii.gz'))
    truth['image_seg'] = exclusive(p).transpose(2, 1, 0).tolist()

    # One image a class, as Slicer exports segments' probability maps; and a plain array with an image for its geometry.
    patient = join(folder, 'classes', 'patient')
    makedirs(patient)
    for name, c in (('liver', 1), ('spleen', 2), ('kidney', 3)):
        nib.save(nib.Nifti1Image(p[c].transpose(2, 1, 0), affine), join(patient, f'{name}.nii.gz'))
    nib.save(nib.Nifti1Image(np.zeros(SHAPE[::-1], dtype=np.int16), affine), join(folder, 'image.nii.gz'))
    np.save(join(folder, 'plain.npy'), p)
    np.save(join(folder, 'fortran.npy'), np.asfortranarray(p))
    np.save(join(folder, 'reversed.npy'), np.ascontiguousarray(p[1].T))

    # 3D Slicer: a scalar volume saved as NRRD, in LPS.
    columns = np.array(DIRECTION).reshape(3, 3) * np.array(SPACING)
    header = [
        'NRRD0004',
        'type: float',
        'dimension: 3',
        'space: left-posterior-superior',
        'sizes: ' + ' '.join(str(n) for n in SHAPE[::-1]),
        'space directions: ' + ' '.join('(%r,%r,%r)' % tuple(columns[:, axis]) for axis in range(3)),
        'kinds: domain domain domain',
        'endian: little',
        'encoding: gzip',
        'space origin: (%r,%r,%r)' % ORIGIN,
    ]
    with open(join(folder, 'slicer.nrrd'), 'wb') as f:
        f.write('\n'.join(header).encode() + b'\n\n' + gzip.compress(p[1].astype('<f4').tobytes()))
    t = optimum(p[1])[0]
    truth['slicer'] = (p[1] >= t).astype(int).transpose(2, 1, 0).tolist()

    # What must be refused.
    class Evil:
        def __reduce__(self):
            return print, ('this ran',)

    bad = join(folder, 'bad')
    makedirs(bad)
    good = softmax(logits(3, 1))

    def case(name, array, properties=None, key='probabilities', **options):
        np.savez_compressed(join(bad, f'{name}.npz'), **{key: array})
        if properties is not False:
            dump(join(bad, f'{name}.pkl'), properties or sitk_properties())

    case('a_good', good)
    case('b_code', good, {'sitk_stuff': Evil()})
    case('c_object', np.array([{}], dtype=object))
    case('d_shape', good[:, 1:])
    case('e_nan', np.where(np.arange(good.size).reshape(good.shape) == 99, np.nan, good).astype(np.float32))
    case('f_sum', good * 0.6)
    case('g_alone', good, False)
    case('h_range', (good * 100).astype(np.float32))
    case('i_cut', good)
    with open(join(bad, 'i_cut.npz'), 'rb') as f:
        data = f.read()
    with open(join(bad, 'i_cut.npz'), 'wb') as f:
        f.write(data[: len(data) // 2])
    case('j_good', good)

    with open(join(folder, 'truth.json'), 'w') as f:
        json.dump({'affine': affine.tolist(), 'labels': truth, 'reorient': reorient}, f)


def read(paths):
    images = [nib.load(path) for path in paths]
    print(json.dumps([{'affine': i.affine.tolist(), 'data': np.asarray(i.dataobj).tolist()} for i in images]))


if sys.argv[1] == 'write':
    write(sys.argv[2])
else:
    read(sys.argv[2:])
