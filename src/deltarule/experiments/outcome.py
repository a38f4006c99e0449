"""The outcome of an experiment, as data: what was trained on what, how it was scored, what was decided."""

from __future__ import annotations

from dataclasses import dataclass

from deltarule.checks.pairs import pair_fault
from deltarule.data import Dataset
from deltarule.data.decisions import Decision
from deltarule.experiments.choices import Choices
from deltarule.experiments.fitting import Predictions, TrainedNetwork, encoded_rows


@dataclass(frozen=True, eq=False, repr=False)
class Outcome:
    """What the report of an experiment tells; :class:`ExperimentResult` says what each is."""

    dataset: Dataset
    trained_rows: Dataset
    trained: TrainedNetwork
    tested: Predictions | None
    interrupted: bool
    decisions: tuple[Decision, ...]
    choices: Choices
    streamed_rows: int = 0

    @property
    def n_rows(self) -> int:
        """How many rows were used; of a stream ``dataset`` has but some."""
        parts = (self.dataset, self.dataset.test, self.dataset.validation)
        return self.streamed_rows or sum(len(part) for part in parts if part is not None)

    @property
    def pair_warning(self) -> str:
        """Why output and loss learn badly together; "" where they do not."""
        net = self.trained.net
        y = encoded_rows(net, self.trained_rows.take([0]))[1]
        fault = pair_fault(net.objective.output, net.loss, y)
        return fault[1] if fault is not None and fault[0] == "warning" else ""
