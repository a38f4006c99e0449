"""Files of one stream that differ in their columns: each is read as if it had those of all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote

import numpy as np

from deltarule.data.decisions import Decision, decide, shown
from deltarule.data.reading import Cells
from deltarule.data.streams.pieces import Piece, RowGroup, TablePiece
from deltarule.errors import DataFileError

#: A folder that says what a column is in all its files, as Hive and Spark write it: ``year=2024/``.
_PARTITION = re.compile(r"([^/\\=]+)=([^/\\]*)(?=[/\\])")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


def completed(groups: Sequence[RowGroup]) -> tuple[list[RowGroup], tuple[Decision, ...]]:
    """Give all files the columns of all: those that their folders name, and those that only others have.

    Folders name columns as in ``year=2024/month=1/part-0.parquet``.

    Raises
    ------
    DataFileError
        If a file has less than half of the first one's columns: it is another table.
    """
    own = [dict.fromkeys(group.columns, "") for group in groups]
    given = [
        {unquote(name): unquote(value) for name, value in _PARTITION.findall(group.file)} for group in groups
    ]
    names = {name: "" for values in (*own, *given) for name in values}
    lacking: dict[str, dict[str, None]] = {}
    for group, columns, values in zip(groups, own, given, strict=True):
        if 2 * len(own[0].keys() & columns) < len(own[0]):
            reason = f"its columns are {shown(columns)}, but those of {groups[0].file} are {shown(own[0])}"
            raise DataFileError(group.file, reason)
        for name in columns and names.keys() - columns - values.keys():
            lacking.setdefault(name, {})[group.file] = None
    if not lacking and own[0].keys() == names.keys():
        return list(groups), ()
    told = [_told(name, list(lacking[name])) for name in names if name in lacking]
    whole = []
    for group, columns, values in zip(groups, own, given, strict=True):
        others = {name: value for name, value in (names | values).items() if name not in columns}
        whole.append(_completed(group, others))
    return whole, tuple(told)


def _told(name: str, files: list[str]) -> Decision:
    return decide("lacking", column=name, count=len(files), shown=files[0] + ", …" * (len(files) > 1))


def _completed(group: RowGroup, values: Mapping[str, str]) -> RowGroup:
    def read(most: int, columns: frozenset[str] | None, texts: frozenset[str]) -> Iterator[Piece]:
        for piece in group.read(most, columns, texts):
            assert isinstance(piece, TablePiece)
            raw, rows = piece.read(), np.zeros(len(piece), np.intp)
            added = {
                name: Cells.of_codes(["" if text == _NO_VALUE else text], rows, as_text=name in texts)
                for name, text in values.items()
                if columns is None or name in columns
            }
            raw = replace(raw, names=(*raw.names, *added), columns=(*raw.columns, *added.values()))
            yield TablePiece.of_raw(piece.label, raw)

    return replace(group, read=read)
