"""Which methods must have been called before which: what one reads, another has written."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.usage import is_change
from deltarule.diagnosis.driving.words import BACK, FORWARD, name_of
from deltarule.diagnosis.recording.source import ProgramSource

#: What makes an object, and what nobody calls to prepare a step.
_MAKES = re.compile(r"__init__$|__new__$|__post_init__$")
_ASIDE = re.compile(
    r"_*(load|save|read|write|plot|draw|show|print|set|copy|export|import|test|score|accuracy|evaluate_|grad"
    r"ient_?check|zero)|__(str|repr|len|getitem|setattr|getstate)",
    re.I,
)
#: What passes something to an object, and is called for it only where nothing else sets it.
_PASSES = re.compile(r"_*(set|load|read)", re.I)
_NOTHING = ("zeros", "ones", "empty", "array", "list", "dict", "zeros_like", "defaultdict")
#: What arrays have, too.
_OF_ARRAYS = frozenset(dir(np.ndarray))
#: What takes arrays from a file.
_FROM_FILES = frozenset(["open", "load", "loadtxt", "genfromtxt", "fromfile", "read_csv"])


@dataclass
class _Method:
    """What a method reads and writes of any object, by attribute, and which methods it calls."""

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    #: What it sets to nothing, zeros or an empty list, and to nothing else.
    places: set[str] = field(default_factory=set)
    #: What it changes by itself ± something, and does not set before.
    grown: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    changes: bool = False
    reads_files: bool = False


class Needs:
    """The methods (and functions) of a program, and what each needs of the others."""

    def __init__(self, source: ProgramSource) -> None:
        self.source = source

    @cached_property
    def _methods(self) -> dict[str, _Method]:
        found: dict[str, _Method] = {}
        for node in self.source.nodes:
            if isinstance(node, ast.FunctionDef) and not _MAKES.match(node.name):
                _look_at(node, found.setdefault(node.name, _Method()))
        return found

    @cached_property
    def _set_anew(self) -> set[str]:
        """What some method sets to something that does not come of what it was."""
        every = [one for name, one in self._methods.items() if not _ASIDE.match(name)]
        return set().union(*(one.writes - one.reads - one.places for one in every))

    @cached_property
    def _given(self) -> set[str]:
        """The attributes that objects have from the start, with something in them."""
        return {name for name, value in self._starts() if not _is_nothing(value)}

    @cached_property
    def _started(self) -> set[str]:
        """The attributes that objects have from the start."""
        return {name for name, _ in self._starts()}

    @cached_property
    def _of_size(self) -> set[str]:
        """The attributes that have their size from the start, as zeros have."""
        return {name for name, value in self._starts() if isinstance(value, ast.Call) and value.args}

    def _starts(self) -> Iterator[tuple[str, ast.expr]]:
        """What constructors set, and to what."""
        makers = [one for one in self.source.functions if _MAKES.match(one.name)]
        for node in (one for maker in makers for one in ast.walk(maker)):
            if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
                continue
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                pairs = [(target, node.value)]
                match target, node.value:
                    case ast.Tuple(elts=parts), ast.Tuple(elts=values) if len(parts) == len(values):
                        pairs = list(zip(parts, values, strict=True))
                for part, value in pairs:
                    held = (one for one in ast.walk(part) if isinstance(one, ast.Attribute))
                    yield from ((one.attr, value) for one in held)

    def within(self, name: str) -> set[str]:
        """A method, and all that it calls."""
        found, left = set(), [name]
        while left:
            one = left.pop()
            if one in self._methods and one not in found:
                found.add(one)
                left += self._methods[one].calls
        return found

    def changes(self, name: str) -> bool:
        """Whether a method changes something by itself ± something, or what it calls does."""
        return any(self._methods[one].changes for one in self.within(name))

    def before(self, name: str, own: Mapping[str, Any]) -> list[str]:
        """The methods, of an object's own, that write what a method reads, in their order."""
        found: list[str] = []
        self._collect(name, own, found, {name})
        return found

    def giving(self, attribute: str, own: Mapping[str, Any]) -> list[str]:
        """The methods, of an object's own, that must be called for it to have an attribute."""
        for name in own:
            if name in self._methods and not _ASIDE.match(name) and attribute in self._offered(name):
                return [*self.before(name, own), name]
        return []

    def _collect(self, name: str, own: Mapping[str, Any], found: list[str], seen: set[str]) -> None:
        inside = self.within(name)
        reads = set().union(*(self._methods[one].reads for one in inside)) if inside else set()
        reads -= set().union(*map(self._passed, inside - {name})) - self._passed(name)
        written = set().union(*(self._methods[one].writes for one in inside)) if inside else set()
        anew = set().union(*(self._methods[one].writes - self._methods[one].grown for one in inside))
        grown = (written - anew - self._started) & self._set_anew
        missing = reads - (written - grown - self._kept(name)).union(*map(self._offered, found)) - self._given
        while missing:
            offering = {
                one: missing & self._offered(one)
                for one in own
                if one in self._methods and one not in inside and one not in seen
            }
            offering = {one: offer for one, offer in offering.items() if offer}
            offers = {one: offer for one, offer in offering.items() if not _ASIDE.match(one)}
            offers = offers or {one: offer for one, offer in offering.items() if self._is_passed(one)}
            if not offers:
                return
            keeps = {one: bool(missing & self._kept(one)) for one in offers}  # what is set is not emptied
            best = max(offers, key=lambda one: (keeps[one], len(offers[one]), -len(self.within(one))))
            missing -= offers[best]
            seen.add(best)
            self._collect(best, own, found, seen)
            found.append(best)

    def _offered(self, name: str) -> set[str]:
        """What a method writes, and what it calls, but for what others set and it changes or empties.

        What it takes from a file may be there already.
        """
        inside = [self._methods[one] for one in self.within(name)]
        grown = set().union(*(one.grown for one in inside))
        others = self._set_anew & (self._kept(name) | grown)
        offered = set().union(*(one.writes for one in inside)) - others
        offered -= {one for one in offered if one[0] == "("} - self._methods[name].writes
        return offered - self._of_size if any(one.reads_files for one in inside) else offered

    def _is_passed(self, name: str) -> bool:
        """Whether what a method sets is passed to it: it takes nothing from a file."""
        return bool(_PASSES.match(name)) and not any(
            self._methods[one].reads_files for one in self.within(name)
        )

    def _passed(self, name: str) -> set[str]:
        """What stands for the arguments of a method."""
        return {one for one in self._methods[name].reads if one[0] == "("}

    def _feeds(self, name: str, methods: set[str]) -> bool:
        """Whether a method sets attributes that others read, though objects may have them from the start."""
        reads = set().union(*(self._methods[one].reads - self._methods[one].writes for one in methods))
        return any(one[0] != "(" for one in reads & (self._methods[name].writes - self._kept(name)))

    def _kept(self, name: str) -> set[str]:
        """What a method sets to nothing, and neither it nor what it calls to anything else."""
        inside = [self._methods[one] for one in self.within(name)]
        filled = set().union(*(one.writes - one.places for one in inside))
        return set().union(*(one.places for one in inside)) - filled

    def plans(self, own: Mapping[str, Any]) -> Iterator[list[str]]:
        """Sequences of an object's own methods that end in a change, or go back."""
        names = [one for one in own if one in self._methods and not _ASIDE.match(one)]
        changing = [one for one in names if self.changes(one)]
        called = {each for one in changing for each in self.within(one) - {one}}
        changing.sort(key=lambda one: (one in called, -len(self.within(one))))
        others = [one for one in names if one not in changing]
        plans = [[*self.before(one, own), one] for one in changing]
        plans += [
            plan
            for one in others
            if len(plan := [*self.before(one, own), one]) > 1 or (not changing and takes(own[one]) > 1)
        ]
        plans.sort(key=lambda plan: plan[-1] in others)
        for plan in plans:
            one, inside = plan[-1], set().union(*map(self.within, plan))
            uses_others = one in changing or BACK.search(one)
            goes_back = any(map(BACK.search, plan)) and not any(map(FORWARD.match, inside))
            is_passed = uses_others and len(plan) == 1 and takes(own[one]) > 1
            if is_passed or goes_back:  # what another returns may be passed, or the derivative by it
                yield from ([each, *plan] for each in others if FORWARD.match(each) and each not in inside)
            yield plan
            if goes_back:
                ahead = [
                    each for each in others if each not in inside and takes(own[each]) and each[0] != "_"
                ]
                ahead = [each for each in ahead if not FORWARD.match(each)]  # which came before
                yield from ([each, *plan] for each in ahead if self._feeds(each, inside))


def takes(method: Any) -> int:
    """How many arguments a method needs, without its object."""
    every = list(inspect.signature(method).parameters.values())
    return sum(one.default is one.empty and one.name not in ("self", "cls") for one in every)


def _look_at(node: ast.FunctionDef, method: _Method) -> None:
    taken = {one.arg for one in node.args.args}
    method.reads |= {_passed(one) for one in taken}
    every = list(ast.walk(node))
    changed = {
        id(target)
        for one in every
        if isinstance(one, ast.Assign | ast.AugAssign) and is_change(one)
        for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
    }
    set_to = {id(target): one.value for one in every if isinstance(one, ast.Assign) for target in one.targets}
    places, filled, grown = set[str](), set[str](), set[str]()
    items = _items_of_loops(every)
    for one in every:
        match one:
            case ast.Attribute() if getattr(set_to.get(id(one)), "value", one) is None:
                pass  # what is forgotten is not written
            case ast.Attribute(attr=name) if _is_place(set_to.get(id(one))):
                places.add(name)
            case ast.Attribute(value=ast.Name(owner), attr=name, ctx=ast.Load()) if (
                owner != "self" and name in _OF_ARRAYS
            ):
                pass  # x.shape
            case ast.Attribute(attr=name, ctx=ast.Load()):
                method.reads.add(name)
                method.calls.add(name)
            case ast.Attribute(attr=name):
                (grown if id(one) in changed else filled).add(name)
            case ast.Subscript(value=ast.Attribute(attr=name), ctx=ast.Store()):
                method.writes.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name), attr="append")):
                method.writes.add(name)
            case ast.Name(id=name, ctx=ast.Load()):
                method.calls.add(name)
            case ast.Return(value=ast.Name() | ast.Attribute() | ast.Tuple() | ast.List() as value):
                parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
                names = {name_of(part) for part in parts}
                method.writes |= {_passed(name) for name in names - taken}
        called = one.func if isinstance(one, ast.Call) else None
        method.reads_files |= getattr(called, "attr", getattr(called, "id", "")) in _FROM_FILES
        method.changes = method.changes or (is_change(one) and not is_sum(one, items))
    method.writes |= grown | filled
    method.places |= places - method.writes
    method.writes |= places
    method.grown |= grown - filled - places


def _items_of_loops(nodes: list[ast.AST]) -> set[str]:
    """The names that loops give to what they go through."""
    targets = [ast.walk(one.target) for one in nodes if isinstance(one, ast.For)]
    return {one.id for parts in targets for one in parts if isinstance(one, ast.Name)}


def _passed(name: str) -> str:
    """What stands for an argument of that name, which another method returns under the same name."""
    return f"({name})"


def is_sum(node: ast.AST, items: Container[str] = ()) -> bool:
    """Whether something is added to a plain name, as the terms of a sum are, and to no item of a list."""
    match node:
        case ast.AugAssign(op=ast.Add(), target=ast.Name(name)):
            return name not in items
    return False


def _is_place(value: ast.expr | None) -> bool:
    """Whether a value holds nothing yet: zeros, an empty list."""
    match value:
        case ast.List(elts=[]) | ast.Dict(keys=[]) | ast.Call(args=[], func=ast.Name(id="list" | "dict")):
            return True
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in ("zeros", "empty", "zeros_like", "empty_like")
    return False


def _is_nothing(value: ast.expr) -> bool:
    """Whether a start value only keeps the place: None, 0, an empty list, zeros."""
    match value:
        case ast.Constant() | ast.List(elts=[]) | ast.Dict(keys=[]):
            return True
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
            return name in _NOTHING
        case ast.Tuple(elts=parts):
            return all(map(_is_nothing, parts))
        case ast.BinOp(left=ast.List(), op=ast.Mult()) | ast.ListComp():
            return _is_nothing(value.elt) if isinstance(value, ast.ListComp) else True
    return False


def is_written(source: ProgramSource, function: Any) -> bool:
    """Whether a function is more than a place for what is not written yet."""
    node = source.function_at(function.__code__.co_name, function.__code__.co_firstlineno)
    return node is None or any(not isinstance(one, ast.Raise | ast.Pass | ast.Expr) for one in node.body)


def own_methods(kind: type) -> dict[str, Any]:
    """The methods of a class and of those that it inherits from."""
    found: dict[str, Any] = {}
    for one in reversed(kind.__mro__[:-1]):
        found.update(
            {name: getattr(each, "__func__", each) for name, each in vars(one).items() if _is_method(each)}
        )
    return {name: one for name, one in found.items() if name[:2] != "__" or name == "__call__"}


def _is_method(one: Any) -> bool:
    return inspect.isfunction(one) or isinstance(one, staticmethod | classmethod)


def is_used(source: ProgramSource, name: str, shown: set[str]) -> bool:
    """Whether the program makes objects of a class, or other classes of it, in its functions.

    Not in those that are ``shown``, which need no arguments: what they do has come to nothing.
    """
    for node in source.nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name not in {name, *shown}:
            bases = getattr(node, "bases", [])
            if any(isinstance(one, ast.Name) and one.id == name for one in [*bases, *ast.walk(node)]):
                holder = source.parent(node)
                return not (isinstance(holder, ast.ClassDef) and holder.name == name)
    return False
