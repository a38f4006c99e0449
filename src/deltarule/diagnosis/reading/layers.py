"""Products with matrices of weights: the layers of a network, and how samples lie."""

from __future__ import annotations

from deltarule.diagnosis.reading.comparison import GradientComparison
from deltarule.diagnosis.recording.tape import Ids, Operation, Tape


def products_of(tape: Tape, chosen: GradientComparison, output: Ids) -> list[tuple[Operation, int, int, int]]:
    """(product with weights, inputs, outputs, side of the weights) on the way to the output, of each once."""
    first = chosen.steps[0].number
    weights = {int(row.change.old[0]) for row in chosen.rows if row.step == first and row.change.old.size}
    found = []
    for index in sorted(tape.ancestors(output)):
        op = tape.operations[index]
        if op.name not in ("dot", "matmul") or len(op.inputs) != 2:
            continue
        for side, ids in enumerate(op.inputs):
            if ids is None or not 1 <= ids.ndim <= 2 or not ids.size or int(ids.flat[0]) not in weights:
                continue
            weights.discard(int(ids.flat[0]))
            sizes = ids.shape if ids.ndim == 2 else (ids.size, 1)
            inputs, outputs = sizes if side == 1 or ids.ndim == 1 else sizes[::-1]
            found.append((op, inputs, outputs, side))
    return found


def sizes_of(tape: Tape, chosen: GradientComparison) -> tuple[int, int]:
    """(samples, outputs) of a step; samples are columns where the weights come first in their products."""
    meeting = chosen.meetings[0][0] if chosen.meetings and chosen.meetings[0] else None
    if meeting is None or meeting.output.ndim == 0:
        return 1, 1
    shape = meeting.output.shape
    found = products_of(tape, chosen, meeting.output)
    if len(shape) == 1:
        if found:
            samples = shape[0] if found[-1][2] == 1 else 1
            return samples, max(1, shape[0] // samples)
        return shape[0], 1
    return (shape[-1], shape[0]) if found and found[-1][3] == 0 else (shape[0], shape[-1])
