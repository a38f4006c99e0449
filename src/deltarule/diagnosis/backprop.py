"""Backpropagation in steps that a mistake can replace, one at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deltarule.arrays import Array
from deltarule.network import Network

__all__ = ["Backprop", "Case", "LayerGradient"]


class Case:
    """A network at work on some samples: what a backward pass has at hand.

    Layers count from 1: ``z[1]``, ``a[1]``, ``W[1]``; ``a[0]`` is the input.

    Parameters
    ----------
    net : Network
    x, y : ndarray, (n, n_features) and (n, n_outputs)
    eta : float
        The learning rate, for mistakes that have to do with it.
    """

    def __init__(self, net: Network, x: Array, y: Array, eta: float = 0.1) -> None:
        self.net, self.x, self.y, self.eta = net, x, y, eta
        trace = net.forward(x)
        self.z: list[Array] = [x, *(step.z for step in trace)]
        self.a: list[Array] = [x, *(step.a for step in trace)]
        self.W: list[Array] = [np.empty(0), *(layer.W for layer in net.layers)]
        self.b: list[Array | None] = [None, *(layer.b for layer in net.layers)]
        self.n, self.K, self.L = len(x), net.sizes[-1], len(net.layers)
        self.share = float(net.objective.shares(self.n))

    def f(self, layer: int, z: Array) -> Array:
        """The activation of a layer."""
        return self.net.layers[layer - 1].activation.value(z)

    def slope(self, layer: int, z: Array, a: Array) -> Array:
        """f′ of a layer, of whatever it is given as z and a."""
        return self.net.layers[layer - 1].activation.derivative(z, a)

    def activation(self, layer: int) -> str:
        """Its name."""
        return self.net.layers[layer - 1].activation.name

    @property
    def is_coupled(self) -> bool:
        """Whether the output is a softmax."""
        return self.net.layers[-1].activation.pull_back is not None


class LayerGradient(NamedTuple):
    """``dW`` (n_in, n_out) and ``db`` (n_out,) of one layer."""

    dW: Array
    db: Array


class Backprop:
    """The right backward pass; a mistake is a subclass that replaces one of its steps.

    delta_L = ∂L/∂z_L,   delta_l = (delta_{l+1} @ W_{l+1}.T) ⊙ f′(z_l)
    dW_l = a_{l−1}.T @ delta_l,   db_l = Σ delta_l
    """

    def __init__(self, case: Case) -> None:
        self.case = case

    def gradients(self) -> list[LayerGradient]:
        """``dW`` and ``db`` of layers 1 to L."""
        case, found = self.case, list[LayerGradient]()
        delta = self.output_delta()
        for layer in range(case.L, 0, -1):
            found.append(LayerGradient(self.dW(layer, delta), self.db(layer, delta)))
            if layer > 1:
                delta = self.hidden_delta(layer - 1, delta)
        return self.finish(found[::-1])

    def output_delta(self) -> Array:
        """``∂L/∂z`` of the last layer, (n, n_outputs)."""
        case = self.case
        return case.net.objective.sample_delta(case.z[-1], case.a[-1], case.y) * case.share

    def hidden_delta(self, layer: int, delta: Array) -> Array:
        """``delta`` of a layer from that of the next."""
        return self.behind(layer, delta) * self.slope(layer)

    def behind(self, layer: int, delta: Array) -> Array:
        """What the next layer returns: ``delta_{l+1} @ W_{l+1}.T``."""
        return delta @ self.case.W[layer + 1].T

    def slope(self, layer: int) -> Array:
        """``f′(z_l)`` of a hidden layer."""
        return self.case.slope(layer, self.case.z[layer], self.case.a[layer])

    def dW(self, layer: int, delta: Array) -> Array:
        """``a_{l−1}.T @ delta_l`` and the penalty's part."""
        return self.x(layer).T @ delta + self.penalty(layer)

    def x(self, layer: int) -> Array:
        """What the layer takes in: ``a_{l−1}``."""
        return self.case.a[layer - 1]

    def penalty(self, layer: int) -> Array:
        """``l1·sign(W) + l2·W``."""
        return self.case.net.objective.penalty_gradient(self.case.W[layer])

    def db(self, layer: int, delta: Array) -> Array:
        """``Σ delta_l`` over the samples."""
        return delta.sum(axis=0)

    def finish(self, found: list[LayerGradient]) -> list[LayerGradient]:
        """What is done with all gradients at the end: nothing."""
        return found
