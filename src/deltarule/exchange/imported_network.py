"""What an import has found out about a network, and the `Network` built from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding import (
    ColumnsEncoding,
    Encoding,
    LabelEncoding,
    NumberColumn,
    NumbersEncoding,
    PixelsEncoding,
)
from deltarule.data.encoding.targets import as_labels
from deltarule.errors import InputError, ShapeError
from deltarule.nn.activations import Activation
from deltarule.nn.layers import Dense
from deltarule.nn.losses import Loss
from deltarule.nn.network import Network
from deltarule.registry import record


@record
class ImportedLayer:
    """``a = f(x @ W + b)`` with ``W`` (n_in, n_out), and ``b`` (n_out,) or None."""

    W: Array
    b: Array | None
    activation: Activation


@record
class ImportedNetwork:
    """What an import has found out about a network; None where nothing is known.

    Attributes
    ----------
    layers : tuple of ImportedLayer
    features : sequence of str
        A name for each input.
    shift, scale, fill : ndarray, (n_features,)
        ``x = (X − shift) / scale``, where ``fill`` stands in for a missing number (NaN: none does).
    classes : array-like, (n_classes,)
        In the order of the outputs; of a single output, what ½ and less means, then what more means.
    targets : sequence of str
        A name for each output of a regression.
    out_shift, out_scale : ndarray, (n_outputs,)
        Answers are ``outputs · out_scale + out_shift``.
    loss : str
    """

    layers: tuple[ImportedLayer, ...]
    features: Sequence[str] | None = None
    shift: Array | None = None
    scale: Array | None = None
    fill: Array | None = None
    classes: Any = None
    targets: Sequence[str] | None = None
    out_shift: Array | None = None
    out_scale: Array | None = None
    loss: str | None = None


def build_network(
    imported: ImportedNetwork,
    loss: str | Loss | None = None,
    features: Sequence[str] | None = None,
    classes: Sequence[Any] | None = None,
) -> Network:
    """Build the network, with an encoding where names, scaling or labels are known.

    Its number type is that of the weights. Classes are put in ascending order, as encodings hold them, and
    the outputs with them. A loss, names of features and classes that are given count more than those found.

    Raises InputError or ShapeError if something does not fit.
    """
    if features is not None:
        imported = replace(imported, features=features)
    if classes is not None:
        imported = replace(imported, classes=classes)
    layers, target = list(imported.layers), None
    if imported.classes is not None:
        labels = as_labels(np.asarray(imported.classes), "classes")
        target = LabelEncoding.fit(labels)
        layers[-1] = _in_order(layers[-1], labels, target)
    dense = [Dense(len(x.W), x.W.shape[1], x.activation, bias=x.b is not None) for x in layers]
    numbers = np.result_type(*(layer.W for layer in layers))
    net = Network(dense, loss=imported.loss if loss is None else loss, dtype=str(numbers))
    net.set_weights([layer.W for layer in layers], [layer.b for layer in layers])
    net.encoding = _encoding_of(imported, net.sizes[0], net.sizes[-1], target)
    return net


def _in_order(layer: ImportedLayer, labels: Array, target: LabelEncoding) -> ImportedLayer:
    """The last layer with its outputs in the order of the encoding's classes."""
    n_outputs, n_classes = layer.W.shape[1], len(target.classes)
    if len(labels) != n_classes:
        raise InputError(f"classes must be different from each other, got {labels.tolist()}")
    if n_outputs != n_classes and (n_outputs, n_classes) != (1, 2):
        raise ShapeError(f"{n_outputs} outputs need as many classes (1 output: 2), got {n_classes} classes")
    order = np.argsort(target.codes(labels))
    if (order == np.arange(n_classes)).all():
        return layer
    if n_outputs == 1:
        # 1 − σ(z) = σ(−z): what the output says of the other class.
        if layer.activation.name != "sigmoid":
            raise InputError(
                f"classes of a single {layer.activation.name} output must be in ascending order, "
                f"got {labels.tolist()}"
            )
        return ImportedLayer(-layer.W, None if layer.b is None else -layer.b, layer.activation)
    return ImportedLayer(layer.W[:, order], None if layer.b is None else layer.b[order], layer.activation)


def _encoding_of(
    imported: ImportedNetwork, n_features: int, n_outputs: int, target: LabelEncoding | None
) -> Encoding | None:
    known = (imported.features, imported.shift, imported.fill, target, imported.targets, imported.out_shift)
    if all(part is None for part in known):
        return None
    return Encoding(_inputs_encoding(imported, n_features), target or _units_encoding(imported, n_outputs))


def _inputs_encoding(imported: ImportedNetwork, n_features: int) -> ColumnsEncoding | PixelsEncoding:
    names = _names_or_numbered("features", imported.features, "x", n_features)
    shift = np.zeros(n_features) if imported.shift is None else imported.shift
    scale = np.ones(n_features) if imported.scale is None else imported.scale
    fill = np.full(n_features, np.nan) if imported.fill is None else imported.fill
    pixels = _pixels_encoding(names, float(scale[0]))
    if pixels and not shift.any() and (scale == scale[0]).all() and np.isnan(fill).all():
        return pixels
    numbers = zip(names, shift.tolist(), scale.tolist(), fill.tolist(), strict=True)
    return ColumnsEncoding(
        tuple(NumberColumn(name, low, spread, None if x != x else x) for name, low, spread, x in numbers)
    )


def _pixels_encoding(names: tuple[str, ...], scale: float) -> PixelsEncoding | None:
    """The images whose features have these names, if there are any."""
    last = re.fullmatch(r"pixel_(\d{1,5})_(\d{1,5})(_blue)?", names[-1])
    channels = 3 if last and last[3] else 1
    if last is None or (int(last[1]) + 1) * (int(last[2]) + 1) * channels != len(names):
        return None
    pixels = PixelsEncoding(int(last[1]) + 1, int(last[2]) + 1, scale, channels)
    return pixels if pixels.feature_names == names else None


def _units_encoding(imported: ImportedNetwork, n_outputs: int) -> NumbersEncoding:
    names = _names_or_numbered("targets", imported.targets, "y", n_outputs)
    shift = np.zeros(n_outputs) if imported.out_shift is None else imported.out_shift
    scale = np.ones(n_outputs) if imported.out_scale is None else imported.out_scale
    return NumbersEncoding(names, tuple(shift.tolist()), tuple(scale.tolist()))


def _names_or_numbered(what: str, names: Sequence[str] | None, letter: str, count: int) -> tuple[str, ...]:
    """The names, or x1 x2 … where there are none."""
    if names is None:
        return tuple(f"{letter}{number}" for number in range(1, count + 1))
    listed = tuple(str(name) for name in names)
    if len(listed) != count:
        raise ShapeError(f"{count} {what} need as many names, got {len(listed)}")
    return listed
