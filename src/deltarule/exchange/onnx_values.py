"""What a tensor inside a graph of dense layers is, while the graph is read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from deltarule.arrays import Array
from deltarule.exchange.activation_matching import PROBES, activation_of, line_of
from deltarule.exchange.imported_network import ImportedLayer, ImportedNetwork
from deltarule.nn.activations import ACTIVATIONS

#: Additions and multiplications, one after the other: ``("Sub", means), ("Div", spreads)``.
ScalingSteps: TypeAlias = tuple[tuple[str, Array], ...]


class UnreadableNode(Exception):
    """Why a node means nothing to a row of dense layers."""


@dataclass(frozen=True, eq=False)
class TracedLayers:
    """The layers so far, and a function of the last one's ``z``.

    Attributes
    ----------
    before : TracedLayers or None
        What layer 1 takes; None while there is no layer yet.
    done : tuple of ImportedLayer
        The layers before the last.
    W, b : ndarray
        Of the last layer: ``z = x @ W + b``.
    curve : ndarray
        The function's values where z is `PROBES`.
    couples : bool
        Whether the function is softmax, which is no function of each number alone.
    steps : sequence of (operator, constants)
        What comes after the function, a number for each column.
    fill : ndarray or None
        What stands in for missing numbers of the input.
    """

    before: TracedLayers | None = None
    done: tuple[ImportedLayer, ...] = ()
    W: Array | None = None
    b: Array | None = None
    curve: Array = field(default_factory=PROBES.copy)
    couples: bool = False
    steps: ScalingSteps = ()
    fill: Array | None = None

    @property
    def is_linear(self) -> bool:
        """Whether the function is z itself."""
        return not self.couples and bool(np.array_equal(self.curve, PROBES))

    def is_of(self, other: TracedLayers) -> bool:
        """Whether both are functions of the same z."""
        return self.done is other.done and self.W is other.W and self.b is other.b

    def gives(self, other: TracedLayers) -> bool:
        """Whether both are the same numbers."""
        same = self.couples == other.couples and np.array_equal(self.curve, other.curve)
        return same and self.is_of(other) and self.steps is other.steps

    def times(self, W: Array) -> TracedLayers:
        """``self @ W``: the next layer, without its bias."""
        if self.W is None:
            return TracedLayers(before=self, done=(), W=W)
        closed = self.closed()
        if W.shape[0] != self.W.shape[1]:
            raise UnreadableNode(f"takes {W.shape[0]} numbers, but the layer before gives {self.W.shape[1]}")
        b = None
        if closed.steps:
            factor, summand = _affine(closed.steps, W.shape[0])
            W, b = (factor[:, None] * W).astype(W.dtype), (summand @ W).astype(W.dtype)
        return TracedLayers(before=self.before, done=closed.done, W=W, b=b)

    def plus(self, b: Array) -> TracedLayers:
        """``self + b``, as a bias."""
        return replace(self, b=b if self.b is None else self.b + b)

    def settled(self) -> TracedLayers:
        """These layers with their steps worked into W and b, so that a function can follow."""
        if not self.steps or self.W is None:
            return self
        if not self.is_linear:
            raise UnreadableNode("comes after an activation and a scaling, where a layer was expected")
        layer = _linear_layer(self.W, self.b, *_affine(self.steps, self.W.shape[1]))
        return replace(self, W=layer.W, b=layer.b, steps=())

    def closed(self) -> TracedLayers:
        """These layers with the last one among ``done``."""
        assert self.W is not None
        if self.couples:
            layer = ImportedLayer(self.W, self.b, ACTIVATIONS.resolve("softmax"))
        elif (activation := activation_of(self.curve, self.W.dtype)) is not None:
            layer = ImportedLayer(self.W, self.b, activation)
        elif (line := line_of(self.curve)) is not None:
            layer = _linear_layer(self.W, self.b, *line)
        else:
            number = len(self.done) + 1
            raise UnreadableNode(f"layer {number} ends with a function that is not a registered activation")
        return replace(self, done=(*self.done, layer))

    def network(self, classes: Any) -> ImportedNetwork:
        """All of it, from the input on; ``classes`` go with its outputs."""
        if self.before is None or self.W is None:
            raise UnreadableNode("there is no dense layer")
        factor, summand = _affine(self.steps, self.W.shape[1])
        if self.steps and (classes is not None or not (factor > 0).all()):
            return self.settled().network(classes)
        first, *others = self.closed().done
        n_in = len(first.W)
        shift, scale = _shift_and_scale(self.before.steps, n_in)
        if not ((scale > 0) & (scale < np.inf)).all():
            first = _with_scaling_inside(first, self.before.steps)
            shift, scale = _shift_and_scale((), n_in)
        fill = None if self.before.fill is None else np.broadcast_to(self.before.fill, (n_in,))
        found = ImportedNetwork((first, *others), fill=fill, classes=classes)
        if shift.any() or (scale != 1).any():
            found = replace(found, shift=shift, scale=scale)
        return replace(found, out_shift=summand, out_scale=factor) if self.steps else found


@dataclass(frozen=True, eq=False)
class MissingMask:
    """Where numbers of the input are missing."""

    layers: TracedLayers


@dataclass(frozen=True, eq=False)
class ClassProbabilities:
    """Probabilities, one for each class, however many outputs they come from."""

    layers: TracedLayers
    classes: Any = None


@dataclass(frozen=True, eq=False)
class ChosenLabels:
    """Classes chosen by the outputs; ``layers`` is None where only a threshold is known."""

    layers: TracedLayers | None
    classes: Any = None


#: What each operation does to a number, and what takes that back.
_OPERATIONS = {
    "Add": (np.add, np.subtract), "Sub": (np.subtract, np.add),
    "Mul": (np.multiply, np.divide), "Div": (np.divide, np.multiply),
}  # fmt: skip


@np.errstate(divide="ignore", invalid="ignore")
def _affine(steps: ScalingSteps, n: int) -> tuple[Array, Array]:
    """``factor`` and ``summand`` (n,) of ``x · factor + summand``."""
    factor, summand = np.ones(n), np.zeros(n)
    for operator, constant in steps:
        c, (change, _) = _for_each_column(constant, n), _OPERATIONS[operator]
        summand = change(summand, c)
        if operator in ("Mul", "Div"):
            factor = change(factor, c)
    return factor, summand


@np.errstate(divide="ignore", invalid="ignore")
def _shift_and_scale(steps: ScalingSteps, n: int) -> tuple[Array, Array]:
    """``shift`` and ``scale`` (n,) of ``(x − shift) / scale``; a factor of 0 has an infinite scale."""
    shift, scale = np.zeros(n), np.ones(n)
    for operator, constant in steps:
        c, (_, take_back) = _for_each_column(constant, n), _OPERATIONS[operator]
        if operator in ("Mul", "Div"):
            scale = take_back(scale, c)
        else:
            shift = take_back(shift, c * scale)
    return shift, scale


def _for_each_column(constant: Array, n: int) -> Array:
    if constant.size not in (1, n):
        raise UnreadableNode(f"{constant.size} numbers scale {n} columns")
    return np.broadcast_to(constant.ravel().astype(np.float64), (n,))


def _linear_layer(W: Array, b: Array | None, factor: Any, summand: Any) -> ImportedLayer:
    """``z · factor + summand`` as a layer of its own."""
    moved = np.zeros(W.shape[1]) + (summand if b is None else b * factor + summand)
    return ImportedLayer((W * factor).astype(W.dtype), moved.astype(W.dtype), ACTIVATIONS.resolve("identity"))


def _with_scaling_inside(layer: ImportedLayer, steps: ScalingSteps) -> ImportedLayer:
    """Layer 1 with the scaling of its inputs in its weights, where it is none that an encoding can hold."""
    factor, summand = _affine(steps, layer.W.shape[0])
    b = (summand @ layer.W + (0 if layer.b is None else layer.b)).astype(layer.W.dtype)
    return ImportedLayer((factor[:, None] * layer.W).astype(layer.W.dtype), b, layer.activation)
