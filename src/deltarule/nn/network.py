"""The network: layers in a row over one flat vector of parameters."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule.arrays import (
    Array,
    Scaled,
    Sparse,
    aligned_zeros,
    as_batch,
    as_inputs,
    as_numbers,
    as_sample_weight,
    check_finite,
    check_whole,
    is_finite,
    narrowed,
)
from deltarule.errors import DeltaruleError, InputError, ModelFileError, ShapeError
from deltarule.nn.activations import Activation
from deltarule.nn.architecture import dense_layers, describe
from deltarule.nn.description import check_dtype, describe_network, parts_of
from deltarule.nn.engines import engine_to_predict, reference
from deltarule.nn.initializers import Initializer
from deltarule.nn.layers import Dense, Gradients, Layer, Trace
from deltarule.nn.losses import LOSSES, Loss, as_targets
from deltarule.nn.model_files import read_model, write_model
from deltarule.nn.objective import Objective, loss_of_output
from deltarule.nn.parameter_names import name_of, named_by_layer, positions
from deltarule.registry import shown_by, signals_wait

if TYPE_CHECKING:
    from deltarule.data.encoding import Encoding


class Network:
    """A feedforward network: layer after layer ``z = x @ W + b``, ``a = f(z)``.

    All weights and biases are in one vector, ``parameters``; the layers hold views into it.

    Parameters
    ----------
    sizes : sequence of int, or of Dense
        The number of inputs, of neurons in each hidden layer, and of outputs: ``[2, 3, 1]``; or the layers.
    activation : str, Activation, or a sequence with one for each hidden layer
    output : str or Activation
        Activation of the last layer.
    loss : str or Loss, optional
        By default the loss that belongs to the output: cross-entropy for softmax, binary cross-entropy for
        sigmoid, half squared error for all others.
    bias : "neuron", "shared" or "none"; or True, False
        A bias for each neuron, one for each layer, or none.
    initializer, bias_initializer : str or Initializer
        How the initial weights and biases are drawn: ``"normal(0.01)"``; see ``INITIALIZERS``.
    dropout : float, or a sequence with one for each layer
        The share of a layer's inputs that training drops. A single number applies to all layers but the
        first.
    l1, l2 : float
        Penalties ``l1·Σ|W| + l2/2·ΣW²`` in the cost.
    reduction : "mean" or "sum"
        Whether the cost is the mean or the sum of the samples' losses.
    dtype : "float64" or "float32"
    seed : int or None
        The random seed of the initial weights; None draws different ones each time.

    Raises
    ------
    InputError
        If a value does not fit; the message names it, and says what would fit.

    Examples
    --------
    >>> net = Network([2, 3, 1], activation="tanh", output="sigmoid", seed=0)
    >>> net
    Network(2 → 3 tanh → 1 sigmoid, 13 parameters)
    >>> trace = net.forward([[0.0, 1.0]])
    >>> trace.output.shape, trace[0].z.shape
    ((1, 1), (1, 3))
    >>> net.backward(trace, [[1.0]])[1].dW.shape
    (3, 1)
    """

    #: The engine that trained it last, in this process; it predicts, too.
    engine = "reference"

    def __init__(
        self,
        sizes: Sequence[int] | Sequence[Dense],
        *,
        activation: str | Activation | Sequence[str | Activation] = "relu",
        output: str | Activation = "identity",
        loss: str | Loss | None = None,
        bias: str | bool = "neuron",
        initializer: str | Initializer | None = None,
        bias_initializer: str | Initializer = "zeros",
        dropout: float | Sequence[float] = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        reduction: str = "mean",
        dtype: str = "float64",
        seed: int | None = 0,
    ) -> None:
        layers = dense_layers(
            sizes, activation, output, dropout, bias=bias, initializer=initializer,
            bias_initializer=bias_initializer,
        )  # fmt: skip
        output = layers[-1].activation
        loss = LOSSES.resolve(loss_of_output(output.name) if loss is None else loss)
        check_dtype(dtype)
        self.objective = Objective(loss, output, reduction, l1, l2)
        self.encoding: Encoding | None = None
        self._bind(layers, _zeros(sum(layer.n_parameters for layer in layers), dtype))
        self.unfreeze()
        if seed is not None:
            check_whole("seed", seed, 0)
        with signals_wait():  # NumPy loads its generators when they are first asked for
            rng = np.random.default_rng(seed)
        drawn = np.concatenate([layer.draw(rng) for layer in layers])
        check_finite(drawn, "the initial weights")
        self.parameters[:] = narrowed(drawn, self.dtype, "the initial weights")

    def _bind(self, layers: Sequence[Dense], parameters: Array) -> None:
        self.parameters = parameters
        self.layers: list[Layer] = []
        start = 0
        for layer in layers:
            self.layers.append(Layer(layer, parameters[start : start + layer.n_parameters]))
            start += layer.n_parameters

    @property
    def sizes(self) -> list[int]:
        """The number of inputs, then the number of neurons of each layer."""
        return [self.layers[0].dense.n_in, *(layer.dense.n_out for layer in self.layers)]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The number type of the parameters and of everything that is computed."""
        return self.parameters.dtype

    @property
    def loss(self) -> Loss:
        """The loss that training minimises."""
        return self.objective.loss

    _repr_html_ = shown_by("deltarule.notebook_views:network")

    def __repr__(self) -> str:
        chain = " → ".join(f"{layer.dense.n_out} {layer.activation.name}" for layer in self.layers)
        return f"Network({self.sizes[0]} → {chain}, {self.parameters.size:,} parameters)"

    def forward(self, X: Any, rng: np.random.Generator | None = None) -> Trace:
        """Run the forward pass, and return everything that it computed.

        Parameters
        ----------
        X : array-like, (n_samples, n_features)
            SciPy's sparse arrays stay sparse, also as ``trace[0].x``.
        rng : Generator, optional
            Draws the dropout masks; without it, nothing is dropped.

        Returns
        -------
        Trace
            ``trace[0].x``, ``.z``, ``.a`` of layer 1, and so on; ``trace.output``.

        Raises
        ------
        ShapeError, InputError
            If X does not fit the first layer, or contains anything but finite numbers.
        """
        return reference.forward(self.layers, as_batch(self.inputs(X), self.dtype), rng)

    def backward(self, trace: Trace, Y: Any, sample_weight: Any = None) -> Gradients:
        """Compute the gradient of :meth:`cost`, layer by layer; nothing is updated.

        Parameters
        ----------
        trace : Trace
            The trace that :meth:`forward` returned.
        Y : array-like, (n_samples, n_outputs)
            The targets; with one output also (n_samples,), with cross-entropy also class numbers
            (n_samples,).
        sample_weight : array-like, (n_samples,), optional

        Returns
        -------
        Gradients
            ``grads[0].delta``, ``.dW``, ``.db`` of layer 1, and so on; ``grads.flat``.
        """
        y, weight = self.targets(Y, sample_weight, len(trace.output))
        return reference.backward(self.layers, self.objective, trace, y, weight)

    def cost(self, X: Any, Y: Any, sample_weight: Any = None) -> float:
        """Compute the cost, ``1/n Σ loss + l1·Σ|W| + l2/2·ΣW²``; see :class:`Objective`.

        Examples
        --------
        >>> Network([1, 1], initializer="zeros").cost([[1.0]], [[2.0]])
        2.0
        """
        trace = self.forward(X)
        y, weight = self.targets(Y, sample_weight, len(trace.output))
        return float(reference.cost(self.layers, self.objective, trace, y, weight))

    def predict(self, X: Any, engine: str | None = None) -> Array:
        """Compute the outputs for each row, in bounded memory.

        Parameters
        ----------
        X : array-like, (n_samples, n_features)
        engine : "reference" or "compiled", optional
            By default the one that trained the network in this process, and NumPy where none did. The
            compiled engine is faster, but the first call on a machine compiles for some seconds.

        Returns
        -------
        ndarray, (n_samples, n_outputs)

        Raises
        ------
        ShapeError, InputError
            As in :meth:`forward`; also if there is no such engine, or if an output is not finite.
        MissingExtraError
            If it needs a package that is not installed.
        """
        try:
            x = self.inputs(X)
        except InputError as error:
            if self.encoding is None:
                raise
            raise type(error)(f"{error}; to predict from raw rows, use deltarule.load_model(path)") from None
        outputs = self._outputs(x, engine)
        if not is_finite(outputs):
            finite = np.isfinite(outputs).all(axis=1)
            largest = self.name_of(int(np.abs(self.parameters).argmax()))
            raise InputError(
                f"the outputs for row {int(finite.argmin()) + 1} are not finite; the largest parameter is"
                f" {largest} = {self.parameters[np.abs(self.parameters).argmax()]:.3g}"
            )
        return outputs

    @np.errstate(all="ignore")  # what overflows is refused
    def _outputs(self, x: Array | Scaled, engine: str | None) -> Array:
        outputs: Array = engine_to_predict(engine, self).predict(self, x)
        return outputs

    def inputs(self, X: Any) -> Array | Scaled:
        """Return X as a matrix that fits layer 1, (n_samples, n_features); narrower number types are kept.

        Sparse inputs are returned as :class:`Scaled`, whose ``astype`` makes some of the rows dense.
        """
        x = X if isinstance(X, Scaled) else as_inputs(X, "X")
        dense = self.layers[0].dense
        if x.shape[1] != dense.n_in:
            raise ShapeError(
                f"layer 1 ({describe(dense)}) expects inputs of shape (batch, {dense.n_in}), got {x.shape}"
            )
        if isinstance(x, Scaled):
            return x
        narrower = x.dtype.itemsize < self.dtype.itemsize
        if isinstance(x, Sparse):
            return Scaled(x if narrower else narrowed(x, self.dtype, "X"))
        return x if narrower else narrowed(x, self.dtype, "X")

    def targets(self, Y: Any, sample_weight: Any, n_samples: int) -> tuple[Array, Array | None]:
        """Check Y, (n_samples, n_outputs), and sample weights, (n_samples, 1); return them in our dtype."""
        y = narrowed(as_targets(self.loss, Y, n_samples, self.sizes[-1]), self.dtype, "Y")
        weight = as_sample_weight(sample_weight, n_samples)
        return y, None if weight is None else narrowed(weight, self.dtype, "sample_weight")

    def select(self, name: str) -> Array:
        """Return the positions of a named parameter in ``parameters``, as an array of its shape.

        ``w5``, ``W2``, ``W2[0,1]``, ``b2``, ``b2[1]``, ``W``, ``b``: see :mod:`deltarule.nn.parameter_names`.

        Examples
        --------
        >>> Network([2, 2, 2]).select("W1[1,0]")
        array(2)
        """
        return positions([layer.dense for layer in self.layers], name)

    def name_of(self, position: int) -> str:
        """Return the name of ``parameters[position]``: ``W2[0,1]`` or ``b2[1]``."""
        return name_of([layer.dense for layer in self.layers], position)

    def get_weights(self) -> tuple[list[Array], list[Array | None]]:
        """Return copies of the weights and of the biases of each layer."""
        biases = [None if layer.b is None else layer.b.copy() for layer in self.layers]
        return [layer.W.copy() for layer in self.layers], biases

    def set_weights(
        self, weights: Mapping[str, Any] | Sequence[Any], biases: Sequence[Any] | None = None
    ) -> None:
        """Set your own numbers; if one of them does not fit, nothing is changed.

        Parameters
        ----------
        weights : sequence of array-like, (n_in, n_out) each
            One for each layer; or a mapping from names (see :meth:`select`) to numbers or arrays.
        biases : sequence of array-like or None, (n_biases,) each, optional
            One array for each layer; without them, the biases stay as they are.

        Examples
        --------
        >>> net = Network([2, 1])
        >>> net.set_weights({"w1": 0.15, "w2": 0.2, "b1": 0.35})
        >>> net.parameters
        array([0.15, 0.2 , 0.35])
        """
        if not isinstance(weights, Mapping):
            weights = named_by_layer(weights, biases, len(self.layers))
        parameters = self.parameters.copy()
        for name, values in weights.items():
            places = self.select(name)
            new = as_numbers(values, name)
            check_finite(new, name)
            if new.shape not in ((), places.shape):
                raise ShapeError(f"{name} must have shape {places.shape}, got {new.shape}")
            parameters[places] = narrowed(new, self.dtype, name)
        self.parameters[:] = parameters

    def freeze(self, *names: str) -> None:
        """Keep the named parameters (see :meth:`select`), and only these, as they are during training.

        No name means all parameters.

        Examples
        --------
        >>> net = Network([2, 2, 1])
        >>> net.freeze("b", "W1[0,1]")
        >>> net.frozen
        array([1, 4, 5, 8])
        """
        places = [self.select(name).ravel() for name in names or ("W", "b")]
        self._set_frozen(np.unique(np.concatenate(places)))

    def unfreeze(self) -> None:
        """Let training change all parameters again."""
        self._set_frozen(np.empty(0, dtype=np.intp))

    def _set_frozen(self, frozen: Array) -> None:
        """Set ``frozen``, where parameters do not move, and ``decaying``, where they are weights that do."""
        self.frozen = frozen
        self.decaying, start = np.zeros(self.parameters.size, dtype=bool), 0
        for layer in self.layers:
            W, _ = layer.dense.views(self.decaying[start : start + layer.dense.n_parameters])
            W[:] = True
            start += layer.dense.n_parameters
        self.decaying[frozen] = False

    def copy(self, dtype: Any = None) -> Network:
        """Return a network with its own copy of the parameters, in a given number type or the same."""
        layers = [layer.dense for layer in self.layers]
        parameters = self.parameters.astype(dtype or self.dtype, copy=False)
        net = _from_parts(layers, self.objective, self.encoding, parameters, self.frozen.copy())
        net.engine = self.engine
        return net

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle and copies: the layers become views again."""
        layers = [layer.dense for layer in self.layers]
        parts = layers, self.objective, self.encoding, self.parameters, self.frozen
        return _from_parts, parts, {"engine": self.engine}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network and its encoding to one safetensors file, atomically.

        Raises
        ------
        InputError
            If a parameter is not finite, an activation or loss is not registered, or the path cannot be
            written.
        OSError
            If writing fails; the old file is still there.
        """
        write_model(path, self.description(), self.arrays())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Read a network that :meth:`save` wrote.

        Raises
        ------
        ModelFileError
            If the file is something else, or is damaged.
        """
        return cls.from_description(path, *read_model(path))

    def arrays(self) -> dict[str, Array]:
        """Return the arrays that :meth:`save` writes."""
        check_finite(self.parameters, "parameters")
        return {"parameters": self.parameters, "frozen": self.frozen.astype(np.int64)}

    def description(self) -> dict[str, Any]:
        """Return the text that :meth:`save` writes: the layers, the objective, the encoding."""
        return describe_network([layer.dense for layer in self.layers], self.objective, self.encoding)

    @classmethod
    def from_description(
        cls, path: str | os.PathLike[str], description: dict[str, Any], arrays: dict[str, Array]
    ) -> Network:
        """Make the network from the description and the arrays of a file; ``path`` is for messages."""
        try:
            return _from_parts(*parts_of(description, arrays))
        except (DeltaruleError, KeyError, TypeError, ValueError, IndexError, MemoryError) as error:
            raise ModelFileError(f"{path} does not describe a network: {error}") from None


def _from_parts(
    layers: Sequence[Dense], objective: Objective, encoding: Encoding | None, parameters: Array, frozen: Array
) -> Network:
    """A network with these records, and copies of these numbers."""
    net = object.__new__(Network)
    net.objective, net.encoding = objective, encoding
    own = aligned_zeros(parameters.shape, parameters.dtype)
    own[:] = parameters
    net._bind(layers, own)
    net._set_frozen(frozen)
    return net


def _zeros(n_parameters: int, dtype: str) -> Array:
    try:
        return aligned_zeros((n_parameters,), dtype)
    except (MemoryError, ValueError):
        raise InputError(
            f"{n_parameters:,} parameters do not fit into memory; make the layers smaller"
        ) from None
