"""One picture file: what its header says, and its pixels; or why it cannot be read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.pictures.tree import Entry
from deltarule.data.raw_files import describe
from deltarule.errors import DataFileError
from deltarule.registry import import_extra, record

_LARGEST = 1 << 26  # pixels
_DEEP = ("I;16", "I;16L", "I;16B", "I;16N")
_TURNED = range(2, 9)  # of EXIF's orientations, those that are not upright
_SIDEWAYS = range(5, 9)
_ORIENTATION = 0x0112


@record
class PictureHeader:
    """What a picture is before its pixels are read; its size is that of the picture turned upright."""

    size: tuple[int, int]
    color: bool
    transparent: bool
    deep: bool
    animated: bool
    turned: bool


def read_header(entry: Entry) -> PictureHeader:
    """Read what a picture file says of itself.

    Raises
    ------
    DataFileError
        If it is no picture, or not one of 8 or 16 bits.
    """
    with _opened(entry) as image:
        width, height = image.size
        if width * height > _LARGEST:
            raise DataFileError(str(entry), f"{width} × {height} pixels are too many")
        if image.mode in ("I", "F"):
            raise DataFileError(str(entry), f"expected 8 or 16 bits, got mode {image.mode}; convert it first")
        noted = "exif" in image.info and image.format != "TIFF"  # Pillow turns TIFF itself
        orientation = image.getexif().get(_ORIENTATION, 1) if noted else 1
        mode = image.palette.mode if image.mode == "P" and image.palette else image.mode
        return PictureHeader(
            (height, width) if orientation in _SIDEWAYS else (width, height),
            mode not in ("1", "L", "LA", *_DEEP),
            "A" in image.mode or "A" in mode or "transparency" in image.info,
            image.mode in _DEEP,
            bool(getattr(image, "is_animated", False)),
            orientation in _TURNED,
        )


def read_pixels(entry: Entry, size: tuple[int, int] | None = None) -> Array:
    """Read a picture upright, red, green, blue and opacity, (height, width, 4) of uint8.

    Parameters
    ----------
    entry : path
    size : (width, height), optional
        Stretch or shrink it to this.

    Raises
    ------
    DataFileError
        If it is damaged.
    """
    with _opened(entry, checked=True) as image:
        if image.mode in _DEEP:
            high = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
            image = import_extra("PIL.Image", "data").fromarray(high)
        elif image.format == "JPEG" and size is not None:
            image.draft(None, (2 * max(size), 2 * max(size)))
        upright = import_extra("PIL.ImageOps", "data").exif_transpose(image).convert("RGBA")
        if size is not None and upright.size != size:
            upright = upright.resize(size, reducing_gap=3.0)
        return np.asarray(upright)


@contextmanager
def _opened(entry: Entry, *, checked: bool = False) -> Iterator[Any]:
    """A picture file, opened; whatever fails within is told by one exception.

    Pillow's decoder of PNG passes over the check sums of pixels, unless it is asked to look at them.
    """
    library = import_extra("PIL.Image", "data")
    try:
        if not entry.is_file():
            reason = (
                "it is a folder" if entry.is_dir() else "not a file" if entry.exists() else "no such file"
            )
            raise DataFileError(str(entry), f"cannot be read: {reason}")
        with warnings.catch_warnings(), entry.open("rb") as file:
            warnings.simplefilter("ignore")
            if checked and file.read(4) == b"\x89PNG":
                file.seek(0)
                library.open(file).verify()
            file.seek(0)
            with library.open(file) as image:
                yield image
    except DataFileError:
        raise
    except library.UnidentifiedImageError:
        raise DataFileError(str(entry), "it is not an image") from None
    except Exception as error:  # Pillow's decoders raise many types on damaged files
        raise DataFileError(str(entry), f"the image cannot be read: {describe(error)}") from None
