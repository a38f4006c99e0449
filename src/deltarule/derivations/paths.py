"""The paths from a neuron to the loss: how many there are, and along which most of the gradient flows."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from deltarule.arrays import Array
from deltarule.derivations.evidence import Evidence
from deltarule.derivations.quantities import Path, Quantity


def n_paths(evidence: Evidence, layer: int) -> int:
    """How many ways lead from a neuron of ``layer`` to the outputs."""
    return math.prod(evidence.net.sizes[layer + 1 :])


def all_paths(evidence: Evidence, a: Quantity) -> list[Path]:
    """Every path from the output ``a`` of a neuron to an output of the network."""
    layers = range(a.layer + 1, evidence.n_layers + 1)
    sizes = [range(evidence.net.sizes[layer]) for layer in layers]
    start = (a.layer, a.index[0])
    return [Path((start, *zip(layers, indices, strict=True)), a.sample) for indices in product(*sizes)]


def largest_paths(evidence: Evidence, a: Quantity, count: int) -> list[tuple[Path, float]]:
    """The paths that add most to ∂cost/∂a, greatest first, with what they add.

    The best of each neuron are among the best of the neurons it feeds, so that a layer at a time is enough
    (Bellman, 1957), however many paths there are.
    """
    net, sample = evidence.net, a.sample
    best = evidence.grads[-1].delta[sample][:, None]  # (neurons, so many paths): what is at their z
    tails: list[list[tuple[tuple[int, int], ...]]] = [
        [((evidence.n_layers, k),)] for k in range(net.sizes[-1])
    ]
    for layer in range(evidence.n_layers, a.layer, -1):
        W, mask = net.layers[layer - 1].W, evidence.trace[layer - 1].mask
        places = [a.index[0]] if layer == a.layer + 1 else list(range(net.sizes[layer - 1]))
        amounts = W[places][:, :, None] * best[None]  # (neurons before, neurons, paths)
        if mask is not None:
            amounts = amounts * mask[sample][places][:, None, None]
        flat, kept = _greatest(amounts.reshape(len(places), -1), count)
        tails = [
            [((layer - 1, place), *tails[k // best.shape[1]][k % best.shape[1]]) for k in row]
            for place, row in zip(places, kept, strict=True)
        ]
        best = flat if layer == a.layer + 1 else flat * _slopes(evidence, layer - 1, sample)[:, None]
    return [(Path(tail, sample), float(value)) for tail, value in zip(tails[0], best[0], strict=True)]


def _greatest(amounts: Array, count: int) -> tuple[Array, list[list[int]]]:
    """The greatest entries of each row by magnitude, in order, and where they stood."""
    order = np.argsort(-np.abs(amounts), axis=1, kind="stable")[:, :count]
    return np.take_along_axis(amounts, order, axis=1), order.tolist()


def _slopes(evidence: Evidence, layer: int, sample: int) -> Array:
    step = evidence.trace[layer - 1]
    return evidence.layer(layer).activation.derivative(step.z[sample], step.a[sample])
