"""``deltarule predict MODEL ROWS``: what a saved network says about new rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from deltarule.arrays import Array
from deltarule.cli.console import say
from deltarule.cli.models import load_model
from deltarule.data import read_images, read_table
from deltarule.data.encoding import Encoding, LabelEncoding, PixelsEncoding, Table
from deltarule.files import check_writable, write_atomically
from deltarule.nn.network import Network

__all__ = ["predict"]


@click.command(short_help="Apply a saved network to new rows or images.")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("rows", type=click.Path(path_type=Path))
@click.option("--probabilities", is_flag=True, help="Print what the network gives each class, too.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the CSV here, not to the terminal."
)
def predict(model: Path, rows: Path, probabilities: bool, out: Path | None) -> None:
    """Print a CSV with one line for each of ROWS: what MODEL predicts.

    ROWS is a .csv or .parquet file with the columns that MODEL was trained on (others are ignored; the target
    may be missing), or an image, or a folder of images.

    \b
    deltarule predict iris.safetensors new.csv --probabilities
    """
    if out is not None:
        check_writable(out)
    net, encoding = load_model(model)
    names, inputs = _read(rows, encoding)
    outputs = net.predict(encoding.inputs.encode(inputs, net.dtype))
    columns = ({"file": names} if names else {}) | _answers(net, encoding, outputs)
    if probabilities and isinstance(encoding.target, LabelEncoding):
        columns |= _probabilities(encoding.target, outputs)
    text = _csv(columns)
    if out is None:
        say(text.rstrip("\n"))
    else:
        write_atomically(out, text.encode())


def _read(rows: Path, encoding: Encoding) -> tuple[list[str], Any]:
    if isinstance(encoding.inputs, PixelsEncoding):
        return read_images(rows)
    return [], read_table(rows, encoding.kinds)


def _answers(net: Network, encoding: Encoding, outputs: Array) -> dict[str, Iterable[Any]]:
    """Columns by name: the label, the numbers, or the inputs again."""
    answer = encoding.decode(outputs)
    if isinstance(answer, Table):
        return {name: answer.column(name).tolist() for name in answer.names}
    if encoding.target is None:
        return {name: answer.reshape(len(answer), -1)[:, i].tolist() for i, name in _numbered(encoding)}
    if isinstance(encoding.target, LabelEncoding):
        return {encoding.target.name: answer.tolist()}
    matrix = answer.reshape(len(answer), -1)
    return {name: matrix[:, i].tolist() for i, name in enumerate(encoding.target.names)}


def _numbered(encoding: Encoding) -> Iterable[tuple[int, str]]:
    return enumerate(encoding.inputs.feature_names)


def _probabilities(target: LabelEncoding, outputs: Array) -> dict[str, Iterable[Any]]:
    if outputs.shape[1] == 1 and len(target.classes) == 2:
        no, yes = (f"p({label})" for label in target.classes)
        return {no: (1 - outputs[:, 0]).tolist(), yes: outputs[:, 0].tolist()}
    return {f"p({label})": outputs[:, i].tolist() for i, label in enumerate(target.classes)}


def _csv(columns: dict[str, Iterable[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()
