"""Benchmarks: deltarule beside its peers, checked to compute the same and timed in turns.

Run from the root of a checkout: ``python -m benchmarks --help``.
"""

from __future__ import annotations

import sys
from types import TracebackType

__all__: list[str] = []


def _say_what_is_absent(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    """End with one line where a package is not installed."""
    if isinstance(error, ModuleNotFoundError):
        print(f'benchmarks: needs the package {error.name}: pip install -e ".[bench]"', file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, where)


if sys.argv[:1] == ["-m"]:  # so it is while ``python -m`` looks for what it will run
    sys.excepthook = _say_what_is_absent
