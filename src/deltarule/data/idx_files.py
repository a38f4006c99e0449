"""IDX files, the format of MNIST: a magic number, the sizes, then the bytes (LeCun, Cortes & Burges 1998)."""

from __future__ import annotations

import gzip
import math
import os
import re
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from deltarule.arrays import Array
from deltarule.data.dataset import Dataset, classes_of, with_test
from deltarule.data.raw_files import DAMAGED, check_file, describe
from deltarule.errors import DataFileError

IDX_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_CHUNK = 1 << 20
_LARGEST_RATIO = 1032  # deflate packs at most so many bytes into one


def read_idx(path: str | os.PathLike[str], ndim: int) -> Array:
    """Read the unsigned bytes of an IDX file, gzipped or not.

    Parameters
    ----------
    path : path
    ndim : int
        How many dimensions are expected: 3 for images, 1 for labels.

    Returns
    -------
    ndarray of uint8, of the shape that the file states

    Raises
    ------
    DataFileError
        If the magic number is another, or the file is short, long, damaged or unreadable.
    """
    file = check_file(path)
    try:
        with file.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            limit = os.fstat(raw.fileno()).st_size * (_LARGEST_RATIO if packed else 1)
            return _read_stream(file, gzip.GzipFile(fileobj=raw) if packed else raw, ndim, limit)
    except (OSError, EOFError, zlib.error) as error:
        raise DataFileError(path, f"cannot be read: {describe(error)}") from None


def _read_stream(path: Path, stream: IO[bytes] | gzip.GzipFile, ndim: int, limit: int) -> Array:
    magic, head = struct.pack(">HBB", 0, 0x08, ndim), stream.read(4 + 4 * ndim)
    if head[:4] != magic:
        raise DataFileError(
            path, f"expected the magic number {magic.hex()} of an IDX file, got {head[:4].hex()}"
        )
    if len(head) < 4 + 4 * ndim:
        raise DataFileError(path, f"the file ends inside its header, after {len(head)} bytes")
    shape = struct.unpack(f">{ndim}I", head[4:])
    size = math.prod(shape)
    if 0 in shape or size > limit:
        raise DataFileError(path, f"the header states the shape {shape}, which is too large for this file")
    data = _read_up_to(stream, size + 1)
    if len(data) != size:
        got = f"only {len(data)}" if len(data) < size else "more"
        raise DataFileError(
            path, f"the header states {size} bytes of shape {shape}, but the file holds {got}"
        )
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


def _read_up_to(stream: IO[bytes] | gzip.GzipFile, size: int) -> bytearray:
    """Read at most so many bytes, in pieces: memory follows what is there, not what a header states."""
    data = bytearray()
    while len(data) < size and (piece := stream.read(min(_CHUNK, size - len(data)))):
        data += piece
    return data


def find_idx(folder: Path, name: str) -> Path | None:
    """Find the IDX file of that name in a folder: plain or gzipped, with ``-idx`` or ``.idx``; else None."""
    variants = (name, f"{name}.gz", name.replace("-idx", ".idx"), name.replace("-idx", ".idx") + ".gz")
    return next((folder / variant for variant in variants if (folder / variant).exists()), None)


def idx_folder(path: Path) -> Path | None:
    """Return the folder of IDX files: this one, or one within it; None if there is none."""
    files = [file for part in IDX_FILES.values() for file in part]
    inner = sorted({file.parent for file in path.rglob("*-images?idx3-ubyte*")}) if path.is_dir() else []
    return next((one for one in (path, *inner) if any(find_idx(one, file) for file in files)), None)


def load_idx_zip(path: str | os.PathLike[str]) -> Dataset | None:
    """Load images and labels from a zip of IDX files; None where it is no such zip.

    Raises
    ------
    DataFileError
        As `load_idx` does.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            if not os.path.isfile(path) or not zipfile.is_zipfile(path):
                return None
            with zipfile.ZipFile(path) as archive:
                for item in archive.infolist():
                    name = item.filename.rpartition("/")[2]
                    if re.fullmatch(r"(train|t10k)-(images.idx3|labels.idx1)-ubyte(\.gz)?", name):
                        Path(folder, name).write_bytes(archive.read(item))
        except DAMAGED as error:
            raise DataFileError(path, f"this archive is damaged: {describe(error)}") from None
        return load_idx(folder, Path(path).stem) if os.listdir(folder) else None


def load_idx(folder: str | os.PathLike[str], name: str | None = None, description: str = "") -> Dataset:
    """Load images and labels from a folder with MNIST's four files, or the two of the training part.

    Raises
    ------
    DataFileError
        If a file is missing or damaged, or the files do not fit each other.
    """
    folder = Path(folder)
    train = _load_part(folder, "train", name or folder.name, description)
    if not any(find_idx(folder, file) for file in IDX_FILES["test"]):
        return train
    test = _load_part(folder, "test", train.name, description)
    return with_test(train, test, folder)


def _load_part(folder: Path, part: str, name: str, description: str) -> Dataset:
    paths = [find_idx(folder, file) for file in IDX_FILES[part]]
    for path, file in zip(paths, IDX_FILES[part], strict=True):
        if path is None:
            raise DataFileError(folder, f"there is no file {file}, plain or gzipped")
    images, labels = (read_idx(path, ndim) for path, ndim in zip(paths, (3, 1), strict=True) if path)
    if len(images) != len(labels):
        raise DataFileError(folder, f"the {part} part has {len(images)} images, but {len(labels)} labels")
    description = description or f"{len(images)} images of {images.shape[2]} × {images.shape[1]} pixels"
    target = labels.astype(np.int64)
    return Dataset(name, images, target, ("label",), classes_of(target), "minmax", None, description)
