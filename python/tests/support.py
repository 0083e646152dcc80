"""What the tests share: the command line, and images that it reads."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

_CODES = {"uint8": 2, "float32": 16}


def command(*args: object) -> Any:
    """What a command prints as JSON."""
    run = subprocess.run(
        [sys.executable, "-m", "halfdice", *map(str, args), "--json"], capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def write_nifti(path: Path, array: np.ndarray, spacing: tuple[float, float, float]) -> Path:
    """A NIfTI-1 image; the array's first axis is the image's first, classes the last."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, array.ndim, *array.shape, *[1] * (7 - array.ndim))
    struct.pack_into("<2h", head, 70, _CODES[str(array.dtype)], 8 * array.itemsize)
    struct.pack_into("<8f", head, 76, 1, *spacing, 1, 0, 0, 0)
    struct.pack_into("<f", head, 108, 352)
    struct.pack_into("<b", head, 123, 2)
    struct.pack_into("<h", head, 254, 1)
    for axis, mm in enumerate(spacing):
        struct.pack_into("<f", head, 280 + 16 * axis + 4 * axis, mm)
    head[344:348] = b"n+1\0"
    path.write_bytes(bytes(head) + array.tobytes(order="F"))
    return path


def read_nifti(path: Path) -> np.ndarray:
    """The voxels of an image that the command line wrote."""
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    axes, *shape = struct.unpack_from("<8h", data, 40)
    dtype = {2: np.uint8, 16: np.float32, 512: np.uint16}[struct.unpack_from("<h", data, 70)[0]]
    start = int(struct.unpack_from("<f", data, 108)[0])
    return np.frombuffer(data, dtype, offset=start).reshape(shape[:axes], order="F")


def organs(shape: tuple[int, int, int] = (24, 20, 14)) -> np.ndarray:
    """Two organs, one within reach of the other, off centre and of no symmetry."""
    i, j, k = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    labels = np.zeros(shape, np.uint8)
    labels[((i - 9) / 6) ** 2 + ((j - 9) / 5) ** 2 + ((k - 6) / 4) ** 2 < 1] = 1
    labels[((i - 17) / 3) ** 2 + ((j - 12) / 3) ** 2 + ((k - 8) / 2.5) ** 2 < 1] = 2
    return labels


def best_cut(p: np.ndarray) -> tuple[float, float]:
    """D* and t* by sorting, as the definition has it."""
    m = np.sort(p.astype(np.float32).ravel())[::-1].astype(np.float64)
    dice = 2 * np.cumsum(m) / (np.arange(1, m.size + 1) + m.sum())
    return float(dice.max()), float(dice.max() / 2)
