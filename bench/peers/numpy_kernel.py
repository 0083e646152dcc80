"""Which kernel NumPy's linear algebra runs on: by the processor, unless OPENBLAS_CORETYPE names another."""

from __future__ import annotations

import ctypes
import platform

import numpy as np


def kernel() -> str:
    """Name of OpenBLAS's kernel, of the library that this process has loaded."""
    with open("/proc/self/maps") as maps:
        libraries = {line.split()[-1] for line in maps if "blas" in line}
    for library in sorted(libraries):
        for name in ("openblas_get_corename", "openblas_get_corename64_", "scipy_openblas_get_corename64_"):
            function = getattr(ctypes.CDLL(library), name, None)
            if function is not None:
                function.restype = ctypes.c_char_p
                return function().decode()
    return "unknown (no OpenBLAS)"


def peer() -> str:
    """One line for the top of a benchmark."""
    return f"Python {platform.python_version()}, NumPy {np.__version__}, OpenBLAS kernel {kernel()}"


if __name__ == "__main__":
    print(peer())
