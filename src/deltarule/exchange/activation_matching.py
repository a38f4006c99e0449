"""Which activation a function is, told by its values: a graph may compose one in many ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS, Activation

#: Where functions are compared, but for the first. The first four tell parameters: where e^z is 0, and at
#: −1, 0 and 1.
PROBES: Array = np.concatenate([[-1000.0, -1.0, 0.0, 1.0], np.linspace(-20.0, 20.0, 161)])


@np.errstate(all="ignore")
def activation_of(curve: Array, numbers: np.dtype[Any]) -> Activation | None:
    """Return the registered activation with these values at `PROBES`, if there is one.

    ``numbers`` is the number type of the network: a slope of 0.2 in float32 is 0.2, not 0.20000000298.

    Examples
    --------
    >>> activation_of(np.maximum(PROBES, 0.25 * PROBES), np.dtype("float64")).name
    'leaky_relu(0.25)'
    """
    for candidate in _candidates(curve, numbers):
        if np.allclose(curve[1:], candidate.value(PROBES)[1:], rtol=1e-6, atol=1e-6):
            return candidate
    return None


def _candidates(curve: Array, numbers: np.dtype[Any]) -> Iterator[Activation]:
    known = [ACTIVATIONS.resolve(name) for name in ACTIVATIONS]
    yield from (activation for activation in known if not activation.coupled)
    for name, parameter in (("leaky_relu", -float(curve[1])), ("elu", -float(curve[0]))):
        written = float(str(numbers.type(parameter)))  # before it was rounded to the network's number type
        try:
            yield ACTIVATIONS.resolve(f"{name}({written!r})")
        except InputError:  # not a slope or an alpha, so not this function
            continue


@np.errstate(all="ignore")
def line_of(curve: Array) -> tuple[float, float] | None:
    """Return ``(c, d)`` where the values are c·z + d."""
    d = float(curve[2])
    c = float(curve[3]) - d
    return (c, d) if np.allclose(curve, c * PROBES + d, rtol=1e-9, atol=1e-9) else None
