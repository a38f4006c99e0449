"""A file to put one's own network into: every line with a word on what may stand there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from deltarule.derivations.definitions import Definitions
from deltarule.derivations.notation import TutorialNotation
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES
from deltarule.nn.optimizers import OPTIMIZERS
from deltarule.worksheets.exercise import Exercise
from deltarule.worksheets.worksheet import worksheet

_BIASES = '"neuron": one for each; "shared": one for each layer; "none"'


def network_template(
    sizes: Sequence[int] = (2, 2, 1),
    *,
    activation: str | Sequence[str] = "sigmoid",
    output: str = "sigmoid",
    loss: str | None = None,
    bias: str = "neuron",
    n_samples: int = 1,
    learning_rate: float = 0.5,
    seed: int = 0,
) -> str:
    """Return a TOML file that describes a network, with small random numbers to be replaced by one's own.

    Parameters
    ----------
    sizes, activation, output, loss, bias, n_samples, seed
        As :func:`~deltarule.worksheet` takes them.
    learning_rate : float

    Raises
    ------
    InputError
        If an argument does not fit.

    Examples
    --------
    >>> print(network_template((2, 1)).splitlines()[8])
    sizes = [2, 1]                    # inputs, neurons of each hidden layer, outputs
    """
    task = worksheet(
        sizes=sizes, activation=activation, output=output, loss=loss, bias=bias, n_samples=n_samples,
        decimals=6, seed=seed, optimizer=f"sgd({learning_rate})",
    ).task  # fmt: skip
    lines = [
        *_network(task),
        *_weights(task),
        "",
        "[data]",
        _line("x", task.X.tolist(), "a row for each sample"),
        _line("y", task.Y.tolist(), "its targets, a row for each sample"),
        "",
        "[training]",
        f"# optimizers: {', '.join(OPTIMIZERS)}",
        _line("optimizer", "sgd"),
        _line("learning_rate", learning_rate),
        _line("updates", 1000, "each with all samples"),
        '# frozen = ["b"]                 # what stays as it is, such as all biases',
    ]
    return "\n".join(lines) + "\n"


def _line(key: str, value: Any, words: str = "") -> str:
    """``key = value  # words``."""
    code = f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
    return f"{code:<33} # {words}" if words else code


def _network(task: Exercise) -> Iterator[str]:
    settings = task.settings
    yield from (
        "# A network for deltarule explain, inspect, worksheet, spreadsheet, draw and train.",
        "# Replace any number by your own. Lines that begin with # are comments; lines that are not",
        "# needed may be left out; errors are reported with their line numbers.",
        "",
        _line("title", f"My network {'-'.join(map(str, settings['sizes']))}"),
        "",
        "[network]",
        f"# activations: {', '.join(ACTIVATIONS)}",
        _line("sizes", settings["sizes"], "inputs, neurons of each hidden layer, outputs"),
        _line("activation", settings["activation"], "of the hidden layers: one name, or a list"),
        _line("output", settings["output"], "activation of the last layer"),
        f"# losses: {', '.join(LOSSES)}",
        _line("loss", settings["loss"]),
        _line("bias", settings["bias"], _BIASES),
    )


def _weights(task: Exercise) -> Iterator[str]:
    """Weights one by one, biases layer by layer."""
    net, names = task.net, TutorialNotation(task.net)
    yield from ("", "[weights]")
    for w in Definitions(task.evidence).weights():
        ends = f"from {names.label(w.layer - 1, w.index[0])} to {names.label(w.layer, w.index[1])}"
        yield _line(str(names.of(w)), float(net.layers[w.layer - 1].W[w.index]), ends)
    for number, layer in enumerate(net.layers, 1):
        if layer.b is not None:
            neurons = [names.label(number, j) for j in range(layer.dense.n_out)]
            of = f"of {', '.join(neurons)}"
            values = layer.b.tolist()
            yield _line(f"b{number}", values[0] if len(values) == 1 else values, of)
