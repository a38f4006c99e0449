"""What a diagnosis found, in words that a beginner follows."""

from __future__ import annotations

import textwrap
from typing import Any

from deltarule.diagnosis.mistakes import Mistake
from deltarule.diagnosis.search import Settings
from deltarule.registry import record

__all__ = ["Diagnosis", "FirstWrong"]


_IF_RIGHT = (
    "If training still goes wrong, it is not for the gradient: dr.health(net, X, Y, history) looks at first "
    "weights, saturated and dead units, scaling and the learning rate."
)


@record
class FirstWrong:
    """The first quantity, going back from the output, that is not what it should be.

    Parameters
    ----------
    name, formula : str
        ``"dW2"``, and how it is computed.
    place : str
        The entry that is furthest off: ``"dW2[0,1]"``.
    right, found : float
        That entry as it should be, and as it was found.
    """

    name: str
    formula: str
    place: str
    right: float
    found: float


@record
class Diagnosis:
    """What a learner's backpropagation does; prints as a page to read.

    Parameters
    ----------
    right : bool
        Whether the gradient is right (for the settings that were given or found).
    settings : Settings or None
        Activations, loss and reduction that the code implements.
    convention : str
        How its arrays are laid out; empty where it was not asked to take any.
    mistakes : tuple of Mistake
        What is wrong: none, one or two.
    alternatives : tuple of str
        Other readings that give the same numbers.
    first_wrong : FirstWrong or None
    notes : tuple of str
        What else was seen.
    failure : str
        Why the code could not be tested; empty where it could.
    """

    right: bool
    settings: Settings | None = None
    convention: str = ""
    mistakes: tuple[Mistake, ...] = ()
    alternatives: tuple[str, ...] = ()
    first_wrong: FirstWrong | None = None
    notes: tuple[str, ...] = ()
    failure: str = ""

    @property
    def verdict(self) -> str:
        """The finding in one sentence."""
        if self.failure:
            return "The code could not be tested."
        if self.right:
            return "The backpropagation is right."
        if not self.mistakes:
            return "The gradient is wrong, and no known mistake matches."
        names = " and ".join(f"“{mistake.title}”" for mistake in self.mistakes)
        what = "gradient" if any(mistake.variants for mistake in self.mistakes) else "code"
        return f"The {what} is wrong: {names}."

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {
            "right": self.right,
            "verdict": self.verdict,
            "settings": None if self.settings is None else vars(self.settings),
            "convention": self.convention,
            "mistakes": [
                {name: getattr(m, name) for name in ("key", "title", "why", "wrong", "right", "remedy")}
                for m in self.mistakes
            ],
            "alternatives": list(self.alternatives),
            "first_wrong": None if self.first_wrong is None else vars(self.first_wrong),
            "notes": list(self.notes),
            "failure": self.failure,
        }

    def __str__(self) -> str:
        return "\n".join(_wrapped(self._lines()))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For notebooks."""
        printer.text(str(self))

    def _lines(self) -> list[str]:
        lines = [self.verdict]
        if self.failure:
            return [*lines, "", self.failure, *self.notes]
        if self.settings is not None:
            lines.append(f"The code is a network with {self.settings}.")
        if self.convention:
            lines.append(f"Its layout: {self.convention}.")
        if self.first_wrong is not None:
            first = self.first_wrong
            lines += [
                "",
                f"Going back from the output, the first wrong quantity is {first.name}:",
                f"  {first.formula}",
                f"  {first.place} should be {first.right:.9g}; it is {first.found:.9g}",
            ]
        for mistake in self.mistakes:
            lines += [
                "", mistake.title, mistake.why,
                f"  as it is:         {mistake.wrong}",
                f"  as it should be:  {mistake.right}",
                mistake.remedy,
            ]  # fmt: skip
        if self.alternatives:
            lines += ["", "The same numbers also come from:", *(f"  {other}" for other in self.alternatives)]
        if self.right:
            lines += ["", _IF_RIGHT]
        return [*lines, *([""] if self.notes else []), *self.notes]


def _wrapped(lines: list[str]) -> list[str]:
    wrapped = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        wrapped += textwrap.wrap(line, 100, subsequent_indent=indent + "  " * bool(indent)) or [""]
    return wrapped
