"""Names and numbers as source files hold them: exact, in lines that fit, and never more than a literal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.formula.text import clean, to_ascii

#: Columns of a line.
WIDTH = 100

#: What would end a comment, begin one inside it, or tell a compiler or a browser anything.
_HARMLESS = {"\\": "∖", '"': "'", "*/": "* /", "/*": "/ *", "</": "< /", "<!": "< !", "??": "? ?"}


def comment(text: str, longest: int = WIDTH) -> str:
    """Return any text as part of a comment, on one line, whatever the language.

    Examples
    --------
    >>> comment('*/ system("rm")')
    "* / system('rm')"
    """
    text = clean(text)
    for bad, good in _HARMLESS.items():
        while bad in text:
            text = text.replace(bad, good)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def ascii_comment(text: str, longest: int = WIDTH) -> str:
    """:func:`comment` with symbols written in ASCII, for compilers that warn of others; letters stay."""
    return comment(to_ascii(clean(text)), longest)


def _quoted(text: str, escape: Callable[[str], str]) -> str:
    """Text in quotes; what does not print is escaped."""
    escaped = (f"\\{c}" if c in '"\\' else c if c.isprintable() else escape(c) for c in text)
    return f'"{"".join(escaped)}"'


def python_string(text: str) -> str:
    r"""A string literal of Python.

    Examples
    --------
    >>> print(python_string('a "name"\n'))
    "a \"name\"\n"
    """
    return _quoted(text, lambda c: repr(c)[1:-1])


def javascript_string(text: str) -> str:
    r"""A string literal of JavaScript, which may stand in a web page.

    Examples
    --------
    >>> print(javascript_string('</script>'))
    "<\/script>"
    """
    return re.sub(r"<(?=[/!])", r"<\\", _quoted(text, lambda c: f"\\u{{{ord(c):x}}}"))


def c_string(text: str) -> str:
    r"""A string literal of C, in UTF-8, without trigraphs.

    Examples
    --------
    >>> print(c_string('why??/'), c_string('\n1'))
    "why\?\?/" "\0121"
    """
    quoted = _quoted(text, lambda c: "".join(f"\\{byte:03o}" for byte in c.encode(errors="replace")))
    return quoted.replace("?", "\\?") if "??" in quoted else quoted


def number_texts(values: Array, nan: str, suffix: str = "") -> list[str]:
    """Return each number in as few digits as tell it from every other of its type.

    Examples
    --------
    >>> number_texts(np.array([0.1, np.nan, 1e-20], dtype=np.float32), "NAN", "f")
    ['0.1f', 'NAN', '1e-20f']
    """
    texts: Iterable[Any] = map(str, values) if values.dtype == np.float32 else map(repr, values.tolist())
    return [nan if text == "nan" else text + suffix for text in texts]


def vector_lines(head: str, texts: Sequence[str], brackets: str, tail: str) -> list[str]:
    """``head[1, 2, 3]tail``, on one line or wrapped."""
    left, right = brackets[0], brackets[1]
    line = f"{head}{left}{', '.join(texts)}{right}{tail}"
    if len(line) <= WIDTH:
        return [line]
    texts, width = _aligned(texts)
    return [f"{head}{left}", *_wrapped("    ", texts, width, ","), f"{right}{tail}"]


def matrix_lines(
    head: str, texts: Sequence[str], columns: int, brackets: str, tail: str, notes: Sequence[str] = ()
) -> list[str]:
    """``head[[1, 2], [3, 4]]tail``: each row begins a line, with a note behind it where there is room."""
    left, right = brackets[0], brackets[1]
    texts, width = _aligned(texts)
    rows = [
        _wrapped(f"    {left}", texts[start : start + columns], width, f"{right},")
        for start in range(0, len(texts), columns)
    ]
    if notes and all(len(row) == 1 for row in rows):
        longest = max(len(line) for row in rows for line in row)
        rows = [[f"{row[0]:<{longest}}  {note}"] for row, note in zip(rows, notes, strict=True)]
    return [f"{head}{left}", *chain.from_iterable(rows), f"{right}{tail}"]


def _aligned(texts: Sequence[str]) -> tuple[list[str], int]:
    """Numbers with room for the sign, where one has a sign; the columns of the longest and its comma."""
    signed = any(text.startswith("-") for text in texts)
    aligned = [f" {text}" if signed and not text.startswith("-") else text for text in texts]
    return aligned, max(map(len, aligned)) + 1


def _wrapped(start: str, texts: Sequence[str], width: int, end: str) -> list[str]:
    """Numbers in columns, in as many lines as they need; the first begins with ``start``."""
    count = max((WIDTH - len(start)) // (width + 1), 1)
    blocks = [texts[first : first + count] for first in range(0, len(texts), count)]
    lines = [" ".join(f"{text + ',':<{width}}" for text in block).rstrip() for block in blocks]
    lines[-1] = lines[-1].removesuffix(",") + end
    return [(start if number == 0 else " " * len(start)) + line for number, line in enumerate(lines)]
