"""The record of an observation: data to keep, and a text to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, final

from deltarule.diagnosis.observation.seen import SeenProgram
from deltarule.diagnosis.observation.telling import tell


@final
@dataclass(frozen=True)
class Observation(SeenProgram):
    """What was seen of a program; printed, it is the report that a learner reads."""

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dictionaries."""
        return asdict(self)

    def __str__(self) -> str:
        return tell(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """For notebooks."""
        printer.text(str(self))
