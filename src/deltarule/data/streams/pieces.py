"""Rows of a stream as their source has them: tables piece by piece, pictures some at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from deltarule.arrays import Array
from deltarule.data.reading import Cells, MemoryTable, RawTable
from deltarule.data.reading.number_lists import list_columns
from deltarule.data.reading.other_sources import cells_of_array


@dataclass(frozen=True, eq=False)
class TablePiece(MemoryTable):
    """Some rows of a table, which stand where the path of a file may stand.

    Parameters
    ----------
    raw : RawTable
        The rows; ``label`` is what messages call their place.
    """

    raw: RawTable | None = None

    @classmethod
    def of_raw(cls, label: str, raw: RawTable) -> TablePiece:
        """Take rows as a reader returned them."""
        return cls(label, raw.names, (), raw.headed, raw)

    @classmethod
    def of_batch(cls, label: str, batch: Any, texts: frozenset[str] = frozenset()) -> TablePiece:
        """Take a batch of Arrow; columns named in ``texts`` stay texts though they look like numbers."""
        names: list[str] = []
        cells: list[Cells] = []
        decisions = []
        for field, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True), 1):
            lists = None if name in texts else _numbers_of_lists(column)
            if lists is None:
                names.append(name)
                cells.append(cells_of_arrow(column, as_text=name in texts))
                continue
            made, told = list_columns(name, lists.shape[1], str(column[0].as_py()), None, field)
            names += made
            cells += [Cells(np.ascontiguousarray(numbers)) for numbers in lists.T]
            decisions.append(told)
        return cls.of_raw(label, RawTable(tuple(names), tuple(cells), decisions=tuple(decisions)))

    @property
    def n_columns(self) -> int:
        """How many columns there are."""
        return len(self.names)

    def read(self) -> RawTable:
        """Return the rows as reading a file returns a table."""
        assert self.raw is not None
        return self.raw

    def __len__(self) -> int:
        return len(self.read())


@dataclass(frozen=True, eq=False)
class PicturePiece:
    """Some pictures (n, height, width) or (n, height, width, 3) of uint8, and their labels (n,)."""

    label: str
    pixels: Array
    labels: Array

    @property
    def n_columns(self) -> int:
        """As how many cells of a table the pixels of a picture count: eight are one."""
        return -(-int(self.pixels[0].size) // 8)

    def __len__(self) -> int:
        return len(self.pixels)


#: Some rows of a stream.
Piece: TypeAlias = TablePiece | PicturePiece


@dataclass(frozen=True, eq=False)
class RowGroup:
    """Rows that lie together and are read together, such as a row group of a Parquet file.

    Parameters
    ----------
    label : str
        What messages call it.
    read : callable, (most: int, columns: frozenset of str or None, texts: frozenset of str) -> pieces
        Gives the rows in their order, at most so many at a time; of a table the columns that are named, all
        where none are. ``texts`` names those that are texts whatever they look like.
    n_rows : int or None
        How many rows, where the source says so.
    file : str
        The file that they are in, where they are in one.
    columns : tuple of str
        The columns of that file, where it says so.
    """

    label: str
    read: Callable[[int, frozenset[str] | None, frozenset[str]], Iterator[Piece]]
    n_rows: int | None = None
    file: str = ""
    columns: tuple[str, ...] = ()


def columns_to_read(names: Sequence[str], columns: frozenset[str] | None) -> list[str]:
    """Return the columns of a file that are needed: of lists, where any of their numbers is."""
    if columns is None:
        return list(names)
    lists = {name.rpartition(".")[0] for name in columns if name.rpartition(".")[2].isdigit()}
    return [name for name in names if name in columns or name in lists] or list(names[:1])


def _numbers_of_lists(column: Any) -> Array | None:
    """Return the numbers of a column of lists that are equally long (n_rows, length); else None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return None
    if not (pa.types.is_integer(kind.value_type) or pa.types.is_floating(kind.value_type)):
        return None
    lengths = pc.unique(pc.list_value_length(column)).to_pylist()
    if len(lengths) != 1 or not lengths[0]:  # None of a cell without a list
        return None
    return pc.list_flatten(column).to_numpy(zero_copy_only=False).astype(np.float64).reshape(-1, lengths[0])


def cells_of_arrow(column: Any, *, as_text: bool = False) -> Cells:
    """Take a column of Arrow as cells: numbers, or texts with which one each cell is."""
    import pyarrow as pa

    kind = column.type
    if hasattr(column, "combine_chunks"):
        column = column.combine_chunks()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column, kind = column.dictionary_encode(), None
    if kind is None or (pa.types.is_dictionary(kind) and not pa.types.is_nested(kind.value_type)):
        texts = [*map(str, column.dictionary.to_pylist()), ""]
        codes = column.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False).astype(np.intp)
        used = np.bincount(codes, minlength=len(texts)) > 0  # a slice has the dictionary of the whole
        places = np.cumsum(used) - 1
        kept = [text for text, is_used in zip(texts, used.tolist(), strict=True) if is_used]
        return Cells.of_codes(kept, places[codes], as_text=as_text)
    values = column.to_numpy(zero_copy_only=False)
    if values.dtype.kind in "iuf":
        numbers = values.astype(np.float64)
        if not np.isinf(numbers).any():
            return Cells(numbers)
    return cells_of_array(values)


def taken(piece: Piece, rows: Array) -> Piece:
    """Return the rows of a piece of the given numbers."""
    if isinstance(piece, PicturePiece):
        return PicturePiece(piece.label, piece.pixels[rows], piece.labels[rows])
    raw = piece.read()
    cells = tuple(
        Cells(None, own.texts, own.codes[rows]) if own.codes is not None else Cells(own.numbers[rows])  # type: ignore[index]
        for own in raw.columns
    )
    return TablePiece.of_raw(piece.label, replace(raw, columns=cells))


def joined(label: str, pieces: Sequence[Piece]) -> Piece:
    """Put pieces of the same columns, or pictures of one form, together."""
    first = pieces[0]
    if isinstance(first, PicturePiece):
        parts = [piece for piece in pieces if isinstance(piece, PicturePiece)]
        pixels = np.concatenate([part.pixels for part in parts])
        return PicturePiece(label, pixels, np.concatenate([part.labels for part in parts]))
    raws = [piece.read() for piece in pieces if isinstance(piece, TablePiece)]
    columns = [dict(zip(raw.names, raw.columns, strict=True)) for raw in raws]
    cells = tuple(_joined_cells([cells_by_name[name] for cells_by_name in columns]) for name in first.names)
    lists = tuple(item for item in raws[0].decisions if item.kind == "lists")
    return TablePiece.of_raw(
        label, RawTable(first.names, cells, None, raws[0].decimal_comma, lists, first.named)
    )


def _joined_cells(parts: Sequence[Cells]) -> Cells:
    """One column of several: numbers where all are, else texts."""
    numbers = [part.numbers for part in parts if part.numbers is not None]
    if len(numbers) == len(parts):
        return Cells(np.concatenate(numbers))
    places: dict[str, int] = {}
    codes = []
    for part in parts:
        texts, own = part.texts, part.codes
        if part.numbers is not None:
            different, own = np.unique(part.numbers, return_inverse=True)
            texts = tuple("" if np.isnan(number) else f"{number:.17g}" for number in different.tolist())
        of_text = np.array([places.setdefault(text, len(places)) for text in texts], np.intp)
        codes.append(of_text[own])
    return Cells.of_codes(list(places), np.concatenate(codes))
