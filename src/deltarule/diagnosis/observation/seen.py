"""What was seen of a program, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from deltarule.checks.finding import Finding
from deltarule.diagnosis.faults.fault import Fault


@dataclass(frozen=True)
class SeenProgram:
    """What was seen of a program: the fields of a ``Diagnosis``.

    Parameters
    ----------
    verdict : "right", "wrong" or "cannot judge"
    faults : tuple of Fault
        The first to mend first.
    loss, loss_line : str, int
        The loss that the steps follow, and where the output meets the target.
    supposed : bool
        Whether the loss was not computed by the program but read from its steps.
    named : bool
        Whether the learner named the loss.
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
        The layers with their sizes and activations; empty where they are no plain chain.
    other_losses : tuple of str
        Usual losses of such outputs whose gradient the steps do not follow.
    lines : dict
        By number, the lines of the program that the report shows.
    found : tuple of str
        Of a program that cannot be judged: how far it got.
    obstacle, obstacle_line : str, int
        The first thing that was not understood, and its line; 0 for none.
    advice, paste : str
        The smallest change that would help, in words and as lines to paste.
    findings : tuple of Finding
        What keeps the learner's own first weights from learning, though the gradient is right.
    """

    verdict: Literal["right", "wrong", "cannot judge"]
    faults: tuple[Fault, ...] = ()
    loss: str = ""
    loss_line: int = 0
    supposed: bool = True
    named: bool = False
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
    other_losses: tuple[str, ...] = ()
    lines: dict[int, str] = field(default_factory=dict)
    found: tuple[str, ...] = ()
    obstacle: str = ""
    obstacle_line: int = 0
    advice: str = ""
    paste: str = ""
    findings: tuple[Finding, ...] = ()
