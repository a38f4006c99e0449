"""An experiment: a data set is read, a network trained on some of its rows, and scored on the others."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deltarule.arguments import refuse_others
from deltarule.data import Dataset, MemoryTable, Stream, load, stream
from deltarule.data.streams import is_pattern
from deltarule.errors import InputError
from deltarule.experiments.choices import Choices, check_known, reading_of
from deltarule.experiments.decided import encoding_decisions
from deltarule.experiments.fitting import (
    cross_validate,
    encoding_of,
    fit,
    predict_dataset,
    remember_rows,
    set_aside,
)
from deltarule.experiments.results import ExperimentResult
from deltarule.experiments.saved_models import as_source, with_answers
from deltarule.experiments.streamed import run_streamed
from deltarule.nn.activations import Activation
from deltarule.nn.initializers import Initializer
from deltarule.nn.losses import Loss
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.training import LocalSGD
from deltarule.tutorials import is_example


def experiment(
    source: Any = None,
    target: Any = None,
    *,
    drop: str | Sequence[str] | None = None,
    keep: str | Sequence[str] | None = None,
    task: str | None = None,
    target_is_input: bool = False,
    scale: str | None = None,
    missing: str | None = None,
    rare: int | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    quote: str | None = None,
    ragged: str = "drop",
    format: str | None = None,
    table: str | None = None,
    kind: Mapping[str, str] | None = None,
    all_lines: bool = False,
    strict: bool = False,
    indicators: bool = False,
    memory: Any = None,
    size: int | tuple[int, int] | None = None,
    color: bool | None = None,
    paper: str | None = None,
    test: float | None = None,
    validation: float | None = None,
    hidden: int | Sequence[int] | None = None,
    activation: str | Activation | Sequence[str | Activation] | None = None,
    output: str | Activation | None = None,
    loss: str | Loss | None = None,
    bias: str | None = None,
    initializer: str | Initializer | None = None,
    dropout: float | None = None,
    l1: float | None = None,
    l2: float | None = None,
    dtype: str | None = None,
    optimizer: str | Optimizer | None = None,
    learning_rate: float | None = None,
    schedule: str | None = None,
    clip_norm: float | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    patience: int | None = None,
    seed: int = 0,
    engine: str = "auto",
    workers: int | str | None = None,
    local_sgd: LocalSGD | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    every: float = 1,
    resume: str | os.PathLike[str] | None = None,
    progress: bool = False,
    **others: Any,
) -> ExperimentResult:
    """Train a network on any table or pictures, and report how good it is on rows that it has not seen.

    Whatever you do not specify is chosen to suit the data. The report lists every decision with the
    command-line option that changes it: ``--keep Id`` is ``keep="Id"`` here. ``deltarule train`` calls this
    function.

    Parameters
    ----------
    source : path, pattern, name, DataFrame, columns by name, records, Stream, or array, (n_rows, n_columns)
        A table file of any kind, a folder or zip of pictures, a database, a bundled set (``"iris"``); a
        frame of pandas, polars or Arrow; ``{"height": [1.8, …]}``; ``[{"height": 1.8}, …]``; a
        :class:`~deltarule.data.Dataset`. A pattern such as ``"train/*.parquet"`` is read as a stream.
    target : str, sequence of str, or array-like of answers (n_rows,), optional
        The column to predict, or several columns for a regression; or the targets themselves, if they are not
        in ``source``. By default the column whose name or position suggests it.
    drop, keep : str or sequence of str, optional
        Columns to leave out, and columns to keep even if they look useless.
    task : {"classification", "regression"}, optional
        What to predict, if the target does not make it clear.
    target_is_input : bool
        Whether to train an autoencoder.
    scale : {"none", "standard", "minmax"}, optional
        How to scale the inputs, and the targets of a regression.
    missing : {"median", "mean", "mode", "drop", "refuse"}, optional
        What to do with empty cells; by default they are filled with the median, or refused with ``strict``.
    rare : int, optional
        The fewest rows that a category may have; rarer ones are grouped as "other".
    header, encoding, delimiter, quote, ragged, format, table, kind, all_lines, strict, indicators
        How to read a table: :class:`~deltarule.data.ReadingOptions`. ``kind`` maps columns to ``"number"``,
        ``"text"``, ``"dmy"``, …; ``strict`` stops wherever something would have to be decided.
    memory : str or number, optional
        Read the source as a stream (:func:`deltarule.data.stream`) in no more memory than this: ``"512MB"``.
        Data that fit into it are kept in memory and treated as usual.
    size, color, paper
        For pictures: (width, height), whether they are in colour, and the colour behind transparent ones.
    test, validation : float, optional
        The shares of the rows to score on, and to hold out for early stopping. By default, small sets are
        scored by 5-fold cross-validation.
    hidden : int or sequence of int, optional
        The number of neurons in each hidden layer; 0 for no hidden layer.
    activation, output, loss, bias, initializer, dropout, l1, l2, dtype
        As in :class:`deltarule.Network`.
    optimizer, learning_rate, schedule, clip_norm
        ``"adam"``, ``0.01``, ``"cosine"``, ``1.0``; or an optimizer that includes all of them.
    epochs, batch_size, patience : int, optional
        ``patience`` is the number of epochs to wait without an improvement on the rows held out.
    seed : int
        Random seed.
    engine, workers, local_sgd, checkpoint, every, resume, progress
        As in :func:`deltarule.train`; ``checkpoint`` is a file to write as training goes on, ``every`` the
        number of epochs between two writes, ``resume`` the file to continue from.

    Returns
    -------
    ExperimentResult
        It prints as its report; it predicts raw rows, plots, explains a row, saves and exports.

    Raises
    ------
    InputError
        If an argument does not fit, or if output and loss cannot learn the target.
    DataFileError
        If the data cannot be read.

    Examples
    --------
    >>> rows = {"width": [1, 2, 3, 7, 8, 9] * 4, "kind": ["thin", "thin", "thin", "wide", "wide", "wide"] * 4}
    >>> result = experiment(rows, "kind", hidden=4, epochs=400, seed=1)
    >>> result.tested.score
    1.0
    >>> str(result.predict({"width": 2.5})["kind"][0])
    'thin'
    """
    named = dict(locals())
    refuse_others("experiment", others, _KNOWN)
    named["missing"] = missing or ("refuse" if strict else "median")
    check_known(named)
    choices = Choices.of(named)
    if resume is not None:
        Network.load(resume)  # one that cannot be read is refused before the data are read
    data = _loaded(source, target, named)
    if isinstance(data, Stream):
        if not data.fits:
            return run_streamed(data, choices)
        data, choices = data.load(), replace(choices, every=max(choices.every, 1))
    return run_experiment(data, choices)


_KNOWN = tuple(inspect.signature(experiment).parameters)[:-1]


def _loaded(source: Any, target: Any, named: Mapping[str, Any]) -> Dataset | Stream:
    """The data, from wherever they come."""
    if isinstance(source, Stream):
        _refuse_beside_stream(target, named)
        return source
    if named["memory"] is not None or is_pattern(source):
        return stream(
            source, target, **{name: named[name] for name in ("task", "scale", "missing", "target_is_input")},
            drop=named["drop"] or (), keep=named["keep"] or (), rare=named["rare"] or 5,
            memory=named["memory"] or "1GB", options=reading_of(named),
        )  # fmt: skip
    if isinstance(source, Mapping) and {"data", "target"} <= source.keys() and np.ndim(source["data"]) == 2:
        source, target = _of_bunch(source, target)  # as scikit-learn's functions return it
    if target is not None and not _are_names(target):
        name = str(getattr(target, "name", None) or "y")
        source, target = with_answers(source, name, target), name
    if isinstance(source, str) and is_example(source):
        raise InputError(
            f"{source} is a worked example, with a network and a training of its own: example = "
            f"load_example({source!r}); example.train(example.network())"
        )
    found = as_source(source)
    if isinstance(found, Dataset):
        names = None if target is None else tuple([target] if isinstance(target, str) else target)
        if names not in (None, found.target_names):
            raise InputError(
                f"the target of {found.name} is {', '.join(found.target_names)}: leave out target"
            )
        return found
    if named["target_is_input"] and target is None:
        target = ()
    return load(
        found, target=target, drop=named["drop"] or (), keep=named["keep"] or (), task=named["task"],
        missing=named["missing"], options=reading_of(named),
    )  # fmt: skip


def _refuse_beside_stream(target: Any, named: Mapping[str, Any]) -> None:
    """Refuse what a stream has been told already."""
    told = ("drop", "keep", "task", "scale", "rare", "memory")
    given = ["target"] * (target is not None) + [name for name in told if named[name] is not None]
    if given:
        raise InputError(f"give {', '.join(given)} where the stream is made: stream(source, {given[0]}=…)")


def _of_bunch(bunch: Mapping[str, Any], target: Any) -> tuple[Any, Any]:
    """Rows and answers of one of scikit-learn's data sets; classes by their names."""
    names = list(bunch.get("feature_names") or ())
    labels, answers = bunch.get("target_names"), bunch["target"]
    if labels is not None and len(labels) > 1 and np.ndim(answers) == 1:
        answers = np.asarray(labels, dtype=object)[np.asarray(answers)]
    return MemoryTable.of(bunch["data"], names), answers if target is None else target


def _are_names(target: Any) -> bool:
    """Whether a target names columns, and is not a column itself."""
    return isinstance(target, str) or (
        isinstance(target, list | tuple) and all(isinstance(name, str) for name in target)
    )


def run_experiment(dataset: Dataset, choices: Choices) -> ExperimentResult:
    """Train a network on a data set, and test it on rows that it has not seen.

    Ctrl-C ends the training, or the test: the network is then what was learnt so far.
    """
    rest, test, in_folds = set_aside(dataset, choices)
    trained = fit(rest, choices)
    tested, interrupted = None, trained.history.stopped == "interrupted"
    if not interrupted:
        try:
            if in_folds:
                tested = cross_validate(dataset, choices)
            elif test is not None:
                tested = predict_dataset(trained.net, test)
        except KeyboardInterrupt:  # between two folds: the network itself is trained
            interrupted = True
    remember_rows(trained, tested)
    decided = encoding_decisions(dataset, encoding_of(trained.net), choices)
    decisions = (*dataset.decisions, *decided)
    return ExperimentResult(dataset, rest, trained, tested, interrupted, decisions, choices)
