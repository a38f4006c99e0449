"""Arrays by name in one file, NumPy's ``.npz`` and MATLAB's ``.mat``: inputs and labels, in parts or not."""

from __future__ import annotations

import io
import os
import re

import numpy as np

from deltarule.arrays import Array
from deltarule.data.decisions import decide
from deltarule.data.part_names import PART_NAMES
from deltarule.data.raw_files import DAMAGED, describe
from deltarule.data.reading.cells import Cells
from deltarule.data.reading.other_sources import cells_of_array
from deltarule.data.reading.raw_table import RawTable, ReadingOptions
from deltarule.errors import DataFileError
from deltarule.registry import import_extra, record

_PARTS = {name: part for part, names in PART_NAMES.items() for name in names}
_PARTS |= {"": "", "tr": "train", "te": "test"}
_PART = f"(?:{'|'.join(filter(None, _PARTS))})"
_INPUTS = re.compile(
    rf"(?:({_PART})[_ ]?)?(?:x|data|images?|imgs?|inputs?|features?|arr_0)(?:[_ ]?({_PART}))?", re.IGNORECASE
)
_LABELS = re.compile(
    rf"(?:({_PART})[_ ]?)?(?:y|labels?|targets?|class(?:es)?|arr_1)(?:[_ ]?({_PART}))?", re.IGNORECASE
)
_UNREADABLE: tuple[type[Exception], ...] = (*DAMAGED, TypeError, KeyError, IndexError)


@record
class LabelledArrays:
    """The arrays of one part: ``inputs`` (n, …) of this name, and ``labels`` (n,).

    ``part`` is "train", "validation" or "test"; empty where the name says none.
    """

    name: str
    part: str
    inputs: Array
    labels: Array


def read_array_file(path: str | os.PathLike[str], data: bytes) -> dict[str, Array]:
    """Read the arrays of numbers or texts in a file, without running anything that it holds.

    Raises
    ------
    DataFileError
        If it is damaged, or of MATLAB's version 7.3.
    """
    if b"MATLAB 7.3" in data[:128] or data.startswith(b"\x89HDF"):
        raise DataFileError(path, "this is HDF5 (MATLAB 7.3): save it in MATLAB with save(file, '-v7')")
    try:
        if data.startswith(b"MATLAB"):
            found = import_extra("scipy.io", "fast").loadmat(io.BytesIO(data), chars_as_strings=True)
        else:
            opened = np.load(io.BytesIO(data), allow_pickle=False)
            found = {"x": opened} if isinstance(opened, np.ndarray) else dict(opened)
    except _UNREADABLE as error:
        raise DataFileError(path, f"these arrays cannot be read: {describe(error)}") from None
    arrays = {name: np.asarray(array) for name, array in found.items() if not name.startswith("__")}
    return {name: array for name, array in arrays.items() if array.dtype.kind in "biufUSV" and array.size}


def labelled_arrays(arrays: dict[str, Array]) -> list[LabelledArrays]:
    """Return inputs with their labels, the training part first; none where no names say so."""
    found = []
    for name, array in arrays.items():
        match = _INPUTS.fullmatch(name)
        if match is None or array.ndim < 2:
            continue
        part = (match[1] or match[2] or "").lower()
        for other, labels in arrays.items():
            same = _LABELS.fullmatch(other)
            if same and (same[1] or same[2] or "").lower() == part:
                flat = _flat_labels(labels)
                last = array.ndim > 2 and len(array) != len(flat) == array.shape[-1]  # MATLAB's order
                inputs = np.moveaxis(array, -1, 0) if last else array
                if len(inputs) == len(flat):
                    found.append(LabelledArrays(name, _PARTS[part], inputs, flat))
                    break
    return sorted(found, key=lambda one: ("", *PART_NAMES).index(one.part))


def _flat_labels(labels: Array) -> Array:
    """One label for each row, (n_rows,); of rows of zeros and a single one the place of the one."""
    zeros_and_ones = labels.ndim == 2 and min(labels.shape) > 1 and set(np.unique(labels)) == {0, 1}
    if zeros_and_ones and (labels.sum(axis=1) == 1).all():
        return labels.argmax(axis=1)
    return labels.ravel() if labels.size == max(labels.shape) else labels


def read_arrays(path: str | os.PathLike[str], data: bytes, options: ReadingOptions) -> RawTable:
    """Read arrays as a table: inputs x1, x2, … and labels y; or, without such names, arrays as columns."""
    arrays = read_array_file(path, data)
    found = [one for one in labelled_arrays(arrays) if options.table in (None, one.name)]
    columns: dict[str, Array] = {}
    decisions = []
    if found:
        one = found[0]
        columns = _columns("x", one.inputs) | _columns("y", one.labels)
        if len(found) > 1:
            decisions.append(decide("sheet", count=len(found), name=one.name))
    else:
        n_rows = max((max(array.shape) for array in arrays.values() if array.ndim), default=0)
        for name, array in arrays.items():
            plain = array.ravel() if array.size == n_rows else array
            if plain.ndim in (1, 2) and len(plain) == n_rows and options.table in (None, name):
                columns |= _columns(name, plain)
    if not columns:
        listed = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "none"
        raise DataFileError(
            path,
            f"expected an array X of rows, and y of as many labels, got {listed}: rename them",
        )
    cells: tuple[Cells, ...] = tuple(map(cells_of_array, columns.values()))
    return RawTable(tuple(columns), cells, decisions=tuple(decisions))


def _columns(name: str, array: Array) -> dict[str, Array]:
    """The columns of an array: one of its name, or numbered ones, or those of a structured array."""
    if array.dtype.names:
        flat = array.ravel()
        return {field: flat[field] for field in array.dtype.names if flat[field].dtype.kind in "biufUS"}
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    array = array.astype(object) if array.dtype.kind == "U" else array
    rows = array.reshape(len(array), -1)
    if array.ndim == 1:
        return {name: array}
    return {f"{name}{place}": rows[:, place - 1] for place in range(1, rows.shape[1] + 1)}
