"""Columns of numbers and texts from an Arrow stream, piece by piece: what DuckDB reads is never there twice.

The Arrow C stream interface is two functions and three structures, so that pyarrow is not needed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.reading.cells import Cells

TEXT_END = "\0"


class _Array(ctypes.Structure):
    """``ArrowArray``: a piece of a column, or of a table, whose children are its columns."""


_Array._fields_ = [
    *((name, ctypes.c_int64) for name in ("length", "n_null", "offset", "n_buffers", "n_children")),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private", ctypes.c_void_p),
]


class _Stream(ctypes.Structure):
    """``ArrowArrayStream``: gives one piece of a table after the other, and then one that is released."""


_Stream._fields_ = [
    ("get_schema", ctypes.c_void_p),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))),
    ("private", ctypes.c_void_p),
]


def read_stream(source: Any, kinds: Sequence[str], n_rows: int) -> list[Cells] | None:
    """Read columns; None where there are not as many rows, or a number is not finite.

    Parameters
    ----------
    source : object
        Whatever has ``__arrow_c_stream__``, such as a relation of DuckDB.
    kinds : sequence of {"DOUBLE", "VARCHAR"}
        What each column of the stream holds: numbers, or texts that end with ``TEXT_END`` (so that dividing
        them takes no time) and are none of them missing.
    n_rows : int

    Raises
    ------
    RuntimeError
        If reading fails on the way, with the reason that the source gives.
    """
    columns = [(_Numbers if kind == "DOUBLE" else _Texts)(n_rows) for kind in kinds]
    start, sound = 0, True
    for piece in _pieces(source.__arrow_c_stream__()):
        stop = start + piece.length
        if stop > n_rows or piece.n_children != len(columns):
            return None
        for place, column in enumerate(columns):
            sound &= column.take(piece.children[place].contents, slice(start, stop))
        start = stop
        if not sound:
            return None
    return [column.cells() for column in columns] if start == n_rows else None


def _pieces(capsule: Any) -> Iterator[_Array]:
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    stream = ctypes.cast(pointer(capsule, b"arrow_array_stream"), ctypes.POINTER(_Stream))
    while True:
        with _released() as piece:
            if stream.contents.get_next(stream, ctypes.byref(piece)):
                raise RuntimeError((stream.contents.get_last_error(stream) or b"").decode(errors="replace"))
            if not piece.release:
                return
            yield piece


@contextmanager
def _released() -> Iterator[_Array]:
    piece = _Array()
    try:
        yield piece
    finally:
        if piece.release:
            piece.release(ctypes.byref(piece))


def _buffer(piece: _Array, number: int, dtype: Any, count: int) -> Array:
    """One of the arrays of a piece of a column; nothing is copied, and it ends with the piece."""
    size = count * np.dtype(dtype).itemsize
    address = piece.buffers[number]
    return np.frombuffer((ctypes.c_char * size).from_address(address), dtype) if size else np.empty(0, dtype)


def _missing(piece: _Array) -> Array | None:
    """Where cells of a piece are missing, (length,); None where none is."""
    if not piece.n_null or not piece.buffers[0]:
        return None
    end = piece.offset + piece.length
    valid = np.unpackbits(_buffer(piece, 0, np.uint8, (end + 7) // 8), bitorder="little")
    return valid[piece.offset : end] == 0


class _Numbers:
    """A column of numbers that is filled piece by piece."""

    def __init__(self, n_rows: int) -> None:
        self._numbers = np.empty(n_rows)

    def take(self, piece: _Array, rows: slice) -> bool:
        """Take a piece; return whether its numbers are finite."""
        numbers = self._numbers[rows]
        numbers[:] = _buffer(piece, 1, np.float64, piece.offset + piece.length)[piece.offset :]
        gone = _missing(piece)
        if gone is not None:
            numbers[gone] = 0.0
        sound = bool(np.isfinite(numbers).all())
        if gone is not None:
            numbers[gone] = np.nan
        return sound

    def cells(self) -> Cells:
        """Return the whole column."""
        return Cells(self._numbers)


class _Places(dict[str, int]):
    """The place of each text, in the order in which they are met."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


class _Texts:
    """A column of texts that is filled piece by piece: the different ones, and which one each cell is."""

    def __init__(self, n_rows: int) -> None:
        self._codes, self._places = np.empty(n_rows, np.int32), _Places()

    def take(self, piece: _Array, rows: slice) -> bool:
        """Take a piece; return whether each of its texts has one end."""
        ends = _buffer(piece, 1, np.int32, piece.offset + piece.length + 1)[piece.offset :]
        texts = _buffer(piece, 2, np.uint8, ends[-1])[ends[0] :].tobytes().decode().split(TEXT_END)
        if len(texts) != piece.length + 1:
            return False
        self._codes[rows] = np.fromiter(map(self._places.__getitem__, texts[:-1]), np.int32, piece.length)
        return True

    def cells(self) -> Cells:
        """Return the whole column."""
        return Cells.of_codes(list(self._places), self._codes)
