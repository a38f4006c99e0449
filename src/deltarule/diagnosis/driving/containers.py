"""Containers that stand for an argument: they ask for what they do not hold."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.asking import OpenArgument
from deltarule.diagnosis.driving.wants import Path, Want
from deltarule.diagnosis.recording import instructions

#: Where functions of arrays are called in place of NumPy's.
_RECORDING = os.path.dirname(instructions.__file__)


class AskingTable(dict[Any, Any]):
    """A dictionary that asks for a key which it has not."""

    def __init__(self, path: Path, parts: dict[Any, Any]) -> None:
        super().__init__(parts)
        self._path = path

    def __missing__(self, key: Any) -> Any:
        raise Want(self._path, "keys", (key,))


class AskingParts(list[Any]):
    """What a list has at places that are written out; where more is done, it asks to be a whole list."""

    def __init__(self, path: Path, parts: list[Any]) -> None:
        super().__init__(parts)
        self._path = path

    def __len__(self) -> int:
        raise self._as_whole(sys._getframe(1))

    def __iter__(self) -> Iterator[Any]:
        raise self._as_whole(sys._getframe(1))

    def __reversed__(self) -> Iterator[Any]:
        raise Want(self._path, "list", 0)

    def _as_whole(self, frame: FrameType) -> Want:
        """An array, where a function of arrays takes it and nothing else is known of its parts."""
        is_array = frame.f_code.co_filename.startswith(_RECORDING) and self._is_open()
        return Want(self._path, "whole" if is_array else "list", None if is_array else 0)

    def _is_open(self) -> bool:
        """Whether each part asks for itself, too."""
        return all(isinstance(one, OpenArgument | AskingParts) for one in super().__iter__())

    def __getitem__(self, key: Any) -> Any:
        if type(key) is int and 0 <= key < super().__len__():
            return super().__getitem__(key)
        if type(key) is int and key >= 0 and instructions.is_written(sys._getframe(1)):
            raise Want(self._path, "parts", (key,))
        raise Want(self._path, "list", 0)


class AskingList(list[Any]):
    """A list that asks to be longer."""

    def __init__(self, path: Path, parts: list[Any]) -> None:
        super().__init__(parts)
        self._path = path

    @property
    def shape(self) -> tuple[int, ...]:
        """What ``np.shape`` tells of it; of what asks itself, how many there are."""
        is_open = len(self) and isinstance(self[0], OpenArgument)
        return (len(self), *(() if is_open or not len(self) else np.shape(self[0])))

    def __getitem__(self, key: Any) -> Any:
        if type(key) is int and key >= len(self):
            raise Want(self._path, "list", key + 1)
        return super().__getitem__(key)
