"""What may stand in an example file: every section, every key, and what its value must be."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from deltarule.errors import DataFileError, all_faults
from deltarule.registry import did_you_mean

Check = Callable[[Any], bool]


def _is(*types: type) -> Check:
    """Check for a value of one of the types; true and false are no numbers."""
    return lambda value: isinstance(value, types) and (bool in types or not isinstance(value, bool))


_is_text, _is_number, _is_whole = _is(str), _is(int, float), _is(int)


def _is_figures(value: Any) -> bool:
    return all(map(_is_figures, value)) if isinstance(value, list) else _is_number(value)


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _either(*checks: Check) -> Check:
    return lambda value: any(check(value) for check in checks)


TEXT = (_is_text, "a text")
NUMBER = (_is_number, "a number")
WHOLE = (_is_whole, "a whole number")
FIGURES = (_is_figures, "a number or a list of numbers")

#: Section -> key -> (whether a value is right, what is right in words). Sections that are None take any
#: key, with numbers.
SECTIONS: dict[str, dict[str, tuple[Check, str]] | None] = {
    "network": {
        "sizes": (_list_of(_is_whole), "a list of whole numbers"),
        "activation": (_either(_is_text, _list_of(_is_text)), "a text or a list of texts"),
        "output": TEXT,
        "loss": TEXT,
        "bias": (_is(str, bool), "a text, true or false"),
        "initializer": TEXT,
        "bias_initializer": TEXT,
        "seed": WHOLE,
        "l1": NUMBER,
        "l2": NUMBER,
        "reduction": TEXT,
        "dropout": (_either(_is_number, _list_of(_is_number)), "a number or a list of numbers"),
        "dtype": TEXT,
    },
    "weights": None,
    "data": {
        "x": (_list_of(_is_figures), "a list of numbers or of rows"),
        "y": (_either(_is_text, _list_of(_is_figures)), 'a list of numbers or of rows, or "x"'),
    },
    "training": {
        "optimizer": TEXT,
        "learning_rate": (_is(int, float, str), "a number or a schedule"),
        "updates": WHOLE,
        "epochs": WHOLE,
        "batch_size": WHOLE,
        "seed": WHOLE,
        "frozen": (_list_of(_is_text), "a list of names"),
    },
    "published": None,
    "exact": None,
}

REQUIRED = (("network", "sizes"), ("data", "x"), ("data", "y"))


def read_toml(content: bytes, path: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a TOML file, and what it says.

    Raises DataFileError if it is not TOML, with line and column.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataFileError(path, f"byte {error.start} is not UTF-8 text", line) from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        numbers = map(int, place.groups()) if place else (text.count("\n") + 1,)
        raise DataFileError(path, f"not TOML: {str(error).partition(' (at ')[0]}", *numbers) from None
    except RecursionError:
        raise DataFileError(path, "lists are nested too deeply") from None


def check_schema(sections: Mapping[str, Any], text: str, path: str) -> None:
    """Refuse what an example cannot hold; ``text`` is the file's, for the number of the line.

    Raises
    ------
    DataFileError
        On unknown sections or keys, values of the wrong kind, or something required that is missing: all of
        them are named.
    """
    found = _faults(sections)
    raise_faults([DataFileError(path, why, line_of(text, section, key)) for section, key, why in found])


def raise_faults(faults: Sequence[DataFileError]) -> None:
    """Raise the faults of a file, all in one; nothing where there are none.

    Raises
    ------
    DataFileError
    """
    if faults:
        raise all_faults(faults)


def _faults(sections: Mapping[str, Any]) -> Iterator[tuple[str, str | None, str]]:
    """Yield (section, key, what is wrong) for each fault."""
    for section, values in sections.items():
        if section == "title":
            if not _is_text(values):
                yield "", "title", f"title must be a text, got {values!r:.60}"
        elif section not in SECTIONS:
            hint = did_you_mean(section, ["title", *SECTIONS])
            yield "", section, f"unknown key or section {section!r}{hint}"
        elif not isinstance(values, dict):
            yield "", section, f"{section} must be a section [{section}], got {values!r:.60}"
        else:
            yield from _faults_within(section, values)
    for section in dict.fromkeys(section for section, _ in REQUIRED):
        if section not in sections:
            keys = [key for needing, key in REQUIRED if needing == section]
            are = "key is" if len(keys) == 1 else "keys are"
            yield section, None, f"the section [{section}] is missing: its {are} {' and '.join(keys)}"
    for section, key in REQUIRED:
        values = sections.get(section)
        if isinstance(values, dict) and key not in values:
            yield section, None, f"[{section}] needs a key {key!r}"


def _faults_within(section: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str | None, str]]:
    known = SECTIONS[section]
    for key, value in values.items():
        if known is not None and key not in known:
            yield section, key, f"[{section}] has no key {key!r}{did_you_mean(key, known)}"
            continue
        check, words = FIGURES if known is None else known[key]
        if not check(value):
            yield section, key, f"{key} in [{section}] must be {words}, got {value!r:.60}"


def line_of(text: str, section: str, key: str | None = None) -> int | None:
    """Find the line, from 1, of a key in a section, else of its heading; None where there is neither.

    The section ``""`` is what stands before the first heading; its keys are the headings themselves, too.
    """
    here, found = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        heading = re.match(r"\s*\[\s*([\w-]+)\s*\]", line)
        if heading:
            here = heading[1]
            if here == (section or key):
                found = number
        elif key and here == section and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[.=]", line):
            return number
    return found
