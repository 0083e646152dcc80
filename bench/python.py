"""The Python package against NumPy: t* and mask of 20 million float32, and the time of a small call.

    npm run build
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE PYTHONPATH=python python3 bench/python.py

Pairs of runs alternate, so that both see the same machine. The aims: at most 1/5 of NumPy's sort and cumulative sum,
the transfer included; less than 1 ms for a small array after the first call.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

import halfdice
from peers.numpy_kernel import peer

PAIRS = 7
SMALL_CALLS = 500


def by_numpy(p: np.ndarray) -> tuple[float, np.ndarray]:
    """t* and the mask in the way of a few lines of NumPy."""
    m = np.sort(p)[::-1]
    sums = np.cumsum(m, dtype=np.float64)
    t = (2 * sums / (np.arange(1, m.size + 1) + sums[-1])).max() / 2
    return float(t), p >= t


def by_halfdice(p: np.ndarray) -> tuple[float, np.ndarray]:
    best = halfdice.threshold(p)
    assert best.threshold is not None
    return best.threshold, best.mask


def milliseconds(call, *args):
    start = time.perf_counter()
    result = call(*args)
    return 1000 * (time.perf_counter() - start), result


def main() -> None:
    start = time.perf_counter()
    halfdice.threshold([0.5])
    first = 1000 * (time.perf_counter() - start)
    print(f"{peer()}; the first call, which starts the process: {first:.0f} ms")
    rng = np.random.default_rng(0)
    n = 20_000_000
    maps = {
        "a small probability everywhere": rng.random(n, dtype=np.float32) ** 6,
        "an organ in a hundred": np.where(np.arange(n) % 100 < 1, rng.random(n, dtype=np.float32), np.float32(0)),
        "uniform noise": rng.random(n, dtype=np.float32),
    }
    for name, p in maps.items():
        pairs = []
        for _ in range(PAIRS):
            ours, (t, mask) = milliseconds(by_halfdice, p)
            theirs, (wanted, by_sort) = milliseconds(by_numpy, p)
            assert abs(t - wanted) < 1e-9 and np.array_equal(mask, by_sort)
            pairs.append((ours, theirs))
        ours, theirs = (statistics.median(column) for column in zip(*pairs))
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"20 million float32, {name}: {ours:.0f} ms, NumPy {theirs:.0f} ms, 1/{ratio:.1f}")
    small = rng.random((16, 16, 16), dtype=np.float32) ** 6
    times = [milliseconds(halfdice.threshold, small)[0] for _ in range(SMALL_CALLS)]
    most = sorted(times)[SMALL_CALLS * 9 // 10]
    print(f"16 × 16 × 16 float32: {statistics.median(times):.3f} ms (9 of 10 below {most:.3f})")


if __name__ == "__main__":
    main()
