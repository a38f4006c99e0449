"""The files that documents are made with: a font, style sheets, templates for Typst and LaTeX."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def asset(name: str) -> bytes:
    """The content of a file of the folder ``assets``."""
    return files("deltarule.documents").joinpath("assets", name).read_bytes()
