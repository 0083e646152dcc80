"""How arrays go to the process and come back.

There the last axis is the fastest in memory, and becomes the first of the grid. An array whose first axis is the
fastest (as nibabel reads images) goes with its axes turned round, any other as it lies, so that no call moves memory
about without need. Lists of one number an axis turn with the axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Sequence

import numpy as np

from ._errors import InputError

_MOST_AXES = 3


@dataclass(frozen=True)
class Layout:
    """How the axes of an image lie in what is sent."""

    #: The image's own shape.
    shape: tuple[int, ...]
    #: Whether its axes are turned round, so that its first axis is the fastest.
    turned: bool

    @property
    def axes(self) -> int:
        return len(self.shape)

    def send(self, array: np.ndarray) -> np.ndarray:
        """The array in C order with three axes of space, behind those that it has in front."""
        lead = array.ndim - self.axes
        own = array.transpose(*range(lead), *range(array.ndim - 1, lead - 1, -1)) if self.turned else array
        own = np.ascontiguousarray(own)
        return own.reshape(own.shape[:lead] + (1,) * (_MOST_AXES - self.axes) + own.shape[lead:])

    def receive(self, array: np.ndarray) -> np.ndarray:
        """An array that came back, with the image's own axes: a view."""
        lead = array.ndim - _MOST_AXES
        own = array.reshape(array.shape[:lead] + (self.shape[::-1] if self.turned else self.shape))
        return own.transpose(*range(lead), *range(own.ndim - 1, lead - 1, -1)) if self.turned else own

    def per_axis(self, name: str, value: Any, rest: float | None = None) -> list[float]:
        """One number an axis in the order of the grid; ``rest`` for axes that the image lacks, default: the last."""
        own = numbers(name, value, self.axes)
        own = own if self.turned else own[::-1]
        return own + [own[-1] if rest is None else rest] * (_MOST_AXES - self.axes)

    def from_grid(self, values: Sequence[float]) -> tuple[float, ...]:
        """Numbers in the order of the grid in the image's own order of axes."""
        own = tuple(values[: self.axes])
        return own if self.turned else own[::-1]


def layout_of(array: np.ndarray, subject: str, lead: int = 0, first_fastest: bool = False) -> Layout:
    """How an array with ``lead`` axes in front of those of space is sent."""
    axes = array.ndim - lead
    if not 1 <= axes <= _MOST_AXES:
        front = "one of classes and " if lead else ""
        raise InputError(f"{subject}: has {array.ndim} axes; give {front}1 to {_MOST_AXES} of space, one case a call")
    if array.size == 0:
        raise InputError(f"{subject}: has shape {array.shape}, and so no voxels; give some")
    strides = [abs(stride) for stride, n in zip(array.strides[lead:], array.shape[lead:]) if n > 1]
    ascending = len(strides) > 1 and strides == sorted(strides)
    return Layout(array.shape[lead:], first_fastest or ascending)


def real_array(value: Any, subject: str) -> np.ndarray:
    """An array of real numbers in a type that can be sent."""
    if np.ma.is_masked(value):
        raise InputError(f"{subject}: has masked values; say what they are: array.filled(0)")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{subject}: holds {array.dtype}; give an array of real numbers")
    return array.astype(np.float64) if array.dtype.itemsize > 8 else array


def label_array(value: Any, subject: str) -> np.ndarray:
    """An array that may hold labels, integers in as few bytes as they need."""
    array = real_array(value, subject)
    if array.dtype.kind == "b":
        return array.view(np.uint8)
    if array.dtype.kind in "iu" and array.dtype.itemsize > 1 and array.size > 0 and array.min() >= 0:
        most = array.max()
        return array.astype(np.uint8 if most < 256 else np.uint16) if most < 65536 else array
    return array


def finite(name: str, value: Any) -> float:
    """A finite number."""
    try:
        x = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name}: is {value!r}; give a number") from None
    if not math.isfinite(x):
        raise InputError(f"{name}: is {x}; give a finite number")
    return x


def numbers(name: str, value: Any, axes: int) -> list[float]:
    """One finite number an axis, from one for all or one each."""
    if np.ndim(value) == 0:
        return [finite(name, value)] * axes
    own = [finite(name, each) for each in value]
    if len(own) != axes:
        raise InputError(f"{name}: has {len(own)} numbers for {axes} axes; give one for each, or one for all")
    return own
