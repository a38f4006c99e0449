"""What a player sets: the network's shape, how it is trained, which rows are held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from itertools import pairwise
from typing import Any

from deltarule.arrays import check_number, check_whole
from deltarule.data.encoding import SCALES
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.initializers import INITIALIZERS
from deltarule.nn.losses import LOSSES
from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep
from deltarule.playground.problem import Problem
from deltarule.registry import did_you_mean, record
from deltarule.tutorials import Example

#: The largest network that is made, so that a page cannot ask for all memory.
MOST_LAYERS, MOST_UNITS, MOST_PARAMETERS = 8, 2048, 8_000_000

#: A change of these begins a new run; of the others, a branch of the run that is there.
OF_THE_START = ("hidden", "output", "initializer", "scale", "seed", "test_share", "bias")


@record
class Configuration:
    """What a player sets.

    Parameters
    ----------
    hidden : tuple of (units, activation)
    output, loss : str
        Activation of the last layer, and what is made small.
    initializer : str or None
        None for the one that suits each activation.
    bias : str
    optimizer : str
    learning_rate, l1, l2, dropout : float
    batch_size : int
    test_share : float
    scale : str
    seed : int
    """

    hidden: tuple[tuple[int, str], ...] = ((4, "tanh"), (2, "tanh"))
    output: str = "sigmoid"
    loss: str = "binary_cross_entropy"
    initializer: str | None = None
    bias: str = "neuron"
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    batch_size: int = 10
    test_share: float = 0.2
    scale: str = "none"
    seed: int = 0

    def with_changes(self, changes: Mapping[str, Any]) -> Configuration:
        """Return the configuration with some settings changed, all of them checked.

        Raises InputError if there is no such setting, or a value does not fit.
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise InputError(f"there is no setting {name[:40]!r}{did_you_mean(name, known)}")
        given = dict(changes)
        if "hidden" in given:
            given["hidden"] = _layers(given["hidden"])
        made = replace(self, **given)
        if "output" in given and "loss" not in given and given["output"] != self.output:
            output = _known("activation", made.output, ACTIVATIONS)
            made = replace(made, loss=Network([1, 1], output=output).loss.name)
        made._check()
        return made

    def _check(self) -> None:
        _known("activation", self.output, ACTIVATIONS)
        _known("loss", self.loss, LOSSES)
        _known("optimizer", self.optimizer, OPTIMIZERS)
        _known("scale", self.scale, SCALES)
        if self.initializer is not None:
            _known("initializer", self.initializer, INITIALIZERS)
        if not isinstance(OPTIMIZERS.resolve(self.optimizer), GradientStep):
            raise InputError(
                f"{self.optimizer} does not proceed update by update: use sgd, momentum, adam, …"
            )
        check_number("learning_rate", self.learning_rate, 0)
        for name in ("l1", "l2", "dropout", "test_share"):
            check_number(name, getattr(self, name), 0)
        if self.test_share > 0.9:
            raise InputError(f"test_share must be at most 0.9, got {self.test_share}")
        check_whole("batch_size", self.batch_size, 1)
        check_whole("seed", self.seed, 0)

    def rule(self) -> GradientStep:
        """Return the optimizer with its learning rate."""
        made = OPTIMIZERS.maker(self.optimizer)(self.learning_rate)
        assert isinstance(made, GradientStep)
        return made

    def network(self, problem: Problem) -> Network:
        """Make the network with its first weights: a worked example's own where its shape is left alone."""
        example = problem.example
        if example is not None and self._shape() == of_example(example)._shape():
            net = example.network(loss=self.loss, l1=self.l1, l2=self.l2, dropout=self.dropout)
            net.encoding = problem.encoding(0.0, "none")
            return net
        encoding = problem.encoding(self.test_share, self.scale)
        n_inputs, n_outputs = encoding.n_inputs, count_outputs(problem, self.output)
        sizes = [n_inputs, *(units for units, _ in self.hidden), n_outputs]
        if sum(a * b for a, b in pairwise(sizes)) > MOST_PARAMETERS:
            raise InputError(f"a network {' → '.join(map(str, sizes))} is too large for the playground")
        net = Network(
            sizes, activation=[activation for _, activation in self.hidden] or "tanh", output=self.output,
            loss=self.loss, initializer=self.initializer, bias=self.bias, dropout=self.dropout, l1=self.l1,
            l2=self.l2, seed=self.seed,
        )  # fmt: skip
        net.encoding = encoding
        return net

    def _shape(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in OF_THE_START if name != "test_share")

    def to_dict(self) -> dict[str, Any]:
        """The settings for JSON."""
        layers = [{"units": units, "activation": activation} for units, activation in self.hidden]
        return asdict(self) | {"hidden": layers}


def suited(problem: Problem) -> Configuration:
    """Return the configuration that a problem begins with."""
    if problem.example is not None:
        return of_example(problem.example)
    dataset = problem.dataset
    if problem.net is not None:
        return _of_network(problem.net, len(dataset))
    start = Configuration(scale=dataset.scale, batch_size=10 if len(dataset) < 2000 else 128)
    if dataset.classes is None:
        return replace(start, output="identity", loss="half_squared_error", learning_rate=0.03)
    if len(dataset.classes) > 2:
        wide: tuple[tuple[int, str], ...] = ((8, "tanh"),)
        if dataset.name == "mnist":
            wide = ((200, "relu"), (80, "relu"))
        return replace(start, hidden=wide, output="softmax", loss="cross_entropy")
    return start


def of_example(example: Example) -> Configuration:
    """Return the configuration of a worked example."""
    optimizer = OPTIMIZERS.resolve(example.training.get("optimizer", "sgd(0.5)"))
    if not isinstance(optimizer, GradientStep):
        optimizer = OPTIMIZERS.resolve("sgd(0.5)")
    assert isinstance(optimizer, GradientStep)
    size = example.training.get("batch_size") or len(example.X)
    made = _of_network(example.network(), size)
    return replace(
        made, optimizer=optimizer.name, learning_rate=float(optimizer.schedule(0, 1)),
        batch_size=min(size, len(example.X)), test_share=0.0, scale="none",
    )  # fmt: skip


def _of_network(net: Network, n_rows: int) -> Configuration:
    hidden = tuple((layer.dense.n_out, layer.activation.name) for layer in net.layers[:-1])
    objective = net.objective
    return Configuration(
        hidden, net.layers[-1].activation.name, net.loss.name, None, net.layers[0].dense.bias,
        l1=objective.l1, l2=objective.l2, batch_size=min(10, n_rows), test_share=0.0,
    )  # fmt: skip


def count_outputs(problem: Problem, output: str) -> int:
    """Return how many outputs a target needs: one for each number or class, or one for two classes."""
    classes = problem.dataset.classes
    if classes is None:
        return len(problem.dataset.target_names)
    return 1 if len(classes) <= 2 and output != "softmax" else len(classes)


def _layers(hidden: Any) -> tuple[tuple[int, str], ...]:
    if not isinstance(hidden, list) or len(hidden) > MOST_LAYERS:
        raise InputError(f"hidden must be a list of at most {MOST_LAYERS} layers")
    layers = []
    for layer in hidden:
        if not isinstance(layer, Mapping) or set(layer) != {"units", "activation"}:
            raise InputError('each hidden layer must be like {"units": 4, "activation": "tanh"}')
        check_whole("units", layer["units"], 1, MOST_UNITS)
        layers.append((layer["units"], _known("activation", layer["activation"], ACTIVATIONS)))
    return tuple(layers)


def _known(kind: str, name: Any, registry: Any) -> str:
    if not isinstance(name, str):
        raise InputError(f"{kind} must be a name, got {str(name)[:40]!r}")
    if name.partition("(")[0] not in registry:
        raise InputError(f"unknown {kind} {name[:40]!r}{did_you_mean(name[:40], registry)}")
    return name
