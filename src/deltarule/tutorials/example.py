"""Examples: a network, its data and its training, written down in one TOML file.

.. code-block:: toml

    title = "2-2-1, by hand"

    [network]                           # the arguments of deltarule.Network
    sizes = [2, 2, 1]                   # required: inputs, neurons of each hidden layer, outputs
    activation = "sigmoid"              # of the hidden layers: one name, or a list with one each
    output = "sigmoid"                  # activation of the last layer
    loss = "half_squared_error"         # also "cross_entropy", "huber(0.5)", …
    bias = "shared"                     # "neuron", "shared" (one for each layer) or "none"; true, false
    initializer = "normal(0.01)"        # of weights that [weights] does not give
    bias_initializer = "zeros"
    seed = 0                            # of the initializers
    l1 = 0.0                            # penalties
    l2 = 0.0
    reduction = "mean"                  # of the samples' losses: or "sum"
    dropout = 0.0                       # one number, or a list with one for each layer
    dtype = "float64"                   # or "float32"

    [weights]                           # by name, as Network.select knows them
    w1 = 0.15                           # weight by weight, neuron by neuron
    W2 = [[0.4], [0.45]]                # or a layer's matrix, (inputs, outputs)
    b1 = 0.35                           # the bias of layer 1, or a list with one for each neuron

    [data]                              # required
    x = [[0.05, 0.1]]                   # required: rows; a single row, or a single column, may stand bare
    y = [[0.01]]                        # required: rows likewise, class numbers, or "x": the inputs again

    [training]                          # the arguments of deltarule.train; without it nothing is trained
    optimizer = "sgd"                   # "sgd" where not given
    learning_rate = 0.5                 # a number, or a schedule: "cosine(0.5)"
    updates = 10000                     # updates of the full batch …
    epochs = 10000                      # … or instead epochs, with …
    batch_size = 1                      # … so many samples for one update (not given: all)
    seed = 0                            # of shuffling and dropout
    frozen = ["b"]                      # parameters that stay as they are, by name

    [published]                         # figures that the source prints, by quantity
    net_h1 = 0.3775

    [exact]                             # what the stated mathematics gives, where it is known better
    net_h1 = 0.3775

Every key but the ones called required may be left out. Any other key is refused, so that no slip goes unseen.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from deltarule.arrays import Array, as_numbers, check_whole
from deltarule.data.raw_files import read_bytes
from deltarule.errors import DataFileError, InputError
from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep, Optimizer
from deltarule.registry import did_you_mean, shown_by
from deltarule.training import History, train
from deltarule.tutorials.example_schema import check_schema, line_of, raise_faults, read_toml

_FOLDER = resources.files("deltarule.tutorials") / "examples"


@dataclass(frozen=True, eq=False)
class Example:
    """A network with its data and its training, as :func:`load_example` reads it.

    Parameters
    ----------
    name : str
        The name or path from which it was loaded.
    title : str
    settings : mapping
        The arguments of :class:`~deltarule.Network`.
    weights : mapping
        The argument of :meth:`Network.set_weights`.
    frozen : tuple of str
        Names of the parameters that are not trained.
    X : ndarray, (n_samples, n_features)
    Y : ndarray, (n_samples, n_outputs)
    training : mapping
        The arguments of :func:`deltarule.train`; empty if the example is not for training.
    published, exact : mapping
        The figures of each quantity: a number, or a list of numbers.
    """

    name: str
    title: str
    settings: Mapping[str, Any]
    weights: Mapping[str, Any]
    frozen: tuple[str, ...]
    X: Array
    Y: Array
    training: Mapping[str, Any] = field(default_factory=dict)
    published: Mapping[str, Any] = field(default_factory=dict)
    exact: Mapping[str, Any] = field(default_factory=dict)

    _repr_html_ = shown_by("deltarule.notebook_views:example")

    def network(self, **changes: Any) -> Network:
        """Make the network with the example's weights; ``changes`` go before its settings.

        Examples
        --------
        >>> load_example("T1").network().predict([[0.05, 0.1]]).round(4)
        array([[0.7514, 0.7729]])
        """
        net = Network(**{**self.settings, **changes})
        net.set_weights(self.weights)
        if self.frozen:
            net.freeze(*self.frozen)
        return net

    def reproducing_inputs(self) -> Example:
        """Return it as an autoencoder, whose targets are its inputs.

        Raises
        ------
        InputError
            If it has not as many outputs as inputs.
        """
        n_inputs, n_outputs = self.X.shape[1], self.Y.shape[1]
        if n_inputs != n_outputs:
            raise InputError(f"autoencoder: {self.name} has {n_inputs} inputs and {n_outputs} outputs")
        return replace(self, Y=self.X)

    def train(self, net: Network, **changes: Any) -> History:
        """Train ``net`` on the example's data; ``changes`` go before its training.

        Raises
        ------
        InputError
            If the example does not say how.

        Examples
        --------
        >>> example = load_example("T1")
        >>> net = example.network()
        >>> history = example.train(net, epochs=1)
        >>> print(net.parameters[net.select("w5")].round(8))
        0.35891648
        """
        if not self.training:
            raise InputError(f"{self.name} has no section [training] that says how to train it")
        return train(net, self.X, self.Y, **{**self.training, **changes})


def example_of(net: Network, X: Any, Y: Any, title: str) -> Example:
    """Make an example from an existing network, such as a saved one, with samples for it.

    Parameters
    ----------
    net : Network
    X, Y : array-like, (n_samples, n_features) and (n_samples, n_outputs)
    title : str

    Raises
    ------
    InputError
        If its layers have different kinds of bias, because an example has only one kind.

    Examples
    --------
    >>> example_of(Network([2, 1]), [[0.5, 1.0]], [[1.0]], "mine").network()
    Network(2 → 1 identity, 3 parameters)
    """
    biases = {layer.dense.bias for layer in net.layers}
    if len(biases) > 1:
        raise InputError(f"{title}: its layers have biases of several kinds, {', '.join(sorted(biases))}")
    *hidden, output = (layer.activation.name for layer in net.layers)
    objective = net.objective
    settings = {
        "sizes": net.sizes, "activation": hidden or "relu", "output": output, "loss": net.loss.name,
        "bias": biases.pop(), "reduction": objective.reduction, "l1": objective.l1, "l2": objective.l2,
    }  # fmt: skip
    weights = {f"W{n}": layer.W for n, layer in enumerate(net.layers, 1)}
    weights |= {f"b{n}": layer.b for n, layer in enumerate(net.layers, 1) if layer.b is not None}
    x = net.inputs(X)
    return Example(title, title, settings, weights, (), as_numbers(x, "x"), net.targets(Y, None, len(x))[0])


def example_names() -> list[str]:
    """Return the names of the examples that come with the package.

    Examples
    --------
    >>> "T1" in example_names()
    True
    """
    return sorted(entry.name.removesuffix(".toml") for entry in _FOLDER.iterdir())


def is_example(source: str | os.PathLike[str]) -> bool:
    """Return whether :func:`load_example` is to read this: an example's name, or what ends in ``.toml``.

    Examples
    --------
    >>> is_example("T1"), is_example("mine.toml"), is_example("iris.csv")
    (True, True, False)
    """
    name = os.fspath(source)
    return name.lower().endswith(".toml") or (isinstance(source, str) and name in example_names())


def load_example(source: str | os.PathLike[str]) -> Example:
    """Load an example by name, or from your own TOML file (see :mod:`deltarule.tutorials.example`).

    Parameters
    ----------
    source : str or path
        ``"T1"``, …, see :func:`example_names`; or a file. A name takes precedence over a file of the same
        name, which you can give as ``./T1``.

    Raises
    ------
    InputError
        If there is no such example and no such file.
    DataFileError
        If the file does not describe an example.

    Examples
    --------
    >>> example = load_example("T4")
    >>> example.X, example.Y
    (array([[0.02, 0.04]]), array([[0.5, 0.9]]))
    """
    name = os.fspath(source)
    if isinstance(source, str) and name in example_names():
        return _parse((_FOLDER / f"{name}.toml").read_bytes(), name, f"{name}.toml")
    if not (name.endswith(".toml") or Path(name).exists()):
        raise InputError(f"no example and no file {name!r}{did_you_mean(name, example_names())}")
    return _parse(read_bytes(source), name, name)


def _parse(content: bytes, name: str, path: str) -> Example:
    text, sections = read_toml(content, path)
    check_schema(sections, text, path)
    settings, weights = sections["network"], sections.get("weights", {})
    training, faults = dict(sections.get("training", {})), _Faults(path, text)
    frozen = tuple(training.pop("frozen", ()))
    with faults.within("network", *settings):
        net = Network(**settings)
    raise_faults(faults)  # all else is about this network
    for key, value in weights.items():
        with faults.within("weights", key):
            net.set_weights({key: value})
    for parameter in frozen:
        with faults.within("training", "frozen"):
            net.freeze(parameter)
    with faults.within("training", *training):
        training = _training_arguments(training)
    with faults.within("data", "x"):
        X = _inputs(net, sections["data"]["x"])
        with faults.within("data", "y"):
            Y = _targets(net, X, sections["data"]["y"])
    raise_faults(faults)
    figures = {key: sections.get(key, {}) for key in ("published", "exact")}
    return Example(name, sections.get("title", name), settings, weights, frozen, X, Y, training, **figures)


class _Faults(list[DataFileError]):
    """What is wrong in a file."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text

    @contextmanager
    def within(self, section: str, *keys: str) -> Iterator[None]:
        """Keep an error, with the line of the key that it is about: the only one, or one that it names."""
        try:
            yield
        except InputError as error:
            named = [key for key in keys if len(keys) == 1 or re.search(rf"\b{re.escape(key)}\b", str(error))]
            line = line_of(self.text, section, named[0]) if named else None
            line = line or line_of(self.text, section)
            self.append(DataFileError(self.path, f"[{section}]: {error}", line))


def _training_arguments(given: dict[str, Any]) -> dict[str, Any]:
    """Return the section [training] as arguments of :func:`deltarule.train`."""
    if not given:
        return {}
    if ("updates" in given) == ("epochs" in given):
        raise InputError("give either updates or epochs")
    if "updates" in given and "batch_size" in given:
        raise InputError("updates are of the full batch; with batch_size give epochs")
    for key in ("updates", "epochs", "batch_size"):
        check_whole(key, given.get(key, 1))
    check_whole("seed", given.get("seed", 0), 0)
    arguments = {"batch_size": None} | {key: given[key] for key in ("batch_size", "seed") if key in given}
    optimizer = _optimizer(given.get("optimizer", "sgd"), given.get("learning_rate"))
    return arguments | {"optimizer": optimizer, "epochs": given.get("updates", given.get("epochs"))}


def _optimizer(spec: str, learning_rate: float | str | None) -> Optimizer:
    optimizer = OPTIMIZERS.resolve(spec)
    if learning_rate is None:
        return optimizer
    if not isinstance(optimizer, GradientStep):
        raise InputError(f"optimizer {optimizer.name!r} takes no learning_rate")
    return replace(optimizer, learning_rate=learning_rate)


def _inputs(net: Network, x: list[Any]) -> Array:
    """Return X as a matrix; a bare list is a column where there is one input, else one row."""
    X = as_numbers(x, "x")
    if X.ndim == 1:
        X = X[:, None] if net.sizes[0] == 1 else X[None, :]
    return as_numbers(net.inputs(X), "x")


def _targets(net: Network, X: Array, y: list[Any] | str) -> Array:
    """Return Y as a matrix, likewise."""
    if isinstance(y, str):
        if y != "x":
            raise InputError(f'y must be a list of numbers or "x", got {y!r}')
        return net.targets(X, None, len(X))[0]
    Y = as_numbers(y, "y")
    bare_row = Y.ndim == 1 and len(X) == 1 and len(Y) == net.sizes[-1]
    return net.targets(Y[None, :] if bare_row else Y, None, len(X))[0]
