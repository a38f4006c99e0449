"""The record of an observation: data to keep, and a text to read."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, final

from deltarule.diagnosis.faults.fault import Fault
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


def observation_from(told: dict[str, Any]) -> Observation:
    """The observation of a dictionary; ValueError, TypeError or KeyError where it tells none."""
    if told["verdict"] not in ("right", "wrong", "cannot judge"):
        raise ValueError(told["verdict"])
    known = {one.name: told[one.name] for one in fields(Observation) if one.name in told}
    known["faults"] = tuple(Fault.from_dict(one) for one in told["faults"])
    known["lines"] = {int(number): str(line) for number, line in told.get("lines", {}).items()}
    return Observation(**{key: _tuples(one) for key, one in known.items()})


def _tuples(told: Any) -> Any:
    """Lists, which is what JSON makes of tuples, as tuples again."""
    return tuple(map(_tuples, told)) if isinstance(told, list | tuple) else told
