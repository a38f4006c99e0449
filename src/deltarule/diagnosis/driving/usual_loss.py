"""A usual loss where an argument is one, and its derivative by the output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.asking import OpenArgument
from deltarule.diagnosis.driving.origins import depends_on_parameters
from deltarule.diagnosis.recording.traced import plain
from deltarule.diagnosis.recording.usual_activation import is_derived


class UsualLoss:
    """Half the squared error, as a function or an object with methods of any names.

    Its value is a plain number: which loss the program means is told by how it goes on from the derivative.
    """

    def __init__(self, name: str = "") -> None:
        self._is_derived = is_derived(name)
        self._slope: Any = None

    def __call__(self, *xs: Any, **options: Any) -> Any:
        is_asked = any(one is True for one in (*xs, *options.values()))
        arrays = [one for one in (*xs, *options.values()) if not isinstance(one, bool)]
        return self._derivative(*arrays) if self._is_derived or is_asked else self._value(*arrays)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._derivative if is_derived(name) else self._value

    def _value(self, *xs: Any) -> float:
        self._slope = _error(*xs)
        return float(np.sum(np.square(plain(self._slope)))) / 2

    def _derivative(self, *xs: Any) -> Any:
        """The derivative where it was computed last, or by the output that is passed beside a target."""
        return _error(*xs) if xs else self._slope


def _error(first: Any, second: Any) -> Any:
    """Output − target: the output is what depends on parameters."""
    if isinstance(first, OpenArgument) or isinstance(second, OpenArgument):
        return first - second
    output, target = (first, second) if depends_on_parameters(first) else (second, first)
    if np.shape(output) != np.shape(target):
        shapes = " ".join(str(np.shape(one)).replace(" ", "") for one in (output, target))
        raise ValueError(f"operands could not be broadcast together with shapes {shapes}")
    return output - target
