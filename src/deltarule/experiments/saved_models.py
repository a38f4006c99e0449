"""Saved models and raw data: reading rows as a model was trained to take them, and predicting for them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data import Dataset, ReadingOptions, is_table, load, read_images, read_table
from deltarule.data.decisions import Decision, refuse
from deltarule.data.encoding import ColumnsEncoding, Encoding, LabelEncoding, PixelsEncoding, Table
from deltarule.errors import DataFaults, DataFileError, InputError, ModelFileError
from deltarule.experiments.decided import new_labels, strange_cells
from deltarule.nn.network import Network
from deltarule.registry import did_you_mean


def load_model(path: str | os.PathLike[str]) -> tuple[Network, Encoding]:
    """A saved network with its encoding, without which raw rows mean nothing to it."""
    net = Network.load(path)
    if net.encoding is None:
        raise ModelFileError(
            f"{path} holds no encoding of inputs and targets: it was not saved by deltarule train"
        )
    return net, net.encoding


def options_for(encoding: Encoding, options: ReadingOptions | None = None) -> ReadingOptions:
    """The options with the form of pictures that the model was trained on, and its classes."""
    options, inputs, target = options or ReadingOptions(), encoding.inputs, encoding.target
    if not isinstance(inputs, PixelsEncoding):
        return options
    labels = target.classes if isinstance(target, LabelEncoding) else ()
    size, paper = (inputs.width, inputs.height), inputs.paper or None
    return replace(options, size=size, color=inputs.channels == 3, paper=paper, labels=labels)


def load_labelled(source: str, encoding: Encoding, options: ReadingOptions | None = None) -> Dataset:
    """Data with known answers, read as the model's encoding takes them, with what was decided."""
    target = encoding.target
    if not is_table(source):
        dataset = load(source, target=() if target is None else None, options=options_for(encoding, options))
        if isinstance(dataset.inputs, Table) or not isinstance(target, LabelEncoding):
            return dataset
        decisions = new_labels(dataset if dataset.test is None else dataset.test, target)
        if options is not None and options.strict:
            refuse(source, decisions)
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


def read_rows(
    source: str | os.PathLike[str], encoding: Encoding, options: ReadingOptions | None = None
) -> Table:
    """New rows, read as the model's encoding takes them; the table's decisions tell what was not plain.

    Raises
    ------
    DataFileError
        If columns are missing: all of them are named.
    """
    table = read_table(source, encoding.kinds, options)
    columns = encoding.inputs.columns if isinstance(encoding.inputs, ColumnsEncoding) else ()
    lacking = [column for column in columns if column.name not in table.names]
    if lacking:
        line = None if table.origin is None or table.origin.lines is None else 1
        named = dict.fromkeys(column.source for column in lacking)
        hints = [f"there is no column {name!r}{did_you_mean(name, table.names)}" for name in named]
        faults = [DataFileError(source, hint, line) for hint in hints]
        raise faults[0] if len(faults) == 1 else DataFaults(faults)
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


def predicted_columns(
    model: Path, rows: str | Path, *, probabilities: bool, options: ReadingOptions | None = None
) -> tuple[dict[str, list[Any]], tuple[Decision, ...]]:
    """What a saved model predicts for new rows or images, by column: file names, answers, probabilities.

    With it comes what was decided about the rows.
    """
    net, encoding = load_model(model)
    columns: dict[str, list[Any]] = {}
    inputs: Any
    decisions: tuple[Decision, ...] = ()
    if isinstance(encoding.inputs, PixelsEncoding):
        columns["file"], inputs, decisions = read_images(rows, options_for(encoding, options))
    else:
        inputs = read_rows(rows, encoding, options)
        decisions = inputs.decisions
    outputs = net.predict(encoding.inputs.encode(inputs, net.dtype))
    if not np.isfinite(outputs).all():
        row = int(np.argmin(np.isfinite(outputs).all(axis=1))) + 1
        largest = float(abs(net.parameters).max())
        raise InputError(
            f"{model}: the outputs for row {row} are not finite; its largest weight is {largest:.3g}"
        )
    columns |= _decoded_columns(encoding, outputs)
    if probabilities and isinstance(encoding.target, LabelEncoding):
        labels = encoding.target.classes
        if outputs.shape[1] < len(labels):
            outputs = np.hstack([1 - outputs, outputs])
        columns |= {f"p({label})": outputs[:, i].tolist() for i, label in enumerate(labels)}
    return columns, decisions


def _decoded_columns(encoding: Encoding, outputs: Array) -> dict[str, list[Any]]:
    """The label, the numbers, or the inputs again, by name."""
    decoded, target = encoding.decode(outputs), encoding.target
    if isinstance(decoded, Table):
        return {name: decoded.column(name).tolist() for name in decoded.names}
    names = encoding.inputs.feature_names if target is None else target.kinds
    return dict(zip(names, decoded.reshape(len(decoded), -1).T.tolist(), strict=True))
