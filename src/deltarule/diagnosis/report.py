"""What a diagnosis found, in words that a beginner follows."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from deltarule.checks.finding import Finding
from deltarule.diagnosis.cases import NetworkSettings
from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.registry import record

#: What a line begins with, under which its next lines are not to stand: spaces, and a label.
_INDENT = re.compile(r"( +it \w+: +)?( +(?=\S))?")

#: Columns, one less than most terminals have.
WIDTH = 79

_LEGEND = (
    "Here layer l has z_l = a_{l−1} @ W_l + b_l and a_l = f(z_l), with W as (in, out) and samples in rows; "
    "delta_l is the loss differentiated by z_l, f′ the slope of f, L the last layer, y the targets."
)
_LEGEND_OF_DROPOUT = "A mask is 1 where a neuron is kept and 0 where it is dropped; p is the share dropped."
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
    sizes : tuple of int
        Of the network in which it is wrong.
    place : str
        The entry that is furthest off: ``"dW2[0,1]"``; or the shape.
    right, found : float, or tuple of int
        That entry as it should be, and as it was found.
    """

    name: str
    formula: str
    sizes: tuple[int, ...]
    place: str
    right: float | tuple[int, ...]
    found: float | tuple[int, ...]


@record
class Diagnosis:
    """What a learner's backpropagation does; prints as a page to read.

    Parameters
    ----------
    right : bool
        Whether the gradient is right (for the settings that were given or found).
    settings : NetworkSettings or None
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
    findings : tuple of Finding
        Of a right gradient: what keeps the weights from learning all the same.
    failure : str
        Why the code could not be tested; empty where it could.
    """

    right: bool
    settings: NetworkSettings | None = None
    convention: str = ""
    mistakes: tuple[Mistake, ...] = ()
    alternatives: tuple[str, ...] = ()
    first_wrong: FirstWrong | None = None
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    failure: str = ""

    @property
    def verdict(self) -> str:
        """The finding in one sentence."""
        if self.failure:
            return "The code could not be tested."
        if self.right and self.findings:
            return "The backpropagation is right, but with these weights it cannot learn well."
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
            "settings": None if self.settings is None else self.settings.to_dict(),
            "convention": self.convention,
            "mistakes": [
                {name: getattr(m, name) for name in ("key", "title", "why", "wrong", "right", "remedy")}
                for m in self.mistakes
            ],
            "alternatives": list(self.alternatives),
            "first_wrong": None if self.first_wrong is None else vars(self.first_wrong),
            "notes": list(self.notes),
            "findings": [finding.to_dict() for finding in self.findings],
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
        for number, mistake in enumerate(self.mistakes, start=1):
            heading = [f"{number}. {mistake.title}"] if len(self.mistakes) > 1 else []
            lines += ["", *heading, *_page(mistake)]
        lines += ["", *self._legend, *self._first_seen, *self._network]
        if self.alternatives:
            lines += ["", "The same numbers also come from:", *(f"  {other}" for other in self.alternatives)]
        for finding in self.findings:
            lines += ["", f"In {finding.where}: {finding.evidence}", finding.meaning, finding.remedy]
        for note in self.notes:
            lines += [note] if note.startswith(" ") else ["", note]
        return [*lines, *(["", _IF_RIGHT] if self.right and not self.findings else [])]

    @property
    def _legend(self) -> list[str]:
        """What the formulas' letters mean, if there are any."""
        spoken = " ".join(mistake.wrong + mistake.right for mistake in self.mistakes)
        said = [_LEGEND] if "delta" in spoken or "_l" in spoken else []
        said += [_LEGEND_OF_DROPOUT] if "mask" in spoken else []
        return [" ".join(said), ""] if said else []

    @property
    def _first_seen(self) -> list[str]:
        """Where the first difference shows, with numbers."""
        if self.first_wrong is None:
            return []
        first = self.first_wrong
        network = "-".join(map(str, first.sizes))
        digits = 5 if _told(first.right, 5) != _told(first.found, 5) else 12
        right, found = _told(first.right, digits), _told(first.found, digits)
        return [
            f"Going back from the output of a {network} network, the first wrong quantity is {first.name}:",
            f"  {first.formula}",
            f"  {first.place} should be {right}; it is {found}",
            "",
        ]

    @property
    def _network(self) -> list[str]:
        """What the code was taken for."""
        network = [] if self.settings is None else [f"The code was read as: {self.settings}."]
        return [*network, *([f"Its arrays: {self.convention}."] if self.convention else [])]


def _page(mistake: Mistake) -> list[str]:
    return [
        mistake.why,
        f"  it does:     {mistake.wrong}",
        f"  it should:   {mistake.right}",
        mistake.remedy,
    ]


def _told(value: float | tuple[int, ...], digits: int) -> str:
    return str(value) if isinstance(value, tuple) else f"{value:.{digits}g}"


def _wrapped(lines: list[str]) -> list[str]:
    wrapped = []
    for line in lines:
        indent = " " * len(_INDENT.match(line)[0])  # type: ignore[index]
        wrapped += textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]
    return wrapped
