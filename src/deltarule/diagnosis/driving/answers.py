"""What stands for an argument that asked: made from what was done with it, and from its name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import EnumType
from typing import Any, Protocol

from deltarule.diagnosis.driving import objects
from deltarule.diagnosis.driving.asking import OpenArgument, Path, Want
from deltarule.diagnosis.driving.containers import AskingList, AskingParts, AskingTable
from deltarule.diagnosis.driving.given_data import (
    GivingRun,
    as_input,
    inputs_of,
    labels_of,
    output_of,
    target_of,
)
from deltarule.diagnosis.driving.plausible import DATA, RATE, TARGET, UPSTREAM
from deltarule.diagnosis.driving.supplied import SupplyingRun, are_tuples, supplied
from deltarule.diagnosis.driving.tables import learn_columns, table_of
from deltarule.diagnosis.driving.usage import OF_ARRAYS, UNUSED, Use
from deltarule.diagnosis.driving.usual_activation import NOT_MADE, ActivationObject
from deltarule.diagnosis.driving.words import OUTPUT
from deltarule.diagnosis.recording.missing import StandIn
from deltarule.diagnosis.recording.source import ProgramSource, is_parameter
from deltarule.diagnosis.recording.traced import Traced, given

_CHOSEN = re.compile(r"act|func|method|kind|type|mode|loss", re.I)
#: What an argument may be, too, if it is not what it was taken for.
_SECOND = {
    "index": "indices", "factor": "array", "number": "array", "labels": "array", "list": "array",
    "images": "series",
}  # fmt: skip
#: And if places are to be counted with it, as of the classes.
_LABELS = {"array": "labels", "target": "labels"}
#: Numbers that are asked for, each another: a learning rate, a momentum, a decay.
_NUMBERS = (0.1, 0.3, 0.2, 0.4)
#: How many words a program may count, and how long a list of numbers becomes.
_MANY = 8
_LENGTHS = (3, 2, 4, 1, 5)
#: What Python says of an argument that is of another kind, and not of another length.
_OF_KINDS = re.compile(
    r"operand|attribute|subscriptable|iterable|integer|not aligned|broadcast|callable|concatenate"
)


class _Run(objects.MakingRun, GivingRun, SupplyingRun, Protocol):
    """The calls of one trial, as far as what is here needs them."""

    answers: Answers
    source: ProgramSource
    offered: list[Any]
    steps: list[Any]
    is_loss: bool
    computed: Any

    def upstream(self, name: str) -> Any: ...

    pool: dict[str, Any]


class Answers:
    """What is known of the arguments of one way of calling: it grows from one try to the next."""

    def __init__(self) -> None:
        self.known: dict[Path, tuple[str, Any]] = {}
        #: What was asked for and is not known.
        self.open: set[Path] = set()
        #: Whether an argument may be the output, and another the target, in either order.
        self.is_ambiguous = False
        #: Whether what an object has and never gets is asked, too, as what is to be set from outside.
        self.fills_objects = False
        self._lengths: dict[Path, list[int]] = {}
        #: Numbers of units, each another.
        self.sizes = (3, 4, 2, 5, 6, 7)
        self._changed: set[Path] = set()

    @property
    def sends_back(self) -> bool:
        """Whether a layer is given the derivative by what it computed."""
        return any(kind == "upstream" for kind, _ in self.known.values())

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
        self.known[want.path] = want.kind, (want.detail,) if want.kind == "attribute" else want.detail
        return True

    def _as_before(self, path: Path) -> Any:
        """The shape of the array that another method of the class was given under the same name."""
        owner = path[0].rpartition(".")[0]
        for other, (kind, shape) in self.known.items():
            if owner and other[0].rpartition(".")[0] == owner and other[1:] == path[1:] and kind == "array":
                return shape
        return None

    def forget(self) -> None:
        """Ask anew: data are of other sizes."""
        self.known.clear()
        self._changed.clear()
        self._lengths.clear()

    def reconsider(self, namespace: dict[str, Any], complaint: str) -> bool:
        """After an error, let one argument be the other thing that it may be; False where none is left."""
        if complaint.endswith(NOT_MADE):
            called = [path for path, (kind, _) in self.known.items() if kind == "function"]
            self.known.update(dict.fromkeys(called[-1:], ("activation", None)))
            return bool(called)
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
        known = list(self.known.items())
        for path, (kind, detail) in known[::-1] if second is _LABELS else known:
            if kind == "index" and path[-1] == "[]" and self.known[path[:-1]][0] == "list":
                del self.known[path]  # a dictionary is gone through by its keys
                self.known[path[:-1]] = "keys", ()
                return True
            is_matrix = second.get(kind) == "labels" and isinstance(detail, tuple) and len(detail) > 1
            if kind in second and path not in self._changed and not is_matrix:
                self._changed.add(path)
                self.known[path] = second[kind], detail if kind != "list" else None
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


def answer(run: _Run, path: Path, names: list[str], use: Use = UNUSED) -> Any:
    """Return what stands at a path: an argument that asks where nothing is known yet."""
    name = next((str(one) for one in reversed(path) if one != "[]"), "")
    if path not in run.answers.known and use.is_size and not use.attributes & OF_ARRAYS:
        run.answers.known[path] = ("list", 0) if use.is_list else ("size", None)
        if use.is_list:
            run.answers.known[(*path, "[]")] = "size", None
    if use.is_flat and path not in run.answers.known:
        return run.plausible.flat(name)
    if path not in run.answers.known:
        return _open(run, path, name, use)
    kind, detail = run.answers.known[path]
    is_own = kind == "attribute" and objects.object_called(run, name, tuple(detail), False) is not None
    if kind in ("keys", "attribute", "list", "tuple") and len(path) == 2 and not is_own:
        made = supplied(run, kind, detail) if kind != "list" or not _is_maker(run, path) else None
        inner, parts = run.answers.known.get((*path, "[]"), ("", ()))
        fits = kind != "list" or inner != "tuple" or are_tuples(made, len(parts))
        if made is not None and fits:
            return made
    match kind:
        case "keys":
            return AskingTable(path, {key: _child(run, (*path, key), list(detail)) for key in detail})
        case "table":
            return table_of(path, detail, run.plausible.layout)
        case "tuple":
            return tuple(_child(run, (*path, key), list(detail)) for key in detail)
        case "parts" if all(run.answers.known.get((*path, k), ("",))[0] == "function" for k in detail):
            return objects.called_in_turn(run, name, len(detail))
        case "parts":
            return AskingParts(path, [_part(run, path, k, names) for k in range(max(detail) + 1)])
        case "list":
            return _list(run, path, detail, names)
        case "attribute":
            return _object(run, path, use)
        case "function":
            return objects.function_called(run, name)
        case "activation":
            return ActivationObject(run.plausible.activation)
        case "word" | "member":
            return _word(run, name, kind, detail)
        case "flag":
            return True
        case "index":
            return _index(run, path)
        case "indices":
            return [_index(run, path) + k for k in range(2)]
        case "size":
            return _size(run, path, names)
        case "parameter":
            return run.plausible.parameter(_called(path), detail if detail is not None else (3,))
        case _:
            return _numbers(run, path, kind, detail, name)


def _open(run: _Run, path: Path, name: str, use: Use) -> OpenArgument:
    """What stands where nothing is known yet."""
    run.answers.open.add(path)
    others = sum(one[0] == path[0] and not DATA.match(str(one[1])) for one in run.answers.known)
    offered = [*run.offered[others:], *run.offered[:others]]
    shapes = [one.shape for one in (*run.passed.values(), *offered[::-1]) if type(one) is Traced]
    is_maker = _is_maker(run, path)
    may_learn = is_maker or "." not in path[0]
    sizes = [one for one in run.answers.sizes if one != run.plausible.layout.samples]
    columns = sizes[(1 + len(run.plausible.made)) % len(sizes)]
    is_weight = use.is_changed or type(path[-1]) is int or (is_parameter(name) and not DATA.match(name))
    return OpenArgument(
        path,
        run.plausible.layout,
        tuple(shapes),
        columns=columns if may_learn else 0,
        is_maker=is_maker,
        is_weight=is_weight and may_learn,
        is_changed=use.is_changed and may_learn,
    )


def _child(run: _Run, path: Path, names: list[str]) -> Any:
    """What is in a container: what its name says, or what it asked for."""
    name = path[-1]
    if isinstance(name, str) and name in run.pool:
        return run.pool[name]
    if (path[0], name) in run.answers.known:  # what was passed before is kept
        path = path[0], name
    return answer(run, path, names)


def _part(run: _Run, path: Path, k: int, names: list[str]) -> Any:
    """An element of a list: it may be another than its neighbours."""
    is_alike = (*path, k) not in run.answers.known and (*path, "[]") in run.answers.known
    if k < len(run.steps):  # it may be the derivative by the output of this step
        run.computed = run.steps[k]
    return answer(run, (*path, "[]" if is_alike else k), names)


def _called(path: Path) -> str:
    """The name of a parameter, or of one in a list."""
    return "".join(f"[{one!r}]" if k else str(one) for k, one in enumerate(path[1:]))


def _is_maker(run: _Run, path: Path) -> bool:
    """Whether an argument is passed to what makes an object."""
    return isinstance(run.namespace.get(path[0]), type)


def _index(run: _Run, path: Path) -> int:
    asked = [one for one, (kind, _) in run.answers.known.items() if kind in ("index", "indices")]
    return asked.index(path)


def _size(run: _Run, path: Path, names: list[str]) -> int:
    """How many there are: another number for each that is asked for, that they can be told apart."""
    asked = [one for one, (kind, _) in run.answers.known.items() if kind == "size" and one[0] == path[0]]
    asked.sort(key=lambda one: names.index(one[1]) if one[1] in names else 0)
    if run.in_layer and path[-1] != "[]":
        return run.plausible.units(str(path[-1]), asked.index(path) == 0 and len(asked) > 1)
    return run.answers.sizes[asked.index(path) % len(run.answers.sizes)]


def _numbers(run: _Run, path: Path, kind: str, shape: Any, name: str) -> Any:
    """A number, or an array: the target, what a layer computed or is given the derivative by, or data."""
    computed = run.computed.shape if type(run.computed) is Traced else None
    has_target = any(what == "target" for what, _ in run.answers.known.values())
    is_loss = run.is_loss and any(what == "output" for what, _ in run.answers.known.values())
    if is_loss and kind in ("output", "target"):
        made = output_of(run)
        return made if kind == "output" else target_of(run, made.shape)
    if kind == "output" and computed is not None:
        return run.computed
    if kind == "upstream" and computed is not None:
        return run.upstream(name)
    if kind == "array" and shape is None and computed and OUTPUT.match(name):
        return run.computed
    if (
        kind in ("array", "factor", "term")
        and computed is not None
        and (shape == computed or UPSTREAM.match(name))
        and not RATE.match(name)
    ):
        if kind == "term" or OUTPUT.match(name):
            return run.computed
        if not has_target and (kind == "factor" or not DATA.match(name)):
            raise Want(path, "upstream", computed)
    if kind == "target":
        return target_of(run, shape if shape is not None else computed or run.plausible.data["Y"].shape)
    if kind in ("images", "series"):
        if computed is not None and len(computed) == shape and not has_target and not DATA.match(name):
            raise Want(path, "upstream", computed)
        return as_input(run, run.plausible.images(shape, kind == "series"))
    if kind in ("number", "factor") and not (kind == "factor" and shape and DATA.match(name)):
        if path[-1] == "[]":
            return given(run.plausible.rng.normal(), is_scalar=True)
        asked = [one for one, (what, _) in run.answers.known.items() if what in ("number", "factor")]
        return _NUMBERS[asked.index(path) % len(_NUMBERS)]
    if kind == "labels":
        return labels_of(run, shape if type(shape) is int else 2)
    before = _asked_before(run.answers, path)
    others = [one for one in before if not DATA.match(str(one[-1]))]
    is_named = DATA.match(name) or (TARGET.match(name) and shape is None)
    if len(run.offered) > len(others) and len(run.offered) > 1 and not is_named:
        return run.offered[len(others)]
    is_column = run.plausible.layout.data == "columns" and type(path[-1]) is int  # a sample of a list
    if shape is None and (TARGET.match(name) or (before and not DATA.match(name))):
        return target_of(run, (run.plausible.layout.outputs, 1)) if is_column else run.plausible.of_role("Y")
    if is_column and shape is None:
        return inputs_of(run, (run.plausible.layout.inputs, 1))
    if shape is None and run.passed:
        return next(iter(run.passed.values()))
    return inputs_of(run, shape)


def _asked_before(answers: Answers, path: Path) -> list[Path]:
    """The arrays and lists, but those of sizes, that what is called was passed before, or in one argument."""
    known, owner = answers.known, path[:1] if len(path) == 2 else path[:2]
    if len(path) > 2 and type(path[-1]) is int:  # as the first one of a list
        path = next(one for one in known if one[:-1] == path[:-1] and one[-1] != "[]")
    asked = list(known)[: list(known).index(path)]
    found = [one for one in asked if known[one][0] in ("array", "list") and one[: len(owner)] == owner]
    sizes = [one for one in found if known.get((*one, "[]"), ("",))[0] == "size"]
    return [one for one in found if one not in sizes and one != path[: len(one)]]


def _list(run: _Run, path: Path, count: int, names: list[str]) -> Any:
    """A list of what its elements asked to be: layers, neurons in layers, numbers, whole numbers."""
    inner = (*path, "[]")
    kind, detail = run.answers.known.get(inner, ("", None))
    is_computed = type(run.computed) is Traced and run.computed.value.ndim == 1
    if kind == "number" and is_computed and UPSTREAM.match(str(path[-1])):  # it is gone through by numbers
        return run.upstream(str(path[-1]))
    if kind == "attribute":
        return objects.layers(run, set(detail)) or objects.layers(run, set())
    if kind == "list" and run.answers.known.get((*inner, "[]"), ("", None))[0] == "attribute":
        return objects.layers_of_neurons(run, set(run.answers.known[(*inner, "[]")][1]))
    if kind == "function":
        return objects.called_in_turn(run, str(path[-1]), count or 2)
    count = count or _usual_count(run, path, kind)
    if kind == "size":
        return list(run.answers.sizes[:count])
    if kind == "index":
        return [_index(run, inner) + k for k in range(2)]
    key = (kind, count, detail if kind in ("array", "list") else None)
    is_whole = "[]" not in path  # a sample is another than its neighbours
    if is_whole and key in run.passed:
        return run.passed[key]
    if kind == "array" and detail is not None:
        return inputs_of(run, (count, *detail))
    if kind == "keys" and any(run.answers.known.get((*inner, key), ("",))[0] == "size" for key in detail):
        return objects.in_steps(run, lambda: answer(run, inner, names))  # layers, as dictionaries
    made = AskingList(path, [_part(run, path, k, names) for k in range(count)])
    if kind == "target" and not detail:
        several = [one for one in run.passed if isinstance(one, tuple) and one[0] == "target"]
        made = AskingList(path, target_of(run, (count,), 0 if is_whole else len(several)).tolist())
    if is_whole and kind in ("number", "factor", "term", "list"):
        run.passed[key] = made
    return made


def _usual_count(run: _Run, path: Path, kind: str) -> int:
    """How many numbers a sample has, or a target; or how many samples there are."""
    if kind not in ("", "number", "factor", "term", "target"):
        return 3 if kind == "size" or run.plausible.layout.is_single else run.plausible.layout.samples
    known = run.answers.known
    others = ("size", "list", "parts", "tuple", "keys")  # sizes of layers, samples
    lists = [one for one, (what, _) in known.items() if what == "list" and one[0] == path[0]]
    lists = [one for one in lists if known.get((*one, "[]"), ("",))[0] not in others]
    is_second = (
        kind == "target"
        or TARGET.match(str(path[-1]))
        or (path in lists[1:] and not DATA.match(str(path[-1])))
    )
    return 2 if is_second else 3


def _object(run: _Run, path: Path, use: Use) -> Any:
    """An object of the learner's; parameters of one name share it; else one that does nothing."""
    name = str(path[-1])
    known = run.answers.known.items()
    every = [what for one, (kind, what) in known if kind == "attribute" and one[-1] == name]
    wanted = tuple(dict.fromkeys(each for some in every for each in some))
    if name not in run.shared or run.in_layer:
        run.shared[name] = objects.object_called(run, name, wanted)
    made = run.shared[name]
    if made is None and objects.is_activation(name, use):
        return ActivationObject(run.plausible.activation)
    return StandIn(name) if made is None else made


def _word(run: _Run, name: str, kind: str, said: Any) -> Any:
    """A word that the program knows, or a member of an enumeration."""
    if kind == "member":
        members: list[Any] = list(type(said).__members__.values())
        return min(members, key=lambda one: objects.rank(one.name))
    known = [said] if isinstance(said, str) else []
    return objects.word_for(run, name, known) or said or "sigmoid"
