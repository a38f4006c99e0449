"""The page about tables lists every kind of decision, as the list of decisions has it."""

from __future__ import annotations

import re
from pathlib import Path

from deltarule.data.decision_kinds import DECISIONS

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def rows() -> list[str]:
    listed = []
    for kind in DECISIONS.values():
        told = re.sub(r"\[(.*?)\|(.*?)(@\w+)?\]", r"\2", kind.told)
        words = re.sub(r"\{(\w+)[^}]*\}", r"*\1*", told)
        option = re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), kind.option)
        listed.append(f"| {kind.name} | {words} | `{option}` | {'refused' if kind.fault else 'told'} |")
    return listed


def test_every_kind_of_decision_is_on_the_page() -> None:
    assert "\n".join(rows()) in PAGE.read_text(encoding="utf-8")
