"""One step of a model that is trusted: a ``Network``, or a ``torch.nn.Sequential`` with its own autograd."""

from __future__ import annotations

import copy
from importlib import import_module
from typing import Any

import numpy as np

from deltarule.arrays import Array, as_matrix
from deltarule.errors import InputError
from deltarule.nn.network import Network
from deltarule.registry import record


@record
class ModelStep:
    """What a model computes in one step, by layer.

    Parameters
    ----------
    weights, biases : tuple of ndarray, (n_in, n_out) and (n_out,)
        A layer without biases has None.
    outputs, deltas : tuple of ndarray, (n, n_out)
        ``a`` and ``∂L/∂z``.
    dW, db : tuple of ndarray
    loss : float
    """

    weights: tuple[Array, ...]
    biases: tuple[Array | None, ...]
    outputs: tuple[Array, ...]
    deltas: tuple[Array, ...]
    dW: tuple[Array, ...]
    db: tuple[Array | None, ...]
    loss: float


def model_step(model: Any, X: Any, Y: Any, loss: Any = None) -> ModelStep:
    """Return one step of a model.

    Parameters
    ----------
    model : Network or torch.nn.Sequential
        Of Linear and activations.
    X, Y : array-like, (n, n_in) and (n, n_out)
    loss : callable, optional
        PyTorch's, (outputs, targets) -> one number. A network has its own.

    Raises
    ------
    InputError
        If it is another model, or has a layer of another kind.
    """
    if isinstance(model, Network):
        return _network_step(model, X, Y)
    if any(kind.__module__.startswith("torch.nn") for kind in type(model).__mro__):
        if loss is None:
            raise InputError("name the loss that PyTorch should use: loss=torch.nn.MSELoss()")
        return _torch_step(model, X, Y, loss)
    raise InputError(f"expected a Network or a torch.nn.Sequential, got {type(model).__name__}")


def _network_step(net: Network, X: Any, Y: Any) -> ModelStep:
    trace = net.forward(X)
    gradients = net.backward(trace, Y)
    weights, biases = net.get_weights()
    return ModelStep(
        tuple(weights),
        tuple(biases),
        tuple(layer.a for layer in trace),
        tuple(layer.delta for layer in gradients),
        tuple(layer.dW for layer in gradients),
        tuple(layer.db for layer in gradients),
        float(net.cost(X, Y)),
    )


def _torch_step(model: Any, X: Any, Y: Any, loss: Any) -> ModelStep:
    """Run a copy in double precision; the model keeps its own gradients."""
    torch = import_module("torch")
    layers = _layers(copy.deepcopy(model).double())
    a = torch.tensor(as_matrix(X, "X"), dtype=torch.float64)
    sums, outputs = [], []
    for linear, activations in layers:
        a = linear(a)
        a.retain_grad()
        sums.append(a)
        for activation in activations:
            a = activation(a)
        outputs.append(a)
    value = loss(a, _torch_targets(torch, Y, a))
    value.backward()
    return ModelStep(
        tuple(_numbers(linear.weight).T for linear, _ in layers),
        tuple(None if linear.bias is None else _numbers(linear.bias) for linear, _ in layers),
        tuple(map(_numbers, outputs)),
        tuple(_numbers(z.grad) for z in sums),
        tuple(_numbers(linear.weight.grad).T for linear, _ in layers),
        tuple(None if linear.bias is None else _numbers(linear.bias.grad) for linear, _ in layers),
        value.item(),
    )


def _layers(model: Any) -> list[tuple[Any, list[Any]]]:
    """Each Linear with the activations behind it."""
    layers: list[tuple[Any, list[Any]]] = []
    for part in model.modules():
        kind = type(part).__name__
        if kind == "Linear":
            layers.append((part, []))
        elif kind == "Sequential":
            continue
        elif any(True for _ in (*part.children(), *part.parameters())) or "Dropout" in kind or not layers:
            text = "only a Sequential of Linear layers and activations can be compared"
            raise InputError(f"{text}; this one has a {kind}")
        else:
            layers[-1][1].append(part)
    return layers


def _torch_targets(torch: Any, Y: Any, outputs: Any) -> Any:
    """Class numbers as they are, anything else in the outputs' shape."""
    y = np.asarray(Y)
    if y.size != outputs.numel():
        return torch.tensor(y.reshape(-1), dtype=torch.int64)
    return torch.tensor(y.reshape(tuple(outputs.shape)), dtype=torch.float64)


def _numbers(tensor: Any) -> Array:
    found: Array = tensor.detach().numpy().copy()
    return found
