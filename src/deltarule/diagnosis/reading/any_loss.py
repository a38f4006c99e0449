"""Whether the steps can be the gradient of a function of the outputs at all, whatever the loss is."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import Row
from deltarule.diagnosis.recording.operations import reverse_mode
from deltarule.diagnosis.recording.tape import Tape, Values

_MOST_OUTPUTS = 40
_MOST_SCALARS = 8_000_000


def rows_of_no_loss(analysis: Analysis) -> list[Row]:
    """The changes of parameters, each at its first step, that are no gradient of any function of the outputs.

    The gradient of a loss L(o) by the parameters θ is Jᵀ ∂L/∂o, with J = ∂o/∂θ: whatever L is, it lies in the
    space that the rows of J span. What is left of a step when its part in that space is taken away, and what
    lies along the parameter itself (a penalty), comes from no loss.
    """
    chosen, tape = analysis.comparison, analysis.tape
    first: dict[Any, Row] = {}
    for row in chosen.rows:
        if row.change.step.any():
            first.setdefault(row.change.key, row)
    found = []
    for step, meetings in zip(chosen.steps, chosen.meetings, strict=True):
        rows = [row for row in first.values() if row.step == step.number]
        outputs = np.unique([one for some in meetings for one in some.output.ravel().tolist()])
        if not rows or not 0 < outputs.size <= min(_MOST_OUTPUTS, _MOST_SCALARS // tape.size):
            continue
        seeds = np.eye(outputs.size)
        slopes = np.stack([reverse_mode(tape, outputs.astype(int), one) for one in seeds])
        found += [row for row in rows if _is_outside(tape, row, slopes[:, row.change.old])]
    return found


def _is_outside(tape: Tape, row: Row, slopes: Values) -> bool:
    """Whether a step lies outside the space of its parameter's slopes; not of slopes that are roundings."""
    step, values = row.change.step, tape.value[row.change.old]
    sizes = np.abs(slopes).max(), np.abs(step).max()
    if not min(sizes) > 1e-8 or not np.isfinite(sizes).all():
        return False
    columns = np.vstack([slopes, values]).T
    solution = np.linalg.lstsq(columns, step, rcond=1e-9)[0]
    return bool(np.linalg.norm(columns @ solution - step) > 1e-4 * np.linalg.norm(step))
