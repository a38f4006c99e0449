"""From parameters to a network: its layers, its loss, its first weights, the scaling of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import InputError
from deltarule.estimators.parameters import Parameters, hidden_sizes, resolve_parameter
from deltarule.formula.tree import formula_of
from deltarule.nn.activations import ACTIVATIONS, Activation
from deltarule.nn.initializers import INITIALIZERS
from deltarule.nn.layers import Dense
from deltarule.nn.losses import LOSSES, Loss
from deltarule.nn.network import Network


def make_network(p: Parameters, n_in: int, n_out: int, loss: Loss, output: str, dtype: str) -> Network:
    """The network that the parameters describe; its weights are drawn by :func:`first_weights`."""
    hidden = hidden_sizes(p.hidden_layer_sizes)
    sizes = [n_in, *hidden, n_out]
    activations: list[str | Activation] = [*_hidden_activations(p.activation, len(hidden)), output]
    initializer = None
    if p.initializer is not None:
        initializer = resolve_parameter("initializer", lambda: INITIALIZERS.resolve(p.initializer))
    # A single number spares the inputs.
    n_layers = len(hidden) + 1
    shares = p.dropout if isinstance(p.dropout, tuple | list) else [0.0] + [p.dropout] * (n_layers - 1)
    if len(shares) != n_layers:
        raise InputError(f"dropout: {n_layers} layers need as many shares, got {len(shares)}")
    layers = [
        Dense(n_in, n_out, activation, dropout=share, initializer=initializer)
        for n_in, n_out, activation, share in zip(sizes, sizes[1:], activations, shares, strict=False)
    ]
    try:
        return Network(layers, loss=loss, dtype=dtype, seed=0)
    except InputError as error:
        raise InputError(f"hidden_layer_sizes={p.hidden_layer_sizes!r}, loss={p.loss!r}: {error}") from None


def _hidden_activations(value: Any, n_layers: int) -> list[Activation]:
    """``activation`` for each hidden layer; scikit-learn's ``"logistic"`` is our ``"sigmoid"``."""
    several = isinstance(value, list | tuple)
    if several and len(value) != n_layers:
        raise InputError(f"activation: {n_layers} hidden layers need as many activations, got {len(value)}")
    return [_hidden_activation(one) for one in (value if several else [value] * n_layers)]


def _hidden_activation(value: Any) -> Activation:
    name = "sigmoid" if isinstance(value, str) and value == "logistic" else value
    found: Activation = resolve_parameter("activation", lambda: ACTIVATIONS.resolve(name))
    if found.coupled:
        raise InputError(
            f"activation: {found.name} is for outputs; a hidden layer needs one that acts on each neuron"
        )
    return found


def make_loss(value: Any, names: Mapping[str, str]) -> Loss:
    """``loss``: a name of ours or one of scikit-learn's ``names``, a Loss, or a pair of functions.

    The functions, terms and derivative, take outputs and targets, both (n_samples, n_outputs), and return an
    array like them.
    """
    if isinstance(value, tuple) and len(value) == 2 and all(map(callable, value)):
        terms, derivative = value
        return Loss("own", terms, derivative, formula_of("own"), formula_of("own"))
    ours = names.get(value, value) if isinstance(value, str) else value
    return resolve_parameter("loss", lambda: LOSSES.resolve(ours))


def first_weights(p: Parameters, net: Network, random_state: Any) -> tuple[list[Any], list[Any]]:
    """The user's weights and biases, or those that an initializer or scikit-learn would draw."""
    if p.initial_weights is not None:
        coefs, intercepts = p.initial_weights
        return list(coefs), list(intercepts)
    if p.initializer is not None:
        rng = np.random.default_rng(random_state.randint(2**31))
        parts = [layer.dense.views(layer.dense.draw(rng)) for layer in net.layers]
    else:
        factor = 2.0 if p.activation == "logistic" else 6.0
        parts = [_glorot(layer.dense, factor, random_state) for layer in net.layers]
    return [W for W, _ in parts], [b for _, b in parts]


def _glorot(dense: Dense, factor: float, random_state: Any) -> tuple[Array, Array | None]:
    """Uniform weights and biases, in scikit-learn's order. Glorot & Bengio (2010), equation 16."""
    bound = np.sqrt(factor / (dense.n_in + dense.n_out))
    W = random_state.uniform(-bound, bound, (dense.n_in, dense.n_out))
    return W, random_state.uniform(-bound, bound, dense.n_out)


def standard_scaling(X: Any, weight: Array | None = None) -> tuple[Array, Array]:
    """Shift and scale that bring each column to mean 0 and variance 1; sparse ones are not shifted."""
    mean = _average(X, weight)
    if hasattr(X, "tocsr"):
        shift, variance = np.zeros(X.shape[1]), _average(X.multiply(X), weight) - mean**2
    else:
        shift, variance = mean, _average((X - mean) ** 2, weight)
    spread = np.sqrt(np.maximum(variance, 0))
    return shift, np.where(spread > 1e-12 * np.abs(mean), spread, 1.0)


def _average(X: Any, weight: Array | None) -> Array:
    """The mean of each column, in float64."""
    if weight is None:
        return np.asarray(X.mean(axis=0, dtype=np.float64)).ravel()
    return np.asarray(X.T @ weight, dtype=np.float64).ravel() / weight.sum()
