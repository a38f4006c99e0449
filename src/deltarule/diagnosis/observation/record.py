"""The record of an observation, and its text."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from deltarule.diagnosis.faults.faults import Fault
from deltarule.diagnosis.mistakes import mistake


@dataclass(frozen=True)
class Observation:
    """What was seen of a program.

    Parameters
    ----------
    verdict : "right", "wrong" or "cannot judge"
    faults : tuple of Fault
        The first to mend first.
    loss, loss_line : str, int
        The loss that the steps follow, and where the output meets the target.
    supposed : bool
        Whether the loss was not computed by the program but read from its steps.
    factor : float or None
        What the gradient is multiplied with in each step.
    rates : dict
        By name, the numbers in the program that scale the steps.
    parameters : tuple of (name, line, shape, verdict)
    samples : int
        In one step.
    notes, unseen : tuple of str
        What else is told; what could not be seen.
    driven : str
        What was called, with what, where the program trains nothing by itself.
    error : str
        What the program raised.
    seconds : float
    network : str
        What the program was read as; empty where it is no plain chain of dense layers.
    """

    verdict: str
    faults: tuple[Fault, ...] = ()
    loss: str = ""
    loss_line: int = 0
    supposed: bool = True
    factor: float | None = None
    rates: dict[str, float] = field(default_factory=dict)
    parameters: tuple[tuple[str, int, tuple[int, ...], str], ...] = ()
    samples: int = 0
    notes: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    driven: str = ""
    error: str = ""
    seconds: float = 0.0
    network: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries."""
        return asdict(self)

    def __str__(self) -> str:
        return _told(self)


def _told(seen: Observation) -> str:
    """The report a learner reads."""
    lines = [_heading(seen)]
    for number, fault in enumerate(seen.faults, 1):
        lines.append(f"{number}. line {fault.line}: {fault.expression}")
        lines.append(f"   {fault.text}")
        if fault.mistake:
            lines.append(f"   {mistake(fault.mistake).title}: {mistake(fault.mistake).why}")
        if fault.parameters:
            lines.append(f"   it spoils {', '.join(fault.parameters)}")
        if fault.last_right:
            lines.append(f"   still right: {fault.last_right}")
    if seen.loss:
        lines.append(
            f"read as: {seen.loss} of the output on line {seen.loss_line}, {seen.samples} samples a step"
        )
    if seen.network:
        lines.append(f"that is {seen.network}")
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
