"""Docstrings that share entries: ``help`` shows them whole, and each is written once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

C = TypeVar("C", bound=type[Any])


def documented_like(other: type) -> Callable[[C], C]:
    """Decorate an estimator: a line ``…`` in its docstring stands for what it shares with another.

    In the sections "Parameters" and "Attributes" these are the other's entries whose names the estimator has,
    but does not explain itself.
    """

    def fill_in(cls: C) -> C:
        text = inspect.getdoc(cls) or ""
        has = {*inspect.signature(cls).parameters, *dir(cls)}
        for section in ("Parameters", "Attributes"):
            own, others = _entries(text, section), _entries(inspect.getdoc(other) or "", section)
            shared = [others[names] for names in others if names not in own and has.issuperset(names)]
            text = text.replace("\n…\n", "\n" + "\n".join(shared) + "\n", 1)
        cls.__doc__ = text
        return cls

    return fill_in


def _entries(text: str, section: str) -> dict[tuple[str, ...], str]:
    """The entries of a section, each by the names that it explains."""
    body = text.partition(f"{section}\n{'-' * len(section)}\n")[2].partition("\n\n")[0]
    entries = re.split(r"\n(?=\S)", body)
    return {tuple(entry.partition(" : ")[0].split(", ")): entry for entry in entries}
