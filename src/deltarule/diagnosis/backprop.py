"""Backpropagation in steps that a mistake can replace, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.layers import Layer
from deltarule.nn.objective import Objective


class Unfit(Exception):
    """The mistake cannot be made in this case: the shapes would not fit, or it makes no difference."""


class Dropped(NamedTuple):
    """What dropout does to the outputs of a layer.

    Parameters
    ----------
    mask : ndarray, (n, n_neurons) or (1, n_neurons)
        1 where a neuron is kept, 0 where it is dropped.
    scale : float
        What the kept ones are multiplied by.
    share : float
        How many of the neurons are dropped on average.
    back : ndarray or None
        The mask that the gradient seems to have met on its way back, where that was observed.
    """

    mask: Array
    scale: float
    share: float
    back: Array | None = None


class Case:
    """A network at work on some samples: what a backward pass has at hand.

    Layers count from 1: ``z[1]``, ``a[1]``, ``W[1]``; ``a[0]`` is the input. ``x[l]`` is what layer l takes
    in: ``a[l−1]``, or what dropout leaves of it.

    Parameters
    ----------
    layers : sequence of Layer
    objective : Objective
    x, y : ndarray, (n, n_features) and (n, n_outputs)
    eta : float
        The learning rate, for mistakes that have to do with it.
    dropped : sequence of Dropped or None, optional
        For ``a[0]``, ``a[1]``, …, what dropout does to it.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        objective: Objective,
        x: Array,
        y: Array,
        eta: float = 0.1,
        dropped: Sequence[Dropped | None] = (),
    ) -> None:
        self.layers, self.objective, self.y, self.eta = layers, objective, y, eta
        self.dropped = list(dropped) or [None] * len(layers)
        self.z, self.a, self.x = [x], [x], list[Array]([np.empty(0)])
        for layer, drop in zip(layers, self.dropped, strict=True):
            taken = self.a[-1] if drop is None else self.a[-1] * drop.mask * drop.scale
            step = layer.forward(taken)
            self.x.append(taken)
            self.z.append(step.z)
            self.a.append(step.a)
        self.W: list[Array] = [np.empty(0), *(layer.W for layer in layers)]
        self.b: list[Array | None] = [None, *(layer.b for layer in layers)]
        self.n, self.K, self.L = len(x), y.shape[1], len(layers)
        self.share = float(objective.shares(self.n))

    def f(self, layer: int, z: Array) -> Array:
        """The activation of a layer."""
        return self.layers[layer - 1].activation.value(z)

    def slope(self, layer: int, z: Array, a: Array) -> Array:
        """f′ of a layer, of whatever it is given as z and a."""
        return self.layers[layer - 1].activation.derivative(z, a)

    def activation(self, layer: int) -> str:
        """Its name."""
        return self.layers[layer - 1].activation.name

    @property
    def is_coupled(self) -> bool:
        """Whether the output is a softmax."""
        return self.layers[-1].activation.coupled


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
        return case.objective.sample_delta(case.z[-1], case.a[-1], case.y) * case.share

    def hidden_delta(self, layer: int, delta: Array) -> Array:
        """``delta`` of a layer from that of the next."""
        return self.through_dropout(layer, self.behind(layer, delta)) * self.slope(layer)

    def behind(self, layer: int, delta: Array) -> Array:
        """What the next layer returns: ``delta_{l+1} @ W_{l+1}.T``."""
        return delta @ self.case.W[layer + 1].T

    def through_dropout(self, layer: int, back: Array) -> Array:
        """The same through the mask and the factor of the forward pass."""
        drop = self.case.dropped[layer]
        return back if drop is None else back * drop.mask * drop.scale

    def slope(self, layer: int) -> Array:
        """``f′(z_l)`` of a hidden layer."""
        return self.case.slope(layer, self.case.z[layer], self.case.a[layer])

    def dW(self, layer: int, delta: Array) -> Array:
        """``a_{l−1}.T @ delta_l`` and the penalty's part."""
        return self.x(layer).T @ delta + self.penalty(layer)

    def x(self, layer: int) -> Array:
        """What the layer takes in: ``a_{l−1}``, or what dropout leaves of it."""
        return self.case.x[layer]

    def penalty(self, layer: int) -> Array:
        """``l1·sign(W) + l2·W``."""
        return self.case.objective.penalty_gradient(self.case.W[layer])

    def db(self, layer: int, delta: Array) -> Array:
        """``Σ delta_l`` over the samples."""
        return delta.sum(axis=0)

    def finish(self, found: list[LayerGradient]) -> list[LayerGradient]:
        """What is done with all gradients at the end: nothing."""
        return found
