"""Raw data for a model: reading rows, labelled or not, as it was trained to take them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data import Dataset, MemoryTable, ReadingOptions, is_table, load, read_images, read_table
from deltarule.data.decisions import Decision, refuse
from deltarule.data.encoding import ColumnsEncoding, Encoding, LabelEncoding, PixelsEncoding, Table
from deltarule.errors import DataFileError, InputError, all_faults
from deltarule.experiments.decided import new_labels, strange_cells
from deltarule.registry import did_you_mean


def as_source(source: Any, names: Sequence[str] = ()) -> Any:
    """What somebody brings as what `load` takes: a path, a name, a table in memory; or a data set as it is.

    ``names`` are those of an array's columns.
    """
    if isinstance(source, str | os.PathLike | Dataset):
        return source
    if isinstance(source, Table):
        return MemoryTable("table", source.names, tuple(source.columns.values()))
    return MemoryTable.of(source, names)


def options_for(encoding: Encoding, options: ReadingOptions | None = None) -> ReadingOptions:
    """The options with the form of pictures that the model was trained on, and its classes."""
    options, inputs, target = options or ReadingOptions(), encoding.inputs, encoding.target
    if not isinstance(inputs, PixelsEncoding):
        return options
    labels = target.classes if isinstance(target, LabelEncoding) else ()
    size, paper = (inputs.width, inputs.height), inputs.paper or None
    return replace(options, size=size, color=inputs.channels == 3, paper=paper, labels=labels)


def place_of(row: int | None, inputs: Table | Array) -> tuple[int, int]:
    """A row of what was read, counted from 1 (without one the first), and where it stands among the inputs.

    Raises InputError if there is no such row, or it was left out.
    """
    if isinstance(inputs, Table):
        return inputs.place_of(row)
    row = 1 if row is None else row
    if not 1 <= row <= len(inputs):
        raise InputError(f"there is no row {row}: there are {len(inputs)} rows")
    return row, row - 1


def with_answers(source: Any, name: str, answers: Any) -> MemoryTable:
    """A table in memory with a column of answers beside it."""
    table = as_source(source)
    if not isinstance(table, MemoryTable):
        raise InputError(f"answers beside the rows need a table in memory, got {type(source).__name__}")
    return table.with_column(name, answers)


def load_labelled(source: Any, encoding: Encoding, options: ReadingOptions | None = None) -> Dataset:
    """Data with known answers, read as the model's encoding takes them, with what was decided."""
    target = encoding.target
    if isinstance(source, Dataset) or not is_table(source):
        dataset = source
        if not isinstance(source, Dataset):
            named: str | tuple[()] | None = () if target is None else None
            if target is not None and os.path.isdir(source):  # where a table may have such a column
                named = next((name for name in target.kinds if name not in ("class", "label")), None)
            dataset = load(source, target=named, options=options_for(encoding, options))
        if isinstance(dataset.inputs, Table) or not isinstance(target, LabelEncoding):
            return dataset
        decisions = new_labels(dataset if dataset.test is None else dataset.test, target)
        if options is not None and options.strict:
            refuse(dataset.name, decisions)
        return replace(dataset, decisions=(*dataset.decisions, *decisions))
    task = None if target is None else "classification" if isinstance(target, LabelEncoding) else "regression"
    names = () if target is None else tuple(target.kinds)
    dataset = load(source, target=names, task=task, kinds=encoding.kinds, options=options)
    decisions = strange_cells(dataset.inputs, encoding)
    if isinstance(target, LabelEncoding):
        decisions += new_labels(dataset, target)
    if options is not None and options.strict:
        refuse(source, decisions)
    return replace(dataset, decisions=(*dataset.decisions, *decisions))


def raw_inputs(
    source: Any, encoding: Encoding, options: ReadingOptions | None = None
) -> tuple[list[str], Table | Array, tuple[Decision, ...]]:
    """New rows or pictures, without answers, as the model's encoding takes them.

    Returns
    -------
    files : list of str
        The names of pictures; none for tables and arrays.
    inputs : Table or ndarray
    decisions : tuple of Decision
    """
    inputs = encoding.inputs
    if isinstance(source, Dataset):
        return [], source.inputs, ()
    if isinstance(inputs, PixelsEncoding):
        if isinstance(source, str | os.PathLike):
            if os.path.exists(source):
                return read_images(source, options_for(encoding, options))
            return [], load(source).inputs, ()
        pixels = np.asarray(source)
        alone = pixels.ndim == (2 if inputs.channels == 1 else 3) and pixels.shape[1] != encoding.n_inputs
        return [], pixels[None] if alone else pixels, ()
    names = [*dict.fromkeys(column.source for column in inputs.columns)]
    found = as_source(source, names)
    if isinstance(found, str | os.PathLike) and not is_table(found) and not os.path.exists(found):
        return [], load(found).inputs, ()
    table = read_rows(found, encoding, options)
    return [], table, table.decisions


def read_rows(
    source: str | os.PathLike[str], encoding: Encoding, options: ReadingOptions | None = None
) -> Table:
    """New rows, read as the model's encoding takes them; the table's decisions tell what was not plain.

    Raises DataFileError if columns are missing: all of them are named.
    """
    table = read_table(source, encoding.kinds, options)
    columns = encoding.inputs.columns if isinstance(encoding.inputs, ColumnsEncoding) else ()
    lacking = [column for column in columns if column.name not in table.names]
    if lacking:
        line = None if table.origin is None or table.origin.lines is None else 1
        named = dict.fromkeys(column.source for column in lacking)
        hints = [f"there is no column {name!r}{did_you_mean(name, table.names)}" for name in named]
        raise all_faults([DataFileError(source, hint, line) for hint in hints])
    decisions = strange_cells(table, encoding)
    if options is not None and options.strict:
        refuse(source, decisions)
    return replace(table, decisions=(*table.decisions, *decisions))


def part_of(dataset: Dataset, part: str | None) -> Dataset:
    """The "train" or "test" part; where none is named, the test part if there is one."""
    if part == "test" and dataset.test is None:
        raise InputError(f"{dataset.name} has no test part")
    if part == "train" or dataset.test is None:
        return dataset
    return replace(dataset.test, decisions=dataset.decisions)
