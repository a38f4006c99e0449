"""What all pages have in common: where they lie, and how Markdown is written."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import deltarule

ROOT = Path(__file__).parents[2]
#: What is put together here is what Zensical reads; what Zensical writes is the site.
PAGES, SITE = ROOT / "build" / "pages", ROOT / "build" / "site"

_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc):`~?(?:deltarule\.)?([\w.]+)`")
_FENCE = re.compile(r"^(`{3,}|~{3,})[^\n]*\n.*?^\1[ \t]*$", re.M | re.S)


def write(name: str, text: str) -> None:
    """Write a page, or another small file of text."""
    path = PAGES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip() + "\n", encoding="utf-8")


def fenced(text: str, language: str = "text") -> str:
    """A block of code or of printed text, whatever backticks it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """A table; ``align`` has ``l`` or ``r`` for each column."""
    rule = {"l": ":--", "r": "--:"}
    lines = [columns, [rule[one] for one in align or "l" * len(columns)], *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Change the parts of a page that are no blocks of code."""
    parts, end = [], 0
    for block in _FENCE.finditer(text):
        parts += [change(text[end : block.start()]), block.group()]
        end = block.end()
    return "".join([*parts, change(text[end:])])


def with_links(docstring: str) -> str:
    """Public names in roles, ``:func:`train```, as links to their places; other names as code."""
    return _ROLE.sub(_linked, docstring)


def _linked(role: re.Match[str]) -> str:
    name = role[1]
    is_public = name.split(".")[0] in deltarule.__all__
    return f"[`{name}`][deltarule.{name}]" if is_public else f"`{name}`"


def dedented(text: str) -> str:
    """A text of several lines that is written indented in the source."""
    return textwrap.dedent(text).strip("\n")
