"""An experiment: a data set, a network trained on some of its rows, and its score on the others."""

from __future__ import annotations

from typing import Any

from deltarule.checks import HealthReport, health
from deltarule.data import Dataset
from deltarule.data.decisions import Decision
from deltarule.experiments.choices import Choices
from deltarule.experiments.decided import encoding_decisions
from deltarule.experiments.fitting import (
    Predictions,
    TrainedNetwork,
    cross_validate,
    encoded_rows,
    encoding_of,
    fit,
    predict_dataset,
    set_aside,
)
from deltarule.registry import record


@record
class ExperimentResult:
    """What came of an experiment.

    Attributes
    ----------
    dataset, trained_rows : Dataset
        All the data, and what the network was trained and validated on.
    trained : TrainedNetwork
    tested : Predictions or None
        Of rows held out, or of all rows by cross-validation; None where none are, or a signal came before.
    interrupted : bool
    decisions : tuple of Decision
        What was decided about the data that nobody said.
    """

    dataset: Dataset
    trained_rows: Dataset
    trained: TrainedNetwork
    tested: Predictions | None
    interrupted: bool
    decisions: tuple[Decision, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Network, scores by part, and how training went, for JSON."""
        net, history = self.trained.net, self.trained.history
        tested = self.tested
        return {
            "task": self.dataset.task if net.encoding and net.encoding.target else "autoencoder",
            "data": self.dataset.description,
            "decisions": [decision.to_dict() for decision in self.decisions],
            "network": repr(net),
            "loss": net.loss.name,
            "train": self.trained.scores["train"],
            "validation": self.trained.scores.get("validation"),
            "test": None if tested is None else tested.scores | {"folds": tested.folds},
            "epochs": history.epochs,
            "stopped": history.stopped,
            "seconds": round(history.seconds, 3),
            "engine": history.engine,
        }

    @property
    def ended_by_budget(self) -> bool:
        """Whether the loss of held-out rows still fell by 1 % over the last tenth of the epochs."""
        history = self.trained.history
        losses = history.get("val_loss", [])
        last = len(losses) // 10
        if history.stopped != "finished" or not last:
            return False
        return min(losses[-last:]) < 0.99 * min(losses[:-last])

    def health(self) -> HealthReport:
        """What is wrong with the network and its training, on the rows it was trained and validated on."""
        net = self.trained.net
        return health(net, *encoded_rows(net, self.trained_rows), self.trained.history)


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
    decided = encoding_decisions(dataset, encoding_of(trained.net), choices)
    decisions = (*dataset.decisions, *decided)
    return ExperimentResult(dataset, rest, trained, tested, interrupted, decisions)
