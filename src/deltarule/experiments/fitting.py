"""Training a network on some rows of a data set, and testing it on the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arrays import Array, Scaled
from deltarule.checks.pairs import pair_fault
from deltarule.data import Dataset, Stream, folds, split
from deltarule.data.decisions import shown
from deltarule.data.encoding import Encoding, LabelEncoding, TrainedRows, fit_encoding, row_digests
from deltarule.errors import InputError
from deltarule.experiments.choices import Choices
from deltarule.experiments.decided import known_labels
from deltarule.experiments.defaults import (
    batch_size_for,
    build_network,
    epochs_for,
    optimizer_for,
    rare_for,
    score_of,
)
from deltarule.nn.network import Network
from deltarule.nn.optimizers import LBFGS, Optimizer
from deltarule.registry import record
from deltarule.training import (
    METRICS,
    Checkpoint,
    EarlyStopping,
    History,
    confusion_matrix,
    evaluate,
    resume,
    train,
)

FOLDS = 5
_HUGE = 1e100  # the squares of larger numbers may overflow
_FEW = 20  # rows below which nothing is held out
_MANY = 1_000  # rows from which on one split is enough to test, and some are held out to stop early


@record
class TrainedNetwork:
    """A network, the history of its training, and its scores on the rows it was trained and validated on.

    ``optimizer`` made the updates, each from ``batch_size`` rows (0 are all); ``digests`` are the rows'.
    """

    net: Network
    history: History
    scores: dict[str, dict[str, float]]
    optimizer: Optimizer
    batch_size: int
    digests: Array


@record
class Predictions:
    """What networks predict for rows with known targets, in the units of the data, and their loss there.

    ``fold_scores`` are the scores of the parts, where each was predicted by a network of its own.
    """

    true: Array
    predicted: Array
    loss: float
    metric: str
    fold_scores: tuple[float, ...] = ()

    @property
    def folds(self) -> int:
        """How many networks predicted, each other rows."""
        return len(self.fold_scores) or 1

    @property
    def score(self) -> float:
        """Accuracy or R²."""
        if self.metric == "accuracy":
            return float((self.true == self.predicted).mean())
        return METRICS.resolve(self.metric).value(*self.small_columns)

    @property
    def small_columns(self) -> tuple[Array, Array]:
        """The columns, if need be divided by one number so that their squares do not overflow."""
        predicted, true = self.columns
        size = max(float(np.abs(true).max()), float(np.abs(predicted).max()))
        return (predicted, true) if size < _HUGE else (predicted / size, true / size)

    @property
    def columns(self) -> tuple[Array, Array]:
        """The numbers predicted and the true ones, (n_rows, n_targets) each."""
        predicted, true = (a.astype(float).reshape(len(a), -1) for a in (self.predicted, self.true))
        return predicted, true

    @property
    def scores(self) -> dict[str, float]:
        """Rows, loss, and accuracy or R²."""
        return {"rows": len(self.true), "loss": self.loss, self.metric: self.score}

    def confusion(self, target: LabelEncoding) -> Array:
        """How often each class was taken for each, (n_classes, n_classes): rows are true."""
        k, known = len(target.classes), known_labels(self.true, target)
        predicted, true = target.encode(self.predicted[known], k), target.encode(self.true[known], k)
        return confusion_matrix(predicted, true)[:k, :k]


def set_aside(dataset: Dataset, choices: Choices) -> tuple[Dataset, Dataset | None, bool]:
    """The rows to train on, the rows to test on, and whether to cross-validate instead.

    A test part that came with the data stands. Otherwise sets under 1,000 rows are cross-validated, because
    one small split says little; larger ones hold out a fifth; sets under 20 rows have nothing to spare.
    """
    share = choices.test
    if dataset.test is not None:
        return dataset, dataset.test, False
    if len(dataset) < _FEW or share == 0:
        return dataset, None, False
    if share is None and len(dataset) < _MANY:
        return dataset, None, True
    rest, test = split(dataset, 0.2 if share is None else share, choices.seed)
    return rest, test, False


def fit(dataset: Dataset, choices: Choices) -> TrainedNetwork:
    """Train a network on the rows, some of them held out to stop early."""
    share = choices.validation
    if share is None:
        share = 0.0 if len(dataset) < _MANY else 0.1
    rest, held = dataset, dataset.validation
    if held is None or choices.validation is not None:
        rest, held = split(dataset, share, choices.seed + 1)
    encoding = fit_encoding(
        rest, scale=choices.scale, missing=choices.missing, rare=choices.rare or rare_for(dataset),
        target_is_input=choices.target_is_input,
    )  # fmt: skip
    net = build_network(rest, encoding, choices)
    arrays = {"train": encoded_rows(net, rest)}
    check_pair(net, arrays["train"][1])
    if held is not None:
        arrays["validation"] = encoded_rows(net, held)
    net, history = train_or_resume(net, rest, arrays, choices)
    start = history.start  # L-BFGS has none
    optimizer = optimizer_for(rest, choices) if start is None else start.settings.optimizer
    metric = score_of(encoding)
    scores = {
        part: {"rows": len(x), **evaluate(net, x, y, metrics=[metric])} for part, (x, y) in arrays.items()
    }
    digests = np.concatenate([row_digests(x, y) for x, y in arrays.values()])
    return TrainedNetwork(net, history, scores, optimizer, 0 if start is None else start.batch_size, digests)


def check_pair(net: Network, y: Array) -> None:
    """Refuse an output and a loss with which no training can learn the targets (n_rows, n_outputs)."""
    fault = pair_fault(net.objective.output, net.loss, y)
    if fault is not None and fault[0] == "problem":
        raise InputError(
            f"{fault[1]}; if you name neither output nor loss, both are chosen to suit the target"
        )


def remember_rows(trained: TrainedNetwork, tested: Predictions | None, n_rows: int | None = None) -> None:
    """Keep in the network's encoding which rows trained it, and how good it was on others.

    ``n_rows`` says how many trained it, where there are digests of only some.
    """
    metric = score_of(encoding_of(trained.net))
    scored = (0, None, 1) if tested is None else (len(tested.true), tested.score, tested.folds)
    rows = TrainedRows.of(trained.digests, metric, *scored)
    rows = rows if n_rows is None else replace(rows, rows=n_rows)
    trained.net.encoding = replace(encoding_of(trained.net), trained=rows)


def train_or_resume(
    net: Network, data: Dataset | Stream, arrays: Mapping[str, Any], choices: Choices
) -> tuple[Network, History]:
    """Train on what the "train" part holds, X and Y or a stream, and validate on the "validation" part."""
    train_on, validation = arrays["train"], arrays.get("validation")
    X, Y = train_on if isinstance(train_on, tuple) else (train_on, None)
    checkpoint = None if choices.checkpoint is None else Checkpoint(choices.checkpoint, choices.every)
    if choices.resume is not None:
        resumed = Network.load(choices.resume)
        if resumed.encoding is not None:  # what a finished model remembers of its rows
            resumed.encoding = replace(resumed.encoding, trained=None)
        if resumed.description() != net.description():  # the other options say how it is tested
            raise InputError(
                f"{choices.resume} holds {resumed!r}, which is not the network that the data and the "
                f"other options describe ({net!r}): use the options that it was made with"
            )
        return resume(
            choices.resume, X, Y, epochs=choices.epochs, validation=validation, checkpoint=checkpoint,
            engine=None if choices.engine == "auto" else choices.engine, progress=choices.progress,
            workers=choices.workers,
        )  # fmt: skip
    optimizer, epochs = optimizer_for(data, choices), epochs_for(data, choices)
    stopping = EarlyStopping(patience=choices.patience or max(20, epochs // 5))
    history = train(
        net, X, Y, optimizer=optimizer, epochs=epochs, validation=validation, checkpoint=checkpoint,
        batch_size=None if isinstance(optimizer, LBFGS) else batch_size_for(data, choices),
        metrics=[] if Y is None else [score_of(encoding_of(net))],
        early_stopping=None if validation is None else stopping, engine=choices.engine,
        workers=choices.workers, local_sgd=choices.local_sgd, progress=choices.progress, seed=choices.seed,
    )  # fmt: skip
    return net, history


def encoding_of(net: Network) -> Encoding:
    """The encoding that every network of an experiment has."""
    assert net.encoding is not None
    return net.encoding


def encoded_rows(net: Network, dataset: Dataset) -> tuple[Array | Scaled, Array]:
    """Inputs and targets as the network takes them."""
    return encoding_of(net).encode(dataset, net.sizes[-1], net.dtype)


def predict_dataset(net: Network, dataset: Dataset) -> Predictions:
    """What the network predicts for rows, beside their targets; labels that it does not know are wrong."""
    target, metric = encoding_of(net).target, score_of(encoding_of(net))
    known = np.ones(len(dataset), bool)
    if isinstance(target, LabelEncoding):
        known = known_labels(dataset.target, target)
        if not known.any():
            classes = shown(target.classes, 9)
            raise InputError(f"the network has learned none of these labels: its classes are {classes}")
    x, y = encoded_rows(net, dataset if known.all() else dataset.take(known))
    loss = evaluate(net, x, y)["loss"]
    if not known.all():
        x = encoding_of(net).inputs.encode(dataset.inputs, net.dtype)
    outputs = net.predict(x)
    if target is None:
        return Predictions(y, outputs, loss, metric)
    predicted = target.decode(outputs)
    # A longer label must not be cut to one that is known.
    same_type = isinstance(target, LabelEncoding) and known.all()
    true = dataset.target.astype(predicted.dtype) if same_type else dataset.target
    return Predictions(true, predicted, loss, metric)


def cross_validate(dataset: Dataset, choices: Choices) -> Predictions:
    """A prediction for every row, by a network trained on the other folds in the same way.

    Raises KeyboardInterrupt if one of them was interrupted: half-trained networks predict nothing.
    """
    choices = replace(choices, progress=False, checkpoint=None, resume=None)
    parts = []
    for rest, part in folds(dataset, FOLDS, choices.seed):
        trained = fit(rest, choices)
        if trained.history.stopped == "interrupted":
            raise KeyboardInterrupt
        parts.append(predict_dataset(trained.net, part))
    return joined_predictions(parts, tuple(part.score for part in parts))


def joined_predictions(parts: Sequence[Predictions], fold_scores: tuple[float, ...] = ()) -> Predictions:
    """The predictions of all parts, one after the other."""
    return Predictions(
        np.concatenate([part.true for part in parts]),
        np.concatenate([part.predicted for part in parts]),
        float(np.average([part.loss for part in parts], weights=[len(part.true) for part in parts])),
        parts[0].metric,
        fold_scores,
    )
