"""The reply of a process that runs foreign code: JSON between two nonces, read as data and never run."""

from __future__ import annotations

import contextlib
import json
import os
import types
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from deltarule.errors import DeltaruleError, InputError

_LONGEST_REPLY = 1_000_000
_LONGEST_TEXT = 2000
_SENSELESS = "the reply of the checker's process cannot be understood"
_TAMPERED = "the program tampered with the reply of its checker, so nothing in the reply is used"


class ApartError(DeltaruleError, ValueError):
    """What ran apart ended without a reply that can be believed; the message is a sentence."""


def written_in(home: Path) -> bytes:
    """Return what stands where the reply should; nothing if it is no file."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(home / "reply", flags), "rb") as file:
            return file.read(_LONGEST_REPLY + 1)
    except OSError:
        return b""


def believed(written: bytes, nonce: str, here: str, there: str) -> Any:
    """Return what a reply tells, with one path in the place of another.

    Raises
    ------
    ApartError
        If it does not stand between two nonces, or tells a failure.
    InputError
        If it tells one.
    """
    ends = nonce.encode()
    if len(written) > _LONGEST_REPLY or not (written.startswith(ends) and written.endswith(ends)):
        raise ApartError(_TAMPERED)
    old, new = (json.dumps(path)[1:-1] for path in (here, there))
    told = json.loads(written[len(ends) : -len(ends)].decode().replace(old, new))
    if type(told) is not dict or told.keys() != {"told", "refused", "failed"}:
        raise ApartError(_SENSELESS)
    if told["refused"]:
        raise InputError(told["refused"])
    if told["failed"]:
        raise ApartError(told["failed"])
    return told["told"]


def plain_json(x: Any) -> Any:
    """Return what JSON knows, with short strings and without control characters."""
    if isinstance(x, dict):
        return {plain_json(key): plain_json(one) for key, one in x.items()}
    if isinstance(x, list | tuple):
        return [plain_json(one) for one in x]
    if x is None or isinstance(x, bool | int | float):
        return x
    if hasattr(x, "item"):
        return x.item()
    return printable(str(x)[:_LONGEST_TEXT])


def printable(text: str) -> str:
    """Return the text with control characters, but for tabs and line ends, as escapes."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else repr(sign)[1:-1] for sign in text)


def typed(hint: Any, told: Any) -> Any:
    """Return what a reply tells as the type that it must have: a record, a tuple, a number, a string.

    Raises
    ------
    ValueError
        If it has another.
    """
    kind, inner = get_origin(hint), get_args(hint)
    if hint is Any or (kind is Literal and told in inner):
        return told
    for one in inner if kind in (Union, types.UnionType) else ():
        with contextlib.suppress(ValueError):
            return typed(one, told)
    if kind is tuple and type(told) is list:
        inner = inner[:1] * len(told) if inner[-1] is Ellipsis else inner
        return tuple(typed(one, part) for one, part in zip(inner, told, strict=True))
    if kind is dict and type(told) is dict:
        return {inner[0](key): typed(inner[1], part) for key, part in told.items()}  # JSON's keys are strings
    if isinstance(hint, type) and is_dataclass(hint) and type(told) is dict:
        hints = get_type_hints(hint)
        if told.keys() == hints.keys():
            return hint(**{name: typed(hints[name], part) for name, part in told.items()})
    if hint is float and type(told) is int:
        return float(told)
    if type(told) is not hint:
        raise ValueError(_SENSELESS)
    return told
