"""A usual activation where an argument is one, and its derivative, whatever that is taken of."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.traced import Traced

_OF_TANH = re.compile(r"1(\.0?)?\s*-\s*[\w\[\]:.]+\s*\*\*\s*2")


_DERIVED = re.compile(r"prime|deriv|grad|(^|_)d_?(?=[a-z]+)|_der?$|back", re.I)


def is_derived(name: str) -> bool:
    """Whether a name says that a function is the derivative of another."""
    return bool(_DERIVED.search(name))


class UsualActivation:
    """tanh where a program takes 1 − a² for its slope; otherwise the sigmoid."""

    def __init__(self, text: str) -> None:
        self.is_tanh = bool(_OF_TANH.search(text))
        #: The ids of what it has computed.
        self._outputs: set[int] = set()

    def function(self, z: Any) -> Any:
        """The activation of z."""
        a = np.tanh(z) if self.is_tanh else 1 / (1 + np.exp(-z))
        if type(a) is Traced:
            self._outputs.update(a.ids.ravel().tolist())
        return a

    def derivative(self, x: Any) -> Any:
        """Its slope, by a where ``x`` is what it has computed, and else by z."""
        is_a = type(x) is Traced and self._outputs.issuperset(x.ids.ravel().tolist())
        a = x if is_a else self.function(x)
        return 1 - a * a if self.is_tanh else a * (1 - a)
