"""What never reaches a parameter: an update that was bound to a name, or the gradients of other samples."""

from __future__ import annotations

from deltarule.diagnosis.faults.fault import Fault, fault_at
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.updates import updates_on


def lost_update_of(analysis: Analysis) -> Fault | None:
    """The update that never reaches its parameter."""
    if not analysis.lost:
        return None
    first, source = analysis.lost[0], analysis.source
    at = [op for op in analysis.lost if source.line(op) == source.line(first)]
    name = source.target_of(first)
    text = f"{name} is only a name here: the parameter stays as it was, and every step starts from the same "
    text += "values again. Store the result where the forward pass reads it"
    if any(first.index in op.before for op in analysis.tape.operations):
        text = f"the forward pass reads what was made of {name} before the training, and never sees what "
        text += f"{name} becomes: make it of {name} in each step"
    return fault_at(
        analysis, "untrained", first, text, parameters=tuple(dict.fromkeys(map(source.target_of, at)))
    )


def unused_samples_of(analysis: Analysis) -> Fault | None:
    """The gradient of one of several samples, where an update uses that of another alone."""
    if not analysis.unused:
        return None
    tape, unused = analysis.tape, analysis.unused[0]
    text = "the gradient is computed for one sample after the other, but the updates use only one of them: "
    text += "add up the gradients of all samples and use their sum"
    is_summed = any(unused.index in op.before for op in tape.operations)  # only the sum is not used
    update = next((op for op in updates_on(tape) if op.index > unused.index), unused)
    other_line = analysis.source.line(unused) if is_summed else 0
    return fault_at(analysis, "factor", update if is_summed else unused, text, other_line=other_line)
