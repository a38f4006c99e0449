"""Each change beside the gradient of its parameter: right up to one common factor, or in which way not."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deltarule.diagnosis.reading.losses import KnownLoss
from deltarule.diagnosis.reading.steps import Change, RecordedStep
from deltarule.diagnosis.reading.targets import Meeting
from deltarule.diagnosis.recording.tape import Operation, Values

#: What a row is.
RIGHT, FACTOR, WRONG = "right", "factor", "wrong"
DECAY, OPTIMIZER, ZERO = "penalty", "optimizer", "nothing to see"


@dataclass(frozen=True)
class Rule:
    """The rule of an optimizer; ``mistake`` says what is wrong with it, ``at`` the operation.

    ``settings`` and ``rate`` are there where the steps follow it as it is.
    """

    name: str
    mistake: str = ""
    at: Operation | None = None
    settings: Any = None
    rate: float = 0.0


@dataclass(eq=False)
class Row:
    """One parameter in one step: its change, its gradient, and the factor between the two."""

    change: Change
    step: int
    gradient: Values
    factor: float
    misfit: float
    verdict: str = ""
    #: The ratio to the common factor, where that is all that is wrong.
    ratio: float = 1.0
    #: Of a penalty or a momentum: how much of it.
    amount: float = 0.0
    #: Of what: the parameter's "values", the "step" before, …
    extra: str = ""
    #: Where the gradient stands on the way to a change that is more than a multiple of it.
    found: Operation | None = None
    #: By which rule an optimizer made the change; None where it was not recognised.
    rule: Rule | None = None


@dataclass(eq=False)
class GradientComparison:
    """All rows for one loss."""

    loss_name: str
    losses: list[KnownLoss]
    rows: list[Row]
    meetings: list[list[Meeting]]
    steps: list[RecordedStep]
    #: By step, the factor that most parameters share.
    common: dict[int, float] = field(default_factory=dict)

    def by_parameter(self) -> dict[Any, list[Row]]:
        """The rows of each parameter, in the order of the steps."""
        return grouped_by_parameter(self.rows)

    @property
    def bad(self) -> list[Row]:
        """Rows that are wrong."""
        return [row for row in self.rows if row.verdict in (WRONG, FACTOR)]

    @property
    def own(self) -> bool:
        """Whether the loss is one that the program itself computes."""
        return all(loss.op is not None for loss in self.losses)

    @property
    def adjoint(self) -> Values:
        """The adjoints of all steps, which have no ids in common."""
        total = np.zeros(max(len(loss.adjoint) for loss in self.losses))
        for loss in self.losses:
            total[: len(loss.adjoint)] += loss.adjoint
        return total

    @property
    def is_constant(self) -> bool:
        """Whether the common factor is the same in all steps."""
        factors = list(self.common.values())
        is_constant = all(abs(one - factors[0]) <= 1e-3 * abs(factors[0]) for one in factors)
        return is_constant and len(factors) == len(self.steps)

    @property
    def is_narrow(self) -> bool:
        """Whether a step sees one output only, so that one step says nothing about slopes."""
        return all(sum(one.output.size for one in some) < 2 for some in self.meetings)

    @property
    def has_right_array(self) -> bool:
        """Whether the changes of an array are right in all steps, not only those of single numbers."""
        bad = {row.change.key for row in self.bad}
        right = {row.change.key for row in self.rows if row.verdict == RIGHT and row.gradient.size > 1}
        return not right <= bad

    @property
    def ends_right(self) -> bool:
        """Whether the changes of the last layer, weights and biases, are right in all steps."""
        last = sorted(self.by_parameter().values(), key=lambda rows: rows[0].change.weight)[-2:]
        return len(last) == 2 and all(row.verdict == RIGHT for rows in last for row in rows)

    @property
    def score(self) -> float:
        """How much of the program this loss explains; what is near the output counts more."""
        good = {RIGHT: 1.0, DECAY: 0.8, OPTIMIZER: 0.7, FACTOR: 0.15, ZERO: 0.1}
        total = weights = 0.0
        for row in self.rows:
            weight = (1.0 if row.gradient.size > 1 else 0.6) * row.change.weight
            total, weights = total + good.get(row.verdict, 0.0) * weight, weights + weight
        return total / weights if weights else 0.0


def grouped_by_parameter(rows: Iterable[Row]) -> dict[Any, list[Row]]:
    """The rows of each parameter, in their order."""
    found: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.change.key].append(row)
    return found


def fit(values: Values, gradient: Values) -> tuple[float, float]:
    """Return (factor, misfit): ``values ≈ factor · gradient``; the misfit is relative to the values."""
    values, gradient = np.ravel(values), np.ravel(gradient)
    with np.errstate(over="ignore"):
        norm, size = math.sqrt(values @ values), float(gradient @ gradient)
    if size == 0:
        return 0.0, 0.0 if norm == 0 else 9.0
    if norm == 0 or not (math.isfinite(norm) and math.isfinite(size)):
        return 0.0, 9.0
    factor = float(values @ gradient) / size
    misfit = values - factor * gradient
    return factor, math.sqrt(misfit @ misfit) / norm


def proportion(values: Values, wanted: Values, tolerance: float = 1e-6) -> float:
    """The factor between two arrays of the same size, one perhaps transposed; 0 for none."""
    if values.size != wanted.size or values.size < 2:
        return 0.0
    for one in [wanted] if wanted.ndim < 2 or 1 in wanted.shape else [wanted, wanted.T]:
        factor, misfit = fit(values, one)
        if factor and misfit < tolerance:
            return factor
    return 0.0
