"""The value of each quantity, read from the trace and the gradients that training itself computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from deltarule.arrays import Array
from deltarule.derivations.quantities import Path, Quantity, Rate
from deltarule.formula.tree import Expr
from deltarule.nn.engines import reference
from deltarule.nn.layers import Gradients, Layer, Trace
from deltarule.nn.network import Network
from deltarule.nn.parameter_names import parameter_name


class Evidence:
    """A network's forward and backward pass over some samples.

    Parameters
    ----------
    net : Network
    x : ndarray, (n_samples, n_features)
    trace : Trace
        What ``net.forward`` returned, with its dropout masks where it was given a generator.
    y : ndarray, (n_samples, n_outputs)
    weight : ndarray, (n_samples, 1), optional
        Sample weights.
    """

    def __init__(self, net: Network, x: Array, trace: Trace, y: Array, weight: Array | None = None) -> None:
        self.net, self.x, self.trace, self.y, self.weight = net, x, trace, y, weight
        self.grads: Gradients = reference.backward(net.layers, net.objective, trace, y, weight)
        self.n_samples, self.n_layers = len(y), len(net.layers)
        self.shares = np.broadcast_to(net.objective.shares(len(y), weight), (len(y), 1))

    @property
    def cost_is_loss(self) -> bool:
        """Whether the cost is just the loss of one sample."""
        return self.is_single and not self.net.objective.penalties

    @property
    def is_single(self) -> bool:
        """Whether there is one sample, and its loss counts once."""
        return self.n_samples == 1 and bool(self.shares.item() == 1)

    @property
    def cost(self) -> Quantity:
        """What is differentiated: the cost, or where it is the same, the sample's loss."""
        return Quantity("E") if self.cost_is_loss else Quantity("L")

    @property
    def cost_word(self) -> str:
        """What the cost is called: the loss, where it is nothing else."""
        return "loss" if self.cost_is_loss else "cost"

    def position(self, p: Quantity) -> int:
        """Where a parameter lies in the flat vector."""
        return int(self.net.select(parameter_name(p.kind, p.layer, p.index)))

    def layer(self, number: int) -> Layer:
        """Layer 1, 2, …"""
        return self.net.layers[number - 1]

    def is_coupled(self, layer: int) -> bool:
        """Whether a neuron's output depends on the other neurons' z too, as in softmax."""
        return self.layer(layer).activation.coupled

    def has_mask(self, layer: int) -> bool:
        """Whether dropout was at work on the layer's inputs."""
        return self.trace[layer - 1].mask is not None

    def __call__(self, leaf: Expr) -> float:
        """The number that a quantity or a rate stands for."""
        if isinstance(leaf, Rate):
            return float(self._rates[leaf.top.kind, leaf.by.kind](leaf.top, leaf.by))
        if isinstance(leaf, Path):
            outputs = leaf.neurons[-1]
            value = self._da(outputs[0])[leaf.sample, outputs[1]]
            for (_, i), (layer, j) in reversed(list(pairwise(leaf.neurons))):
                a, z = (Quantity(kind, layer, (j,), leaf.sample) for kind in "az")
                value *= self._slope(a, z) * self._dz_da(z, Quantity("a", layer - 1, (i,), leaf.sample))
            return float(value)
        assert isinstance(leaf, Quantity), leaf
        return float(self._quantities[leaf.kind](leaf))

    # ------------------------------------------------------------------ quantities

    @cached_property
    def _quantities(self) -> dict[str, Callable[[Quantity], float]]:
        trace, grads = self.trace, self.grads
        return {
            "a": lambda q: (trace[q.layer - 1].a if q.layer else self.x)[q.sample, q.index[0]],
            "x": lambda q: trace[q.layer - 1].dense_x[q.sample, q.index[0]],
            "mask": lambda q: trace[q.layer - 1].mask[q.sample, q.index[0]],
            "z": lambda q: trace[q.layer - 1].z[q.sample, q.index[0]],
            "W": lambda q: self.layer(q.layer).W[q.index],
            "b": lambda q: _bias_entry(self.layer(q.layer).b, q),
            "y": lambda q: self.y[q.sample, q.index[0]],
            "term": lambda q: self._terms[q.sample, q.index[0]],
            "E": lambda q: self._terms[q.sample].sum(),
            "L": lambda q: reference.cost(self.net.layers, self.net.objective, trace, self.y, self.weight),
            "penalty": self._penalty,
            "delta": lambda q: grads[q.layer - 1].delta[q.sample, q.index[0]],
        }

    def _penalty(self, q: Quantity) -> float:
        objective = self.net.objective
        alone = replace(objective, l1=0.0) if q.index == (2,) else replace(objective, l2=0.0)
        return sum(alone.penalty(layer.W) for layer in self.net.layers)

    @cached_property
    def _terms(self) -> Array:
        last = self.trace[-1]
        return self.net.objective.terms(last.z, last.a, self.y)

    # ------------------------------------------------------------------ rates

    @cached_property
    def _rates(self) -> dict[tuple[str, str], Callable[[Quantity, Quantity], float]]:
        return {
            ("L", "E"): lambda top, by: self.shares[by.sample, 0],
            ("E", "a"): self._dE_da,
            ("term", "a"): self._dE_da,
            ("L", "a"): lambda top, by: self._da(by.layer)[by.sample, by.index[0]],
            ("a", "z"): self._slope,
            ("z", "W"): lambda top, by: self.trace[by.layer - 1].dense_x[top.sample, by.index[0]],
            ("z", "b"): lambda top, by: 1.0,
            ("z", "a"): self._dz_da,
            ("E", "W"): lambda top, by: self.grads[by.layer - 1].dW[by.index],
            ("L", "W"): lambda top, by: self.grads[by.layer - 1].dW[by.index],
            ("E", "b"): lambda top, by: _bias_entry(self.grads[by.layer - 1].db, by),
            ("L", "b"): lambda top, by: _bias_entry(self.grads[by.layer - 1].db, by),
        }

    def _dE_da(self, top: Quantity, by: Quantity) -> float:
        """By an output: the loss's derivative; by an inner neuron: what comes back to it."""
        if by.layer == self.n_layers:
            return self._loss_slope[by.sample, by.index[0]]
        return self._da(by.layer)[by.sample, by.index[0]]

    @cached_property
    def _loss_slope(self) -> Array:
        return self.net.loss.derivative(self.trace.output, self.y)

    def _da(self, layer: int) -> Array:
        """``da`` (n, n_out) of a layer: ∂L/∂a."""
        if layer == self.n_layers:
            return self._loss_slope * self.shares
        return self._passed_back[layer]

    @cached_property
    def _passed_back(self) -> list[Array]:
        """``da`` of layers 0 to n − 1, as each layer's ``dx`` gives it to the one before."""
        passes = zip(self.net.layers, self.trace, self.grads, strict=True)
        return [layer.dx(step, grad.delta) for layer, step, grad in passes]

    def _slope(self, top: Quantity, by: Quantity) -> float:
        slope = self._slopes[top.layer - 1]
        return slope[(top.sample, *top.index, *by.index)[: slope.ndim]]

    @cached_property
    def _slopes(self) -> list[Array]:
        """f′(z) of each layer; of a coupled one the Jacobian of each sample, (n, k, k)."""
        pairs = zip(self.net.layers, self.trace, strict=True)
        return [layer.activation.derivative(step.z, step.a) for layer, step in pairs]

    def _dz_da(self, top: Quantity, by: Quantity) -> float:
        weight = self.layer(top.layer).W[by.index[0], top.index[0]]
        mask = self.trace[top.layer - 1].mask
        return weight if mask is None else weight * mask[top.sample, by.index[0]]


def _bias_entry(biases: Array | None, bias: Quantity) -> float:
    """The entry of a bias, or of its gradient; without an index that of the bias the layer shares."""
    assert biases is not None
    return float(biases[bias.index[0] if bias.index else 0])
