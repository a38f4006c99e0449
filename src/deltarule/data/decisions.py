"""What is decided about data that nobody specified: one list of kinds, which reports, options and tests read.

Whoever decides something makes a `Decision`; its kind says how it is told, and which option overrules it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from shlex import quote
from typing import Any

from deltarule.data.decision_kinds import DECISIONS
from deltarule.errors import DataFileError, all_faults
from deltarule.registry import record


@record
class Decision:
    """Something that was decided: of which kind, about what, and where in the file.

    Examples
    --------
    >>> decision = decide("constant", column="site", cell="'north'")
    >>> decision.text
    "'site' is left out: all its cells are 'north'"
    >>> decision.option
    '--keep site'
    """

    kind: str
    words: tuple[tuple[str, Any], ...]
    line: int | None = None
    field: int | None = None

    def _say(self, template: str) -> str:
        words = dict(self.words)
        template = re.sub(
            r"\[([^]|]*)\|([^]@]*)@?(\w*)\]",
            lambda choice: choice[1] if words.get(choice[3] or "count") == 1 else choice[2],
            template,
        )
        return template.format(**words)

    @property
    def text(self) -> str:
        """What was decided."""
        return self._say(DECISIONS[self.kind].told)

    @property
    def option(self) -> str:
        """What to write on the command line to change it."""
        words = tuple((name, quote(word) if isinstance(word, str) else word) for name, word in self.words)
        return replace(self, words=words)._say(DECISIONS[self.kind].option)

    @property
    def fault(self) -> str:
        """Why it is refused where nothing may be decided."""
        return self._say(DECISIONS[self.kind].fault)

    def to_dict(self) -> dict[str, Any]:
        """Kind, text, option and place, for JSON."""
        place = {"line": self.line, "field": self.field} if self.line else {}
        words = {name: value for name, value in self.words if name in ("column", "count", "rows")}
        return {"kind": self.kind, "text": self.text, "option": self.option, **words, **place}


def decide(kind: str, line: int | None = None, field: int | None = None, /, **words: Any) -> Decision:
    """Make the record of a decision; words are those its sentences need."""
    return Decision(kind, tuple(words.items()), line, field)


def shown(texts: Iterable[object], most: int = 3) -> str:
    """List a few texts as sentences quote them.

    Examples
    --------
    >>> shown(["a", "b", "c", "d"])
    "'a', 'b', 'c', …"
    """
    listed = [repr(text if len(str(text)) <= 40 else f"{str(text)[:39]}…") for text in texts]
    return ", ".join(listed[:most] + ["…"] * (len(listed) > most))


def refuse(path: str | os.PathLike[str], decisions: Iterable[Decision]) -> None:
    """Refuse what would have been decided, all of it at once, each with its place.

    Raises
    ------
    DataFileError
        If there is any decision that is not a choice made in any case.
    """
    places = set()  # one fault of each cell
    faults = []
    for decision in decisions:
        place = (decision.line, decision.field, dict(decision.words).get("column"))
        if DECISIONS[decision.kind].fault and place not in places:
            faults.append(DataFileError(path, _about(decision), decision.line, decision.field))
            places |= {place} - {(None, None, None)}
    if faults:
        raise all_faults(faults)


def _about(decision: Decision) -> str:
    column = dict(decision.words).get("column")
    if column is None or f"column {column!r}" in decision.fault:
        return decision.fault
    return f"column {column!r}: {decision.fault}"
