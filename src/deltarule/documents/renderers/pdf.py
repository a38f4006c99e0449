"""A document as a PDF, typeset by Typst with the fonts that it brings: the same pages everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from unicodedata import category, normalize

from deltarule.documents.asset_files import asset
from deltarule.documents.document import Document
from deltarule.documents.renderers.json import document_data
from deltarule.documents.svg_style import TAG_COLOURS
from deltarule.formula.text import clean
from deltarule.registry import import_extra


def pdf(document: Document) -> bytes:
    """A document as a PDF/A-2b file; equal documents give equal bytes.

    A character that no font of Typst has is printed as its number, ``‹U+1F642›``.

    Raises MissingExtraError if Typst is not installed.
    """
    return pages(document, "pdf")


def merged_pdf(title: str, documents: Sequence[Document]) -> bytes:
    """Several documents as one PDF, each of which begins on the front of a sheet of paper; see :func:`pdf`.

    All of them are on paper of one size.
    """
    whole = [document_data(document) for document in documents]
    return _typeset({"title": title, "paper": whole[0]["paper"], "documents": whole}, "pdf")


def pages(document: Document, format: str) -> bytes:
    """The document as "pdf", or its only page as "png"; see :func:`pdf`."""
    return _typeset(document_data(document), format)


def _typeset(data: Any, format: str) -> bytes:
    """What the template makes of the data, with numbers for characters that no font has."""
    typst = import_extra("typst", "pdf")
    data = _each_text(data, _with_numbers_for_marks)
    try:
        return _compiled(data, format)
    except typst.TypstError as error:
        if not _is_about_glyphs(error):
            raise
        return _compiled(_each_text(data, _drawable), format)


def _is_about_glyphs(error: Any) -> bool:
    """Whether PDF/A was refused because a character has no glyph in any font."""
    return "could not be displayed" in error.message


def _compiled(data: Any, format: str = "pdf") -> bytes:
    typst = import_extra("typst", "pdf")
    # as files: what Typst remembers of one document serves the next, as it would not after other sys_inputs
    files = {"document.json": json.dumps(data, allow_nan=False), "colours.json": json.dumps(TAG_COLOURS)}
    pages: bytes = typst.compile(
        {"main.typ": asset("document.typ")} | {name: text.encode() for name, text in files.items()},
        font_paths=_fonts(),
        format=format,
        ppi=200,
        pdf_standards="a-2b" if format == "pdf" else None,
        timestamp=0,  # PDF/A wants a date; that of today would make every file another one
    )
    return pages


@cache
def _fonts() -> Any:
    return import_extra("typst", "pdf").Fonts(include_system_fonts=False, include_embedded_fonts=True)


def _each_text(data: Any, change: Callable[[str], str]) -> Any:
    """The data with each text in it changed."""
    match data:
        case str():
            return change(data)
        case list():
            return [_each_text(item, change) for item in data]
        case dict():
            return {key: _each_text(item, change) for key, item in data.items()}
    return data


def _with_numbers_for_marks(words: str) -> str:
    """The text on one line, with numbers for what has no shape of its own: marks, private characters."""
    composed = normalize("NFC", clean(words))
    return "".join(_code_point(c) if category(c) in ("Mn", "Mc", "Me", "Co") else c for c in composed)


def _drawable(words: str) -> str:
    """The text with numbers for the characters that cannot be drawn."""
    return "".join(c if _is_drawable(c) else _code_point(c) for c in words)


def _code_point(character: str) -> str:
    return f"‹U+{ord(character):04X}›"


@cache
def _is_drawable(character: str) -> bool:
    """Whether Typst's fonts have it, in each place where text may stand."""
    if character.isascii():
        return True
    words = {"node": "words", "text": character}
    blocks = [
        {"block": "heading", "level": 2, "parts": [character, words], "text": character},
        {"block": "paragraph", "aside": False, "parts": [character, words]},
    ]
    try:
        _compiled({"title": character, "paper": "a4", "blocks": blocks})
    except import_extra("typst", "pdf").TypstError as error:
        if not _is_about_glyphs(error):
            raise
        return False
    return True
