"""How many samples and outputs a step has: which way they lie, the last product with weights says."""

from __future__ import annotations

from deltarule.diagnosis.reading.comparison import GradientComparison
from deltarule.diagnosis.recording.tape import Ids, Tape


def _last_product(tape: Tape, chosen: GradientComparison, output: Ids) -> tuple[int, int]:
    """(outputs, side of the weights) of the last product with weights before the output; (0, 1) for none."""
    first = chosen.steps[0].number
    weights = {int(row.change.old[0]) for row in chosen.rows if row.step == first and row.change.old.size}
    for index in sorted(tape.ancestors(output), reverse=True):
        op = tape.operations[index]
        for side, ids in enumerate(op.inputs if op.name in ("dot", "matmul") else ()):
            if ids is not None and 1 <= ids.ndim <= 2 and ids.size and int(ids.flat[0]) in weights:
                return (1 if ids.ndim == 1 else ids.shape[side]), side
    return 0, 1


def sizes_of(tape: Tape, chosen: GradientComparison) -> tuple[int, int]:
    """(samples, outputs) of a step; samples are columns where the weights come first in their products."""
    meeting = chosen.meetings[0][0] if chosen.meetings and chosen.meetings[0] else None
    if meeting is None or meeting.output.ndim == 0:
        return 1, 1
    shape = meeting.output.shape
    outputs, side = _last_product(tape, chosen, meeting.output)
    if len(shape) == 1:
        samples = shape[0] if outputs in (0, 1) else 1
        return samples, max(1, shape[0] // samples)
    return (shape[-1], shape[0]) if side == 0 else (shape[0], shape[-1])
