"""Defaults: the network and the training that suit a data set, where the user names no others.

The defaults were chosen by mean held-out scores over several splits of the sets of ``benchmarks/tables.py``.

========== ============= ======== ============= =============== ================== ====================
           toys          tables   from 500 rows from 2,500      from 5,000         images
========== ============= ======== ============= =============== ================== ====================
hidden     32, 32 relu   64 tanh  64 relu       200, 80 relu    200, 80 tanh       200, 80 relu
l2         0             2 / rows 2 / rows      2 / rows        2 / rows           0
dropout    0             0        0             0.1             0                  0.2
Adam's     0.01          0.01     0.01          0.003           0.003              0.001
rate
epochs     2,000 updates 100      200           150             1,500,000 / rows,  300,000 / rows,
                                                                from 20 to 150     from 15 to 100
numbers    float64       float64  float64       float32         float32            float32
========== ============= ======== ============= =============== ================== ====================

The learning rate falls along a cosine. A batch has 32 rows; 128 in tables from 2,500 rows on, and in all sets
from 5,000. From 1,000 rows on the epochs are a budget: training stops on a plateau of the loss of rows that
are held out for it. An autoencoder of a table has one hidden layer, of tanh.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deltarule.data import Dataset, Stream
from deltarule.data.encoding import Encoding, LabelEncoding, PixelsEncoding
from deltarule.errors import InputError
from deltarule.experiments.choices import Choices
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep, Optimizer
from deltarule.nn.schedules import SCHEDULES, Cosine, Schedule, as_schedule
from deltarule.registry import did_you_mean, record

#: The choices that are arguments of :class:`Network`.
_NETWORK = ("activation", "output", "loss", "bias", "initializer", "dropout", "l1", "l2", "dtype", "seed")


@record
class _Defaults:
    """What suits one kind of data: a column of the table above."""

    hidden: tuple[int, ...]
    activation: str
    l2_rows: float  # l2 is this over the number of rows
    dropout: float
    rate: float
    dtype: str
    batch_size: int
    epochs: int  # at most
    row_visits: int = 0  # epochs times rows, at most; 0 where epochs alone count
    least_epochs: int = 0


_TOY = _Defaults((32, 32), "relu", 0.0, 0.0, 0.01, "float64", 32, 0)
_IMAGES = _Defaults((200, 80), "relu", 0.0, 0.2, 0.001, "float32", 32, 100, 300_000, 15)
_MANY = 5_000  # rows from which on a set counts as large
#: What suits tables, from so many rows on.
_TABLES = {
    _MANY: _Defaults((200, 80), "tanh", 2.0, 0.0, 0.003, "float32", 128, 150, 1_500_000, 20),
    2_500: _Defaults((200, 80), "relu", 2.0, 0.1, 0.003, "float32", 128, 150),
    500: _Defaults((64,), "relu", 2.0, 0.0, 0.01, "float64", 32, 200),
    0: _Defaults((64,), "tanh", 2.0, 0.0, 0.01, "float64", 32, 100),
}


def _defaults_for(dataset: Dataset | Stream) -> _Defaults:
    if isinstance(dataset.inputs, np.ndarray):
        return _IMAGES
    if dataset.scale == "none":
        return _TOY if len(dataset) < _MANY else _IMAGES
    return next(suited for least, suited in _TABLES.items() if len(dataset) >= least)


def score_of(encoding: Encoding) -> str:
    """The metric that says how good predictions are: accuracy or R²."""
    return "accuracy" if isinstance(encoding.target, LabelEncoding) else "r2"


def build_network(dataset: Dataset | Stream, encoding: Encoding, choices: Choices) -> Network:
    """A network whose outputs and loss match the target, and whose size and penalties suit the data."""
    given = {name: value for name in _NETWORK if (value := getattr(choices, name)) is not None}
    hidden = choices.hidden
    suited = _defaults_for(dataset)
    if hidden is None:  # an autoencoder has a narrow middle
        hidden = suited.hidden if encoding.target else (math.ceil(math.sqrt(encoding.n_inputs)),)
    output = choices.output or _output_for(encoding, dataset)
    defaults: dict[str, Any] = {
        "activation": suited.activation if encoding.target or suited not in _TABLES.values() else "tanh",
        "l2": suited.l2_rows / len(dataset) if encoding.target else 0.0,
        "dropout": suited.dropout if encoding.target else 0.0,
        "dtype": suited.dtype,
    }
    sizes = [encoding.n_inputs, *hidden, _count_outputs(encoding, output)]
    net = Network(sizes, **(defaults | given | {"output": output}))
    net.encoding = encoding
    return net


def _output_for(encoding: Encoding, dataset: Dataset | Stream) -> str:
    if isinstance(encoding.target, LabelEncoding):
        return "sigmoid" if len(encoding.target.classes) <= 2 else "softmax"
    if encoding.target is None and _in_unit_interval(encoding, dataset):
        return "sigmoid"
    return "identity"


def _in_unit_interval(encoding: Encoding, dataset: Dataset | Stream) -> bool:
    """Whether the inputs are known to be from 0 to 1: pixels, or unscaled columns of such numbers."""
    if isinstance(encoding.inputs, PixelsEncoding):
        return encoding.inputs.scale == 255
    X = np.asarray(encoding.inputs.encode(dataset.inputs))
    return dataset.scale == "none" and bool(X.min() >= 0 and X.max() <= 1)


def _count_outputs(encoding: Encoding, output: str) -> int:
    target = encoding.target
    if target is None:
        return encoding.n_inputs
    if isinstance(target, LabelEncoding):
        n_classes = len(target.classes)
        return 1 if n_classes <= 2 and not ACTIVATIONS.resolve(output).coupled else n_classes
    return len(target.names)


def rare_for(dataset: Dataset) -> int:
    """The rows that a category must have not to be pooled with others."""
    return 1 if len(dataset) < 20 else 2 if len(dataset) < 500 else 5


def batch_size_for(dataset: Dataset | Stream, choices: Choices) -> int:
    """The rows of a batch that was named, or that suits the data."""
    suited = 128 if len(dataset) >= _MANY else _defaults_for(dataset).batch_size
    return choices.batch_size or min(suited, len(dataset))


def epochs_for(dataset: Dataset | Stream, choices: Choices) -> int:
    """The epochs that were named, or that suit the data."""
    suited = _defaults_for(dataset)
    if choices.epochs is not None:
        return choices.epochs
    if suited is _TOY:
        return math.ceil(2_000 / math.ceil(len(dataset) / batch_size_for(dataset, choices)))
    visits = suited.row_visits or suited.epochs * len(dataset)
    return min(max(visits // len(dataset), suited.least_epochs), suited.epochs)


def optimizer_for(dataset: Dataset | Stream, choices: Choices) -> Optimizer:
    """The optimizer named, with rate, schedule and clipping where named; otherwise Adam down a cosine."""
    name = choices.optimizer or "adam"
    optimizer = OPTIMIZERS.resolve(name)
    beside = ("learning_rate", "schedule", "clip_norm")
    named = [choice for choice in beside if getattr(choices, choice) is not None]
    if "(" in name or not isinstance(optimizer, GradientStep):
        if named:
            options = ", ".join("--" + choice.replace("_", "-") for choice in named)
            raise InputError(f"optimizer {name!r} already contains its own settings: leave out {options}")
        return optimizer
    rate = choices.learning_rate
    if rate is None:
        rate = _defaults_for(dataset).rate if name in ("adam", "adamw") else optimizer.schedule(0, 1)
    return type(optimizer)(_schedule(choices.schedule, rate), clip_norm=choices.clip_norm)


def _schedule(name: str | None, rate: float) -> Schedule:
    if name is None:
        return Cosine(rate)
    if "(" in name:
        return as_schedule(name)
    if name not in SCHEDULES:
        raise InputError(f"unknown schedule {name!r}{did_you_mean(name, SCHEDULES)}")
    return as_schedule(f"{name}({float(rate)!r})")
