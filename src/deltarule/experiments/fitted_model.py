"""A fitted model: a network with its encoding, which answers raw rows, is scored, looked into, explained."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.arguments import refuse_others
from deltarule.arrays import Array
from deltarule.data import Dataset, MemoryTable, ReadingOptions
from deltarule.data.decisions import Decision
from deltarule.data.encoding import ColumnsEncoding, Encoding, LabelEncoding, Table, row_digests
from deltarule.data.streams import MergedDecisions, PicturePiece, is_pattern, read_pieces
from deltarule.derivations import Derivation, explain
from deltarule.derivations.inspection import Inspection
from deltarule.derivations.targets import parse_targets
from deltarule.errors import DataFileError, InputError, ModelFileError
from deltarule.exchange import export
from deltarule.experiments.answers import answer_columns, csv_text, like
from deltarule.experiments.choices import READING, reading_of
from deltarule.experiments.decided import known_labels
from deltarule.experiments.evaluation import Evaluation
from deltarule.experiments.fitting import Predictions, encoded_rows, joined_predictions, predict_dataset
from deltarule.experiments.report import decision_lines
from deltarule.experiments.saved_models import (
    as_source,
    load_labelled,
    part_of,
    place_of,
    raw_inputs,
    with_answers,
)
from deltarule.files import open_atomically
from deltarule.nn.network import Network
from deltarule.tutorials import Example, example_of


def load_model(path: str | os.PathLike[str]) -> FittedModel:
    """Read a fitted model, as ``deltarule train --save`` and :meth:`ExperimentResult.save` write it.

    The model predicts raw rows; :func:`deltarule.load` returns only its network, which takes encoded rows.

    Raises
    ------
    ModelFileError
        If the file is not a model, or contains no encoding.

    Examples
    --------
    >>> import tempfile
    >>> from deltarule.experiments import experiment
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     experiment("iris", epochs=2, test=0.2).save(f"{folder}/iris.safetensors")
    ...     model = load_model(f"{folder}/iris.safetensors")
    >>> model.predict([[5.1, 3.5, 1.4, 0.2]])["species"].shape
    (1,)
    """
    net = Network.load(path)
    if net.encoding is None:
        raise ModelFileError(
            f"{path} has no encoding of inputs and targets: it was not saved by deltarule train"
        )
    return FittedModel(net, os.fspath(path))


def told_answers(model: FittedModel, rows: Any, probabilities: bool, reading: dict[str, Any]) -> Any:
    """What :meth:`FittedModel.predict` returns; warnings point to who called the caller."""
    columns, decisions = model.answers(rows, probabilities=probabilities, **reading)
    if decisions:
        warnings.warn("\n".join(decision_lines(decisions, options=False)), UserWarning, stacklevel=3)
    return like(rows, columns)


#: What others call it, and what to write here.
ELSEWHERE = {
    "predict_proba": "predict(rows, probabilities=True)",
    "score": "evaluate(rows).score, or tested.score for the rows held out",
    "accuracy": "tested.score, or evaluate(rows).score",
    "fit": "experiment(…), which trains again from scratch",
    "summary": "print(…) of it",
    "report": "print(…) of it, or to_dict()",
    "to_json": "to_dict()",
    "layers": "net.layers",
    "get_weights": "net.get_weights()",
    "feature_names": "encoding.inputs.feature_names",
    "classes_": "encoding.target.classes",
}


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A network with its encoding: it takes rows as they are, and predicts labels, or numbers in their units.

    Parameters
    ----------
    net : Network
        With an encoding.
    name : str
        Its name in reports: the path of its file.

    Examples
    --------
    >>> from deltarule.experiments import experiment
    >>> model = experiment({"size": [1, 2, 8, 9] * 3, "kind": ["S", "S", "L", "L"] * 3}, epochs=20).model
    >>> list(model.predict([{"size": 1.5}, {"size": 8.5}])["kind"])
    ['S', 'L']
    """

    net: Network
    name: str = "model"

    def __getattr__(self, name: str) -> Any:
        """Say what others' names are called here."""
        raise AttributeError(no_attribute(self, name))

    @property
    def encoding(self) -> Encoding:
        """How the model reads rows, and what its outputs mean."""
        if self.net.encoding is None:
            raise InputError(f"{self.name} has no encoding, so it cannot interpret raw rows")
        return self.net.encoding

    def predict(self, rows: Any, *, probabilities: bool = False, **reading: Any) -> Any:
        """Predict new rows or pictures.

        Parameters
        ----------
        rows : path, DataFrame, columns by name, records, or array of rows, (n_rows, n_columns)
            Raw rows, with column names or in the order of training; columns that are not needed are ignored,
            and a single row is fine; a pattern such as ``"new/*.csv"`` stands for many files. For pictures a
            file, a folder, a zip file, or an array (n, height, width).
        probabilities : bool
            Whether to return the probability of each class, too.
        **reading
            How to read a file, under the names of the command line: ``header``, ``delimiter``, ``strict``, ….

        Returns
        -------
        DataFrame, or dict of ndarray, (n_rows,) each
            A column of predictions under the name of the target (for pictures also a column of files), and
            columns ``p(class)`` for probabilities. If ``rows`` is a frame, the result is a frame with the
            same index. Decisions about the rows are reported as a warning.

        Raises
        ------
        DataFileError, InputError
            If a column is missing, or the rows cannot be read.
        """
        return told_answers(self, rows, probabilities, reading)

    def answers(
        self, rows: Any, *, probabilities: bool = False, **reading: Any
    ) -> tuple[dict[str, Array], tuple[Decision, ...]]:
        """Return what :meth:`predict` returns, always as columns, and what was decided about the rows."""
        if is_pattern(rows):
            told, found = MergedDecisions(), []
            for columns, decisions in self.answers_by_piece(rows, probabilities, **reading):
                told.add(np.empty(0), decisions)
                found.append(columns)
            joined = {name: np.concatenate([columns[name] for columns in found]) for name in found[0]}
            return joined, tuple(told.decisions().values())
        files, inputs, decisions = raw_inputs(rows, self.encoding, _options("predict", reading))
        named: dict[str, Array] = {"file": np.array(files)} if files else {}
        return named | self._answered(inputs, probabilities), decisions

    def _answered(self, inputs: Table | Array, probabilities: bool) -> dict[str, Array]:
        outputs = self.net.predict(self.encoding.inputs.encode(inputs, self.net.dtype))
        return answer_columns(self.encoding, outputs, probabilities=probabilities)

    def write_answers(
        self,
        path: str | os.PathLike[str],
        rows: Any,
        *,
        probabilities: bool = False,
        memory: Any = None,
        **reading: Any,
    ) -> tuple[int, tuple[Decision, ...]]:
        """Write the predictions for any number of new rows to a CSV file.

        Parameters
        ----------
        path : path
            The file is written whole or not at all.
        rows : as :func:`deltarule.data.stream` takes them
            Such as ``"new/*.parquet"``.
        probabilities, reading
            As in :meth:`predict`.
        memory : str or number, optional
            The memory that the program may use in total; 1 GB for a pattern, without limit for one file.

        Returns
        -------
        n_rows : int
        decisions : tuple of Decision
        """
        told, n_rows = MergedDecisions(), 0
        with open_atomically(path) as file:
            for columns, decisions in self.answers_by_piece(rows, probabilities, memory, **reading):
                told.add(np.empty(0), decisions)
                file.write(csv_text(columns, header=not n_rows).encode())
                n_rows += len(next(iter(columns.values())))
        return n_rows, tuple(told.decisions().values())

    def answers_by_piece(
        self, rows: Any, probabilities: bool, memory: Any = None, **reading: Any
    ) -> Iterator[tuple[dict[str, Array], tuple[Decision, ...]]]:
        """Yield what :meth:`answers` returns; of a pattern, or in limited memory, some rows at a time."""
        if memory is None and not is_pattern(rows):
            yield self.answers(rows, probabilities=probabilities, **reading)
            return
        options, encoding = _options("predict", reading), self.encoding
        kinds = encoding.inputs.kinds if isinstance(encoding.inputs, ColumnsEncoding) else {}
        for piece in read_pieces(rows, kinds, options, memory or "1GB"):
            source = piece.pixels if isinstance(piece, PicturePiece) else piece
            _, inputs, decisions = raw_inputs(source, encoding, options)
            yield self._answered(inputs, probabilities), decisions

    def evaluate(
        self, source: Any, target: Any = None, *, part: str | None = None, **reading: Any
    ) -> Evaluation:
        """Score the model on data with known answers.

        Parameters
        ----------
        source : path, pattern, bundled set's name, DataFrame, columns by name, or records
            Data with the columns on which the model was trained, and the target.
        target : array-like, (n_rows,), optional
            The answers, if they are not a column of ``source``.
        part : {"train", "test"}, optional
            For a set with two parts, which one to use; by default the test part.
        **reading
            As in :meth:`predict`.

        Returns
        -------
        Evaluation
            It prints as a table and says how many of the rows trained the model.
        """
        named = next(iter({} if self.encoding.target is None else self.encoding.target.kinds), "target")
        if target is not None:
            source = with_answers(source, named, target)
        options = _options("evaluate", reading)
        if is_pattern(source):
            return self._evaluated_by_piece(source, options)
        dataset = part_of(load_labelled(as_source(source), self.encoding, options), part)
        predictions, digests = self._predicted(dataset)
        return Evaluation(self.net, self.name, dataset, predictions, digests)

    def _predicted(self, dataset: Dataset) -> tuple[Predictions, Array]:
        """What it answers beside the known answers, and the digests of the rows."""
        predictions, known = predict_dataset(self.net, dataset), dataset
        if isinstance(self.encoding.target, LabelEncoding):
            known = dataset.take(known_labels(dataset.target, self.encoding.target))
        return predictions, row_digests(*encoded_rows(self.net, known))

    def _evaluated_by_piece(self, source: Any, options: ReadingOptions) -> Evaluation:
        """How good it is on files of any size: answers alone are held."""
        found: list[tuple[Predictions, Array]] = []
        told = MergedDecisions()
        for piece in read_pieces(source, self.encoding.kinds, options, "1GB"):
            rows = load_labelled(piece, self.encoding, options)
            told.add(np.empty(0), rows.decisions)
            found.append(self._predicted(rows))
        predictions = joined_predictions([part for part, _ in found])
        described = f"{source}: {len(predictions.true)} rows"
        decisions = tuple(told.decisions().values())
        dataset = replace(rows, name=str(source), description=described, decisions=decisions)
        digests = np.concatenate([part for _, part in found])
        return Evaluation(self.net, self.name, dataset, predictions, digests)

    def inspect(
        self, rows: Any = None, *, row: int | None = None, layer: int | None = None, **reading: Any
    ) -> Inspection:
        """Show every neuron, and what it computes for one row.

        Parameters
        ----------
        rows : as in :meth:`predict`, optional
            Without rows, only the weights are shown.
        row : int, optional
            The number of the row, counted from 1 over all rows that were read, also those without a target;
            by default the first row that is used.
        layer : int, optional
            Show only this layer, counted from 1.

        Returns
        -------
        Inspection
            It prints as tables with a line for each neuron.
        """
        if rows is None:
            return Inspection(self.net, layer=layer)
        _, inputs, decisions = raw_inputs(rows, self.encoding, _options("inspect", reading))
        X, (_, place) = self.encoding.inputs.encode(inputs, self.net.dtype), place_of(row, inputs)
        return Inspection(self.net, X, place + 1, layer, inputs, decisions)

    def explain(
        self, rows: Any, what: Any = ("forward", "loss"), *, row: int | None = None, **settings: Any
    ) -> Derivation:
        """Derive what the model computes for one row with its answer, starting from the raw cells.

        Parameters
        ----------
        rows : as in :meth:`evaluate`; of rows in memory the answers may be missing
            If they are missing, the network's own predictions take their place.
        what : str, or a sequence of them
            As in :func:`deltarule.explain`.
        row : int, optional
            The number of the row, counted from 1 over all rows that were read, also those without a target;
            by default the first row that is used.
        **settings
            As in :func:`deltarule.explain`, and how to read a file, as in :meth:`predict`.

        Returns
        -------
        Derivation
        """
        if _is_quantity(self.net, rows):
            raise InputError(f"explain() takes the rows first: write what={rows!r}")
        source = self.rows_with_answers(rows, settings)
        row, place = place_of(row, source.inputs)
        part = source.take([place])
        settings = {"title": self._title(row, source)} | settings
        return explain(self.net, *encoded_rows(self.net, part), what, raw=part.inputs, **settings)

    def example(self, rows: Any, *, row: int | None = None, **reading: Any) -> Example:
        """Return the model with one row as a worked example: for worksheets, spreadsheets and drawings.

        Parameters
        ----------
        rows, row, reading
            As in :meth:`explain`.

        Examples
        --------
        >>> from deltarule.experiments import experiment
        >>> experiment("iris", hidden=2, epochs=1, test=0).model.example("iris", row=17).title
        'row 17 of iris'
        """
        source = self.rows_with_answers(rows, reading)
        row, place = place_of(row, source.inputs)
        return example_of(self.net, *encoded_rows(self.net, source.take([place])), self._title(row, source))

    def _title(self, row: int, source: Dataset) -> str:
        whose = "" if self.name == "model" else f"{self.name}: "
        return f"{whose}row {row} of {source.name}"

    def rows_with_answers(self, rows: Any, settings: dict[str, Any]) -> Dataset:
        """Return rows for :meth:`explain`; the settings that say how to read them are removed.

        If rows in memory have no target, or pictures are not in folders of classes, the network's own
        predictions take its place, and the name says so.
        """
        reading = {name: settings.pop(name) for name in READING if name in settings}
        encoding, options = self.encoding, _options("explain", reading)
        if isinstance(rows, Dataset):
            return rows
        pictures = not isinstance(encoding.inputs, ColumnsEncoding)
        source = rows if pictures else as_source(rows)
        names = () if encoding.target is None else tuple(encoding.target.kinds)
        if isinstance(source, MemoryTable):
            if set(names) <= set(source.names):
                return load_labelled(source, encoding, options)
        elif isinstance(source, str | os.PathLike):
            try:
                return replace(load_labelled(source, encoding, options), name=os.fspath(source))
            except DataFileError:
                if not pictures:
                    raise
        return self._with_own_answers(*raw_inputs(rows, encoding, options)[1:], names)

    def _with_own_answers(
        self, inputs: Table | Array, decisions: tuple[Decision, ...], names: tuple[str, ...]
    ) -> Dataset:
        target = self.encoding.target
        if target is None:
            return Dataset("the rows", inputs, np.empty((len(inputs), 0)), (), decisions=decisions)
        answers = target.decode(self.net.predict(self.encoding.inputs.encode(inputs, self.net.dtype)))
        classes = target.classes if isinstance(target, LabelEncoding) else None
        name = "the rows, with the network's own answers as targets"
        return Dataset(name, inputs, answers, names, classes, decisions=decisions)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one file (safetensors), atomically: see :meth:`Network.save`."""
        self.net.save(path)

    def export(
        self, path: str | os.PathLike[str], format: str | None = None, *, dtype: str | None = None
    ) -> None:
        """Write a file that predicts without deltarule: see :func:`deltarule.export`."""
        export(self.net, path, format, dtype=dtype)


def no_attribute(owner: object, name: str) -> str:
    """That there is no such attribute, and what does the same."""
    hint = f": write {ELSEWHERE[name]}" if name in ELSEWHERE else ""
    return f"{type(owner).__name__!r} object has no attribute {name!r}{hint}"


def _is_quantity(net: Network, rows: Any) -> bool:
    """Whether what was given for rows names a number of the network, such as w5."""
    try:
        return isinstance(rows, str) and not os.path.exists(rows) and bool(parse_targets(net, rows))
    except InputError:
        return False


def _options(function: str, reading: dict[str, Any]) -> ReadingOptions:
    others = {name: value for name, value in reading.items() if name not in READING}
    refuse_others(function, others, (*READING, "probabilities", "part", "row", "layer"))
    return reading_of(reading)
