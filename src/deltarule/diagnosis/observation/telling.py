"""An observation as text."""

from __future__ import annotations

from deltarule.diagnosis.observation.observation import Observation

__all__ = ["told"]


def told(seen: Observation) -> str:
    """The report a learner reads."""
    lines = [_heading(seen)]
    for number, fault in enumerate(seen.faults, 1):
        lines.append(f"{number}. line {fault.line}: {fault.expression}")
        lines.append(f"   {fault.text}")
        if fault.parameters:
            lines.append(f"   it spoils {', '.join(fault.parameters)}")
        if fault.last_right:
            lines.append(f"   still right: {fault.last_right}")
    if seen.loss:
        lines.append(
            f"read as: {seen.loss} of the output on line {seen.loss_line}, {seen.samples} samples a step"
        )
    if seen.rates:
        lines.append("scaled by " + ", ".join(f"{name} = {value:.4g}" for name, value in seen.rates.items()))
    for name, line, shape, verdict in seen.parameters:
        lines.append(f"   {name} {shape}, line {line}: {verdict}")
    if seen.driven:
        lines.append(f"it trains nothing by itself; called: {seen.driven}")
    lines += seen.notes
    lines += [f"not seen: {text}" for text in seen.unseen]
    if seen.error:
        lines.append(f"the program ended with {seen.error}")
    return "\n".join(lines)


def _heading(seen: Observation) -> str:
    if seen.verdict == "right":
        return f"The backpropagation is right. It follows the {seen.loss}."
    if seen.verdict == "wrong":
        count = len(seen.faults)
        return "Wrong: one mistake." if count == 1 else f"Wrong: {count} mistakes."
    return "It cannot be judged."
