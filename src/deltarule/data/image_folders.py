"""Folders of images, one folder per class, as 8-bit greyscale."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.dataset import Dataset, classes_of, with_test
from deltarule.data.raw_files import check_file, describe, list_folder
from deltarule.errors import DataFileError
from deltarule.registry import import_extra

_LARGEST = 4096 * 4096
_DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")


def load_images(folder: str | os.PathLike[str]) -> Dataset:
    """Load ``FOLDER/train/CLASS/*`` and, where it is there, ``FOLDER/test/CLASS/*``; or ``FOLDER/CLASS/*``.

    Every file must be an image, all of one size; hidden files are passed over. Classes are integers
    where all folder names are whole numbers.

    Parameters
    ----------
    folder : path

    Returns
    -------
    Dataset
        With inputs (n, height, width) of uint8, class by class, files in the order of their names.

    Raises
    ------
    DataFileError
        If a file is not a whole image of the common size, or a class has none (the message names it).
    """
    folder = Path(folder)
    if not (folder / "train").is_dir():
        return _load_classes(folder, folder.name)
    train = _load_classes(folder / "train", folder.name)
    if not (folder / "test").exists():
        return train
    return with_test(train, _load_classes(folder / "test", folder.name), folder)


def read_images(source: str | os.PathLike[str]) -> tuple[list[str], Array]:
    """Read an image file, or all images that lie directly in a folder, for prediction.

    Returns
    -------
    names : list of str
        The names of the files.
    images : ndarray of uint8, (n, height, width)

    Raises
    ------
    DataFileError
        If a file is not a whole image, or images differ in size.
    """
    path = Path(source)
    files = list_folder(path) if path.is_dir() else [path]
    if not files:
        raise DataFileError(path, "there are no images in this folder")
    return [file.name for file in files], _read_all(files)


def _load_classes(folder: Path, name: str) -> Dataset:
    classes = [entry for entry in list_folder(folder) if entry.is_dir()]
    if not classes:
        raise DataFileError(folder, "expected one folder of images for each class, found no folders")
    files: list[Path] = []
    labels: list[str] = []
    for one in classes:
        found = list_folder(one)
        if not found:
            raise DataFileError(one, "there are no images in the folder of this class")
        files += found
        labels += [one.name] * len(found)
    images, target = _read_all(files), _as_integers(labels)
    size = f"{images.shape[2]} × {images.shape[1]}"
    description = f"{len(images)} images of {size} pixels in {len(classes)} classes, from {folder}"
    return Dataset(name, images, target, ("class",), classes_of(target), "minmax", None, description)


def _as_integers(labels: list[str]) -> Array:
    """Return labels as integers where all are, and stay different as such; else as they are."""
    if all(label.isascii() and label.isdigit() and len(label) < 19 for label in labels):
        numbers = np.array([int(label) for label in labels])
        if len(set(numbers.tolist())) == len(set(labels)):
            return numbers
    return np.array(labels, dtype=object)


def _read_all(files: list[Path]) -> Array:
    """Read images of one size as an array (n, height, width)."""
    library = import_extra("PIL.Image", "data")
    first = _read_image(library, files[0])
    images = np.empty((len(files), *first.shape), dtype=np.uint8)
    for row, file in enumerate(files):
        pixels = first if row == 0 else _read_image(library, file)
        if pixels.shape != first.shape:
            sizes = [f"{shape[1]} × {shape[0]}" for shape in (pixels.shape, first.shape)]
            raise DataFileError(file, f"the image has {sizes[0]} pixels, but {files[0].name} has {sizes[1]}")
        images[row] = pixels
    return images


def _read_image(library: Any, file: Path) -> Array:
    """Read one image as 8-bit grey values, (height, width)."""
    check_file(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", library.DecompressionBombWarning)
            with library.open(file) as image:
                if image.width * image.height > _LARGEST:
                    raise DataFileError(file, f"{image.width} × {image.height} pixels are too many")
                if image.mode in _DEEP_MODES:
                    raise DataFileError(
                        file, f"expected 8-bit values, got mode {image.mode}; convert it first"
                    )
                return np.asarray(image.convert("L"))
    except DataFileError:
        raise
    except library.UnidentifiedImageError:
        raise DataFileError(file, "it is not an image") from None
    except Exception as error:  # Pillow's decoders raise many types on damaged files
        raise DataFileError(file, f"the image cannot be read: {describe(error)}") from None
