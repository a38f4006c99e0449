"""``deltarule inspect``: every neuron of a network, and what it computes for a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.cli.console import print_json, print_table, say
from deltarule.data import is_table, load, read_images, read_table
from deltarule.data.encoding import PixelsEncoding
from deltarule.errors import InputError
from deltarule.nn.layers import Layer, LayerTrace
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names
from deltarule.tutorials import is_example, load_example

_SHOWN_NEURONS = 12  # of a layer, and
_SHOWN_INPUTS = 8  # of a neuron, that are shown unless all are asked for


@click.command(short_help="Show every neuron: inputs, weights, bias, net, output.")
@click.argument("model")
@click.argument("rows", required=False)
@click.option("--row", type=click.IntRange(1), default=1, show_default=True, help="Which of ROWS to compute.")
@click.option("--layer", type=click.IntRange(1), help="Show this layer only.")
@click.option("--all", "everything", is_flag=True, help="Show all neurons and weights of large layers.")
@click.option(
    "--digits", type=click.IntRange(1, 17), default=9, show_default=True, help="Significant digits."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def inspect(
    model: str, rows: str | None, row: int, layer: int | None, everything: bool, digits: int, as_json: bool
) -> None:
    """Print the neurons of MODEL, and what each computes for one of ROWS.

    MODEL is a saved network, or a worked example: T1 … or a .toml file, which brings its own rows. ROWS is a
    file or a bundled set, as deltarule train takes them.

    \b
    deltarule inspect T1
    deltarule inspect iris.safetensors Iris.csv --row 17
    """
    net, x = _network_and_rows(model, rows)
    if x is not None and row > len(x):
        raise InputError(f"--row {row}: there are {len(x)} rows")
    if layer is not None and layer > len(net.layers):
        raise InputError(f"--layer {layer}: {net!r} has {len(net.layers)} layers")
    trace = None if x is None else net.forward(x[row - 1 : row])
    chosen = [i for i in range(len(net.layers)) if layer in (None, i + 1)]
    if as_json:
        print_json({"network": repr(net), "layers": [_layer_numbers(net, i, trace) for i in chosen]})
        return
    say(f"{net!r}, {net.loss.name}" + ("" if x is None else f"; row {row} of {len(x)}"))
    for i in chosen:
        say()
        _print_layer(net, i, None if trace is None else trace[i], everything, digits)


def _network_and_rows(model: str, rows: str | None) -> tuple[Network, Array | Scaled | None]:
    if is_example(model):
        if rows is not None:
            raise InputError(f"{model} brings its own rows: leave out {rows}")
        example = load_example(model)
        return example.network(), example.X
    net = Network.load(Path(model))
    if rows is None:
        return net, None
    if net.encoding is None:
        raise InputError(f"{model} holds no encoding, so raw rows mean nothing to it")
    return net, net.encoding.inputs.encode(_raw_rows(rows, net), net.dtype)


def _raw_rows(rows: str, net: Network) -> Any:
    assert net.encoding is not None
    if is_table(rows):
        return read_table(rows, net.encoding.kinds)
    if isinstance(net.encoding.inputs, PixelsEncoding) and Path(rows).exists():
        return read_images(rows)[1]
    return load(rows).inputs


def _input_names(net: Network, index: int) -> list[str]:
    """i1 i2 … or the names of the features; h1 h2 … on through the hidden layers."""
    n = net.layers[index].dense.n_in
    if index == 0:
        return list(net.encoding.inputs.feature_names) if net.encoding else [f"i{j}" for j in range(1, n + 1)]
    return neuron_names(net.sizes)[index - 1]


def _bias_of_neuron(layer: Layer, neuron: int) -> float | None:
    if layer.b is None:
        return None
    return float(layer.b[0 if layer.dense.bias == "shared" else neuron])


def _layer_numbers(net: Network, index: int, trace: Any) -> dict[str, Any]:
    layer, names = net.layers[index], neuron_names(net.sizes)[index]
    neurons = []
    for j in range(layer.dense.n_out):
        neuron: dict[str, Any] = {
            "name": names[j],
            "weights": layer.W[:, j].tolist(),
            "bias": _bias_of_neuron(layer, j),
        }
        if trace is not None:
            neuron |= {"net": float(trace[index].z[0, j]), "output": float(trace[index].a[0, j])}
        neurons.append(neuron)
    inputs = {"names": _input_names(net, index)}
    if trace is not None:
        inputs["values"] = trace[index].x[0].tolist()
    return {"layer": index + 1, "activation": layer.activation.name, "inputs": inputs, "neurons": neurons}


def _print_layer(net: Network, index: int, trace: LayerTrace | None, everything: bool, digits: int) -> None:
    layer = net.layers[index]
    n_in, n_out = layer.W.shape
    inputs = range(n_in) if everything else range(min(n_in, _SHOWN_INPUTS))
    neurons = range(n_out) if everything else range(min(n_out, _SHOWN_NEURONS))
    names = _input_names(net, index)
    columns = ["", *neuron_names(net.sizes)[index][: len(neurons)]]
    if trace is not None:
        columns.insert(1, "input")
    rows = [[f"weight from {names[i]}", *(layer.W[i, j] for j in neurons)] for i in inputs]
    biases = [_bias_of_neuron(layer, j) for j in neurons]
    rows.append(["bias", *("–" if bias is None else bias for bias in biases)])
    if trace is not None:
        for i, row in zip(inputs, rows, strict=False):
            row.insert(1, trace.x[0, i])
        rows[-1].insert(1, "")
        rows.append(["net", "", *trace.z[0, list(neurons)]])
        rows.append(["output", "", *trace.a[0, list(neurons)]])
    title = f"layer {index + 1}: {n_in} → {n_out}, f(z) = {layer.activation.formula}"
    print_table(columns, [[_cell_text(cell, digits) for cell in row] for row in rows], title=title)
    hidden = [(n_out - len(neurons), "neurons"), (n_in - len(inputs), "inputs of each")]
    left = " and ".join(f"{count} more {what}" for count, what in hidden if count)
    if left:
        say(f" … {left} (--all)")


def _cell_text(value: Any, digits: int) -> str:
    return f"{value:.{digits}g}" if isinstance(value, float | np.floating) else str(value)
