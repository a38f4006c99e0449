"""The dense layer: ``z = x @ W + b``, ``a = f(z)``; and backwards ``dW``, ``db``, ``dx`` from ``delta``.

:class:`Dense` describes a layer, :class:`Layer` computes with views into a network's parameters.
``forward`` returns its trace and ``backward`` takes it: a layer remembers nothing in between.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deltarule.arrays import Array, Csr, check_number, check_whole
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS, Activation
from deltarule.nn.initializers import INITIALIZERS, Initializer

#: One bias for each neuron, one for the whole layer, or none.
BIAS_KINDS = ("neuron", "shared", "none")


class Dense:
    """The description of a layer in which every input reaches every neuron.

    Parameters
    ----------
    n_in, n_out : int
        Number of inputs and of neurons.
    activation : str or Activation
    bias : "neuron", "shared" or "none"; or True, False
        A bias for each neuron, one for the layer, or none.
    dropout : float
        The share of this layer's *inputs* that training drops; the others are scaled by 1/(1 − dropout) to
        make up for it. Srivastava et al. (2014).
    initializer : str or Initializer, optional
        How to draw the weights; by default He's for the ReLU family and Xavier's for the others.
    bias_initializer : str or Initializer

    Attributes
    ----------
    n_weights, n_biases, n_parameters : int

    Examples
    --------
    >>> Dense(784, 200, "relu")
    Dense(784 → 200 relu)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        activation: str | Activation = "identity",
        *,
        bias: str | bool = "neuron",
        dropout: float = 0.0,
        initializer: str | Initializer | None = None,
        bias_initializer: str | Initializer = "zeros",
    ) -> None:
        self.n_in = check_whole("number of inputs", n_in)
        self.n_out = check_whole("number of neurons", n_out)
        self.dropout = check_number("dropout", dropout, 0, np.nextafter(1, 0))
        self.activation = ACTIVATIONS.resolve(activation)
        kind = ("neuron" if bias else "none") if isinstance(bias, bool) else bias
        if kind not in BIAS_KINDS:
            raise InputError(f"bias must be True, False or one of {', '.join(BIAS_KINDS)}, got {bias!r}")
        self.bias = kind
        self.n_weights = self.n_in * self.n_out
        self.n_biases = {"neuron": self.n_out, "shared": 1, "none": 0}[self.bias]
        self.n_parameters = self.n_weights + self.n_biases
        if initializer is None:
            initializer = "he_uniform" if self.activation.rectifier else "xavier_uniform"
        self.initializer = INITIALIZERS.resolve(initializer)
        self.bias_initializer = INITIALIZERS.resolve(bias_initializer)

    def views(self, flat: Array) -> tuple[Array, Array | None]:
        """``W`` (n_in, n_out) and ``b`` (n_biases,) or None, as views into ``flat`` (n_parameters,)."""
        W = flat[: self.n_weights].reshape(self.n_in, self.n_out)
        return W, flat[self.n_weights :] if self.n_biases else None

    def draw(self, rng: np.random.Generator) -> Array:
        """Initial parameters, (n_parameters,): the weights, then the biases."""
        W = self.initializer.draw(rng, self.n_in, self.n_out)
        b = self.bias_initializer.draw(rng, 1, self.n_biases) if self.n_biases else np.empty(0)
        return np.concatenate([W.ravel(), b.ravel()])

    def __repr__(self) -> str:
        return f"Dense({self.n_in} → {self.n_out} {self.activation.name})"


class LayerTrace(NamedTuple):
    """What one layer computed: ``x`` (n, n_in) after dropout, ``z`` and ``a`` (n, n_out), and dropout's mask.

    ``x`` of layer 1 is a ``csr_array`` where the inputs were sparse.
    """

    x: Array | Csr
    z: Array
    a: Array
    mask: Array | None

    @property
    def dense_x(self) -> Array:
        """``x``, written out where it is sparse."""
        return self.x if isinstance(self.x, np.ndarray) else self.x.toarray()


class LayerGradients(NamedTuple):
    """``delta = ∂L/∂z`` (n, n_out), ``dW`` (n_in, n_out) and ``db`` (n_biases,) of one layer."""

    delta: Array
    dW: Array
    db: Array | None


class Trace(list[LayerTrace]):
    """The forward pass, layer by layer: ``trace[0]`` is layer 1."""

    @property
    def output(self) -> Array:
        """``a`` of the last layer, (n, n_outputs)."""
        return self[-1].a


class Gradients(list[LayerGradients]):
    """The backward pass, layer by layer; ``flat`` holds all ``dW`` and ``db`` in the parameters' order."""

    def __init__(self, layers: list[LayerGradients], flat: Array) -> None:
        super().__init__(layers)
        self.flat = flat


class Layer:
    """A dense layer at work: its description, and views of its parameters.

    ``parameters`` (dense.n_parameters,) is where ``W`` and ``b`` lie; it is not copied.
    """

    def __init__(self, dense: Dense, parameters: Array) -> None:
        self.dense = dense
        self.activation = dense.activation
        self.W, self.b = dense.views(parameters)
        self._b_row = None if self.b is None else self.b[None]  # as z, of one row at least, so added quicker

    def value(self, x: Array | Csr) -> Array:
        """``a = f(x @ W + b)`` alone, (n, n_out)."""
        return self.activation.value(self._z(x))

    def forward(self, x: Array | Csr, rng: np.random.Generator | None = None) -> LayerTrace:
        """The forward pass of ``x`` (n, n_in); with a generator, dropout is at work."""
        mask = None
        if rng is not None and self.dense.dropout:
            kept = rng.random(x.shape, dtype=np.float32) >= self.dense.dropout
            mask = kept.astype(x.dtype) / x.dtype.type(1 - self.dense.dropout)
            x = x * mask
        z = self._z(x)
        a = self.activation.value(z)
        return LayerTrace(x, z, a, mask)

    def gradients(self, trace: LayerTrace, delta: Array, flat: Array) -> LayerGradients:
        """``dW`` and ``db`` from this layer's ``delta`` (n, n_out), written into ``flat`` (n_parameters,)."""
        dW, db = self.dense.views(flat)
        if isinstance(trace.x, np.ndarray):
            np.matmul(trace.x.T, delta, out=dW)  # dW = x.T @ delta, where it belongs
        else:  # a csr_array knows no ``out``
            dW[:] = trace.x.T @ delta
        if db is not None and self.dense.bias == "neuron":
            delta.sum(axis=0, out=db)
        elif db is not None:
            db[:] = delta.sum()
        return LayerGradients(delta, dW, db)

    def dx(self, trace: LayerTrace, delta: Array) -> Array:
        """``∂L/∂x`` (n, n_in): what the layer before receives."""
        dx = delta @ self.W.T
        return dx if trace.mask is None else dx * trace.mask

    def _z(self, x: Array | Csr) -> Array:
        z = x.dot(self.W)  # x @ W, by fewer steps
        if self._b_row is not None:
            z += self._b_row
        return z
