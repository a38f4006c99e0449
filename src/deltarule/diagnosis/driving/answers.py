"""What stands for an argument that asked: made from what was done with it, and from its name."""

from __future__ import annotations

import inspect
import re
from enum import EnumType
from typing import Any, Protocol

from deltarule.diagnosis.driving import objects
from deltarule.diagnosis.driving.asking import OpenArgument, Path, Want
from deltarule.diagnosis.driving.plausible import DATA, TARGET, usual_activation
from deltarule.diagnosis.driving.usage import UNUSED, Use
from deltarule.diagnosis.recording.missing import StandIn
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.traced import Traced

#: What makes parameters, and what computes something from them without changing them.
_MAKES = re.compile(r"_*(init|make|build|create|setup|random|new|get_?(param|weight|net))\w*$", re.I)
_CHANGES = re.compile(r"train|fit|learn|updat|optim|main|demo|test|plot|save|load|sgd|descent|step", re.I)


_CHOSEN = re.compile(r"act|func|method|kind|type|mode|loss", re.I)
#: What an argument may be, too, if it is not what it was taken for.
_SECOND = {"index": "indices", "factor": "term", "length": "list"}


class _Run(objects.MakingRun, Protocol):
    """The calls of one trial, as far as what is here needs them."""

    answers: Answers
    calling: set[str]
    source: ProgramSource
    offered: list[Any]
    shared: dict[str, Any]

    def call(self, name: str) -> Any: ...
    def argument(self, name: str, names: list[str], use: Use) -> Any: ...
    def is_open(self, name: str, use: Use) -> bool: ...


class Answers:
    """What is known of the arguments of one way of calling: it grows from one try to the next."""

    def __init__(self) -> None:
        self.known: dict[Path, tuple[str, Any]] = {}
        #: What was asked for and is not known.
        self.open: set[Path] = set()
        self._changed: set[Path] = set()

    def learn(self, want: Want) -> bool:
        """Take in what is wanted; False where nothing new is said."""
        kind, detail = self.known.get(want.path, ("", None))
        if kind == want.kind and kind in ("keys", "attribute"):
            new = want.detail if kind == "keys" else (want.detail,)
            if set(new) <= set(detail):
                return False
            self.known[want.path] = kind, (*detail, *new)
            return True
        if kind:
            return False
        self.known[want.path] = want.kind, (want.detail,) if want.kind == "attribute" else want.detail
        return True

    def reconsider(self, namespace: dict[str, Any]) -> bool:
        """After an error, let one argument be the other thing that it may be; False where none is left."""
        members = [one for one in namespace.values() if isinstance(one, EnumType) and len(one)]
        for path in self.open if members else ():
            if path not in self.known and _CHOSEN.search(str(path[-1])):
                self.known[path] = "member", next(iter(members[0]))
                return True
        for path, (kind, detail) in list(self.known.items()):
            if kind == "index" and path[-1] == "[]" and self.known[path[:-1]][0] == "list":
                del self.known[path]  # a dictionary is gone through by its keys
                self.known[path[:-1]] = "keys", ()
                return True
            if kind in _SECOND and path not in self._changed:
                self._changed.add(path)
                self.known[path] = _SECOND[kind], detail
                return True
        return False


class _Table(dict[Any, Any]):
    """A dictionary that asks for a key which it has not."""

    def __init__(self, path: Path, parts: dict[Any, Any]) -> None:
        super().__init__(parts)
        self._path = path

    def __missing__(self, key: Any) -> Any:
        raise Want(self._path, "keys", (key,))


def answer(run: _Run, path: Path, names: list[str]) -> Any:
    """Return what stands at a path: an argument that asks where nothing is known yet."""
    if path not in run.answers.known:
        run.answers.open.add(path)
        return OpenArgument(path)
    kind, detail = run.answers.known[path]
    name = next((str(one) for one in reversed(path) if one != "[]"), "")
    if kind in ("keys", "attribute", "list", "tuple") and len(path) == 2:
        made = _supplied(run, kind, detail)
        if made is not None:
            return made
    match kind:
        case "keys":
            return _Table(path, {key: _child(run, (*path, key), list(detail)) for key in detail})
        case "tuple":
            return tuple(_child(run, (*path, key), list(detail)) for key in detail)
        case "list":
            return _list(run, path, detail, names)
        case "attribute":
            return _object(run, path)
        case "function":
            return _function(run, name)
        case "word" | "member":
            return _word(run, name, kind, detail)
        case "flag":
            return True
        case "index":
            return _index(run, path)
        case "indices":
            return [_index(run, path) + k for k in range(2)]
        case "number":
            return 0.3
        case "factor" if not DATA.match(name):
            return 0.1
        case _:
            return _array(run, path, kind, name)


def _child(run: _Run, path: Path, names: list[str]) -> Any:
    """What is in a container: what its name says, or what it asked for."""
    name = path[-1]
    if isinstance(name, str) and name != "[]" and not run.is_open(name, UNUSED):
        return run.argument(name, names, UNUSED)
    return answer(run, path, names)


def _index(run: _Run, path: Path) -> int:
    asked = [one for one, (kind, _) in run.answers.known.items() if kind in ("index", "indices")]
    return asked.index(path)


def _array(run: _Run, path: Path, kind: str, name: str) -> Any:
    """Data: targets are subtracted, and come after the inputs."""
    before = [
        one
        for one, (what, _) in run.answers.known.items()
        if what in ("array", "length") and one[0] == path[0] and one != path
    ]
    if kind != "term" and len(before) < len(run.offered):
        return run.offered[len(before)]
    is_target = bool(TARGET.match(name)) or (not DATA.match(name) and (kind == "term" or bool(before)))
    return run.plausible.of_role("Y" if is_target else "X")


def _list(run: _Run, path: Path, count: int, names: list[str]) -> Any:
    """A list of what its elements asked to be: layers, neurons in layers, numbers, whole numbers."""
    inner = (*path, "[]")
    kind, detail = run.answers.known.get(inner, ("", None))
    if kind == "attribute":
        return objects.layers(run, set(detail)) or objects.layers(run, set())
    if kind == "list" and run.answers.known.get((*inner, "[]"), ("", None))[0] == "attribute":
        return objects.layers_of_neurons(run, set(run.answers.known[(*inner, "[]")][1]))
    if kind == "function":
        return _functions(run, str(path[-1]), count)
    if kind == "index" and path[-1] == "layers":
        return run.plausible.sizes()
    if kind == "index":
        return [_index(run, inner) + k for k in range(2)]
    if kind == "factor":
        return run.plausible.of_role("X")
    if kind in ("term", "number"):
        return run.plausible.of_role("Y" if kind == "term" else "X")
    return [answer(run, inner, names) for _ in range(count)]


def _object(run: _Run, path: Path) -> Any:
    """An object of the learner's; parameters of one name share it; else one that does nothing."""
    name = str(path[-1])
    known = run.answers.known.items()
    every = [what for one, (kind, what) in known if kind == "attribute" and one[-1] == name]
    wanted = tuple(dict.fromkeys(each for some in every for each in some))
    if name not in run.shared:
        run.shared[name] = objects.object_called(run, name, wanted)
    made = run.shared[name]
    return StandIn(name) if made is None else made


def _function(run: _Run, name: str) -> Any:
    """The learner's function of that name; a usual one does where nothing asks for its derivative."""
    found = objects.wanted_function(run, name) or objects.called_object(run, name)
    asked = [str(path[-1]) for path, (kind, _) in run.answers.known.items() if kind == "function"]
    if found is None and any(objects.is_derived(one) for one in (name, *asked)):
        raise LookupError(name)
    return found or usual_activation(run.source.text)


def _functions(run: _Run, name: str, count: int) -> Any:
    """Functions that stand together in the program; or one and its derivative, by their names."""
    held = [one for value in run.namespace.values() for one in (value, *_values(value))]
    for one in held:
        if isinstance(one, list | tuple) and len(one) == count and all(map(inspect.isfunction, one)):
            return one
    return [_function(run, name if k == 0 else f"{name}_derivative") for k in range(count)]


def _values(x: Any) -> list[Any]:
    return list(x.values()) if isinstance(x, dict) else []


def _word(run: _Run, name: str, kind: str, said: Any) -> Any:
    """A word that the program knows, or a member of an enumeration."""
    if kind == "member":
        members: list[Any] = list(type(said).__members__.values())
        return min(members, key=lambda one: objects.rank(one.name))
    known = [said] if isinstance(said, str) else []
    return objects.word_for(run, name, known) or said or "sigmoid"


def _supplied(run: _Run, kind: str, detail: Any) -> Any:
    """What one of the learner's functions returns, if it is what is wanted."""
    functions = {
        name: one
        for name, one in run.namespace.items()
        if inspect.isfunction(one) and one.__code__.co_filename == run.source.path
    }
    making = [name for name in functions if _MAKES.match(name)]
    others = [name for name in functions if name not in making and not _CHANGES.search(name)]
    for name in making if kind in ("list", "tuple") else [*making, *others]:
        if name in run.calling or (not inspect.signature(functions[name]).parameters and name not in making):
            continue
        if name not in run.shared:
            try:
                run.shared[name] = run.call(name)
            except Exception:  # whatever the learner's function raises: it is not this one
                continue
        made = run.shared[name]
        for one in (made, *(made if isinstance(made, tuple) else ())):
            if _is_wanted(one, kind, detail):
                return one
    return None


def _is_wanted(one: Any, kind: str, detail: Any) -> bool:
    if kind == "keys":
        return isinstance(one, dict) and all(key in one for key in detail)
    if kind == "attribute":
        return type(one) is not Traced and all(hasattr(one, each) for each in detail)
    return isinstance(one, list | tuple) and (kind == "list" or len(one) == len(detail))
