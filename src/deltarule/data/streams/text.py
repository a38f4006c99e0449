"""Row groups of text tables: CSV and its kin, cut between lines, and JSON line by line."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from itertools import islice, pairwise
from typing import Any

from deltarule.data.decisions import Decision, decide, shown
from deltarule.data.raw_files import DAMAGED, describe
from deltarule.data.reading import RawTable, ReadingOptions
from deltarule.data.reading.cells import MISSING_CELLS
from deltarule.data.reading.containers import PACKED
from deltarule.data.reading.delimited import frame_decisions, name_columns_of
from deltarule.data.reading.frames import TableFrame, as_single_spaces, divide, find_frame
from deltarule.data.reading.other_sources import read_json
from deltarule.data.reading.raw_table import has_header
from deltarule.data.reading.text_encodings import decode_text
from deltarule.data.streams.files import StreamFile
from deltarule.data.streams.pieces import Piece, RowGroup, TablePiece, cells_of_arrow, columns_to_read
from deltarule.errors import DataFileError, InputError
from deltarule.registry import import_extra

_HEAD = 1 << 18  # bytes that tell how a file is written
_GROUP = 1 << 22  # bytes of a group, about
_READ = 1 << 20
_MISSING = sorted({form for text in MISSING_CELLS for form in (text, text.upper(), text.title())})


@dataclass(frozen=True)
class _TextForm:
    """How the text files of a stream are written, as the head of the first one says."""

    frame: TableFrame
    names: tuple[str, ...]
    headed: bool
    encoding: str
    decisions: tuple[Decision, ...]


def text_groups(
    files: Sequence[StreamFile], options: ReadingOptions
) -> tuple[list[RowGroup], tuple[Decision, ...]]:
    """Return groups of lines of text tables, and how the files are written.

    A plain file is cut into groups of some megabytes; a packed one is one group, read from its start.

    Raises
    ------
    DataFileError
        If a file is no table.
    """
    import_extra("pyarrow.csv", "arrow")
    if options.ragged == "fill":
        raise InputError(
            "a stream cannot fill rows with a different number of cells (--ragged fill): correct the files"
        )
    form: _TextForm | None = None
    groups: list[RowGroup] = []
    for file in files:
        head = _head(file)
        found = _form_of(file.name, head, options)
        form = form or found
        own = replace(form, names=found.names, headed=found.headed, frame=found.frame)
        groups += _groups_of(file, own)
    assert form is not None
    return groups, form.decisions


def _head(file: StreamFile) -> bytes:
    with _named(file.name), _unpacked(file) as opened:
        return bytes(opened.read(_HEAD))


@contextmanager
def _named(label: str) -> Iterator[None]:
    """Turn what reading a damaged file raises into an error about it."""
    try:
        yield
    except DAMAGED as error:
        if isinstance(error, DataFileError):
            raise
        raise DataFileError(label, f"cannot be read: {describe(error)}") from None


@contextmanager
def _unpacked(file: StreamFile) -> Iterator[Any]:
    """Open a file for reading what is in it, if need be unpacked."""
    with file.open() as opened:
        module = _packed_by(opened)
        if module is None:
            yield opened
            return
        with import_module(module).open(opened) as unpacked:
            yield unpacked


def _packed_by(opened: Any) -> str | None:
    """Return the module that unpacks a file; None where it is plain."""
    start = opened.read(6)
    opened.seek(0)
    return next((module for magic, module in PACKED.values() if start.startswith(magic)), None)


def _form_of(name: str, head: bytes, options: ReadingOptions) -> _TextForm:
    whole = head if len(head) < _HEAD else head[: head.rfind(b"\n") + 1]
    if not whole.strip():
        raise DataFileError(name, "the file is empty; its first line must name the columns")
    text, decoded = decode_text(name, whole, options.encoding)
    encoding = options.encoding or next((str(dict(item.words)["encoding"]) for item in decoded), "utf-8-sig")
    frame = find_frame(text, options)
    if frame.names is not None and not frame.commented:
        raise DataFileError(name, "ARFF cannot be read as a stream: convert it to CSV or Parquet")
    lines = _body_lines(text, frame)
    rows = divide(lines, frame.delimiter, frame.quote, frame.escape)[:200]
    if not rows:
        raise DataFileError(name, "there are no rows in it")
    headed = frame.names is None and has_header([cells for _, cells in rows], options)
    names, named = name_columns_of(name, rows, frame, headed=headed)
    return _TextForm(frame, names, headed, encoding, (*decoded, *frame_decisions(frame, options), *named))


def _body_lines(text: str, frame: TableFrame) -> list[str]:
    lines = text.splitlines()[frame.start :]
    return [line for line in lines if line.strip() and not (frame.comment and line.startswith(frame.comment))]


def _groups_of(file: StreamFile, form: _TextForm) -> list[RowGroup]:
    wide = form.encoding.lower().replace("-", "").startswith(("utf16", "utf32"))
    with file.open() as opened:
        if wide or file.packed or _packed_by(opened):
            return [_text_group(file, form, 0, None)]
        skipped = sum(len(opened.readline()) for _ in range(form.frame.start))
        while form.headed:  # the first line that says something
            line = opened.readline()
            skipped += len(line)
            if not line or _body_lines(line.decode(form.encoding, "replace"), replace(form.frame, start=0)):
                break
        cuts = [skipped, *_cuts(opened, skipped, form.frame.quote.encode())]
    return [_text_group(file, form, start, stop) for start, stop in pairwise(cuts) if stop > start]


def _cuts(opened: Any, start: int, quote: bytes) -> Iterator[int]:
    """Where groups end: behind a line that ends outside quotation marks, and at the end of the file."""
    place, quotes, last, since = start, 0, start, start
    while block := opened.read(_READ):
        if place + len(block) - since >= _GROUP:
            cut = block.rfind(b"\n") + 1
            while cut and (quotes + block.count(quote, 0, cut)) % 2:
                cut = block.rfind(b"\n", 0, cut - 1) + 1
            if cut:
                since = place + cut
                yield since
        quotes += block.count(quote)
        place += len(block)
        last = place
    if last > since:
        yield last


def _text_group(file: StreamFile, form: _TextForm, start: int, stop: int | None) -> RowGroup:
    label = file.name if stop is None else f"{file.name}, bytes {start:,} to {stop:,}"

    def read(most: int, columns: frozenset[str] | None, texts: frozenset[str]) -> Iterator[Piece]:
        file.check()
        with _named(label):
            for data in _chunks(file, form, start, stop):
                yield from _parsed(label, data, form, most, columns, texts)

    return RowGroup(label, read, file=file.name, columns=form.names)


def _chunks(file: StreamFile, form: _TextForm, start: int, stop: int | None) -> Iterator[bytes]:
    """Whole lines of a group, some megabytes at a time, as UTF-8 without what is no row."""
    with _unpacked(file) as opened:
        if stop is not None:
            opened.seek(start)
            yield _cleaned(opened.read(stop - start), form, decoded=False)
            return
        stream = io.TextIOWrapper(opened, form.encoding, newline="")
        for _ in range(form.frame.start):
            stream.readline()
        first, rest = form.headed, ""
        while True:
            block = stream.read(_GROUP)
            text = rest + block
            cut = len(text) if not block else text.rfind("\n") + 1
            while block and cut and text.count(form.frame.quote, 0, cut) % 2:
                cut = text.rfind("\n", 0, cut - 1) + 1
            lines, rest = text[:cut], text[cut:]
            if first and lines.strip():
                kept = _body_lines(lines.partition("\n")[0], replace(form.frame, start=0))
                lines, first = (lines.partition("\n")[2], False) if kept else (lines, first)
            if lines:
                yield _cleaned(lines.encode(), form, decoded=True)
            if not block:
                return


def _cleaned(data: bytes, form: _TextForm, *, decoded: bool) -> bytes:
    """Lines as Arrow reads them: in UTF-8, without comments, with one mark between cells."""
    frame, plain = (
        form.frame,
        decoded or form.encoding.lower().replace("-", "") in ("utf8", "utf8sig", "ascii"),
    )
    if plain and not frame.comment and frame.delimiter != " ":
        return data
    text = data.decode("utf-8" if decoded else form.encoding.replace("utf-8-sig", "utf-8"))
    if frame.comment or frame.delimiter == " ":
        lines = _body_lines(text, replace(frame, start=0))
        text = (
            "\n".join(as_single_spaces(line) for line in lines)
            if frame.delimiter == " "
            else "\n".join(lines)
        )
    return text.encode()


def _parsed(
    label: str, data: bytes, form: _TextForm, most: int, columns: frozenset[str] | None, texts: frozenset[str]
) -> Iterator[TablePiece]:
    """Parse lines; numbers where a column holds nothing else, and texts where it does."""
    import pyarrow as pa

    if not data.strip():
        return
    wanted = columns_to_read(form.names, columns)
    text_type = pa.dictionary(pa.int32(), pa.string())
    types = {name: text_type if name in texts else pa.float64() for name in wanted}
    table, ragged = None, list[str]()
    for _ in range(len(wanted) + 1):
        try:
            ragged.clear()
            table = _read_csv(data, form, wanted, types, ragged)
            break
        except pa.ArrowInvalid as error:
            column = next(
                (name for name in wanted if f"column #{form.names.index(name)}:" in str(error)), None
            )
            if "conversion error" not in str(error) or column is None or types[column] == text_type:
                raise DataFileError(label, f"this table is damaged: {describe(error)}") from None
            types[column] = text_type
    assert table is not None
    told = _told_ragged(label, ragged, table.num_rows, len(form.names))
    names = tuple(wanted)
    for start in range(0, table.num_rows, most):
        part = table.slice(start, most)
        cells = tuple(cells_of_arrow(part[name], as_text=name in texts) for name in names)
        comma = form.frame.delimiter == ";"
        yield TablePiece.of_raw(label, RawTable(names, cells, None, comma, told, form.headed))
        told = ()


def _told_ragged(label: str, ragged: list[str], n_rows: int, width: int) -> tuple[Decision, ...]:
    """Tell of rows of another width, which are left out where they are few."""
    if not ragged:
        return ()
    reason = f"expected {width} fields as in the header, got a different number: {shown(ragged, 1)}"
    if len(ragged) * 10 > n_rows:
        raise DataFileError(label, f"{reason}, and {len(ragged) - 1} more such rows")
    return (decide("ragged", count=len(ragged), shown=shown(ragged), reason=reason),)


def _read_csv(
    data: bytes, form: _TextForm, wanted: Sequence[str], types: dict[str, Any], ragged: list[str]
) -> Any:
    from pyarrow import csv

    def leave_out(row: Any) -> str:
        ragged.append(row.text)
        return "skip"

    frame = form.frame
    return csv.read_csv(
        io.BytesIO(data),
        csv.ReadOptions(use_threads=False, column_names=list(form.names), block_size=max(len(data), 1) + 1),
        csv.ParseOptions(
            delimiter="\t" if frame.delimiter == " " else frame.delimiter, quote_char=frame.quote,
            escape_char=frame.escape or False, newlines_in_values=frame.quote.encode() in data,
            invalid_row_handler=leave_out,
        ),
        csv.ConvertOptions(
            include_columns=list(wanted), column_types=types, null_values=_MISSING, strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )  # fmt: skip


def json_groups(files: Sequence[StreamFile]) -> list[RowGroup]:
    """Return groups of lines of files with a JSON record on each line."""
    groups = []
    for file in files:
        with file.open() as opened:
            whole = file.packed or _packed_by(opened)
            cuts = [0, None] if whole else [0, *_cuts(opened, 0, b"\0")]
        groups += [_json_group(file, start or 0, stop) for start, stop in pairwise(cuts)]
    return groups


def _json_group(file: StreamFile, start: int, stop: int | None) -> RowGroup:
    label = file.name if stop is None else f"{file.name}, bytes {start:,} to {stop:,}"

    def read(most: int, columns: frozenset[str] | None, texts: frozenset[str]) -> Iterator[Piece]:
        file.check()
        options = ReadingOptions(kinds=dict.fromkeys(texts, "text"))
        with _named(label), _unpacked(file) as opened:
            opened.seek(start)
            found = opened if stop is None else opened.read(stop - start).splitlines(keepends=True)
            lines = (line for line in found if line.strip())
            while data := b"".join(islice(lines, most)):
                yield TablePiece.of_raw(label, read_json(file.name, data, options))

    return RowGroup(label, read, file=file.name)
