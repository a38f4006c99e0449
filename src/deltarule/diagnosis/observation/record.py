"""The record of a check: data to keep, and a text to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, final

from deltarule.diagnosis.catalogue.entry import Mistake
from deltarule.diagnosis.mistakes import mistake
from deltarule.diagnosis.observation.seen import SeenProgram
from deltarule.diagnosis.observation.telling import tell
from deltarule.registry import shown_by


@final
@dataclass(frozen=True)
class Diagnosis(SeenProgram):
    """What was found out about a backpropagation program; it prints as the report that a learner reads.

    Examples
    --------
    >>> seen = Diagnosis("right", loss="squared error")
    >>> seen.right, seen.to_dict()["loss"]
    (True, 'squared error')
    """

    @property
    def right(self) -> bool:
        """Whether the program was found to be right."""
        return self.verdict == "right"

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes of the catalogue to which the faults belong, each once."""
        return tuple(mistake(key) for key in dict.fromkeys(one.mistake for one in self.faults) if key)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries."""
        names = ("key", "title", "why", "wrong", "right", "remedy")
        pages = [{name: getattr(one, name) for name in names} for one in self.mistakes]
        return {"right": self.right, **asdict(self), "mistakes": pages}

    def __str__(self) -> str:
        return tell(self)

    _repr_html_ = shown_by("deltarule.notebook_views:report")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For IPython in a terminal."""
        printer.text(str(self))
