"""The result of an experiment: the network, its scores, its report, and what it answers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from deltarule.checks import HealthReport, health
from deltarule.derivations import Derivation
from deltarule.derivations.inspection import Inspection
from deltarule.experiments.evaluation import Evaluation
from deltarule.experiments.fitted_model import FittedModel, no_attribute, told_answers
from deltarule.experiments.fitting import encoded_rows
from deltarule.experiments.outcome import Outcome
from deltarule.experiments.pictures import plot_experiment
from deltarule.experiments.report import report_text, report_values
from deltarule.nn.network import Network
from deltarule.registry import shown_by
from deltarule.training import History


@dataclass(frozen=True, eq=False, repr=False)
class ExperimentResult(Outcome):
    """The result of an experiment; prints as its report.

    Attributes
    ----------
    dataset, trained_rows : Dataset
        All the data, and the rows on which the network was trained and validated.
    trained : TrainedNetwork
        The network, the history of its training, and its scores on these rows.
    tested : Predictions or None
        Predictions for the rows held out, or for all rows by cross-validation; None if there are none, or if
        a signal came first.
    interrupted : bool
    decisions : tuple of Decision
        What was decided about the data because nobody specified it.
    choices : Choices
        What the user specified.
    streamed_rows : int
        For a stream, how many rows were used; ``dataset`` and ``trained_rows`` are then a sample.

    Examples
    --------
    >>> from deltarule.experiments import experiment
    >>> result = experiment("iris", epochs=2, test=0.2)
    >>> result.to_dict()["test"]["rows"]
    30
    """

    def __getattr__(self, name: str) -> Any:
        """Say what others' names are called here."""
        raise AttributeError(no_attribute(self, name))

    _repr_html_ = shown_by("deltarule.notebook_views:report")

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def text(self, columns: int = 80) -> str:
        """The report as text, no wider than ``columns`` unless something cannot be broken."""
        return report_text(self, columns)

    def to_dict(self) -> dict[str, Any]:
        """The report as data for JSON: every choice, the scores by part, and how training went."""
        return report_values(self)

    @property
    def net(self) -> Network:
        """The trained network, with its encoding."""
        return self.trained.net

    @property
    def history(self) -> History:
        """Losses and scores by epoch."""
        return self.trained.history

    @property
    def model(self) -> FittedModel:
        """The network together with its encoding, as a model that predicts raw rows."""
        return FittedModel(self.trained.net)

    def health(self) -> HealthReport:
        """Say what is wrong with the network and its training, on the rows that trained and validated it."""
        net = self.trained.net
        return health(net, *encoded_rows(net, self.trained_rows), self.trained.history)

    def predict(self, rows: Any, *, probabilities: bool = False, **reading: Any) -> Any:
        """Predict new rows: see :meth:`FittedModel.predict`."""
        return told_answers(self.model, rows, probabilities, reading)

    def evaluate(
        self, source: Any, target: Any = None, *, part: str | None = None, **reading: Any
    ) -> Evaluation:
        """Score the network on other data: see :meth:`FittedModel.evaluate`."""
        return self.model.evaluate(source, target, part=part, **reading)

    def inspect(self, rows: Any = None, *, row: int | None = None, layer: int | None = None) -> Inspection:
        """Show every neuron and what it computes for a row, by default one of the experiment's own data."""
        return self.model.inspect(self.dataset if rows is None else rows, row=row, layer=layer)

    def explain(
        self, rows: Any = None, what: Any = ("forward", "loss"), *, row: int | None = None, **settings: Any
    ) -> Derivation:
        """Derive what the network computes for a row, by default for a row of the experiment's own data."""
        return self.model.explain(self.dataset if rows is None else rows, what, row=row, **settings)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw the curves and the predictions: into a file (png, svg, pdf), or as a figure for notebooks."""
        return plot_experiment(path, self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file (safetensors), for :func:`deltarule.load_model` and the command line."""
        self.model.save(path)

    def export(
        self, path: str | os.PathLike[str], format: str | None = None, *, dtype: str | None = None
    ) -> None:
        """Write a file that predicts without deltarule: see :func:`deltarule.export`."""
        self.model.export(path, format, dtype=dtype)
