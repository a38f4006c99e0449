"""What is wanted of an argument that asks what it should be, and how large it is, which asks, too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NoReturn, TypeAlias

from deltarule.diagnosis.recording import instructions

#: Where an argument stands: the function, the parameter, then keys, or "[]" for each element of a list.
Path: TypeAlias = tuple[Any, ...]
Shape: TypeAlias = tuple[int, ...]
#: What an argument should be, and how large.
Answer: TypeAlias = tuple[str, Any]
#: Of a size: that nothing is counted with it. Of a number: that it is a probability.
WIDTH, SHARE = "width", "share"


class Want(BaseException):
    """What is wanted of an argument that asks; no ``except Exception`` of the learner's catches it."""

    def __init__(self, path: Path, kind: str, detail: Any = None) -> None:
        super().__init__(path, kind, detail)
        self.path, self.kind, self.detail = path, kind, detail


class OpenShape:
    """The shape of an argument that asks: how many samples there are is known before anything else."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def wanted(self, detail: Any = None) -> NoReturn:
        """A matrix that an object is made with is square until it meets something."""
        one = self._owner
        if one._is_maker and one._is_weight and one._columns and len(one._path) == 2:
            raise Want(one._path, "parameter", (one._columns, one._columns))
        raise Want(one._path, "array", detail)

    def __getitem__(self, key: Any) -> int:
        layout = self._owner._layout
        at = 1 if layout.data == "columns" else 0
        is_whole = len(self._owner._path) == 2 or isinstance(self._owner._path[-1], str)
        is_known = is_whole and layout.data not in ("vector", "series") and not self._owner._moves
        if key == at and is_known and not self._owner._is_maker:
            return 1 if layout.data == "row" else layout.samples
        return self.wanted()

    def __iter__(self) -> Iterator[int]:
        names = instructions.unpacked(sys._getframe(1))
        if len(names) > 2:
            raise Want(self._owner._path, "images", len(names))
        self.wanted()

    def __len__(self) -> int:
        self.wanted()

    def __eq__(self, other: object) -> bool:
        is_shape = isinstance(other, tuple) and all(isinstance(one, int) for one in other)
        self.wanted(other if is_shape else None)

    __hash__ = None  # type: ignore[assignment]


class OpenSize:
    """How many numbers an argument that asks has: as many as it is compared with."""

    def __init__(self, owner: Any) -> None:
        self._owner = owner

    def _known(self, *_: Any) -> Any:
        raise Want(self._owner._path, "array")

    __index__ = __int__ = __float__ = __bool__ = __add__ = __radd__ = __sub__ = __rsub__ = _known
    __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = __lt__ = __le__ = __gt__ = __ge__ = (
        _known
    )

    def __eq__(self, other: object) -> bool:
        if other == 0:
            return False  # it is not empty
        is_count = isinstance(other, int) and not self._owner._moves
        raise Want(self._owner._path, "array", (other,) if is_count else None)

    __hash__ = None  # type: ignore[assignment]
