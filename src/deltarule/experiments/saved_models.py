"""Saved models and raw data: reading rows as a model was trained to take them, and predicting for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data import Dataset, is_table, load, read_images, read_table
from deltarule.data.encoding import Encoding, LabelEncoding, PixelsEncoding, Table
from deltarule.errors import InputError, ModelFileError
from deltarule.nn.network import Network


def load_model(path: str | os.PathLike[str]) -> tuple[Network, Encoding]:
    """A saved network with its encoding, without which raw rows mean nothing to it."""
    net = Network.load(path)
    if net.encoding is None:
        raise ModelFileError(
            f"{path} holds no encoding of inputs and targets: it was not saved by deltarule train"
        )
    return net, net.encoding


def load_labelled(source: str, encoding: Encoding) -> Dataset:
    """Data with known answers, read as the model's encoding takes them."""
    if not is_table(source):
        return load(source)
    target = encoding.target
    if target is None:
        return load(source, target=(), kinds=encoding.kinds)
    task = "classification" if isinstance(target, LabelEncoding) else "regression"
    return load(source, target=tuple(target.kinds), task=task, kinds=encoding.kinds)


def part_of(dataset: Dataset, part: str | None) -> Dataset:
    """The "train" or "test" part; where none is named, the test part if there is one."""
    if part == "test" and dataset.test is None:
        raise InputError(f"{dataset.name} has no test part")
    return dataset.test if part != "train" and dataset.test is not None else dataset


def predicted_columns(model: Path, rows: Path, *, probabilities: bool) -> dict[str, list[Any]]:
    """What a saved model predicts for new rows or images, by column: file names, answers, probabilities."""
    net, encoding = load_model(model)
    columns: dict[str, list[Any]] = {}
    inputs: Any
    if isinstance(encoding.inputs, PixelsEncoding):
        columns["file"], inputs = read_images(rows)
    else:
        inputs = read_table(rows, encoding.kinds)
    outputs = net.predict(encoding.inputs.encode(inputs, net.dtype))
    columns |= _decoded_columns(encoding, outputs)
    if probabilities and isinstance(encoding.target, LabelEncoding):
        labels = encoding.target.classes
        if outputs.shape[1] < len(labels):
            outputs = np.hstack([1 - outputs, outputs])
        columns |= {f"p({label})": outputs[:, i].tolist() for i, label in enumerate(labels)}
    return columns


def _decoded_columns(encoding: Encoding, outputs: Array) -> dict[str, list[Any]]:
    """The label, the numbers, or the inputs again, by name."""
    decoded, target = encoding.decode(outputs), encoding.target
    if isinstance(decoded, Table):
        return {name: decoded.column(name).tolist() for name in decoded.names}
    names = encoding.inputs.feature_names if target is None else target.kinds
    return dict(zip(names, decoded.reshape(len(decoded), -1).T.tolist(), strict=True))
