"""What a page draws of a network at a moment: values and gradients, the plane, maps, curves, confusion."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.data.encoding import LabelEncoding, PixelsEncoding
from deltarule.derivations.updates import OptimizerStep
from deltarule.errors import InputError
from deltarule.nn.engines import reference
from deltarule.nn.layers import Gradients, Trace
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import neuron_names
from deltarule.registry import record
from deltarule.training import confusion_matrix

#: The phases of an update, in their order; "ready" is the moment before the next.
PHASES = ("ready", "forward", "loss", "backward", "update")
#: Of a layer so many neurons are sent, and of the inputs.
MOST_NEURONS = 12
#: The plane of a large network is coarser: so many products of a weight make it.
_PRODUCTS = 100_000_000
#: So many rows are drawn, and looked at for neurons that are dead or saturated.
MOST_ROWS = 1_000


@record
class Pass:
    """One forward and backward pass of some rows, and the update that follows from a batch.

    Parameters
    ----------
    net : Network
    trace : Trace
    grads : Gradients
    y : ndarray, (n_rows, n_outputs)
    step : OptimizerStep
        The update by the whole batch.
    """

    net: Network
    trace: Trace
    grads: Gradients
    y: Array
    step: OptimizerStep


def drawn_inputs(net: Network, x: Array | Scaled) -> Array:
    """Return which inputs are drawn: the first, or the pixels that differ most from row to row."""
    if not isinstance(net.encoding and net.encoding.inputs, PixelsEncoding):
        return np.arange(net.sizes[0])[:MOST_NEURONS]
    spread = np.asarray(x.astype(np.float32)).std(axis=0)
    return np.sort(np.argsort(-spread, kind="stable")[:MOST_NEURONS])


def input_names(net: Network) -> list[str]:
    """Return what the inputs are called: as the table's columns, or i1, i2, …"""
    return list(
        net.encoding.inputs.feature_names if net.encoding else map("i{}".format, range(1, net.sizes[0] + 1))
    )


def network_view(
    passed: Pass, drawn: Array, raw: Sequence[Any], outputs: Sequence[str], notes: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Return inputs, neurons, weights and targets, each with its numbers; of large layers the first neurons.

    Values are means over the rows, ``delta`` their sum: what the update is made of.
    """
    net, trace = passed.net, passed.trace
    shown = [drawn, *(np.arange(size)[:MOST_NEURONS] for size in net.sizes[1:])]
    x = np.asarray(trace[0].x).mean(axis=0)
    names = input_names(net)
    inputs = [{"name": names[i], "value": number(x[i]), "raw": raw[i]} for i in drawn.tolist()]
    keys, layers = neuron_names(net.sizes), []
    for index in range(len(net.layers)):
        layers.append(
            _layer_view(passed, index, shown, keys[index], notes[index] if index < len(notes) else ())
        )
    last = trace[-1]
    terms = net.objective.terms(last.z, last.a, passed.y).mean(axis=0)
    targets = [
        {"name": outputs[j], "value": number(passed.y.mean(axis=0)[j]), "share": number(terms[j])}
        for j in shown[-1].tolist()
    ]
    return {
        "inputs": inputs,
        "picture": picture_view(net, x),
        "left_out": net.sizes[0] - len(drawn),
        "layers": layers,
        "targets": targets,
        "learning_rate": passed.step.rate,
    }


def picture_view(net: Network, x: Array) -> dict[str, Any] | None:
    """Return the inputs as a picture, in bytes from black to white; None if they are no pixels."""
    pixels = net.encoding and net.encoding.inputs
    if not isinstance(pixels, PixelsEncoding):
        return None
    grey = x.reshape(pixels.height, pixels.width, pixels.channels).mean(axis=2) * pixels.scale
    values = np.nan_to_num(grey).clip(0, 255).astype(np.uint8)
    return {"width": pixels.width, "height": pixels.height, "values": b64encode(values.tobytes()).decode()}


def _layer_view(
    passed: Pass, index: int, shown: Sequence[Array], keys: Sequence[str], notes: Sequence[str]
) -> dict[str, Any]:
    net, layer = passed.net, passed.net.layers[index]
    z, a = (getattr(passed.trace[index], what).mean(axis=0) for what in "za")
    delta = passed.grads[index].delta.sum(axis=0)
    sources, n_out = shown[index].tolist(), len(shown[index + 1])
    gradient, after, places = passed.grads.flat, passed.step.after, net.select(f"W{index + 1}")
    biases = net.select(f"b{index + 1}") if layer.b is not None else np.empty(0, int)
    before = sum(one.dense.n_in * one.dense.n_out for one in net.layers[:index])

    def of(place: int) -> dict[str, Any]:
        values = {"value": net.parameters[place], "gradient": gradient[place], "new": after[place]}
        return {name: number(value) for name, value in values.items()}

    def bias(j: int) -> dict[str, Any] | None:
        if not len(biases):
            return None
        shared = len(biases) == 1 and layer.dense.n_out > 1
        return {"name": f"b{index + 1}" if shared else f"b_{keys[j]}", **of(biases[0 if shared else j])}

    return {
        "number": index + 1,
        "activation": layer.activation.name,
        "left_out": layer.dense.n_out - n_out,
        "neurons": [
            {
                "name": keys[j], "z": number(z[j]), "a": number(a[j]), "delta": number(delta[j]),
                "bias": bias(j), "note": notes[j] if j < len(notes) else "",
            }
            for j in range(n_out)
        ],
        "weights": [
            {"name": f"w{before + j * layer.dense.n_in + i + 1}", "from": place, "to": j, **of(places[i, j])}
            for j in range(n_out)
            for place, i in enumerate(sources)
        ],
    }  # fmt: skip


def neuron_notes(net: Network, x: Array) -> list[list[str]]:
    """Say of each neuron whether it is dead (the same 0 for all rows) or saturated, layer by layer."""
    trace = reference.forward(net.layers, x[:MOST_ROWS])
    notes = []
    for layer, values in zip(net.layers[:-1], trace, strict=False):
        slopes = np.abs(layer.activation.derivative(values.z, values.a))
        dead = (slopes == 0).all(axis=0)
        kinds = np.where(dead, "dead", np.where(np.median(slopes, axis=0) < 1e-3, "saturated", ""))
        notes.append(kinds[:MOST_NEURONS].tolist())
    return notes


def plane_view(net: Network, x: Array, axes: tuple[int, int], resolution: int) -> dict[str, Any]:
    """Return the outputs over the plane of two inputs, the others at their means, (n_outputs, r, r)."""
    resolution = min(resolution, max(10, math.isqrt(_PRODUCTS // net.parameters.size)))
    grid, low, high = _grid(x, axes, resolution)
    values = reference.outputs_of(net.layers, grid).astype(np.float32)
    outputs = np.ascontiguousarray(values.T)
    return {
        "low": low,
        "high": high,
        "resolution": resolution,
        "n_outputs": values.shape[1],
        "values": b64encode(np.nan_to_num(outputs).tobytes()).decode(),
    }


def maps_view(net: Network, x: Array, axes: tuple[int, int], resolution: int) -> dict[str, Any]:
    """Return what each neuron gives over the plane, as bytes from −127 to 127."""
    grid, _, _ = _grid(x, axes, resolution)
    trace = reference.forward(net.layers, grid)
    return {"resolution": resolution, "values": [list(_maps(values.a)) for values in trace]}


def _maps(a: Array) -> Iterator[str]:
    for column in a.T[:MOST_NEURONS]:
        low, high = float(column.min()), float(column.max())
        middle = 0.5 if low >= 0 and high <= 1 else 0.0
        size = max(abs(low - middle), abs(high - middle), 1e-12)
        yield b64encode(np.rint((column - middle) / size * 127).astype(np.int8).tobytes()).decode()


def _grid(x: Array, axes: tuple[int, int], resolution: int) -> tuple[Array, list[float], list[float]]:
    """Return the points of the plane, row by row from below, and its corners: a margin around the rows."""
    low, high = x[:, axes].min(axis=0), x[:, axes].max(axis=0)
    margin = np.maximum((high - low) * 0.15, 1e-3)
    low, high = low - margin, high + margin
    grid = np.tile(x.mean(axis=0), (resolution * resolution, 1))
    across, up = (np.linspace(low[k], high[k], resolution) for k in (0, 1))
    grid[:, axes[1]] = np.repeat(up, resolution)
    grid[:, axes[0]] = np.tile(across, resolution)
    return grid, low.tolist(), high.tolist()


def confusion_view(net: Network, x: Array | Scaled, true: Array) -> dict[str, Any] | None:
    """Return how often each class was taken for each; None for a regression."""
    target = net.encoding.target if net.encoding else None
    if not isinstance(target, LabelEncoding):
        return None
    k = len(target.classes)
    predicted = target.encode(target.decode(net.predict(x)), k)
    counts = confusion_matrix(predicted, target.encode(true, k))[:k, :k]
    return {"classes": [str(name) for name in target.classes], "counts": counts.astype(int).tolist()}


def flow_view(passed: Pass) -> list[dict[str, Any]]:
    """Return how large the gradient is in each layer."""
    return [
        {
            "layer": index + 1,
            "gradient": number(float(np.linalg.norm(grad.dW))),
            "delta": number(float(np.linalg.norm(grad.delta))),
        }
        for index, grad in enumerate(passed.grads)
    ]


def number(value: Any) -> float | None:
    """A number for JSON; None where it is not finite."""
    value = float(value)
    return value if math.isfinite(value) else None


def position_of(net: Network, name: Any) -> int:
    """Return where one parameter lies in the flat vector: ``w5``, ``W2[0,1]``, ``b_h1``, ``b1``."""
    text = str(name)
    if text.startswith("b_"):
        for number, keys in enumerate(neuron_names(net.sizes), start=1):
            if text[2:] in keys and net.layers[number - 1].b is not None:
                biases = net.select(f"b{number}")
                return int(biases[keys.index(text[2:]) if len(biases) > 1 else 0])
    places = net.select(text)
    if places.size != 1:
        raise InputError(f"{text[:40]} refers to {places.size} parameters: choose one")
    return int(places.ravel()[0])
