"""What is known of the arguments of one way of calling: what was done with them has told it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import EnumType
from typing import Any

from deltarule.diagnosis.driving.layouts import disagreeing
from deltarule.diagnosis.driving.plausible import DATA, TARGET
from deltarule.diagnosis.driving.tables import learn_columns
from deltarule.diagnosis.driving.wants import SHARE, WIDTH, Path, Want
from deltarule.diagnosis.recording.usual_activation import NOT_MADE

_CHOSEN = re.compile(r"act|func|method|kind|type|mode|loss", re.I)
#: What an argument may be, too, if it is not what it was taken for.
_SECOND = {
    "index": "indices", "factor": "array", "number": "array", "labels": "array", "list": "array",
    "images": "series",
}  # fmt: skip
#: And if places are to be counted with it, as of the classes.
_LABELS = {"array": "labels", "target": "labels"}
#: How many words a program may count, and how long a list of numbers becomes.
_MANY = 8
_LENGTHS = (3, 2, 4, 1, 5)
#: What Python says of an argument that is of another kind, and not of another length.
_OF_KINDS = re.compile(
    r"operand|attribute|subscriptable|iterable|integer|not aligned|broadcast|callable|concatenate"
)
#: And of what an object has not.
_LACKS = re.compile(r"^'\w+' object has no attribute '(\w+)'$")


class Answers:
    """What is known of the arguments of one way of calling: it grows from one try to the next."""

    def __init__(self, is_search: bool = False) -> None:
        #: Whether other answers are tried one after the other.
        self.is_search = is_search
        self.known: dict[Path, tuple[str, Any]] = {}
        #: What was asked for and is not known.
        self.open: set[Path] = set()
        #: Whether an argument may be the output, and another the target, in either order.
        self.is_ambiguous = False
        #: Whether what an object has and never gets is asked, too, as what is to be set from outside.
        self.fills_objects = False
        #: The attributes that objects have not.
        self.lacking: list[str] = []
        #: The arguments of which parts are changed.
        self.changed: set[Path] = set()
        self._lengths: dict[Path, list[int]] = {}
        #: Numbers of units, each another.
        self.sizes = (3, 4, 2, 5, 6, 7)
        self._changed: set[Path] = set()
        #: The shapes that parameters have had.
        self._fitted: set[tuple[Path, Any]] = set()
        #: Parameters whose defaults were left, and those whose defaults are replaced.
        self.left_out: dict[Path, None] = {}
        self.replaced: set[Path] = set()

    @property
    def sends_back(self) -> bool:
        """Whether a layer is given the derivative by what it computed."""
        return any(kind == "upstream" for kind, _ in self.known.values())

    def knows_sizes(self, kind: str) -> bool:
        """Whether a class is told sizes alone."""
        told = [what for path, (what, _) in self.known.items() if path[0] == kind and len(path) == 2]
        return "size" in told and not {"array", "parameter"} & set(told)

    def leaves_open(self, classes: Iterable[str]) -> bool:
        """Whether an array that such a class is made with may be a parameter, and was passed as data.

        What is told sizes makes its parameters itself.
        """
        sized = {path[0] for path, (kind, _) in self.known.items() if kind == "size"}
        makers = set(classes) - sized
        starts = [path for path, (kind, _) in self.known.items() if kind == "array" and path[0] in makers]
        return any(not DATA.match(str(path[1])) and not TARGET.match(str(path[1])) for path in starts)

    def learn(self, want: Want) -> bool:
        """Take in what is wanted; False where nothing new is said."""
        is_element = type(want.path[-1]) is int and self.known[want.path[:-1]][0] == "list"
        if is_element and (want.kind, want.detail) == ("parameter", ()):
            want.kind = "number"
        if is_element and want.kind not in (
            "parameter",
            "array",
            "upstream",
        ):  # what its elements are alike in
            want.path = (*want.path[:-1], "[]")
        if want.kind == "tuples":
            self.known.setdefault((*want.path, "[]"), ("tuple", want.detail))
            want.kind, want.detail = "list", 0
        if want.kind == "labels" and want.path[-1] == "[]":
            want.kind = "index"
        if want.kind == "array":
            want.detail = self._as_before(want.path) or want.detail
        kind, detail = self.known.get(want.path, ("", None))
        if want.kind == "whole":  # its parts were asked for their length only
            self.known = {one: said for one, said in self.known.items() if one[: len(want.path)] != want.path}
            self.known[want.path] = "array", self._as_before(want.path)
            return kind != "array"
        if want.kind == "pair":
            self.is_ambiguous = True
            self.known.setdefault(want.path, ("output", None))
            self.known.setdefault(want.detail, ("target", None))
            return not kind
        if want.kind == "table":
            return learn_columns(self.known, want.path, want.detail)
        if kind == want.kind and kind in ("keys", "attribute", "parts"):
            new = want.detail if kind != "attribute" else (want.detail,)
            if set(new) <= set(detail):
                return False
            self.known[want.path] = kind, (*detail, *new)
            return True
        is_longer = want.kind == "list" and (kind == "parts" or (kind == "list" and want.detail > detail))
        if kind and not is_longer and want.kind != "upstream":
            return False
        if is_longer and kind == "parts":
            self._be_alike(want.path, detail)
        self.known[want.path] = want.kind, (want.detail,) if want.kind == "attribute" else want.detail
        return True

    def _be_alike(self, path: Path, places: Iterable[int]) -> None:
        """Let what is known of the parts of a list be known of each of its elements."""
        for place in places:
            for one in [one for one in self.known if one[: len(path) + 1] == (*path, place)]:
                self.known.setdefault((*path, "[]", *one[len(path) + 1 :]), self.known.pop(one))

    def _as_before(self, path: Path) -> Any:
        """The shape of the array that another method of the class was given under the same name."""
        owner = path[0].rpartition(".")[0]
        for other, (kind, shape) in self.known.items():
            if owner and other[0].rpartition(".")[0] == owner and other[1:] == path[1:] and kind == "array":
                return shape
        return None

    def _other(self, known: dict[Path, tuple[str, Any]], replaced: Iterable[Path] = ()) -> Answers:
        """Other answers of a search, with the sizes and the replaced defaults of these, and some more."""
        other = Answers(is_search=True)
        other.known, other.sizes, other.replaced = known, self.sizes, self.replaced.union(replaced)
        other.fills_objects, other.lacking = self.fills_objects, self.lacking
        return other

    def before(self, path: Path | None, answer: tuple[str, Any] = ("", None)) -> Answers:
        """What was known before something was asked for, and another answer to that; nothing of no path."""
        if path is None:
            return self._other({})
        asked = list(self.known.items())
        return self._other(dict(asked[: list(self.known).index(path)]) | {path: answer})

    def ending(self, path: Path, answer: tuple[str, Any]) -> Answers:
        """What was known before the elements of a list were, and these, the last of which is another."""
        other = self.before(path, self.known[path])
        other.known[(*path[:-1], -1)] = answer
        return other

    def replacing(self, path: Path) -> Answers:
        """What is known, with the default of one more parameter replaced."""
        return self._other(dict(self.known), {path})

    def filling(self, complaint: str) -> Answers | None:
        """What is known, with what objects have not asked for, too; None where they do not lack it."""
        lacks = _LACKS.search(complaint)
        is_none = "NoneType" in complaint and not self.fills_objects
        if not is_none and (lacks is None or lacks[1] in self.lacking):
            return None
        other = self._other(dict(self.known))
        other.fills_objects, other.lacking = True, [*self.lacking, *(lacks.groups() if lacks else ())]
        return other

    def alike(self, count: int) -> Answers:
        """What is known, with as many of everything that is counted."""
        other = self._other(dict(self.known))
        for path, (kind, _) in self.known.items():
            if kind in ("list", "size", "value"):
                other.known[path] = "list" if kind == "list" else "value", count
        return other

    def resized(self, before: int, after: int) -> Answers:
        """The same for another number of samples."""
        other = self._other(dict(self.known))
        for path, (kind, detail) in other.known.items():
            if type(detail) is tuple and before in detail:
                other.known[path] = kind, tuple(after if one == before else one for one in detail)
        return other

    def forget(self) -> None:
        """Ask anew: data are of other sizes."""
        self.known.clear()
        self._changed.clear()
        self._fitted.clear()
        self._lengths.clear()

    def reconsider(self, namespace: dict[str, Any], complaint: str) -> bool:
        """After an error, let one argument be the other thing that it may be; False where none is left."""
        if complaint.endswith(NOT_MADE):
            called = [path for path, (kind, _) in self.known.items() if kind == "function"]
            self.known.update(dict.fromkeys(called[-1:], ("activation", None)))
            return bool(called)
        if (lacks := _LACKS.search(complaint)) is not None and lacks[1] not in self.lacking:
            self.forget()
            self.fills_objects = True
            self.lacking.append(lacks[1])
            return True
        if "NoneType" in complaint and not self.fills_objects:
            self.forget()
            self.fills_objects = True
            return True
        members = [one for one in namespace.values() if isinstance(one, EnumType) and len(one)]
        for path in self.open if members else ():
            if path not in self.known and _CHOSEN.search(str(path[-1])):
                self.known[path] = "member", next(iter(members[0]))
                return True
        second = _SECOND if "integer" not in complaint else {"number": "size", "factor": "size"}
        if "as indices" in complaint or "valid indices" in complaint:
            second = _LABELS
        if (found := re.search(r"'function' object has no attribute '(\w+)'", complaint)) is not None:
            called = [path for path, (kind, _) in self.known.items() if kind == "function"]
            if called:
                self.forget()  # what followed from it
                self.known[called[0]] = "attribute", ("__call__", found[1])
            return bool(called)
        if "out of bounds" in complaint and max(self.sizes[:3]) < _MANY:  # places are counted, as of words
            self.sizes = (_MANY, *self.sizes[1:])
            return True
        if "non-broadcastable output" in complaint:
            return self._biases_as_rows()
        if not _OF_KINDS.search(complaint) and self._other_length():
            return True
        return self._let_one_be(second)

    def _let_one_be(self, second: dict[str, str]) -> bool:
        """Let the first argument that may be something else be that; the last one where they count places."""
        known = list(self.known.items())
        for path, (kind, detail) in known[::-1] if second is _LABELS else known:
            if kind == "index" and path[-1] == "[]" and self.known[path[:-1]][0] == "list":
                del self.known[path]  # a dictionary is gone through by its keys
                self.known[path[:-1]] = "keys", ()
                return True
            if detail == WIDTH and path not in self._changed:  # or a probability
                self._changed.add(path)
                self.known[path] = "number", SHARE
                return True
            is_matrix = second.get(kind) == "labels" and isinstance(detail, tuple) and len(detail) > 1
            if kind in second and path not in self._changed and not is_matrix:
                self._changed.add(path)
                self.known[path] = second[kind], detail if kind != "list" else None
                return True
        return False

    def fit_parameter(self, complaint: str) -> bool:
        """Let the parameter that was asked for last be as large as what it does not go together with."""
        sizes = disagreeing(complaint)
        for path, (kind, shape) in list(self.known.items())[::-1] if sizes else ():
            for told, wanted in (sizes[::-1], sizes) if kind == "parameter" and shape and sizes else ():
                fitted = tuple(wanted if one == told else one for one in shape)
                if told in shape and (path, fitted) not in self._fitted:
                    self._fitted |= {(path, shape), (path, fitted)}
                    self.known[path] = kind, fitted
                    return True
        return False

    def _biases_as_rows(self) -> bool:
        """Let biases have a row of their own, as the sums over samples that keep their dimensions have."""
        flat = [
            one for one, (kind, shape) in self.known.items() if kind == "parameter" and len(shape or ()) == 1
        ]
        self.known.update({path: ("parameter", (1, *self.known[path][1])) for path in flat})
        return bool(flat)

    def _other_length(self) -> bool:
        """Let a list be of another length, the last one first."""
        for path, (kind, detail) in reversed(list(self.known.items())):
            tried = self._lengths.setdefault(path, [detail or 3])
            left = [one for one in _LENGTHS if one not in tried]
            inner = self.known.get((*path, "[]"), ("", None))[0]
            is_plain = inner not in ("attribute", "list", "function")
            if kind == "list" and path[-1] != "[]" and left and is_plain:
                tried.append(left[0])
                self.known[path] = kind, left[0]
                return True
            if kind == "list":
                self._lengths[path] = [detail]
        return False
