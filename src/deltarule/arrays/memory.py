"""Memory: arrays that start at a cache line, and freed blocks that stay with the process."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from deltarule.arrays.types import Array

#: Bytes of a processor's cache line.
LINE = 64


def aligned_zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Zeros in C order, in an array that starts where a processor's cache line does.

    Vectors of numbers that straddle two lines are read and written at half the speed.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    room = np.zeros(size + LINE, np.uint8)
    start = -room.ctypes.data % LINE
    return room[start : start + size].view(dtype).reshape(shape)


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed arrays, instead of asking for it again at every batch.

    glibc gives more than a little back to the system at once, until a large block was freed: from then on it
    keeps twice as much, of blocks up to 32 MiB. Other C libraries take no notice. Once is enough.
    """
    np.empty((32 << 20) - (8 << 10), np.uint8)  # 32 MiB, less what malloc and NumPy add
