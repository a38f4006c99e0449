"""Training on some rows of a data set and asking about the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.data import Dataset, folds, split
from deltarule.data.encoding import Encoding, LabelEncoding, fit_encoding
from deltarule.errors import InputError
from deltarule.experiments.defaults import build_network, choose_training, score_of
from deltarule.nn.network import Network
from deltarule.registry import record
from deltarule.training import METRICS, Checkpoint, History, confusion_matrix, evaluate, resume, train

__all__ = ["Answers", "Fitted", "ask", "cross_validate", "fit", "set_aside"]

FOLDS = 5
_FEW = 20  # rows below which nothing is held out
_MANY = 1_000  # rows from which on one split says enough, and rows can be spared to stop early

_NETWORK = ("activation", "output", "loss", "bias", "initializer", "dropout", "l1", "l2", "dtype")


@record
class Fitted:
    """A trained network, what happened, and how it does on the rows it was trained and validated on."""

    net: Network
    history: History
    scores: dict[str, dict[str, float]]


@record
class Answers:
    """What networks said about rows they had not seen: the truth and the answer, in the units of the data."""

    true: Array
    predicted: Array
    loss: float
    metric: str
    folds: int = 1

    @property
    def scores(self) -> dict[str, float]:
        """Rows, loss, and accuracy or R²."""
        if self.metric == "accuracy":
            score = float((self.true == self.predicted).mean())
        else:
            columns = [a.astype(float).reshape(len(a), -1) for a in (self.predicted, self.true)]
            score = METRICS.resolve(self.metric).value(*columns)
        return {"rows": len(self.true), "loss": self.loss, self.metric: score}

    def confusion(self, target: LabelEncoding) -> Array:
        """How often each class was taken for each, (n_classes, n_classes): rows are true."""
        k = len(target.classes)
        return confusion_matrix(target.encode(self.predicted, k), target.encode(self.true, k))[:k, :k]


def set_aside(dataset: Dataset, share: float | None, seed: int) -> tuple[Dataset, Dataset | None, bool]:
    """The rows to train on, the rows to test on, and whether to cross-validate instead.

    A test part that came with the data stands. Otherwise sets under 1,000 rows are cross-validated, because
    one small split says little; larger ones hold out a fifth; sets under 20 rows have nothing to spare.
    """
    if share is not None and not 0 <= share < 1:
        raise InputError(f"--test must be 0 or more and less than 1, got {share}")
    if dataset.test is not None:
        return dataset, dataset.test, False
    if len(dataset) < _FEW or share == 0:
        return dataset, None, False
    if share is None and len(dataset) < _MANY:
        return dataset, None, True
    rest, test = split(dataset, 0.2 if share is None else share, seed)
    return rest, test, False


def fit(dataset: Dataset, options: Mapping[str, Any], *, quiet: bool = False) -> Fitted:
    """Train a network on the rows, some of them held out to stop early."""
    rest, held = _hold_out(dataset, options)
    encoding = fit_encoding(
        rest,
        scale=options["scale"],
        missing=options["missing"],
        target_is_input=options["target_is_input"],
    )
    given = {name: options[name] for name in _NETWORK if options[name] is not None}
    net = build_network(rest, encoding, options["hidden"], {**given, "seed": options["seed"]})
    arrays = {"train": _arrays(net, rest)} | ({} if held is None else {"validation": _arrays(net, held)})
    net, history = _train(net, rest, arrays, options, quiet)
    score = score_of(encoding)
    scores = {
        name: {"rows": len(x), **evaluate(net, x, y, metrics=[score])} for name, (x, y) in arrays.items()
    }
    return Fitted(net, history, scores)


def _hold_out(dataset: Dataset, options: Mapping[str, Any]) -> tuple[Dataset, Dataset | None]:
    share = options["validation"]
    if share is None:
        share = 0.0 if len(dataset) < _MANY else 0.1
    if not 0 <= share < 1:
        raise InputError(f"--validation must be 0 or more and less than 1, got {share}")
    return split(dataset, share, options["seed"] + 1)


def _train(
    net: Network,
    dataset: Dataset,
    arrays: dict[str, tuple[Array | Scaled, Array]],
    options: Mapping[str, Any],
    quiet: bool,
) -> tuple[Network, History]:
    X, Y = arrays["train"]
    shared: dict[str, Any] = {
        "validation": arrays.get("validation"),
        "progress": not quiet and not options["quiet"],
    }
    if options["checkpoint"] and not quiet:
        shared["checkpoint"] = Checkpoint(options["checkpoint"], options["every"])
    if options["resumed"] and not quiet:
        _check_same_network(options["resumed"], net)
        engine = None if options["engine"] == "auto" else options["engine"]
        return resume(options["resumed"], X, Y, epochs=options["epochs"], engine=engine, **shared)
    plan = choose_training(dataset, len(arrays.get("validation", ())), dict(options))
    assert net.encoding is not None
    plan |= {"metrics": [score_of(net.encoding)], "seed": options["seed"], "engine": options["engine"]}
    return net, train(net, X, Y, **plan, **shared)


def _check_same_network(path: Path, net: Network) -> None:
    """Refuse to resume a network that the other options do not describe: they say how it is tested."""
    resumed = Network.load(path)
    if resumed.description() != net.description():
        raise InputError(
            f"{path} holds {resumed!r}, which is not what the data and the other options describe ({net!r}): "
            f"give those it was made with"
        )


def _arrays(net: Network, part: Dataset) -> tuple[Array | Scaled, Array]:
    return _encoding(net).encode(part, net.sizes[-1], net.dtype)


def _encoding(net: Network) -> Encoding:
    assert net.encoding is not None
    return net.encoding


def ask(net: Network, part: Dataset) -> Answers:
    """What the network says about rows, beside the truth."""
    encoding = _encoding(net)
    x, y = _arrays(net, part)
    loss = evaluate(net, x, y)["loss"]
    outputs = net.predict(x)
    if encoding.target is None:
        return Answers(y, outputs, loss, score_of(encoding))
    answer = encoding.target.decode(outputs)
    true = part.target.astype(answer.dtype) if isinstance(encoding.target, LabelEncoding) else part.target
    return Answers(true, answer, loss, score_of(encoding))


def cross_validate(dataset: Dataset, options: Mapping[str, Any]) -> Answers:
    """Every row asked about once, by a network trained on the other folds in the same way.

    Raises
    ------
    KeyboardInterrupt
        If one of them was interrupted: half-trained networks answer nothing.
    """
    asked = []
    for rest, part in folds(dataset, FOLDS, options["seed"]):
        fitted = fit(rest, options, quiet=True)
        if fitted.history.stopped == "interrupted":
            raise KeyboardInterrupt
        asked.append(ask(fitted.net, part))
    rows = [len(answers.true) for answers in asked]
    return Answers(
        np.concatenate([answers.true for answers in asked]),
        np.concatenate([answers.predicted for answers in asked]),
        float(np.average([answers.loss for answers in asked], weights=rows)),
        asked[0].metric,
        FOLDS,
    )
