"""What a function that needs no arguments shows: what the program's other functions return to it."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

from deltarule.diagnosis.driving.returned import arrays_in


def needs_nothing(function: Any) -> bool:
    """Whether a function can be called without arguments."""
    others = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    parameters = inspect.signature(function).parameters.values()
    return all(one.default is not one.empty or one.kind in others for one in parameters)


@contextlib.contextmanager
def seen_returns(path: str) -> Iterator[dict[str, Any]]:
    """The arrays that each function of a program returns first, by name; nothing of no program."""
    found: dict[str, Any] = {}

    def see(frame: FrameType, event: str, result: Any) -> None:
        code = frame.f_code
        if event != "return" or code.co_filename != path or code.co_name in found or result is None:
            return
        if arrays := dict(arrays_in(result, code.co_name, lists=True)):  # what it holds later is not returned
            found[code.co_name] = arrays

    sys.setprofile(see if path else None)
    try:
        yield found
    finally:
        sys.setprofile(None)
