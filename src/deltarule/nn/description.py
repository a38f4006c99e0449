"""A network as text and arrays, for its file, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS, Activation
from deltarule.nn.architecture import check_chain
from deltarule.nn.initializers import INITIALIZERS, Initializer
from deltarule.nn.layers import Dense
from deltarule.nn.losses import LOSSES, Loss
from deltarule.nn.objective import Objective
from deltarule.registry import Registry

if TYPE_CHECKING:
    from deltarule.data.encoding import Encoding


def describe_network(
    layers: Sequence[Dense], objective: Objective, encoding: Encoding | None
) -> dict[str, Any]:
    """Layers, loss, penalties and encoding as JSON knows them.

    Raises InputError if an activation, loss or initializer is the user's own and not registered.
    """
    _check_registered(objective.loss, LOSSES)
    return {
        "layers": [_describe_layer(layer) for layer in layers],
        "loss": objective.loss.name,
        "objective": {key: getattr(objective, key) for key in ("reduction", "l1", "l2")},
        "encoding": None if encoding is None else encoding.to_dict(),
    }


def _describe_layer(layer: Dense) -> dict[str, Any]:
    _check_registered(layer.activation, ACTIVATIONS)
    _check_registered(layer.initializer, INITIALIZERS)
    _check_registered(layer.bias_initializer, INITIALIZERS)
    return {
        "n_in": layer.n_in,
        "n_out": layer.n_out,
        "activation": layer.activation.name,
        "bias": layer.bias,
        "dropout": layer.dropout,
        "initializer": layer.initializer.name,
        "bias_initializer": layer.bias_initializer.name,
    }


def _check_registered(record: Activation | Initializer | Loss, registry: Registry[Any]) -> None:
    """Refuse a record whose name means nothing to who reads the file, or something else."""
    if not registry.is_registered(record):
        raise InputError(
            f"cannot save: {registry.kind} {record.name!r} is not the registered one of that name; "
            f"register it under a name of its own first (and again before loading)"
        )


def parts_of(
    description: dict[str, Any], arrays: dict[str, Array]
) -> tuple[list[Dense], Objective, Encoding | None, Array, Array]:
    """Layers, objective, encoding, parameters and frozen ones, from a file that may hold anything.

    Raises DeltaruleError, KeyError, TypeError or ValueError if something is missing, unknown, or does not
    fit.
    """
    from deltarule.data.encoding import Encoding

    # What this version would silently ignore is refused; a checkpoint's state is read by training.
    unknown = description.keys() - {"format", "layers", "loss", "objective", "encoding", "training"}
    if "training" not in description:
        unknown |= arrays.keys() - {"parameters", "frozen"}
    if unknown:
        raise InputError(f"unknown field {min(unknown)!r}")
    parameters, frozen = arrays["parameters"], arrays["frozen"]
    if len(description["layers"]) > parameters.size:  # before they are made: they may be many
        raise InputError(f"{parameters.shape} parameters for {len(description['layers'])} layers")
    made: dict[tuple[Any, ...], Dense] = {}  # equal layers share a record
    layers = []
    for layer in description["layers"]:
        key = tuple(sorted(dict(layer).items()))
        if key not in made:
            made[key] = Dense(**layer)
        layers.append(made[key])
    check_chain(layers)
    n_parameters = sum(layer.n_parameters for layer in layers)
    if parameters.shape != (n_parameters,) or frozen.ndim != 1 or frozen.dtype != np.int64:
        raise InputError(f"{parameters.shape} parameters for {n_parameters}")
    if frozen.size and not (frozen.min() >= 0 and frozen.max() < n_parameters):
        raise InputError("a frozen parameter that does not exist")
    loss, encoding = LOSSES.resolve(description["loss"]), description["encoding"]
    encoding = None if encoding is None else Encoding.from_dict(encoding)
    check_dtype(str(parameters.dtype))
    objective = Objective(loss, layers[-1].activation, **description["objective"])
    return layers, objective, encoding, parameters, frozen.astype(np.intp)


def check_dtype(dtype: str) -> None:
    """Refuse a number type that no network computes in."""
    if dtype not in ("float32", "float64"):
        raise InputError(f"dtype must be 'float32' or 'float64', got {dtype!r}")
