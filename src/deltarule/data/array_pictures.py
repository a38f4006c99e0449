"""Pictures as arrays in one file, such as ``mnist.npz``: images and labels of each part."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from deltarule.arrays import Array
from deltarule.data.dataset import Dataset, classes_of, with_test
from deltarule.data.idx_files import load_idx_zip
from deltarule.data.raw_files import read_bytes
from deltarule.data.reading import LabelledArrays, labelled_arrays, read_array_file
from deltarule.errors import DataFileError

_SUFFIXES = (".npz", ".mat")


def array_pictures(path: str | os.PathLike[str]) -> Dataset | None:
    """Load pictures of 8 bits with their labels from a file of arrays, or a zip of IDX files; else None.

    Raises
    ------
    DataFileError
        If the file is damaged, or its parts do not fit each other.
    """
    if Path(path).suffix.lower() == ".zip":
        return load_idx_zip(path)
    if Path(path).suffix.lower() not in _SUFFIXES or not os.path.isfile(path):
        return None
    parts = labelled_arrays(read_array_file(path, read_bytes(path)))
    if not parts or not all(map(_are_pictures, parts)):
        return None
    sets = {part.part: _dataset(path, part) for part in parts}
    test, validation = sets.pop("test", None), sets.pop("validation", None)
    if not sets:
        raise DataFileError(path, "there are no images to train on, such as x_train with y_train")
    train = next(iter(sets.values()))
    train = train if test is None else with_test(train, test, path)
    return replace(train, validation=validation)


def _are_pictures(part: LabelledArrays) -> bool:
    sizes, values = part.inputs.shape, part.inputs
    fits = len(sizes) == 3 or (len(sizes) == 4 and sizes[3] in (1, 3))
    return fits and values.dtype.kind in "ui" and values.min() >= 0 and values.max() < 256


def _dataset(path: str | os.PathLike[str], part: LabelledArrays) -> Dataset:
    pixels = part.inputs.astype(np.uint8, copy=False)
    pixels = pixels[..., 0] if pixels.ndim == 4 and pixels.shape[3] == 1 else pixels
    target: Array = part.labels.astype(np.int64 if part.labels.dtype.kind in "biu" else object)
    classes = classes_of(target)
    size = f"{pixels.shape[2]} × {pixels.shape[1]}"
    described = f"{len(pixels)} images of {size} pixels in {len(classes)} classes, from {os.fspath(path)}"
    return Dataset(Path(path).stem, pixels, target, ("label",), classes, "minmax", None, described)
