"""Templates of source files: code in its own language, in ``assets``, with words and lines to fill in.

``__WORD__`` stands for a text. Where it begins a line, perhaps as a comment (``# __WORD__``), it stands for
lines, each indented as it is; where there are none, its line goes. A line that ends with ``# if name`` is
there under that condition only; so are the lines from ``# if name`` to ``# endif``. A condition holds where
it is given, and ``!name`` where it is not. C and JavaScript have ``//`` in the place of ``#``, and C has
``#if name`` and ``#endif``, too, which a compiler takes for its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from importlib.resources import files

_BLOCK = re.compile(r"^(?:#|//) ?if (?P<condition>!?\w+)\n(?P<kept>.*?)\n(?:#|//) ?endif\n", re.M | re.S)
_LINE = re.compile(r"^(?P<kept>.*?) *(?:#|//) if (?P<condition>!?\w+)\n", re.M)
_WORD = re.compile(r"(?:^([ *]*)(?:(?:#|//) )?)?__([A-Z_]+)__(\n?)", re.M)


def filled_in(asset: str, words: Mapping[str, str], conditions: Collection[str]) -> str:
    """Return the text of an asset with its words filled in, under conditions.

    Examples
    --------
    >>> words = {"NAN": "math.nan", "NAMES": "FEATURES"}
    >>> filled_in("command_line.py", words, ["has_classes", "has_columns"]).splitlines()[5]
    '    print(answer)'
    """

    def chosen(found: re.Match[str]) -> str:
        condition = found["condition"]
        holds = (condition.removeprefix("!") in conditions) != condition.startswith("!")
        return f"{found['kept']}\n" if holds else ""

    def filled(found: re.Match[str]) -> str:
        indent, word, end = found[1] or "", words[found[2]], found[3]
        return indent + word.replace("\n", f"\n{indent}") + end if word else ""

    text = files("deltarule.exchange").joinpath("assets", asset).read_text("utf-8")
    return _WORD.sub(filled, _LINE.sub(chosen, _BLOCK.sub(chosen, text)))
