"""What a stream is made from: any source becomes groups of rows."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deltarule.data.decisions import Decision, decide
from deltarule.data.idx_files import IDX_FILES, find_idx
from deltarule.data.image_folders import integer_labels
from deltarule.data.pictures import find_layout, look_into, read_pictures
from deltarule.data.reading import ReadingOptions, is_database
from deltarule.data.reading.containers import SUFFIXES
from deltarule.data.reading.other_sources import without_password
from deltarule.data.streams.columnar import arrow_groups, parquet_groups
from deltarule.data.streams.files import StreamFile, find_files, is_pattern
from deltarule.data.streams.others import (
    NpyRows,
    array_groups,
    batch_groups,
    idx_groups,
    once_only,
    picture_groups,
    sql_groups,
    sqlite_url,
    tables_of,
)
from deltarule.data.streams.pieces import RowGroup
from deltarule.data.streams.same_columns import completed
from deltarule.data.streams.text import json_groups, text_groups
from deltarule.errors import DataFileError, InputError, all_faults

_KINDS = {
    "parquet": (".parquet", ".pq", ".parq"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "npy": (".npy",),
    "json": (".jsonl", ".ndjson"),
    "text": (".csv", ".tsv", ".tab", ".txt", ".dat", ".data"),
}
_PACKED = (".gz", ".bz2", ".xz")
_SUFFIXES = tuple(suffix for suffixes in _KINDS.values() for suffix in suffixes)
_LOOKED_AT = 500  # pictures that tell the form of all


@dataclass(frozen=True, eq=False)
class StreamSource:
    """Groups of rows, and what is known of them.

    Parameters
    ----------
    name : str
    groups : sequence of RowGroup
    files : tuple of StreamFile
        Where it is made of files: what tells that the data are the same.
    target : str or None
        What the column of answers is called, where the source says so.
    decisions : tuple of Decision
    parts : mapping of str to sequence of RowGroup
        "validation" and "test", where the source has such.
    paper : str
        Of pictures: see :class:`~deltarule.data.Dataset`.
    """

    name: str
    groups: Sequence[RowGroup]
    files: tuple[StreamFile, ...] = ()
    target: str | None = None
    decisions: tuple[Decision, ...] = ()
    parts: Mapping[str, Sequence[RowGroup]] | None = None
    paper: str = ""


def find_source(source: Any, target: Any, options: ReadingOptions) -> StreamSource:
    """Find out what a source is, and return the groups of its rows.

    Raises
    ------
    InputError
        If it is nothing that can be read piece by piece.
    DataFileError
        If there are no such files, or they cannot be read.
    """
    if isinstance(source, str | os.PathLike):
        return _of_path(os.path.expanduser(source), target, options)
    if isinstance(source, list | tuple) and source and all(isinstance(s, str | os.PathLike) for s in source):
        files = [file for path in source for file in find_files(os.path.expanduser(path), _SUFFIXES)]
        return _of_files(f"{source[0]} and {len(source) - 1} more", files, target, options)
    if isinstance(source, tuple) and len(source) == 2 and all(hasattr(part, "shape") for part in source):
        source, target = source
    if hasattr(source, "shape") and hasattr(source, "dtype") and not hasattr(source, "columns"):
        answers, called = (target, "y") if hasattr(target, "shape") else (None, "y")
        groups = array_groups("array", source, answers, called)
        return StreamSource("array", groups, target=None if answers is None else called)
    return _of_batches(source)


def _of_batches(source: Any) -> StreamSource:
    label, name = "the batches", getattr(source, "__name__", type(source).__name__)
    for making in ("collect_batches", "to_batches"):  # what polars and pyarrow read when they are asked
        if hasattr(source, making) and not hasattr(source, "shape"):
            return StreamSource(name, batch_groups(getattr(source, making), "y", label))
    if hasattr(source, "columns") or isinstance(source, Mapping):
        return StreamSource(name, batch_groups(lambda: [source], "y", label))
    if callable(source) and not hasattr(source, "__iter__"):
        return StreamSource(name, batch_groups(source, "y", label))
    if not isinstance(source, Iterable):
        raise InputError(
            "a stream is made from a path, a pattern such as 'train/*.parquet', a folder, a database, "
            f"arrays, or batches of rows (or a function that makes them), got {type(source).__name__}"
        )
    again = iter(source) is not source
    make = (lambda: source) if again else once_only(iter(source), label)
    return StreamSource(name, batch_groups(make, "y", label))


def _of_path(text: str, target: Any, options: ReadingOptions) -> StreamSource:
    path, _, table = text.rpartition("::") if "::" in text and not os.path.exists(text) else (text, "", "")
    if is_database(path) and not is_pattern(path):
        return _of_database(path, table or options.table)
    if Path(path).suffix.lower() in SUFFIXES["sqlite"] and os.path.isfile(path):
        return replace(_of_database(sqlite_url(path), table or options.table), name=path)
    if os.path.isdir(text) or (os.path.isfile(text) and Path(text).suffix.lower() == ".zip"):
        found = _of_folder(text, options)
        if found is not None:
            return found
    return _of_files(text, find_files(text, _SUFFIXES), target, options)


def _of_database(url: str, table: str | None) -> StreamSource:
    query = table if table and re.match(r"\s*(select|with)\s", table, re.IGNORECASE) else None
    decisions: tuple[Decision, ...] = ()
    if table is None:
        tables = tables_of(url)
        if not tables:
            raise DataFileError(without_password(url), "it contains no table")
        table = tables[0]
        if len(tables) > 1:
            decisions = (decide("sheet", count=len(tables), name=table),)
    return StreamSource(without_password(url), sql_groups(url, table, query), decisions=decisions)


def _kind_of(file: StreamFile) -> str:
    name = file.name.lower()
    for ending in _PACKED:
        name = name.removesuffix(ending)
    for kind, suffixes in _KINDS.items():
        if name.endswith(suffixes):
            return kind
    with file.open() as opened:
        start = opened.read(6)
    begins = {b"PAR1": "parquet", b"ARROW1": "arrow", b"\x93NUMPY": "npy"}
    found = next((kind for magic, kind in begins.items() if start.startswith(magic)), "text")
    if found == "text" and (start.startswith(b"PK\x03\x04") or b"\0" in start or name.endswith(".json")):
        raise DataFileError(
            file.name,
            "a stream reads CSV and similar text, JSON lines, Parquet, Arrow, .npy and IDX files, "
            "folders of pictures and databases: convert the file, or train on it without --memory",
        )
    return found


def _of_files(text: str, files: list[StreamFile], target: Any, options: ReadingOptions) -> StreamSource:
    empty = [
        DataFileError(file.name, "the file is empty: remove it, or name only the other files")
        for file in files
        if not file.size
    ]
    if empty:
        raise all_faults(empty)
    told: list[Decision] = []
    kinds = {_kind_of(file) for file in files}
    if len(kinds) > 1:
        raise DataFileError(
            text, f"there are files of several kinds: {', '.join(sorted(kinds))}; choose one of them"
        )
    (kind,) = kinds
    groups: Sequence[RowGroup]
    answers = None
    if kind == "text":
        groups, decisions = text_groups(files, options)
        told += decisions
    elif kind == "npy":
        groups, answers = _npy_groups(text, files, target)
    else:
        groups = {"parquet": parquet_groups, "arrow": arrow_groups, "json": json_groups}[kind](files)
    if not groups:
        raise DataFileError(text, "there are no rows in it")
    groups, lacking = completed(groups)
    return StreamSource(text, groups, tuple(files), answers, (*told, *lacking))


def _npy_groups(text: str, files: list[StreamFile], target: Any) -> tuple[list[RowGroup], str | None]:
    """Rows of arrays; the answers are a column of them, or lie in a file of their own."""
    beside = isinstance(target, str) and target.endswith(".npy")
    if beside:
        answers = [NpyRows(file) for file in find_files(target)]
        if len(answers) != len(files):
            raise DataFileError(text, f"{len(files)} files of inputs, but {len(answers)} of targets")
    groups = []
    for place, file in enumerate(files):
        groups += array_groups(file.name, NpyRows(file), answers[place] if beside else None, "y")
    return groups, "y" if beside else None


def _of_folder(text: str, options: ReadingOptions) -> StreamSource | None:
    """IDX files, or pictures; None where there are files of tables."""
    if os.path.isdir(text) and any(find_idx(Path(text), name) for name in IDX_FILES["train"]):
        train, test = idx_groups(text, "train"), idx_groups(text, "test")
        if train is None:
            raise DataFileError(
                text, "the training part needs both pictures and labels, and one of them is missing"
            )
        return StreamSource(text, train, target="label", parts={"test": test} if test else {})
    inner = zipfile.ZipFile(text).namelist() if zipfile.is_zipfile(text) else Path(text).rglob("*")
    if any(Path(path).suffix.lower() in _SUFFIXES for path in inner):
        return None
    layout = find_layout(text, look_into(text))
    step = max(1, len(layout.train) // _LOOKED_AT)
    looked_at = layout.train[::step]
    form = read_pictures([entry for entry, _ in looked_at], [label for _, label in looked_at], options)
    size = form.pixels.shape[2], form.pixels.shape[1]
    chosen = replace(options, size=size, color=form.pixels.ndim == 4, paper=form.paper or None)
    texts = sorted({label for _, label in layout.train})
    labels = dict(zip(texts, integer_labels(texts).tolist(), strict=True))
    train, validation, test = (
        picture_groups(text, [(entry, labels.get(label, label)) for entry, label in part], chosen)
        for part in (layout.train, layout.validation, layout.test)
    )
    parts = {name: part for name, part in (("validation", validation), ("test", test)) if part}
    told = (
        *layout.decisions,
        *(item for item in form.decisions if item.kind in ("size", "color", "grey", "paper")),
    )
    return StreamSource(text, train, (), "class", told, parts, form.paper)
