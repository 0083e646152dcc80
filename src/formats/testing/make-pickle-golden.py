"""Writes pickle-golden.ts: pickles of plain data as Python and NumPy write them, in base64.
Run: /usr/bin/python3 make-pickle-golden.py > pickle-golden.ts"""

import base64
import pickle
from collections import OrderedDict

import numpy as np


def text(data):
    """An expression for bytes in base64, in lines as long as source lines may be."""
    encoded = base64.b64encode(data).decode()
    parts = [f"'{encoded[i : i + 112]}'," for i in range(0, len(encoded), 112)]
    return "[\n    " + '\n    '.join(parts) + "\n  ].join('')"


# The properties that nnU-Net v2 pickles beside its probabilities (SimpleITKIO, NibabelIOWithReorient), and v1's.
v2 = {
    'sitk_stuff': {
        'spacing': (0.75, 1.0, 2.5),
        'origin': (-40.0, 12.5, 130.0),
        'direction': (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0),
    },
    'spacing': [np.float64(2.5), np.float64(1.0), np.float64(0.75)],
    'shape_before_cropping': (4, 5, 6),
    'bbox_used_for_cropping': [[0, 4], [1, 5], [0, 6]],
    'shape_after_cropping_and_before_resampling': (4, 4, 6),
}
affine = np.array([[-0.8, 0.6, 0, 40], [0.6, 0.8, 0, -12.5], [0, 0, 2.5, 130], [0, 0, 0, 1]])
nibabel = {
    'nibabel_stuff': {'original_affine': affine, 'reoriented_affine': np.asfortranarray(affine)},
    'spacing': [2.5, 1.0, 1.0],
}
v1 = OrderedDict(
    itk_spacing=(0.75, 1.0, 2.5),
    itk_origin=(-40.0, 12.5, 130.0),
    itk_direction=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    original_size_of_raw_data=np.array([4, 5, 6]),
    crop_bbox=[[0, 4], [1, 5], [0, 6]],
    size_after_cropping=(4, 4, 6),
    classes=np.array([-1, 0, 1], dtype=np.float32),
    big=np.arange(3, dtype='>i2'),
    flags=np.array([True, False]),
    seg_file=None,
    note='ü',
    long=-(2**40),
    done=True,
    raw=b'\x00\xff',
)


class Evil:
    def __reduce__(self):
        import os

        return os.system, ('true',)


print('// Made by make-pickle-golden.py with NumPy', np.__version__)
print('export const golden = {')
for name, value in (('v2', v2), ('nibabel', nibabel), ('v1', v1)):
    for protocol in (0, 2, 4, 5):
        print(f"  {name}Protocol{protocol}: {text(pickle.dumps(value, protocol=protocol))},")
print(f"  codePickle: {text(pickle.dumps({'spacing': Evil()}))},")
print(f"  objectPickle: {text(pickle.dumps(np.array([Evil()], dtype=object)))},")
print('} as const')
