"""An exercise: a network, its samples and an optimizer, from which a worksheet and its key follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from deltarule.arrays import Array, as_numbers, check_finite, check_whole
from deltarule.derivations.evidence import Evidence
from deltarule.derivations.updates import OptimizerStep
from deltarule.errors import InputError, ShapeError
from deltarule.formula.tree import Words
from deltarule.nn.activations import Activation
from deltarule.nn.losses import Loss
from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep, Optimizer

#: Of a network that is computed by hand.
MOST_WEIGHTS = 2000


class Exercise:
    """A network with its numbers, to be worked out by hand.

    Parameters
    ----------
    settings : mapping
        The arguments of :class:`~deltarule.Network`.
    parameters : array-like, (n_parameters,)
        Weights and biases, in the network's order.
    X : array-like, (n_samples, n_features)
    Y : array-like, (n_samples, n_outputs)
    optimizer : GradientStep, optional
        Of the update, where one is asked for.
    frozen : sequence of str
        Names of parameters that are not trained.
    slots : array-like, (number of slots, n_parameters), optional
        What the optimizer remembers; zeros where not given.
    t : int
        The number of the update, from 1.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        parameters: Any,
        X: Any,
        Y: Any,
        optimizer: GradientStep | None = None,
        frozen: Sequence[str] = (),
        slots: Any = None,
        t: int = 1,
    ) -> None:
        self.settings, self.frozen, self.t = dict(settings), tuple(frozen), t
        _check_small(self.settings)
        self.net = Network(**self.settings)
        self.net.parameters[:] = _check_shape("parameters", parameters, self.net.parameters.shape)
        if self.frozen:
            self.net.freeze(*self.frozen)
        _check_formulas(self.net)
        self.X = as_numbers(self.net.inputs(X), "X").astype(self.net.dtype)
        self.Y, _ = self.net.targets(Y, None, len(self.X))
        self.optimizer = None if optimizer is None else check_optimizer(optimizer)
        self.slots: Array | None = None
        if self.optimizer is not None and slots is not None:
            self.slots = _check_shape("slots", slots, (len(self.optimizer.slots), self.net.parameters.size))
        check_whole("t", t)

    @cached_property
    def evidence(self) -> Evidence:
        """The forward and backward pass of the samples."""
        return Evidence(self.net, self.X, self.net.forward(self.X), self.Y)

    @cached_property
    def step(self) -> OptimizerStep | None:
        """The update."""
        if self.optimizer is None:
            return None
        return OptimizerStep(self.net, self.evidence.grads.flat, self.optimizer, self.slots, None, self.t)

    def data(self) -> dict[str, Any]:
        """Return what :meth:`from_data` takes, as JSON knows it."""
        return {
            "network": self.settings,
            "parameters": self.net.parameters.tolist(),
            "frozen": list(self.frozen),
            "x": self.X.tolist(),
            "y": np.asarray(self.Y).tolist(),
            "optimizer": None if self.optimizer is None else self.optimizer.spec,
            "slots": None if self.slots is None else self.slots.tolist(),
            "t": self.t,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Exercise:
        """Make the exercise that :meth:`data` describes.

        Raises InputError, KeyError or TypeError if the data describe none.
        """
        optimizer = None if data["optimizer"] is None else check_optimizer(data["optimizer"])
        return cls(
            data["network"], data["parameters"], data["x"], data["y"], optimizer,
            data["frozen"], data["slots"], data["t"],
        )  # fmt: skip


def check_optimizer(spec: str | Optimizer) -> GradientStep:
    """Return the optimizer that ``spec`` names, of those whose update is a formula for each parameter.

    Raises InputError if it is another one.
    """
    optimizer = OPTIMIZERS.resolve(spec)
    if not isinstance(optimizer, GradientStep):
        raise InputError(
            f"optimizer {optimizer.name!r} cannot be computed by hand: use sgd, momentum, adam, …"
        )
    if optimizer.clip_norm is not None:
        raise InputError("the optimizer of a worksheet cannot have clip_norm: leave it out")
    return optimizer


def _check_small(settings: Mapping[str, Any]) -> None:
    """Refuse a network that nobody computes by hand, before there is room made for it."""
    sizes = as_numbers(settings["sizes"], "sizes")
    n_weights = float((sizes[1:] * sizes[:-1]).sum()) if sizes.ndim == 1 else 0.0
    if n_weights > MOST_WEIGHTS:
        raise InputError(f"a network with {n_weights:,.0f} weights is too large to compute by hand")


def _check_shape(name: str, values: Any, shape: tuple[int, ...]) -> Array:
    """Return the numbers as an array of this shape, or refuse them."""
    array = as_numbers(values, name).astype(float)
    if array.shape != shape:
        raise ShapeError(f"{name} must have shape {shape}, got {array.shape}")
    check_finite(array, name)
    return array


def _check_formulas(net: Network) -> None:
    """Refuse what cannot be worked out by hand: a function whose formula is a text."""
    functions: list[Activation | Loss] = [net.loss, *(layer.activation for layer in net.layers)]
    for function in functions:
        for formula in (function.formula, function.derivative_formula):
            if any(isinstance(leaf, Words) for leaf in formula.leaves()):
                raise InputError(
                    f"{function.name!r} has a formula in words, into which no numbers can be put"
                )
