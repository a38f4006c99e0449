"""One picture file: what its header says, and its pixels; or why it cannot be read."""

from __future__ import annotations

import io
import os
import stat
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

import numpy as np

from deltarule.arrays import Array
from deltarule.data.pictures.tree import Entry
from deltarule.data.raw_files import describe
from deltarule.errors import DataFileError
from deltarule.registry import import_extra

T = TypeVar("T")

MOST_PIXELS = 64 * 64  # of the form that all pictures of a set get
_LARGEST = 1 << 26  # pixels
_AT_ONCE = 1 << 16  # bytes of a file
_WITHOUT_WAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N")
_GREY = ("1", "L", "LA", *_DEEP)
_TURNED = range(2, 9)  # of EXIF's orientations, those that are not upright
_SIDEWAYS = range(5, 9)
_ORIENTATION = 0x0112
_NOTES = {"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"}  # where an orientation may be


class PictureHeader(NamedTuple):
    """What a picture is before its pixels are read; its size is that of the picture turned upright."""

    size: tuple[int, int]
    color: bool
    transparent: bool
    deep: bool
    animated: bool
    turned: bool


def look_at(entry: Entry) -> tuple[PictureHeader, Array | None]:
    """Read what a picture file says of itself, and its pixels upright if they are few.

    Returns
    -------
    header : PictureHeader
    pixels : ndarray of uint8, (height, width), (height, width, 3) or, if transparent, (height, width, 4)
        None if they are many, or damaged, which `read_pixels` will tell.

    Raises
    ------
    DataFileError
        If it is no picture, or not one of 8 or 16 bits.
    """

    def look(file: IO[bytes], image: Any) -> tuple[PictureHeader, Array | None]:
        header = _header(entry, image)
        if image.size[0] * image.size[1] > MOST_PIXELS:
            return header, None
        try:
            return header, np.asarray(_upright(file, image, header))
        except Exception:
            return header, None

    return _with_image(entry, look)


def read_pixels(entry: Entry, size: tuple[int, int]) -> Array:
    """Read a picture upright, stretched or shrunk to (width, height).

    Returns
    -------
    ndarray of uint8, (height, width), (height, width, 3) or, if transparent, (height, width, 4)

    Raises
    ------
    DataFileError
        If it is damaged.
    """

    def read(file: IO[bytes], image: Any) -> Array:
        header = _header(entry, image)
        if image.format == "JPEG":
            image.draft(None, (2 * max(size), 2 * max(size)))
        return _stretched(_upright(file, image, header), size)

    return _with_image(entry, read)


def resized(pixels: Array, size: tuple[int, int]) -> Array:
    """Stretch or shrink pixels that have been read to (width, height)."""
    if pixels.shape[1::-1] == size:
        return pixels
    return _stretched(_library().fromarray(pixels), size)


def _stretched(image: Any, size: tuple[int, int]) -> Array:
    return np.asarray(image if image.size == size else image.resize(size, reducing_gap=3.0))


def _header(entry: Entry, image: Any) -> PictureHeader:
    width, height = image.size
    if width * height > _LARGEST:
        raise DataFileError(str(entry), f"{width} × {height} pixels are too many")
    mode, color = image.mode, image.mode
    if mode in ("I", "F"):
        raise DataFileError(str(entry), f"expected 8 or 16 bits, got mode {mode}; convert it first")
    noted = "exif" in image.info and image.format != "TIFF"  # Pillow turns TIFF itself
    orientation = image.getexif().get(_ORIENTATION, 1) if noted else 1
    if mode == "P" and image.palette:
        color = image.palette.mode
    return PictureHeader(
        (height, width) if orientation in _SIDEWAYS else (width, height),
        color not in _GREY,
        "A" in mode or "A" in color or "transparency" in image.info,
        mode in _DEEP,
        bool(getattr(image, "is_animated", False)),
        orientation in _TURNED,
    )


def _upright(file: IO[bytes], image: Any, header: PictureHeader) -> Any:
    """An opened image of 8 bits, as a camera held it."""
    if image.format == "PNG":
        _check_sums(_whole(file))
    image.load()
    if image.info.keys() & _NOTES and image.format != "TIFF":
        image = import_extra("PIL.ImageOps", "data").exif_transpose(image)
    if header.deep:
        high = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        image = _library().fromarray(high)
    mode = "RGBA" if header.transparent else "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _whole(file: IO[bytes]) -> bytes:
    if isinstance(file, io.BytesIO):
        return file.getvalue()
    place = file.tell()
    file.seek(0)
    contents = file.read()
    file.seek(place)
    return contents


def _check_sums(png: bytes) -> None:
    """Compare a PNG with its check sums, as Pillow does not for the pixels."""
    place, name = 8, b""
    while name != b"IEND":
        end = place + 8 + int.from_bytes(png[place : place + 4], "big")
        name = png[place + 4 : place + 8]
        if zlib.crc32(png[place + 4 : end]) != int.from_bytes(png[end : end + 4], "big") or not name:
            raise ValueError(f"a check sum differs at byte {place:,}: the file is damaged or ends early")
        place = end + 4


@cache
def _library() -> Any:
    return import_extra("PIL.Image", "data")


def _with_image(entry: Entry, work: Callable[[IO[bytes], Any], T]) -> T:
    """What is made of a picture file that is opened; whatever fails is told by one exception."""
    library = _library()
    try:
        with _opened(entry) as file, library.open(file) as image:
            return work(file, image)
    except DataFileError:
        raise
    except library.UnidentifiedImageError:
        raise DataFileError(str(entry), "it is not an image") from None
    except Exception as error:  # Pillow's decoders raise many types on damaged files
        raise DataFileError(str(entry), f"the image cannot be read: {describe(error)}") from None


def _opened(entry: Entry) -> IO[bytes]:
    """A file, read at once if it is small; a folder is refused, and a pipe, which opening would wait for."""
    if not isinstance(entry, Path):
        if not entry.is_file():
            raise _no_file(entry)
        with entry.open("rb") as packed:
            begun = packed.read(_AT_ONCE)
        return io.BytesIO(begun) if len(begun) < _AT_ONCE else entry.open("rb")
    try:
        opened = os.open(entry, _WITHOUT_WAITING)
    except FileNotFoundError:
        raise _no_file(entry) from None
    status = os.fstat(opened)
    if stat.S_ISREG(status.st_mode) and status.st_size > _AT_ONCE:
        return open(opened, "rb")
    try:
        if stat.S_ISREG(status.st_mode):
            return io.BytesIO(os.read(opened, _AT_ONCE))
    finally:
        os.close(opened)
    raise _no_file(entry)


def _no_file(entry: Entry) -> DataFileError:
    reason = "it is a folder" if entry.is_dir() else "not a file" if entry.exists() else "no such file"
    return DataFileError(str(entry), f"cannot be read: {reason}")
