"""What a file is, as its bytes say: packed, a spreadsheet, a database, or text; and its bytes unpacked."""

from __future__ import annotations

import io
import os
import re
import zipfile
from importlib import import_module
from pathlib import Path

from deltarule.data.decisions import Decision, decide
from deltarule.data.raw_files import DAMAGED, describe
from deltarule.errors import DataFileError

_MOST = 1 << 32  # bytes that a packed file may have when unpacked

#: How a packed file begins, and the module that unpacks it, which not every Python has.
PACKED = {"gzip": (b"\x1f\x8b", "gzip"), "bzip2": (b"BZh", "bz2"), "xz": (b"\xfd7zXZ\0", "lzma")}

#: How a file of each format begins; text begins in any way.
_BEGINNINGS = {
    "parquet": b"PAR1",
    "feather": b"ARROW1",
    "feather ": b"FEA1",
    "excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "sqlite": b"SQLite format 3\0",
    "arrays": b"MATLAB ",
    "arrays ": b"\x93NUMPY",
}
SUFFIXES = {
    "excel": (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods"),
    "parquet": (".parquet", ".pq"),
    "feather": (".feather", ".arrow", ".ipc"),
    "sqlite": (".sqlite", ".sqlite3", ".db", ".db3"),
    "json": (".json", ".jsonl", ".ndjson", ".geojson"),
    "arrays": (".npz", ".npy", ".mat"),
}
_CALLED = {
    "excel": "a spreadsheet", "parquet": "Parquet", "feather": "Feather", "sqlite": "SQLite", "json": "JSON",
    "arrays": "arrays by name", "text": "text",
}  # fmt: skip
_ABOUT = re.compile(
    r"(^|/)(read.?me|licen[cs]e|notice|notes?|about)[^/]*$|\.(md|pdf|docx?|png|jpe?g|html?|py|r)$", re.I
)
FORMATS = ("text", "json", *(name for name in SUFFIXES if name != "json"))


#: What is read by other programs only: how it begins or what its name ends in, and how to make a CSV of it.
_ELSEWHERE = (
    (
        rb"<stata_dta>|[i-s][\x01\x02]\x01\0",
        "Stata",
        "pandas: read_stata({path!r}).to_csv('table.csv')",
    ),
    (rb"\$FL[23]", "SPSS", "pandas: read_spss({path!r}).to_csv('table.csv')"),
    (rb"HEADER RECORD\*|\0{12}\xc2\xea\x81", "SAS", "pandas: read_sas({path!r}).to_csv('table.csv')"),
    (rb"RD[XA][23]\n|[XA]\n\0\0\0[\x02\x03]", "R", "R: write.csv(readRDS({path!r}), 'table.csv')"),
    (rb"\x89HDF", "HDF5", "pandas: read_hdf({path!r}).to_csv('table.csv')"),
    (rb"ORC", "ORC", "pandas: read_orc({path!r}).to_csv('table.csv')"),
    (
        rb"\x80[\x02-\x05]",
        "a pickle, which runs code when it is read",
        "the program that wrote it: save it as CSV",
    ),
    (rb"[^\0]+\0.{100,256}ustar", "a tar archive", "a terminal: tar -xf {path!r}"),
    (rb"%PDF", "PDF", "the program that made it: export the table as CSV"),
)


def _refuse_foreign(path: str | os.PathLike[str], data: bytes) -> None:
    """Refuse a file that only other programs read, with the step that makes a CSV of it."""
    for magic, what, how in _ELSEWHERE:
        if re.match(magic, data[:300], re.DOTALL):
            raise DataFileError(path, f"this is {what}; in " + how.format(path=os.fspath(path)))


def unpack(
    path: str | os.PathLike[str], data: bytes, format: str | None, member: str | None = None
) -> tuple[str, bytes, str, list[Decision]]:
    """Return the format of a file, its bytes unpacked, the name it had when packed, and what was decided.

    Of a zip of several files ``member`` names the one to read.
    """
    name, decisions = os.fspath(path), []
    for _ in range(3):  # such as x.csv.gz in a zip
        unpacked = _unpacked(path, data, name, member) if format is None else None
        if unpacked is None:
            break
        data, name, what = unpacked
        decisions.append(decide("unpacked", what=what))
    _refuse_foreign(path, data)
    found = _format_of(path, data, name)
    suffix = Path(name).suffix.lower()
    if format is None and (suffix in SUFFIXES["excel"] if found == "text" else suffix not in SUFFIXES[found]):
        decisions.append(decide("format", what=_CALLED[found]))
    return format or found, data, name, decisions


def _unpacked(
    path: str | os.PathLike[str], data: bytes, name: str, member: str | None
) -> tuple[bytes, str, str] | None:
    try:
        for what, (magic, module) in PACKED.items():
            if data.startswith(magic):
                return _decompressed(data, module), name.rpartition(".")[0] or name, what
        if data.startswith(b"PK\x03\x04"):
            return _from_zip(path, data, member)
    except DataFileError:
        raise
    except ImportError as error:
        raise DataFileError(path, f"cannot be unpacked: this Python has no {error.name} module") from None
    except DAMAGED as error:
        raise DataFileError(path, f"this archive is damaged: {describe(error)}") from None
    return None


def _decompressed(data: bytes, name: str) -> bytes:
    module = import_module(name)
    try:
        unpacked: bytes = module.decompress(data)
    except getattr(module, "LZMAError", OSError) as error:
        raise ValueError(str(error)) from None
    return unpacked


def _from_zip(path: str | os.PathLike[str], data: bytes, member: str | None) -> tuple[bytes, str, str] | None:
    """Return the one table in a zip, or the one that is named; None for a spreadsheet, or arrays of NumPy."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [item for item in archive.infolist() if not item.is_dir()]
        if any(item.filename in ("[Content_Types].xml", "content.xml") for item in names):
            return None
        if all(item.filename.endswith(".npy") for item in names):
            return None
        files = [
            item
            for item in names
            if not item.filename.startswith("__MACOSX") and "/." not in f"/{item.filename}"
        ]
        count = len(files)
        tables = [item for item in files if not _ABOUT.search(item.filename)]
        if count > 1 and tables:
            files = tables
        files = [item for item in files if item.filename == member] or files
        if len(files) != 1:
            listed = ", ".join(item.filename for item in files[:5])
            example = f"; use --table {files[0].filename}" if files else ""
            raise DataFileError(path, f"a zip with {count} files ({listed}){example}")
        if files[0].file_size > _MOST:
            raise DataFileError(
                path, f"{files[0].filename} has {files[0].file_size} bytes when unpacked; unpack it"
            )
        return (
            archive.read(files[0]),
            files[0].filename,
            f"{files[0].filename} of a zip" + (f" of {count} files" if count > 1 else ""),
        )


def _format_of(path: str | os.PathLike[str], data: bytes, name: str) -> str:
    for format, magic in _BEGINNINGS.items():
        if data.startswith(magic):
            return format.strip()
    if data.startswith(b"PK\x03\x04"):
        return "arrays" if b".npy" in data[30:300] else "excel"  # the name of the first file
    suffix = Path(name).suffix.lower()
    if suffix in SUFFIXES["excel"] and data[:200].strip() and b"\0" not in data[: 1 << 12]:
        return "text"  # CSV that is called a spreadsheet, or one written as HTML or XML
    for format in ("json", "excel", "parquet", "feather", "sqlite"):
        if suffix in SUFFIXES[format]:
            return format
    return "text" if _is_text(data) else "json"


def is_plain_text(data: bytes) -> bool:
    """Return whether a file that begins so is no archive, spreadsheet, database or JSON."""
    magic = (*_BEGINNINGS.values(), *(magic for magic, _ in PACKED.values()), b"PK\x03\x04")
    return not data.startswith(magic) and b"\0" not in data and _is_text(data)


def _is_text(data: bytes) -> bool:
    start = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    squeezed = re.sub(rb"\s", b"", start)
    return not (squeezed[:1] == b"{" and b'":' in squeezed) and squeezed[:3] != b'[{"'
