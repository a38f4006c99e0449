"""Slopes of a network's cost, measured without any chain rule: move one parameter, look at the cost.

By central differences over a sweep of steps, and by a complex step, which subtracts nothing and so has no
rounding error to speak of.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from deltarule.arrays import Array, Csr
from deltarule.nn.engines import reference
from deltarule.nn.layers import Trace
from deltarule.nn.network import Network

#: The steps of the differences; a parameter θ moves by ε·max(1, |θ|).
EPSILONS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
COMPLEX_STEP = 1e-30


class CostFunction(NamedTuple):
    """The cost as a function of the parameters of ``net``, for data ``x`` and ``y``."""

    net: Network
    x: Array | Csr
    y: Array
    weight: Array | None

    def forward(self) -> Trace:
        """The forward pass with the parameters as they are now."""
        return reference.forward(self.net.layers, self.x)

    def cost(self, trace: Trace) -> float | complex:
        """The cost that belongs to ``trace``; complex for complex parameters."""
        return reference.cost(self.net.layers, self.net.objective, trace, self.y, self.weight)

    def sides(self, trace: Trace) -> Array:
        """On which side of each kink the samples and the weights lie: −1, 0 or 1."""
        net = self.net
        passes = zip(net.layers, trace, strict=True)
        from_kinks = [step.z - kink for layer, step in passes for kink in layer.activation.kinks]
        from_kinks += [trace.output - self.y - kink for kink in net.loss.kinks]
        if net.objective.l1:
            from_kinks += [layer.W for layer in net.layers]
        return np.sign(np.concatenate([distance.ravel() for distance in from_kinks] or [np.empty(0)]))


def central_differences(function: CostFunction, positions: Array) -> tuple[Array, Array]:
    """``(C(θ + ε) − C(θ − ε)) / 2ε`` for each position and ε, and whether a kink lies in between.

    Both are (n_positions, n_epsilons).
    """
    shape = len(positions), len(EPSILONS)
    slopes, crosses = np.empty(shape), np.empty(shape, dtype=bool)
    for row, position in enumerate(positions):
        for column, epsilon in enumerate(EPSILONS):
            slopes[row, column], crosses[row, column] = _central_difference(function, position, epsilon)
    return slopes, crosses


def _central_difference(function: CostFunction, position: int, epsilon: float) -> tuple[float, bool]:
    theta = function.net.parameters
    here = theta[position]
    step = epsilon * max(1.0, abs(here))
    costs, sides = [], []
    for there in (here - step, here + step):
        theta[position] = there
        trace = function.forward()
        costs.append(function.cost(trace).real)
        sides.append(function.sides(trace))
    theta[position] = here
    width = (here + step) - (here - step)
    return (costs[1] - costs[0]) / width, bool((sides[0] != sides[1]).any())


def complex_steps(function: CostFunction, positions: Array) -> Array | None:
    """``Im C(θ + ih) / h`` for each position; None where a function does not take complex numbers.

    Squire & Trapp (1998).
    """
    twin = function._replace(net=function.net.copy("complex128"))
    theta = twin.net.parameters
    slopes = np.empty(len(positions))
    try:
        with warnings.catch_warnings(action="error"):
            for row, position in enumerate(positions):
                theta[position] += COMPLEX_STEP * 1j
                slopes[row] = np.imag(twin.cost(twin.forward())) / COMPLEX_STEP
                theta[position] = theta[position].real
    except Exception:  # whatever a user's own function does when it meets a complex number
        return None
    return slopes if np.isfinite(slopes).all() else None
