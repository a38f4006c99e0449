"""``deltarule inspect``: every neuron of a network, and what it computes for a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltarule.arrays import Array, Scaled
from deltarule.cli.console import number, print_decisions, print_json, print_table, say, told
from deltarule.cli.options import reading_options, take_reading_options
from deltarule.data import ReadingOptions, is_table, load, read_images
from deltarule.data.encoding import PixelsEncoding
from deltarule.errors import InputError
from deltarule.experiments.saved_models import options_for, read_rows
from deltarule.nn.layers import Layer, Trace
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names
from deltarule.tutorials import is_example, load_example

_SHOWN_NEURONS = 12  # of a layer, and
_SHOWN_INPUTS = 8  # of a neuron, that are shown unless all are asked for


@click.command(short_help="Show every neuron: inputs, weights, bias, net, output.")
@click.argument("model")
@click.argument("rows", required=False)
@click.option("--row", type=click.IntRange(1), default=1, help="Which of ROWS to compute.")
@click.option("--layer", type=click.IntRange(1), help="Show this layer only.")
@click.option("--all", "everything", is_flag=True, help="Show all neurons and weights of large layers.")
@click.option("--digits", type=click.IntRange(1, 17), default=9, help="Significant digits.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@reading_options
def inspect(
    model: str,
    rows: str | None,
    row: int,
    layer: int | None,
    everything: bool,
    digits: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Print the neurons of MODEL, and what each computes for one of ROWS.

    MODEL is a saved network, or a worked example: T1 … or a .toml file, which brings its own rows. ROWS is a
    file or a bundled set, as deltarule train takes them.

    \b
    deltarule inspect T1
    deltarule inspect iris.safetensors Iris.csv --row 17
    """
    net, x = _network_and_rows(model, rows, take_reading_options(options))
    if x is not None and row > len(x):
        raise InputError(f"--row {row}: there are {len(x)} rows")
    if layer is not None and layer > len(net.layers):
        raise InputError(f"--layer {layer}: {net!r} has {len(net.layers)} layers")
    trace = None if x is None else net.forward(x[row - 1 : row])
    chosen = [i for i in range(len(net.layers)) if layer in (None, i + 1)]
    layers = [_layer_numbers(net, i, trace) for i in chosen]
    if as_json:
        print_json({"network": repr(net), "layers": layers})
        return
    say(f"{net!r}, {net.loss.name}" + ("" if x is None else f"; row {row} of {len(x)}"))
    for i, layer_numbers in zip(chosen, layers, strict=True):
        say()
        _print_layer(layer_numbers, str(net.layers[i].activation.formula), everything, digits)


def _network_and_rows(
    model: str, rows: str | None, reading: ReadingOptions
) -> tuple[Network, Array | Scaled | None]:
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
    return net, net.encoding.inputs.encode(_raw_rows(rows, net, reading), net.dtype)


def _raw_rows(rows: str, net: Network, reading: ReadingOptions) -> Any:
    assert net.encoding is not None
    if isinstance(net.encoding.inputs, PixelsEncoding) and Path(rows).exists():
        return read_images(rows, options_for(net.encoding))[1]
    if is_table(rows):
        table = read_rows(rows, net.encoding, reading)
        print_decisions(told(table.decisions), err=True)
        return table
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


def _layer_numbers(net: Network, index: int, trace: Trace | None) -> dict[str, Any]:
    """Inputs and neurons of a layer; where a row was computed, its inputs, net and output too."""
    layer, step = net.layers[index], None if trace is None else trace[index]
    neurons = []
    for j, name in enumerate(neuron_names(net.sizes)[index]):
        neuron = {"name": name, "weights": layer.W[:, j].tolist(), "bias": _bias_of_neuron(layer, j)}
        if step is not None:
            neuron |= {"net": float(step.z[0, j]), "output": float(step.a[0, j])}
        neurons.append(neuron)
    inputs = {"names": _input_names(net, index)}
    if step is not None:
        inputs["values"] = step.dense_x[0].tolist()
    return {"layer": index + 1, "activation": layer.activation.name, "inputs": inputs, "neurons": neurons}


def _print_layer(layer: dict[str, Any], formula: str, everything: bool, digits: int) -> None:
    names, values = layer["inputs"]["names"], layer["inputs"].get("values")
    n_in, n_out = len(names), len(layer["neurons"])
    neurons = layer["neurons"] if everything else layer["neurons"][:_SHOWN_NEURONS]
    columns = ["", *["input"] * (values is not None), *(neuron["name"] for neuron in neurons)]
    rows: list[list[object]] = []
    for i, name in enumerate(names if everything else names[:_SHOWN_INPUTS]):
        weights = (neuron["weights"][i] for neuron in neurons)
        rows.append([f"weight from {name}", *([] if values is None else [values[i]]), *weights])
    left = [(n_out - len(neurons), "neurons"), (n_in - len(rows), "inputs of each")]
    for key in ("bias",) if values is None else ("bias", "net", "output"):
        cells = ("–" if neuron[key] is None else neuron[key] for neuron in neurons)
        rows.append([key, *[""] * (values is not None), *cells])
    title = f"layer {layer['layer']}: {n_in} → {n_out}, f(z) = {formula}"
    print_table(columns, [[number(cell, digits) for cell in row] for row in rows], title=title)
    if hidden := " and ".join(f"{count} more {what}" for count, what in left if count):
        say(f" … {hidden} (--all)")
