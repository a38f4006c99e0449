"""Tables of pandas that a program reads and that are not there, made up."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltarule.diagnosis.recording.made_data import note, numbers
from deltarule.diagnosis.recording.traced import has_traced, leaf


def wrap_pandas(name: str, found: Any) -> Any:
    """A function of pandas, which makes up the tables that are not there."""
    if not name.startswith("read_"):
        return found

    def read(*args: Any, **options: Any) -> Any:
        try:
            return found(*args, **options)
        except OSError:
            note(f"{args[0]} is missing: made-up numbers were used")
            return Frame(numbers(args[0]))

    return read


class Frame:
    """A made-up table in place of one of pandas."""

    def __init__(self, numbers: Any) -> None:
        self._numbers = np.asarray(numbers)

    @property
    def values(self) -> Any:
        return leaf(self._numbers, is_scalar=False)

    @property
    def shape(self) -> Any:
        return self._numbers.shape

    @property
    def index(self) -> Any:
        return np.arange(len(self._numbers))

    @property
    def columns(self) -> Any:
        return [f"column {k}" for k in range(self._numbers.shape[-1])]

    iloc = values

    @property
    def T(self) -> Frame:
        return Frame(self._numbers.T)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._numbers, dtype)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Any:
        return iter(self.columns if self._numbers.ndim > 1 else self.values)

    def __getitem__(self, key: Any) -> Any:
        """Some columns, the last for one name; rows where they are chosen otherwise."""
        if isinstance(key, list) and key and isinstance(key[0], str):
            return Frame(self._numbers[:, : len(key)])
        return Frame(self._numbers[:, -1]) if isinstance(key, str) else self.values

    def __setitem__(self, key: Any, x: Any) -> None:
        pass

    def to_numpy(self, *args: Any, **options: Any) -> Any:
        return self.values

    def iterrows(self) -> Any:
        return enumerate(self.values)

    def drop(self, labels: Any = None, *args: Any, **options: Any) -> Any:
        """Without columns; rows that are dropped stay."""
        named = labels if isinstance(labels, str | list) else options.get("columns")
        return Frame(self._numbers[:, :-1]) if named is not None else self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("mean", "std", "min", "max", "sum"):
            return lambda *args, **options: Frame(getattr(self._numbers, name)(axis=0))
        return lambda *args, **options: self


def _add_arithmetic(name: str) -> None:
    def combine(self: Frame, other: Any) -> Frame:
        if has_traced(other):
            return getattr(self.values, name)(other)
        return Frame(getattr(self._numbers, name)(np.asarray(other)))

    setattr(Frame, name, combine)


for _name in ("add", "sub", "mul", "truediv", "radd", "rsub", "rmul", "rtruediv"):
    _add_arithmetic(f"__{_name}__")
