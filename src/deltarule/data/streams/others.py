"""Row groups of what is no table file: arrays, batches from a program, databases, pictures, IDX files."""

from __future__ import annotations

import gzip
import itertools
import math
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.idx_files import IDX_FILES, find_idx
from deltarule.data.image_folders import Label
from deltarule.data.pictures import read_pictures
from deltarule.data.raw_files import describe
from deltarule.data.reading import MemoryTable, ReadingOptions
from deltarule.data.reading.other_sources import database, without_password
from deltarule.data.streams.files import StreamFile
from deltarule.data.streams.pieces import PicturePiece, Piece, RowGroup, TablePiece
from deltarule.errors import DataFileError, InputError
from deltarule.registry import import_extra

_ROWS = 8192  # of a group of arrays
_PICTURES = 32  # of a group of picture files


# ---------------------------------------------------------------- arrays


class NpyRows:
    """The rows of a ``.npy`` file, read where they are asked for: an array as far as a stream needs one."""

    def __init__(self, file: StreamFile) -> None:
        self.file = file
        try:
            with file.open() as opened:
                major = np.lib.format.read_magic(opened)[0]
                header = getattr(np.lib.format, f"read_array_header_{min(major, 2)}_0")(opened)
                self.shape, self._fortran, self.dtype = header
                self._start = opened.tell()
        except (ValueError, OSError, AttributeError) as error:
            raise DataFileError(file.name, f"this .npy file is damaged: {describe(error)}") from None
        if self.dtype.hasobject or not self.shape or (self._fortran and len(self.shape) != 2):
            raise DataFileError(
                file.name, "a stream needs rows of numbers, stored one after the other (C order)"
            )
        size = self._start + math.prod(self.shape) * self.dtype.itemsize
        if file.size < size:
            raise DataFileError(file.name, f"the file ends early: expected {size:,} bytes, got {file.size:,}")

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, rows: slice) -> Array:
        self.file.check()
        count, n_rows, width = rows.stop - rows.start, len(self), math.prod(self.shape[1:])
        if self._fortran:  # column after column, as pandas saves numbers
            columns = [self._read(place * n_rows + rows.start, count) for place in range(width)]
            return np.column_stack(columns)
        return self._read(rows.start * width, count * width).reshape(count, *self.shape[1:])

    def _read(self, first: int, count: int) -> Array:
        """Read so many numbers from a place on."""
        size = self.dtype.itemsize
        with self.file.open() as opened:
            opened.seek(self._start + first * size)
            return np.frombuffer(bytearray(opened.read(count * size)), self.dtype)


def array_groups(label: str, X: Any, y: Any, target: str) -> list[RowGroup]:
    """Return groups of the rows of arrays: anything with a shape that gives slices, such as ``np.memmap``.

    Parameters
    ----------
    label : str
    X : array, (n_rows, n_columns), or pictures (n_rows, height, width) of uint8
    y : array, (n_rows,), or None
        The answers, where they are no column of ``X``.
    target : str
        What the column of answers is called.
    """
    n_rows = int(X.shape[0])
    if y is not None and len(y) != n_rows:
        raise InputError(f"{label}: {n_rows:,} rows of inputs, but {len(y):,} of targets")
    pictures = len(X.shape) > 2
    if pictures and (y is None or np.dtype(X.dtype) != np.uint8):
        raise InputError(
            f"{label}: pictures must be arrays of uint8 of shape (n, height, width), with labels of "
            "shape (n,)"
        )

    def group(first: int, last: int) -> RowGroup:
        place = f"{label}, rows {first + 1:,} to {last:,}"

        def read(most: int, columns: frozenset[str] | None, texts: frozenset[str]) -> Iterator[Piece]:
            for start in range(first, last, most):
                rows = slice(start, min(start + most, last))
                answers = None if y is None else np.asarray(y[rows])
                if pictures and answers is not None:
                    yield PicturePiece(place, np.asarray(X[rows]), answers)
                else:
                    yield _table_piece(place, np.asarray(X[rows]), answers, target)

        return RowGroup(place, read, last - first)

    return [group(start, min(start + _ROWS, n_rows)) for start in range(0, n_rows, _ROWS)]


def _table_piece(label: str, rows: Any, answers: Any, target: str) -> TablePiece:
    table = MemoryTable.of(rows)
    if answers is not None:
        table = table.with_column(target, answers)
    return TablePiece.of_raw(label, table.read())


# ---------------------------------------------------------------- batches from a program


def batch_groups(make: Callable[[], Iterable[Any]], target: str, label: str) -> list[RowGroup]:
    """Return one group of all batches that a program makes: frames, columns by name, rows, or (X, y)."""

    def read(most: int, columns: frozenset[str] | None, texts: frozenset[str]) -> Iterator[Piece]:
        for number, batch in enumerate(make(), 1):
            place = f"{label}, batch {number}"
            if isinstance(batch, tuple | list) and len(batch) == 2 and hasattr(batch[0], "shape"):
                X, y = (_as_numpy(part) for part in batch)
                piece = _table_piece(place, X, y, target)
            else:
                piece = _table_piece(place, batch, None, target)
            yield piece

    return [RowGroup(label, read)]


def _as_numpy(part: Any) -> Any:
    """Tensors of torch, TensorFlow or JAX as arrays; frames as they are."""
    return part if hasattr(part, "columns") else np.asarray(part)


def once_only(batches: Iterator[Any], label: str) -> Callable[[], Iterable[Any]]:
    """Make batches that can be gone through once into such that say so the second time."""
    left = [batches]

    def make() -> Iterable[Any]:
        if not left:
            raise InputError(
                f"{label} can be iterated over only once, but training needs its data again and again: "
                "give the function that makes it, stream(make_batches), not stream(make_batches())"
            )
        return left.pop()

    return make


# ---------------------------------------------------------------- databases


def sql_groups(url: str, table: str | None, query: str | None) -> list[RowGroup]:
    """Return one group of all rows of a table of a database, or of what a query gives, in its order."""
    alchemy = import_extra("sqlalchemy", "sql")
    shown = without_password(url)
    whole = alchemy.select(alchemy.text("*")).select_from(alchemy.table(table or ""))
    statement = whole if query is None else alchemy.text(query)

    def read(most: int, columns: frozenset[str] | None, texts: frozenset[str]) -> Iterator[Piece]:
        with database(url) as engine, engine.connect() as connection:
            result = connection.execution_options(stream_results=True, yield_per=most).execute(statement)
            names = list(result.keys())
            for rows in result.partitions(most):
                cells = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
                yield TablePiece.of_raw(shown, MemoryTable.of(cells).read())

    return [RowGroup(shown, read)]


def sqlite_url(path: str | os.PathLike[str]) -> str:
    """Return the address under which SQLAlchemy opens an SQLite file, for reading."""
    return f"sqlite:///{Path(path).resolve()}"


def tables_of(url: str) -> list[str]:
    """Return the names of the tables of a database."""
    with database(url) as engine:
        return list(import_extra("sqlalchemy", "sql").inspect(engine).get_table_names())


# ---------------------------------------------------------------- pictures


def picture_groups(
    label: str, pictures: Sequence[tuple[Any, Label]], options: ReadingOptions
) -> list[RowGroup]:
    """Return groups of picture files, all read in the form that the options name."""

    def group(part: Sequence[tuple[Any, Label]]) -> RowGroup:
        def read(most: int, columns: frozenset[str] | None, texts: frozenset[str]) -> Iterator[Piece]:
            for start in range(0, len(part), most):
                some = part[start : start + most]
                found = read_pictures([entry for entry, _ in some], (), options)
                labels = np.array([label for _, label in some], object)[found.rows]
                integers = all(isinstance(label, int) for label in labels.tolist())
                yield PicturePiece(label, found.pixels, labels.astype(np.int64) if integers else labels)

        return RowGroup(label, read, len(part))

    return [group(pictures[start : start + _PICTURES]) for start in range(0, len(pictures), _PICTURES)]


def idx_groups(folder: str | os.PathLike[str], part: str) -> list[RowGroup] | None:
    """Return groups of the pictures in a folder of IDX files; None where it has no such part."""
    paths = [find_idx(Path(folder), file) for file in IDX_FILES[part]]
    if paths[0] is None or paths[1] is None:
        return None
    images, labels = (_IdxRows(path, ndim) for path, ndim in zip(paths, (3, 1), strict=True) if path)
    if len(images) != len(labels):
        raise DataFileError(folder, f"the {part} part has {len(images)} images, but {len(labels)} labels")
    if not (images.packed or labels.packed):
        return array_groups(os.fspath(folder), images, labels, "label")

    def read(most: int, columns: frozenset[str] | None, texts: frozenset[str]) -> Iterator[Piece]:
        for pixels, answers in zip(images.all(most), labels.all(most), strict=True):
            yield PicturePiece(os.fspath(folder), pixels, answers)

    return [RowGroup(os.fspath(folder), read, len(images))]


class _IdxRows:
    """The rows of an IDX file, read where they are asked for, or from its start where it is packed."""

    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path, ndim: int) -> None:
        self.path = path
        with path.open("rb") as opened:
            self.packed = opened.read(2) == b"\x1f\x8b"
        with self._open() as opened:
            head = opened.read(4 + 4 * ndim)
        if head[:4] != struct.pack(">HBB", 0, 8, ndim) or len(head) < 4 + 4 * ndim:
            raise DataFileError(path, "this IDX file of unsigned bytes is damaged")
        self._start = len(head)
        self.shape = struct.unpack(f">{ndim}I", head[4:])
        size = self._start + math.prod(self.shape)
        if not self.packed and path.stat().st_size != size:
            raise DataFileError(
                path, f"the header states {size} bytes, but the file has {path.stat().st_size}"
            )

    def _open(self) -> Any:
        return gzip.open(self.path) if self.packed else self.path.open("rb")

    def __len__(self) -> int:
        return int(self.shape[0])

    def _rows(self, data: bytes) -> Array:
        rows = np.frombuffer(bytearray(data), np.uint8).reshape(-1, *self.shape[1:])
        return rows if len(self.shape) > 1 else rows.astype(np.int64)

    def __getitem__(self, rows: slice) -> Array:
        step = math.prod(self.shape[1:])
        with self._open() as opened:
            opened.seek(self._start + rows.start * step)
            return self._rows(opened.read((rows.stop - rows.start) * step))

    def all(self, most: int) -> Iterator[Array]:
        """All rows, so many at a time."""
        step = math.prod(self.shape[1:])
        with self._open() as opened:
            opened.read(self._start)
            for start in itertools.count(0, most):
                if start >= len(self):
                    return
                count = min(most, len(self) - start)
                data = opened.read(count * step)
                if len(data) < count * step:
                    raise DataFileError(self.path, "the file ends early")
                yield self._rows(data)
