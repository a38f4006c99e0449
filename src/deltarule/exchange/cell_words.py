"""What exported source files know about cells: the tokens, patterns and words of this library's reading."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from textwrap import wrap

from deltarule.data.meaning.columns import YES_NO
from deltarule.data.meaning.dates import CTIME, MONTHS, PATTERNS, PLACES
from deltarule.data.meaning.numbers import AROUND, BEFORE_UNIT, CURRENCIES, GROUPED, LETTER_UNITS, TIMES
from deltarule.data.reading import MISSING_CELLS
from deltarule.data.reading.cells import INVISIBLE
from deltarule.exchange.literals import c_string, javascript_string, python_string, vector_lines

_MISSING = sorted(MISSING_CELLS)
_YES_NO = {word: value for pair in (("0", "1"), *YES_NO) for value, word in enumerate(pair)}
_WIDTH = 80


def python_words(nan: str) -> dict[str, str]:
    """Return the words for Python, where not a number is written like this."""
    tokens = vector_lines("MISSING = ", list(map(python_string, _MISSING)), "[]", "")
    tokens += vector_lines("YES_NO = ", _pairs("{}: {}", python_string, _YES_NO), "{}", "")
    tokens += vector_lines("TIMES = ", _pairs("{}: {}", python_string, {"": 1.0} | TIMES), "{}", "")
    return _words(lambda pattern: f"(\n    {_pieces(pattern, python_string, ' ')}\n)") | {
        "TOKENS": "\n".join(tokens),
        "CTIME": f"(\n    {_pieces(CTIME, python_string, ' ')}\n)",
        "INVISIBLE": python_string(INVISIBLE),
        "PLACES": json.dumps(PLACES).replace("[", "(").replace("]", ")"),
        "LETTERS": python_string(LETTER_UNITS),
        "NAN": nan,
        "INF": nan.replace("nan", "inf"),
    }


def javascript_words() -> dict[str, str]:
    """Return the words for JavaScript, whose patterns are written otherwise and match anywhere."""
    tokens = vector_lines("const MISSING = ", list(map(javascript_string, _MISSING)), "[]", ";")
    for name, known in (("YES_NO", _YES_NO), ("TIMES", {"": 1.0} | TIMES)):
        pairs = _pairs("[{}, {}]", javascript_string, known)
        tokens += vector_lines(f"const {name} = new Map(", pairs, "[]", ");")
    words = _words(lambda pattern: _pieces(f"^(?:{_as_javascript(pattern)})$", javascript_string, " + "))
    return words | {
        "TOKENS": "\n".join(tokens),
        "CTIME": _pieces(CTIME, javascript_string, " + "),
        "INVISIBLE": "".join(f"\\u{ord(one):04x}" for one in INVISIBLE),
        "PLACES": json.dumps(PLACES),
        "LETTERS": javascript_string(LETTER_UNITS),
    }


def c_words() -> dict[str, str]:
    """Return the words for C, which has no patterns."""
    lines = []
    for name, words in (("MISSING", _MISSING), ("CURRENCIES", CURRENCIES)):
        head = f"static const char *const {name}[] = "
        lines += vector_lines(head, list(map(c_string, words)), "{}", ";")
    pairs = [f"{{{c_string(no)}, {c_string(yes)}}}" for no, yes in (("0", "1"), *YES_NO)]
    lines += vector_lines("static const char *const NO_YES[][2] = ", pairs, "{}", ";")
    head = "static const struct { const char *word; double factor; } TIMES[] = "
    lines += vector_lines(head, _pairs("{{{}, {}}}", c_string, TIMES), "{}", ";")
    head = "    static const struct { const char *word; int number; } MONTHS[] = "
    months = vector_lines(head, _pairs("{{{}, {}}}", c_string, MONTHS), "{}", ";")
    return {"TOKENS": "\n".join(lines), "LETTERS": c_string(LETTER_UNITS), "MONTHS": "\n".join(months)}


def _pairs(form: str, quoted: Callable[[str], str], known: Mapping[str, float]) -> list[str]:
    """Words with their numbers, as a language writes them."""
    return [form.format(quoted(word), value) for word, value in known.items()]


def _words(literal: Callable[[str], str]) -> dict[str, str]:
    """The words that Python and JavaScript have alike."""
    dates = [f'    "{form}": {literal(one.pattern)},\n' for form, one in PATTERNS.items()]
    return {
        "AROUND": literal(AROUND.pattern),
        "POINT": literal(GROUPED["point"].pattern),
        "COMMA": literal(GROUPED["comma"].pattern),
        "UNIT": literal(BEFORE_UNIT.pattern),
        "DATES": f"{{\n{''.join(dates)}}}",
        "MONTHS": "\n    ".join(wrap(json.dumps(MONTHS), _WIDTH)),
    }


def _pieces(pattern: str, quoted: Callable[[str], str], joined: str) -> str:
    """A long text as several literals, a line for each."""
    pieces = [quoted(pattern[start : start + _WIDTH]) for start in range(0, len(pattern), _WIDTH)]
    return f"{joined.rstrip()}\n    ".join(pieces)


def _as_javascript(pattern: str) -> str:
    """A pattern of Python for ``new RegExp(…, "u")``."""
    return pattern.replace("(?P<", "(?<").replace(r"[^\W\d_]", r"\p{L}").replace('\\"', '"')
