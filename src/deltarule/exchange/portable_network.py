"""A network as numbers and names: all that another program needs to compute the same answers."""

from __future__ import annotations

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding import CategoryColumn, Encoding, LabelEncoding, NumbersEncoding, PixelsEncoding
from deltarule.data.encoding.targets import Label
from deltarule.nn.activations import Activation
from deltarule.nn.network import Network
from deltarule.registry import record

__all__ = ["PortableLayer", "PortableNetwork", "portable_network"]


@record
class PortableLayer:
    """``a = f(x @ W + b)`` with ``W`` (n_in, n_out), ``b`` (n_out,): a layer without bias has zeros."""

    W: Array
    b: Array
    activation: Activation


@record
class PortableNetwork:
    """What a trained network computes, from raw numbers to answers.

    ``x = (X − shift) / scale``, where a missing number (NaN) of X is first replaced by ``fill``; then the
    layers; then, for a regression with units, ``outputs · out_scale + out_shift``.

    Attributes
    ----------
    layers : tuple of PortableLayer
        Their arrays are of the network's dtype.
    features : tuple of str
        A name for each input.
    shift, scale : ndarray, (n_features,) of float64, or None
        None where inputs go in as they are.
    fill : ndarray, (n_features,) of float64, or None
        NaN where nothing stands in for a missing number; None where nothing does anywhere.
    outputs : tuple of str
        A name for each output: the target's, or ``p(setosa)`` for a class.
    classes : tuple of str, int, float or bool, or None
        What a classification answers: the class of the largest output; of a single output, the second
        class where it is above ½.
    out_shift, out_scale : ndarray, (n_outputs,) of float64, or None
        None where outputs are the answer.
    """

    layers: tuple[PortableLayer, ...]
    features: tuple[str, ...]
    shift: Array | None
    scale: Array | None
    fill: Array | None
    outputs: tuple[str, ...]
    classes: tuple[Label, ...] | None
    out_shift: Array | None
    out_scale: Array | None

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of the weights: float32 or float64."""
        return self.layers[0].W.dtype


def portable_network(net: Network) -> PortableNetwork:
    """Return the numbers and names of a network and its encoding."""
    layers = tuple(
        PortableLayer(layer.W, _full_bias(layer.b, layer.dense.n_out, net.dtype), layer.activation)
        for layer in net.layers
    )
    encoding = net.encoding
    if encoding is None:
        features, (shift, scale, fill) = _numbered_names("x", net.sizes[0]), (None, None, None)
    else:
        features, (shift, scale, fill) = encoding.inputs.feature_names, _input_scaling(encoding)
    target = None if encoding is None else encoding.target
    out_shift = out_scale = classes = None
    outputs = _numbered_names("y", net.sizes[-1])
    if isinstance(target, LabelEncoding):
        classes = target.classes
        outputs = tuple(f"p({name})" for name in target.output_names(net.sizes[-1]))
    elif isinstance(target, NumbersEncoding):
        outputs = target.names
        out_shift, out_scale = _none_if_idle(np.array(target.shift), np.array(target.scale))
    elif encoding is not None:  # the target is the input
        outputs, out_shift, out_scale = features, shift, scale
    return PortableNetwork(layers, features, shift, scale, fill, outputs, classes, out_shift, out_scale)


def _full_bias(b: Array | None, n_out: int, dtype: np.dtype[np.floating]) -> Array:
    """One for each neuron, however many the layer has."""
    return np.zeros(n_out, dtype) if b is None else np.broadcast_to(b, (n_out,)).copy()


def _numbered_names(letter: str, count: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number}" for number in range(count))


def _input_scaling(encoding: Encoding) -> tuple[Array | None, Array | None, Array | None]:
    """Shift, scale and fill of each feature."""
    inputs = encoding.inputs
    n_features = len(inputs.feature_names)
    if isinstance(inputs, PixelsEncoding):
        return (*_none_if_idle(np.zeros(n_features), np.full(n_features, inputs.scale)), None)
    rows: list[tuple[float, float, float]] = []
    for column in inputs.columns:
        if isinstance(column, CategoryColumn):  # one feature for each category, 0 or 1
            rows += [(0.0, 1.0, np.nan)] * len(column.categories)
        else:
            rows.append((column.shift, column.scale, np.nan if column.fill is None else column.fill))
    shift, scale, fill = np.array(rows).T
    return (*_none_if_idle(shift, scale), None if np.isnan(fill).all() else fill)


def _none_if_idle(shift: Array, scale: Array) -> tuple[Array | None, Array | None]:
    idle = not shift.any() and (scale == 1).all()
    return (None, None) if idle else (shift, scale)
