"""What can go wrong, as one tree of exceptions.

    DeltaruleError
    ├── InputError          a value or an array that cannot be used (also a ValueError)
    │   ├── ShapeError      an array of the wrong shape
    │   └── DataFileError   a data file that cannot be read: file:line:column: reason
    │       ├── DataFaults  several such faults, one on each line
    │       └── LayoutError a folder of another layout than is wanted, with a drawing of both
    ├── ModelFileError      a file that is not a whole and sound model of ours
    ├── DivergenceError     training left the range of finite numbers (also an ArithmeticError)
    └── MissingExtraError   an optional package is not installed (also an ImportError)

Every message names what was wrong, where, what was expected, what was found, and what to do.
"""

from __future__ import annotations

import os
from collections.abc import Sequence


class DeltaruleError(Exception):
    """The base class of all errors that deltarule raises.

    Examples
    --------
    >>> from deltarule.nn.network import Network
    >>> try:
    ...     Network([2, 0, 1])
    ... except DeltaruleError as error:
    ...     print(type(error).__name__)
    InputError
    """


class InputError(DeltaruleError, ValueError):
    """A value or an array that cannot be used.

    Examples
    --------
    >>> issubclass(InputError, ValueError)
    True
    """


class ShapeError(InputError):
    """An array of the wrong shape.

    Examples
    --------
    >>> from deltarule.nn.network import Network
    >>> try:
    ...     Network([2, 1]).forward([[1.0, 2.0, 3.0]])
    ... except ShapeError as error:
    ...     print(error)
    layer 1 (Dense 2 → 1, identity) expects inputs of shape (batch, 2), got (1, 3)
    """


class DataFileError(InputError):
    """A data file that cannot be read; prints as ``file:line:column: reason``.

    ``line`` and ``column`` count from 1; either is None if the fault cannot be placed there.

    Examples
    --------
    >>> print(DataFileError("iris.csv", "expected a number, got 'x'", 3, 2))
    iris.csv:3:2: expected a number, got 'x'
    """

    def __init__(
        self, path: str | os.PathLike[str], reason: str, line: int | None = None, column: int | None = None
    ) -> None:
        self.path, self.reason, self.line, self.column = os.fspath(path), reason, line, column
        known = () if line is None else (line, column)  # a field of no line would read as a line
        place = "".join(f":{number}" for number in known if number is not None)
        super().__init__(f"{self.path}{place}: {reason}")


class DataFaults(DataFileError):
    """Several faults of one data file, all named at once: one ``file:line:column: reason`` on each line."""

    def __init__(self, faults: Sequence[DataFileError]) -> None:
        first = faults[0]
        super().__init__(first.path, first.reason, first.line, first.column)
        self.faults = tuple(faults)
        self.args = ("\n".join(str(fault) for fault in faults),)


def all_faults(faults: Sequence[DataFileError]) -> DataFileError:
    """Return what to raise for the faults of one file: the fault itself, or all of them at once."""
    return faults[0] if len(faults) == 1 else DataFaults(faults)


class LayoutError(DataFileError):
    """A folder that cannot be understood; ``drawing`` has the layout that is wanted beside the one found."""

    def __init__(self, path: str | os.PathLike[str], reason: str, drawing: str) -> None:
        super().__init__(path, reason)
        self.drawing = drawing
        self.args = (f"{self.path}: {reason}\n{drawing}",)


class ModelFileError(DeltaruleError):
    """A file that is not a complete and valid deltarule model; nothing in it was executed.

    Examples
    --------
    >>> issubclass(ModelFileError, DeltaruleError)
    True
    """


class DivergenceError(DeltaruleError, ArithmeticError):
    """Training left the range of finite numbers.

    ``epoch`` is the first epoch that went wrong. The network has its parameters from before that epoch.

    Examples
    --------
    >>> DivergenceError("the loss is not finite", epoch=7).epoch
    7
    """

    def __init__(self, message: str, epoch: int) -> None:
        self.epoch = epoch
        super().__init__(message)


class MissingExtraError(DeltaruleError, ImportError):
    """An optional package is not installed; the message says which extra installs it.

    Examples
    --------
    >>> issubclass(MissingExtraError, ImportError)
    True
    """
