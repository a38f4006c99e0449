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

_CODED_AT_ONCE = 1 << 16  # texts
_TABLE_BITS = 17
_WORDS = 4  # of 8 bytes, of the longest texts that are looked up all at once
_FACTORS = np.random.default_rng(0).integers(1, 2**63, _WORDS, dtype=np.uint64) | np.uint64(1)
_FIRST_BYTES = np.array([*((1 << 8 * count) - 1 for count in range(9))], np.uint64)


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
    """Read columns; None where there are not as many rows, a number is not finite, or a text holds NUL.

    Parameters
    ----------
    source : object
        Whatever has ``__arrow_c_stream__``, such as a relation of DuckDB.
    kinds : sequence of {"DOUBLE", "VARCHAR"}
        What each column of the stream holds: numbers or texts.
    n_rows : int

    Raises
    ------
    RuntimeError
        If reading fails on the way, with the reason that the source gives.
    """
    columns = [(_Numbers if kind == "DOUBLE" else _Texts)(n_rows) for kind in kinds]
    start = 0
    for piece in _pieces(source.__arrow_c_stream__()):
        stop = start + piece.length
        if stop > n_rows or piece.n_children != len(columns):
            return None
        for place, column in enumerate(columns):
            column.take(piece.children[place].contents, slice(start, stop))
        start = stop
    if start < n_rows:
        return None
    cells = [column.cells() for column in columns]
    return [whole for whole in cells if whole is not None] if None not in cells else None


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
        self._numbers, self._n_missing = np.empty(n_rows), 0
        self._address = self._numbers.ctypes.data

    def take(self, piece: _Array, rows: slice) -> None:
        """Take a piece."""
        numbers = self._numbers[rows]
        target = self._address + rows.start * numbers.itemsize
        ctypes.memmove(target, piece.buffers[1] + piece.offset * numbers.itemsize, numbers.nbytes)
        gone = _missing(piece)
        if gone is not None:
            numbers[gone] = np.nan
            self._n_missing += piece.n_null

    def cells(self) -> Cells | None:
        """Return the whole column; None where a number is not finite."""
        n_finite = np.count_nonzero(np.isfinite(self._numbers))
        return Cells(self._numbers) if n_finite + self._n_missing == len(self._numbers) else None


class _Texts:
    """A column of texts that is filled piece by piece: the different ones, and which one each cell is."""

    def __init__(self, n_rows: int) -> None:
        self._codes, self._places = np.empty(n_rows, np.int32), dict[bytes, int]()
        self._pieces, self._lengths, self._coded = list[bytes](), list[Array](), 0
        self._sound = True

    def take(self, piece: _Array, rows: slice) -> None:
        """Take a piece; missing texts have no bytes, as empty ones."""
        ends = _buffer(piece, 1, np.int32, piece.offset + piece.length + 1)[piece.offset :]
        self._lengths.append(np.diff(ends))
        size = int(ends[-1] - ends[0])
        self._pieces.append(ctypes.string_at(piece.buffers[2] + int(ends[0]), size) if size else b"")
        if rows.stop - self._coded >= _CODED_AT_ONCE or rows.stop == len(self._codes):
            self._code(slice(self._coded, rows.stop))

    def _code(self, rows: slice) -> None:
        """Find the places of the texts of some rows, of equal texts mostly once."""
        data, lengths = b"".join(self._pieces), np.concatenate(self._lengths)
        self._pieces, self._lengths, self._coded = [], [], rows.stop
        self._sound &= b"\0" not in data
        starts = np.cumsum(lengths) - lengths
        equal = _equal_texts(data, starts, lengths)
        new = np.flatnonzero(equal == np.arange(len(equal)))
        places = np.empty(len(equal), np.int32)
        places[new] = [
            self._places.setdefault(data[start : start + length], len(self._places))
            for start, length in zip(starts[new].tolist(), lengths[new].tolist(), strict=True)
        ]
        self._codes[rows] = places[equal]

    def cells(self) -> Cells | None:
        """Return the whole column; None where a text holds what is no character of text."""
        if not self._sound:
            return None
        return Cells.of_codes([text.decode() for text in self._places], self._codes)


def _equal_texts(data: bytes, starts: Array, lengths: Array) -> Array:
    """Return for each text the number of an equal one: of the first one, but for a few texts their own.

    All are looked up in one table at once, as words of 8 bytes, at ``Σ cᵢ·wᵢ mod 2⁶⁴``; those whose place
    another text has, and long ones, are not found there.
    """
    itself, longest = np.arange(len(starts)), int(lengths.max(initial=0))
    if longest > 8 * _WORDS:
        return itself
    steps = np.arange(0, longest, 8)
    at_any_byte = np.ndarray(len(data) + longest, "<u8", data + bytes(longest + 8), strides=(1,))
    words = at_any_byte[starts[:, None] + steps]
    words &= _FIRST_BYTES[np.clip(lengths[:, None] - steps, 0, 8)]
    places = ((words * _FACTORS[: len(steps)]).sum(axis=1) >> np.uint64(64 - _TABLE_BITS)).astype(np.intp)
    table = np.empty(1 << _TABLE_BITS, np.intp)
    table[places[::-1]] = itself[::-1]
    found = table[places]
    same = (lengths == lengths[found]) & (words == words[found]).all(axis=1)
    return np.where(same, found, itself)
