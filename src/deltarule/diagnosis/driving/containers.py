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
from deltarule.diagnosis.recording.traced import Traced

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
        """Whether each part asks for itself, too, or was asked for its length only."""
        return all(map(_is_open, super().__iter__()))

    def __getitem__(self, key: Any) -> Any:
        if type(key) is int and 0 <= key < super().__len__():
            return super().__getitem__(key)
        if type(key) is int and key >= 0 and instructions.is_written(sys._getframe(1)):
            raise Want(self._path, "parts", (key,))
        raise Want(self._path, "list", 0)


def _is_open(part: Any) -> bool:
    """Whether nothing but its length is known of something."""
    items = list.__iter__(part) if isinstance(part, AskingList) else [part]
    return all(isinstance(one, OpenArgument | AskingParts) for one in items)


class AskingList(list[Any]):
    """A list that asks to be longer.

    That it is too short shows, too, where one number is read from both ends, as a weight and as the bias,
    and nobody asked how long it is.
    """

    def __init__(self, path: Path, parts: list[Any]) -> None:
        super().__init__(parts)
        self._path = path
        self._ends: tuple[set[int], set[int]] = set(), set()
        self._is_measured = False

    @property
    def shape(self) -> tuple[int, ...]:
        """What ``np.shape`` tells of it; of what asks itself, how many there are."""
        count = super().__len__()
        is_open = count and isinstance(super().__getitem__(0), OpenArgument)
        return (count, *(() if is_open or not count else np.shape(super().__getitem__(0))))

    @property
    def is_open_table(self) -> bool:
        """Whether it holds lists, and nothing but their lengths is known."""
        items = list(super().__iter__())
        is_table = len(self._path) == 2 and all(isinstance(one, AskingList) for one in items)
        return bool(items) and is_table and all(map(_is_open, items))

    def __len__(self) -> int:
        self._is_measured = self._is_measured or "/deltarule/" not in sys._getframe(1).f_code.co_filename
        return super().__len__()

    def __iter__(self) -> Iterator[Any]:
        self._is_measured = self._is_measured or "/deltarule/" not in sys._getframe(1).f_code.co_filename
        return super().__iter__()

    def __getitem__(self, key: Any) -> Any:
        count = super().__len__()
        if type(key) is int and key >= count:
            raise Want(self._path, "list", key + 1)
        found = super().__getitem__(key)
        if type(key) is int and type(found) is Traced:
            self._ends[key < 0].add(key % count)
            if not self._is_measured and self._ends[0] & self._ends[1]:
                raise Want(self._path, "list", count + 1)
        return found
