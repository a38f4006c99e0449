"""Plausible arguments: what a parameter of somebody's function is likely to want, read from its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.tape import current_tape
from deltarule.diagnosis.recording.traced import Traced, leaf

DATA = re.compile(
    r"(x|xs|a0|inp)$|x_?(train|batch|b|in|data|i)?$|inputs?(_?(data|vector|list|array|values|s))?$|.*(features|images)$"
    r"|training_(set_)?inputs|sample(s)?$|pattern$|data$|features?$",
    re.I,
)
TARGET = re.compile(
    r"(y|t|ys|d)$|(y|t)_?(train|true|batch|b|data|hot|real|i|enc|onehot)?$|.*(target|label|expected|desired|truth).*"
    r"|outputs?(_data)?$|training_(set_)?outputs|correct$|answers?$",
    re.I,
)
RATE = re.compile(r".*(lr|rate|alpha|eta|step_?size)$|^n$|^lr.*|^learning.*", re.I)
_WEIGHTS = re.compile(r"(weights?|ws?|thetas?|network|nn_weights)$", re.I)
_BIASES = re.compile(r"(bias(es)?|bs?)$", re.I)
_DICTIONARY = re.compile(r"(param(eter)?s?(_values)?|model|net|weights_dict|p)$", re.I)
_NUMBERED = re.compile(r"(w|theta|weights?|b|bias)_?(\d|h|o|ih|ho|hidden|output|out|hid)$", re.I)
_PAIRS = re.compile(
    r".*(training_data|train_data|training_set|trainingset|dataset|mini_batch|patterns|minibatch|pairs|batch)$",
    re.I,
)
_NUMBERS: list[tuple[str, Any]] = [
    (r".*(mini_?batch_?size|batch_?size|bs)$", 3),
    (r".*(epoch|iter|steps|n_times|max_it|rounds|iterations|loops).*", 6),
    (r"momentum$|mu$", 0.5),
    (r".*(decay|lmbda|lambda|lambd|reg|l1|l2|lam|beta|gamma|dropout|drop)\w*$", 0.0),
    (r"keep_?prob$", 1.0),
    (r".*(verbose|print|debug|plot|show|monitor|flag|shuffle|log).*", False),
    (r".*(seed|random_state)$", 1),
    (r"(m|n_samples|num_samples|n_examples)$", None),
]
_SIZES = re.compile(
    r".*(sizes|layers|dims|structure|topology|architecture|shape|n_neurons|neurons|units_list|layer_nodes)$",
    re.I,
)
_COUNT = re.compile(
    r".*(size|dim|dims?|nodes|units|count|neurons|features|hid|in|out|hidden|input|output|classes|_h|_x|_y|nh|ni|no|no_of|d|k|h|c|n)\w*$",
    re.I,
)


@dataclass(frozen=True)
class ArgumentLayout:
    """How data and parameters lie: ``data`` rows, columns, column, vector or list."""

    data: str
    labels: str
    weights: str
    biases: str
    inputs: int
    outputs: int
    samples: int = 5
    seed: int = 1

    @property
    def is_single(self) -> bool:
        """Whether one sample is given at a time."""
        return self.data in ("column", "vector", "list")

    def __str__(self) -> str:
        return f"data as {self.data}, {self.labels} targets, {self.inputs} → 4 → {self.outputs}"


def layouts(sizes: list[tuple[int, int]], parameters: bool) -> Iterator[ArgumentLayout]:
    """The usual layouts, the commonest first; ``parameters``: whether weights are passed."""
    forms = [("in-out", "vector"), ("in-out", "row"), ("out-in", "column"), ("out-in", "vector")]
    kinds = [
        ("rows", "one-hot"),
        ("columns", "one-hot"),
        ("rows", "whole numbers"),
        ("column", "one-hot"),
        ("vector", "one-hot"),
        ("rows", "flat"),
        ("columns", "whole numbers"),
        ("list", "one-hot"),
        ("lists", "one-hot"),
        ("columns", "flat"),
    ]
    for data, labels in kinds:
        for weights, biases in forms if parameters else forms[:1]:
            for inputs, outputs in sizes:
                if labels == "flat" and outputs != 1:
                    continue
                yield ArgumentLayout(data, labels, weights, biases, inputs, outputs)


class Plausible:
    """Arguments for one trial."""

    def __init__(self, layout: ArgumentLayout, namespace: dict[str, Any]) -> None:
        self.layout, self.namespace = layout, namespace
        self.inputs, self.targets = self._data(layout.seed)
        self.rng = np.random.default_rng(layout.seed + 1)
        self.made: dict[str, list[Any]] = {}

    def _data(self, seed: int) -> tuple[Any, Any]:
        layout, rng = self.layout, np.random.default_rng(seed)
        n, outputs = layout.samples, layout.outputs
        x = rng.normal(size=(n, layout.inputs))
        classes = (np.arange(n) + seed) % max(outputs, 2)
        y: Any = np.eye(outputs)[classes] if outputs > 1 else rng.uniform(0.1, 0.9, (n, 1))
        if layout.labels == "whole numbers":
            y = classes
        elif layout.labels == "flat":
            y = classes.astype(float)
        if layout.data == "columns":
            x, y = x.T.copy(), y.T.copy() if y.ndim == 2 else y.reshape(1, -1)
        elif layout.data == "column":
            x, y = x[:1].T.copy(), y[:1].T.copy()
        elif layout.data in ("vector", "list"):
            x, y = x[0], y[0]
        if layout.data in ("list", "lists"):
            return _listed(x), _listed(y)
        return leaf(x, data=False, is_scalar=False), leaf(y, data=False, is_scalar=False)

    def weights(self) -> list[Any]:
        """Of two layers."""
        if "weights" not in self.made:
            shapes = [(self.layout.inputs, 4), (4, self.layout.outputs)]
            shapes = [shape[::-1] for shape in shapes] if self.layout.weights == "out-in" else shapes
            self.made["weights"] = [_named(self.rng.normal(size=s), f"W{k}") for k, s in enumerate(shapes, 1)]
        return self.made["weights"]

    def biases(self) -> list[Any]:
        """Of two layers."""
        if "biases" not in self.made:
            made = [
                _named(self.rng.normal(size=_bias_shape(self.layout.biases, n)), f"b{k}")
                for k, n in enumerate((4, self.layout.outputs), 1)
            ]
            self.made["biases"] = made
        return self.made["biases"]

    def value(self, name: str, hidden_too: bool = False) -> Any:
        """A value for a parameter of that name; LookupError where none comes to mind."""
        name = name.strip("_")
        lower = name.lower()
        if _NUMBERED.match(lower):
            return self._numbered(lower)
        if _WEIGHTS.match(lower):
            return self.weights()
        if _BIASES.match(lower):
            return self.biases()
        if _DICTIONARY.match(lower):
            weights, biases = self.weights(), self.biases()
            return {"W1": weights[0], "W2": weights[1], "b1": biases[0], "b2": biases[1]}
        if RATE.match(lower):
            return 0.1
        for pattern, number in _NUMBERS:
            if re.match(pattern, lower):
                return self.layout.samples if number is None else number
        if hidden_too and re.match(r"(n_?|num_?|no_?)?(in|out)", lower):
            return self._count(lower)
        if _PAIRS.match(lower):
            return self._pairs()
        if re.match(r"(n|num|no|nb|size|dim|count|len)_", lower) or re.search(
            r"(size|dim|nodes|units|count)$", lower
        ):
            return self._count(lower)
        if _SIZES.match(lower):
            return [self.layout.inputs, 4, self.layout.outputs]
        if DATA.match(lower):
            return self.inputs
        if TARGET.match(lower):
            return self.targets
        if re.match(r".*(act|func|fun).*", lower):
            return self.namespace.get("sigmoid") or _sigmoid
        if _COUNT.match(lower):
            return self._count(lower)
        raise LookupError(name)

    def _pairs(self) -> list[tuple[Any, Any]]:
        single = ArgumentLayout("column", "one-hot", "", "", self.layout.inputs, self.layout.outputs)
        if self.layout.data in ("vector", "list"):
            single = ArgumentLayout(
                self.layout.data, "one-hot", "", "", self.layout.inputs, self.layout.outputs
            )
        made = Plausible(single, {})
        return [made._data(seed) for seed in range(3)]

    def _numbered(self, name: str) -> Any:
        from_zero = "w0" in self.namespace.get("__parameters__", ())
        digit = re.search(r"(\d|h|ih|hidden|hid|o|ho|output|out)$", name)
        assert digit is not None
        text = digit.group(1)
        index = (
            int(text) - (0 if from_zero else 1)
            if text.isdigit()
            else int(text in ("o", "ho", "output", "out"))
        )
        if not 0 <= index < 2:
            raise LookupError(name)
        return (self.biases() if name.startswith("b") else self.weights())[index]

    def _count(self, name: str) -> int:
        if re.fullmatch(r"n_?in?|in?_?n", name):
            return self.layout.inputs
        if re.search(r"hid|(^|_)n?h$|(^|_)h\d?$|middle", name):
            return 4
        if re.search(r"out|class|target|label|_y$|(^|_)no?$|(^|_)k$|(^|_)c$|^no$", name):
            return self.layout.outputs
        if re.search(r"in|feat|_x$|visible|(^|_)d$|prev|fan_in", name):
            return self.layout.inputs
        return self.layout.outputs if re.search(r"units|neurons|n$", name) else 4


def _bias_shape(form: str, size: int) -> tuple[int, ...]:
    return {"row": (1, size), "column": (size, 1)}.get(form, (size,))


def _named(value: Any, name: str) -> Any:
    """A start value with a name."""
    made, tape = leaf(value, is_scalar=False), current_tape()
    if tape is not None:
        tape.operations[-1].label = name
    return made


def _listed(x: Any) -> Any:
    """Plain lists of numbers with ids."""
    if np.ndim(x):
        return [_listed(one) for one in x]
    tape = current_tape()
    if tape is None:
        return float(x)
    return Traced(np.array(float(x)), tape.leaf(float(x), data=False), True)


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))
