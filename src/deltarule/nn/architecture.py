"""From sizes to a row of layer descriptions that fit each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.arrays import check_number, check_whole
from deltarule.errors import InputError, ShapeError
from deltarule.nn.activations import ACTIVATIONS, Activation
from deltarule.nn.layers import Dense


def dense_layers(
    sizes: Any, activation: Any, output: str | Activation, dropout: Any, **settings: Any
) -> list[Dense]:
    """One :class:`Dense` for each pair of neighbouring sizes; a list of Dense passes through.

    Parameters
    ----------
    sizes : sequence of int, or of Dense
    activation : str, Activation, or a sequence with one for each hidden layer
    output : str or Activation
        Of the last layer.
    dropout : float, or a sequence with one for each layer
        One number means all layers but the first.
    **settings
        What all layers share: bias, initializer, bias_initializer.

    Raises
    ------
    InputError, ShapeError
        If a value does not fit, or a layer does not take what the one before it gives.

    Examples
    --------
    >>> dense_layers([2, 3, 1], "tanh", "sigmoid", 0.0)
    [Dense(2 → 3 tanh), Dense(3 → 1 sigmoid)]
    """
    listed = _as_list("sizes", sizes)
    if not (listed and all(isinstance(layer, Dense) for layer in listed)):
        listed = _of_sizes(listed, activation, output, dropout, settings)
    check_chain(listed)
    return listed


def _of_sizes(
    sizes: list[Any], activation: Any, output: str | Activation, dropout: Any, settings: dict[str, Any]
) -> list[Dense]:
    if len(sizes) < 2:
        raise InputError(f"sizes must name at least inputs and outputs, such as [2, 3, 1]; got {sizes}")
    for size in sizes:
        check_whole("each of sizes", size)
    n_layers = len(sizes) - 1
    if isinstance(activation, str):  # a wrong name is refused even where no hidden layer takes it
        activation = ACTIVATIONS.resolve(activation)
    names = [*_one_each("activation", activation, n_layers - 1, "hidden layer"), output]
    if np.ndim(dropout) == 0:
        check_number("dropout", dropout, 0, np.nextafter(1, 0))
        dropout = [0.0] + [dropout] * (n_layers - 1)
    dropped = _one_each("dropout", dropout, n_layers, "layer")
    return [Dense(sizes[i], sizes[i + 1], names[i], dropout=dropped[i], **settings) for i in range(n_layers)]


def _one_each(name: str, values: Any, n: int, what: str) -> list[Any]:
    if isinstance(values, Activation):
        return [values] * n
    listed = _as_list(name, values)
    if len(listed) != n:
        raise InputError(f"{name} must be one for all or one for each {what} ({n}), got {len(listed)}")
    return listed


def _as_list(name: str, values: Any) -> list[Any]:
    try:
        return list(values)
    except TypeError:
        raise InputError(f"{name} must be a sequence, got {values!r}") from None


def check_chain(layers: Sequence[Dense]) -> None:
    """Refuse a row of layers in which one does not take what the one before it gives."""
    if not layers:
        raise InputError("a network needs at least one layer")
    for number, (before, layer) in enumerate(pairwise(layers), start=2):
        if before.n_out != layer.n_in:
            raise ShapeError(
                f"layer {number} ({describe(layer)}) expects inputs of shape (batch, {layer.n_in}); "
                f"layer {number - 1} produces {before.n_out} features"
            )


def describe(layer: Dense) -> str:
    """``Dense 5 → 1, tanh``, for messages."""
    return f"Dense {layer.n_in} → {layer.n_out}, {layer.activation.name}"
