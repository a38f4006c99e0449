"""Backpropagation in steps that a mistake can replace, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import NamedTuple, TypeAlias

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.layers import Dense, Layer
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
        What the gradient is multiplied by in a step, for mistakes that have to do with it.
    dropped : sequence of Dropped or None, optional
        For ``a[0]``, ``a[1]``, …, what dropout does to it.
    rate : float, optional
        The learning rate as it is written, where that is another number than ``eta``.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        objective: Objective,
        x: Array,
        y: Array,
        eta: float = 0.1,
        dropped: Sequence[Dropped | None] = (),
        rate: float | None = None,
    ) -> None:
        self.layers, self.objective, self.y, self.eta = layers, objective, y, eta
        self.rate = eta if rate is None else rate
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

    @cached_property
    def output_delta(self) -> Array:
        """``∂L/∂z`` of the last layer, (n, n_outputs)."""
        return self.objective.sample_delta(self.z[-1], self.a[-1], self.y) * self.share

    @cached_property
    def slopes(self) -> list[Array]:
        """``f′(z_l)`` of each layer."""
        layers = range(1, self.L + 1)
        return [np.empty(0), *(self.slope(layer, self.z[layer], self.a[layer]) for layer in layers)]

    @cached_property
    def penalties(self) -> list[Array]:
        """``l1·sign(W) + l2·W`` of each layer."""
        return [np.empty(0), *(self.objective.penalty_gradient(W) for W in self.W[1:])]

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


def layers_of_arrays(
    W: Sequence[Array], b: Sequence[Array | None], activations: Sequence[str]
) -> list[Layer]:
    """Return layers with these weights, W (in, out), and biases: (out,), (1,) for all neurons, or None."""
    layers = []
    for w, v, name in zip(W, b, activations, strict=True):
        kind = "none" if v is None else "shared" if v.size == 1 < w.shape[1] else "neuron"
        parameters = np.concatenate([w.ravel(), np.empty(0) if v is None else v])
        layers.append(Layer(Dense(w.shape[0], w.shape[1], name, bias=kind), parameters))
    return layers


class LayerGradient(NamedTuple):
    """``dW`` (n_in, n_out) and ``db`` (n_out,) of one layer."""

    dW: Array
    db: Array


#: What stands in the place of a step; it is given the pass and what the step is given.
Step: TypeAlias = Callable[..., Array]


class Backprop:
    """The backward pass, right but for the steps that are replaced.

    delta_L = ∂L/∂z_L,   delta_l = (delta_{l+1} @ W_{l+1}.T) ⊙ f′(z_l)
    dW_l = a_{l−1}.T @ delta_l,   db_l = Σ delta_l

    Parameters
    ----------
    case : Case
    steps : mapping of str to callable, optional
        By its name, what stands in the place of a step. ``Backprop.slope(p, layer)`` is the right one.

    Examples
    --------
    >>> from deltarule.nn.layers import Dense, Layer
    >>> from deltarule.nn.losses import LOSSES
    >>> layer = Layer(Dense(1, 1), np.array([0.5, 0.0]))
    >>> objective = Objective(LOSSES.resolve("half_squared_error"), layer.activation)
    >>> case = Case([layer], objective, np.array([[2.0]]), np.array([[0.0]]))
    >>> Backprop(case).gradients(), Backprop(case, {"db": lambda p, layer, delta: 3 * delta[0]}).gradients()
    ([LayerGradient(dW=array([[2.]]), db=array([1.]))], [LayerGradient(dW=array([[2.]]), db=array([3.]))])
    """

    def __init__(self, case: Case, steps: Mapping[str, Step] | None = None) -> None:
        self.case = case
        #: By layer, ``∂L/∂a``: what the next layer returned.
        self.back: dict[int, Array] = {}
        for name, step in (steps or {}).items():
            setattr(self, name, partial(step, self))

    def gradients(self) -> list[LayerGradient]:
        """``dW`` and ``db`` of layers 1 to L."""
        return list(self.from_output())[::-1]

    def from_output(self) -> Iterator[LayerGradient]:
        """Yield the same from the last layer back, each as soon as it is known."""
        case = self.case
        delta = self.output_delta()
        for layer in range(case.L, 0, -1):
            if delta.shape != case.z[layer].shape:
                raise Unfit
            dW, db = self.dW(layer, delta), self.db(layer, delta)
            if dW.shape != case.W[layer].shape:
                raise Unfit
            yield LayerGradient(self.finish(layer, "dW", dW), self.finish(layer, "db", db))
            if layer > 1:
                delta = self.hidden_delta(layer - 1, delta)

    def output_delta(self) -> Array:
        """``∂L/∂z`` of the last layer, (n, n_outputs)."""
        return self.case.output_delta

    def da(self) -> Array:
        """``∂L/∂a`` of the last layer, (n, n_outputs)."""
        case = self.case
        return case.objective.loss.derivative(case.a[-1], case.y) * case.share

    def hidden_delta(self, layer: int, delta: Array) -> Array:
        """``delta`` of a layer from that of the next."""
        self.back[layer] = self.through_dropout(layer, self.behind(layer, delta))
        return self.back[layer] * self.slope(layer)

    def behind(self, layer: int, delta: Array) -> Array:
        """What the next layer returns: ``delta_{l+1} @ W_{l+1}.T``."""
        return delta @ self.case.W[layer + 1].T

    def through_dropout(self, layer: int, back: Array) -> Array:
        """The same through the mask and the factor of the forward pass."""
        drop = self.case.dropped[layer]
        return back if drop is None else back * drop.mask * drop.scale

    def slope(self, layer: int) -> Array:
        """``f′(z_l)`` of a hidden layer."""
        return self.case.slopes[layer]

    def dW(self, layer: int, delta: Array) -> Array:
        """``a_{l−1}.T @ delta_l`` and the penalty's part."""
        return self.x(layer).T @ delta + self.penalty(layer)

    def x(self, layer: int) -> Array:
        """What the layer takes in: ``a_{l−1}``, or what dropout leaves of it."""
        return self.case.x[layer]

    def penalty(self, layer: int) -> Array:
        """``l1·sign(W) + l2·W``."""
        return self.case.penalties[layer]

    def db(self, layer: int, delta: Array) -> Array:
        """``Σ delta_l`` over the samples."""
        return delta.sum(axis=0)

    def finish(self, layer: int, name: str, gradient: Array) -> Array:
        """What is done with a gradient at the end: nothing."""
        return gradient
