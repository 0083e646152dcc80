"""Writes one large nnU-Net v2 prediction, class by class, in little memory: CASE.npz (probabilities [C, z, y, x]) and
CASE.pkl.
Usage: make-large-prediction.py FOLDER EXTENT CLASSES [float32|float16 [hazy]]
Organs are balls of several sizes with the saturated inside, the soft rim and the faint noise of a network's softmax.
Far from an organ its probability is 0, which compresses to next to nothing, or, hazy, small and noisy."""

import io
import pickle
import sys
import zipfile

import numpy as np

folder, extent, classes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
dtype = np.dtype(sys.argv[4] if len(sys.argv) > 4 else 'float32')
r = np.random.default_rng(0)
centres = r.uniform(0.15, 0.85, (classes - 1, 3)) * extent
radii = r.uniform(0.03, 0.15, classes - 1) * extent
axis = np.arange(extent, dtype=np.float32)
hazy = 'hazy' in sys.argv[5:]
noise = r.normal(0, 0.5, extent**2).astype(np.float32)


def logit(c):
    """Plane by plane: 8 where the class is sure, falling by 1.2 a voxel at its rim, never below −12."""
    for z in range(extent):
        d2 = (axis[:, None] - centres[c][1]) ** 2 + (axis[None] - centres[c][2]) ** 2 + (z - centres[c][0]) ** 2
        faint = np.roll(noise, 997 * z).reshape(extent, extent)
        value = np.clip(1.2 * (radii[c] - np.sqrt(d2)) + faint, -12, 8)
        yield np.where(value > -12, value, -12 + faint) if hazy else value


# exp(0) of the background first, then of each class: the denominator, plane by plane.
total = np.ones((extent, extent, extent), dtype=np.float32)
for c in range(classes - 1):
    for z, plane in enumerate(logit(c)):
        total[z] += np.exp(plane)

with zipfile.ZipFile(f'{folder}/large.npz', 'w', zipfile.ZIP_DEFLATED) as archive:
    with archive.open('probabilities.npy', 'w', force_zip64=True) as out:
        head = io.BytesIO()
        shape = (classes, extent, extent, extent)
        np.lib.format.write_array_header_1_0(head, {'descr': dtype.str, 'fortran_order': False, 'shape': shape})
        out.write(head.getvalue())
        for z in range(extent):
            out.write((1 / total[z]).astype(dtype).tobytes())
        for c in range(classes - 1):
            for z, plane in enumerate(logit(c)):
                p = np.exp(plane) / total[z]
                out.write((p if hazy else np.where(p < 1e-5, 0, p)).astype(dtype).tobytes())
with open(f'{folder}/large.pkl', 'wb') as f:
    stuff = {'spacing': (1.5, 1.5, 1.5), 'origin': (0.0, 0.0, 0.0), 'direction': tuple(np.eye(3).ravel())}
    pickle.dump({'sitk_stuff': stuff, 'spacing': [1.5] * 3, 'shape_before_cropping': (extent,) * 3}, f)
