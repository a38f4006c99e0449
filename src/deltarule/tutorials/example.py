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
from deltarule.registry import did_you_mean
from deltarule.training import History, train
from deltarule.tutorials.example_schema import check_schema, line_of, read_toml

_FOLDER = resources.files("deltarule.tutorials") / "examples"


@dataclass(frozen=True, eq=False)
class Example:
    """A network with its data and its training, as :func:`load_example` reads it.

    Parameters
    ----------
    name : str
        What it was loaded by.
    title : str
    settings : mapping
        The arguments of :class:`~deltarule.Network`.
    weights : mapping
        What :meth:`Network.set_weights` takes.
    frozen : tuple of str
        Names of the parameters that are not trained.
    X : ndarray, (n_samples, n_features)
    Y : ndarray, (n_samples, n_outputs)
    training : mapping
        The arguments of :func:`deltarule.train`; empty where the example is not for training.
    published, exact : mapping
        Figures by quantity: a number, or a list of numbers.
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
    """Load an example by name, or from a TOML file of one's own (see :mod:`deltarule.tutorials.example`).

    Parameters
    ----------
    source : str or path
        ``"T1"``, …, see :func:`example_names`; or a file. A name goes before a file of the same name,
        which is then ``./T1``.

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
    training = dict(sections.get("training", {}))
    frozen = tuple(training.pop("frozen", ()))
    with _error_place(path, text, "network"):
        net = Network(**settings)
    with _error_place(path, text, "weights"):
        net.set_weights(weights)
    with _error_place(path, text, "training"):
        if frozen:
            net.freeze(*frozen)
        training = _training_arguments(training)
    with _error_place(path, text, "data"):
        X, Y = _as_matrices(net, **sections["data"])
    figures = {key: sections.get(key, {}) for key in ("published", "exact")}
    return Example(name, sections.get("title", name), settings, weights, frozen, X, Y, training, **figures)


@contextmanager
def _error_place(path: str, text: str, section: str) -> Iterator[None]:
    """Add the file, the section and its line to an error."""
    try:
        yield
    except InputError as error:
        raise DataFileError(path, f"[{section}]: {error}", line_of(text, section)) from None


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


def _as_matrices(net: Network, x: list[Any], y: list[Any] | str) -> tuple[Array, Array]:
    """Return X and Y as matrices; a bare list is a column where there is one input, else one row."""
    X = as_numbers(x, "x")
    if X.ndim == 1:
        X = X[:, None] if net.sizes[0] == 1 else X[None, :]
    X = as_numbers(net.inputs(X), "x")
    if isinstance(y, str):
        if y != "x":
            raise InputError(f'y must be a list of numbers or "x", got {y!r}')
        return X, net.targets(X, None, len(X))[0]
    Y = as_numbers(y, "y")
    bare_row = Y.ndim == 1 and len(X) == 1 and len(Y) == net.sizes[-1]
    return X, net.targets(Y[None, :] if bare_row else Y, None, len(X))[0]
