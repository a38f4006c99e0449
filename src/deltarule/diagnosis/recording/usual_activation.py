"""A usual activation where an argument is one, and its derivative, whatever that is taken of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.functions import softmax
from deltarule.diagnosis.recording.tape import Operation, Tape, current_tape
from deltarule.diagnosis.recording.traced import Traced, asking

#: What is said where an activation is made as an object of a class is.
NOT_MADE = "function() missing 1 required positional argument: 'z'"
_OF_TANH = re.compile(r"1(\.0?)?\s*-\s*[\w\[\]:.]+\s*\*\*\s*2")
_PRODUCTS = ("dot", "matmul")
_USUAL = re.compile(r"sigmoid|logistic|tanh|relu|soft_?max", re.I)
#: What makes another function of a usual one.
_OTHER = re.compile(r"leaky|bipolar|hard|p_?relu|log_?soft|loss|cost|entropy|error|accura", re.I)
_DERIVED = re.compile(r"prime|deriv|grad|(^|_)d_?(?=[a-z]+)|_der?$|back", re.I)


def is_derived(name: str) -> bool:
    """Whether a name says that a function is the derivative of another."""
    return bool(_DERIVED.search(name))


def usual_kind(name: str) -> str | None:
    """Which usual activation a function of that name is, or is the derivative of, if it is one."""
    found = None if _OTHER.search(name) else _USUAL.search(name)
    if found is None:
        return None
    kind = found.group().lower().replace("_", "")
    return "sigmoid" if kind == "logistic" else kind


def usual_softmax(z: Any, axis: Any = None) -> Any:
    """The shares of each sample's outputs; None where it is not known how samples lie."""
    if asking((z,)) is None and axis is None and sum(size > 1 for size in np.shape(z)) > 1:
        tape = current_tape()
        side = _side_of_weights(tape, z) if tape is not None else None
        return None if side is None else softmax(z, -side)
    return softmax(z, axis)


def _side_of_weights(tape: Tape, z: Traced) -> int | None:
    """Where weights stand in the last product that z comes from: before the samples (0), or behind them.

    Weights were there at the start, or were changed; the samples come from a layer. Behind them without a
    product, as in a loss that is passed its outputs.
    """
    products = [one for one in sorted(tape.ancestors(z.ids)) if tape.operations[one].name in _PRODUCTS]
    for op in (tape.operations[one] for one in products[::-1]):
        made = [all(map(_is_start, map(tape.operations.__getitem__, tape.producers(ids)))) for ids in op.read]
        return made.index(True) if sorted(made) == [False, True] else None
    return 1


def _is_start(op: Operation) -> bool:
    return op.is_leaf or op.initial or bool(op.version)


class UsualActivation:
    """tanh where a program takes 1 − a² for its slope; otherwise the sigmoid; ReLU where it is called so."""

    def __init__(self, text: str, name: str = "") -> None:
        self.is_tanh = name == "tanh" or (not name and bool(_OF_TANH.search(text)))
        self.is_relu = name == "relu"
        #: The ids of what it has computed.
        self._outputs: set[int] = set()
        #: By the first id of what it was passed, or has computed, the name under which it was called.
        self._callers: dict[int, str] = {}

    def called(self, name: str) -> Callable[..., Any]:
        """It, as an argument of that name: its slope by what it has activated under another one."""
        if is_derived(name):
            return self.derivative

        def function(z: Any, *derived: Any, **options: Any) -> Any:
            if self._callers.get(_first_id(z), name) != name:
                return self.derivative(z)
            a = self.function(z, *derived, **options)
            self._callers.update({_first_id(one): name for one in (z, a) if _first_id(one) >= 0})
            return a

        return function

    def function(self, z: Any, *derived: Any, **options: Any) -> Any:
        """The activation of z; its slope where something is passed that says so, as ``derivative=True``."""
        if any(one is True for one in (*derived, *options.values())):
            return self.derivative(z)
        if self.is_relu:
            return np.maximum(z, 0)
        a = np.tanh(z) if self.is_tanh else 1 / (1 + np.exp(-z))
        if type(a) is Traced:
            self._outputs.update(a.ids.ravel().tolist())
        return a

    def derivative(self, x: Any, sent: Any = None) -> Any:
        """Its slope, by a where ``x`` is what it has computed, and else by z.

        Times what is ``sent`` back to it, which comes after x; in whichever order they are passed.
        """
        if sent is not None and not self._has_computed(sent):
            first, second = (sent, x) if _comes_after(x, sent) else (x, sent)
            return second * self.derivative(first)
        if self.is_relu:
            return (x > 0) * 1.0
        a = x if self._has_computed(x) else self.function(x)
        return 1 - a * a if self.is_tanh else a * (1 - a)

    def _has_computed(self, x: Any) -> bool:
        return type(x) is Traced and self._outputs.issuperset(x.ids.ravel().tolist())


def _first_id(x: Any) -> int:
    return int(x.ids.flat[0]) if type(x) is Traced and x.ids.size else -1


class ActivationObject:
    """A usual activation as an object with methods of any names; called with nothing, it makes another."""

    def __init__(self, usual: UsualActivation) -> None:
        self._usual = usual
        self._output: Any = None

    def __call__(self, *xs: Any, **options: Any) -> Any:
        if not xs:
            return ActivationObject(self._usual)
        self._output = self._usual.function(*xs, **options)
        return self._output

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._slope if is_derived(name) else self.__call__

    def _slope(self, *xs: Any) -> Any:
        """The slope where it was computed last; of an argument that was computed later, times that."""
        if not xs:
            return self._usual.derivative(self._output)
        if _comes_after(xs[0], self._output):
            return xs[0] * self._usual.derivative(self._output)
        return self._usual.derivative(*xs[:2])


def _comes_after(x: Any, other: Any) -> bool:
    """Whether all numbers of an array were computed after those of another."""
    if type(x) is not Traced or type(other) is not Traced or not x.ids.size:
        return False
    return bool(x.ids.min() > other.ids.max())
