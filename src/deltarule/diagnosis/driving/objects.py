"""What somebody's code wants beside numbers: functions, objects of its own classes, a network of layers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from deltarule.diagnosis.driving.plausible import Plausible
from deltarule.diagnosis.driving.returned import arrays_in
from deltarule.diagnosis.driving.usage import UNUSED, Use
from deltarule.diagnosis.driving.usual_loss import UsualLoss
from deltarule.diagnosis.recording.usual_activation import is_derived

_OF_DATA = frozenset(
    [*dir(np.ndarray), *dir(list), *dir(dict), *dir(str), "to_numpy", "values", "iloc", "columns", "index"]
)
#: What a network is told layer by layer, and what it is told before it trains.
_ADDS = re.compile(r"_*(add|append|push|add_?(layer|dense|module)|layer)$", re.I)
_COMPILES = re.compile(r"_*(compile|configure|use|set_?(loss|cost|optimi[sz]er|error)\w*)$", re.I)
_SPECIAL = re.compile(
    r"conv|pool|rnn|lstm|gru|recurrent|embed|norm|drop|flatten|attention|reshape|soft_?max|loss|mse|entropy",
    re.I,
)
_COMPUTES = re.compile("forward|compute|activate|call|feed|output", re.I)
_GOES_BACK = re.compile("back|grad|deriv", re.I)
_ACTIVATION = re.compile(r"sigmoid|tanh|logistic|relu|activat", re.I)
#: Activations that are chosen by a word, and how many others are tried beside the first.
_CHOSEN = re.compile(r"sig(moid)?$|logistic$|tanh$|relu$", re.I)
_MOST_CHOICES = 3
_WHOLE = re.compile(r"net|model|sequential|mlp|^nn$|perceptron|stack", re.I)
_LOSS = re.compile(r"mse|loss|cost|err|cross|entropy|squared|criteri|objective", re.I)


class MakingRun(Protocol):
    """The calls of one trial, as far as what is here needs them."""

    namespace: dict[str, Any]
    plausible: Plausible
    making: set[str]
    assembled: set[str]
    in_layer: bool
    first_layer: bool

    def is_own(self, kind: type) -> bool: ...
    def uses(self, function: Any) -> dict[str, Use]: ...
    def words(self) -> list[str]: ...
    def make(self, name: str) -> Any: ...
    def with_arguments(self, function: Any) -> Any: ...


def has(kind: type, name: str) -> bool:
    """Whether objects of a class have an attribute, which its methods may set."""
    return (
        hasattr(kind, name)
        or any(
            name in getattr(getattr(one, "__code__", None), "co_names", ())
            for each in kind.__mro__
            for one in vars(each).values()
        )
        or name in getattr(kind, "__annotations__", {})
    )


def own_classes(run: MakingRun) -> dict[str, type]:
    """The learner's classes that can be made, those that others are made from last."""
    kinds = {name: one for name, one in run.namespace.items() if isinstance(one, type) and run.is_own(one)}
    kinds = {name: one for name, one in kinds.items() if not inspect.isabstract(one)}
    bases = {base for one in kinds.values() for base in one.__mro__[1:]}
    return dict(sorted(kinds.items(), key=lambda one: one[1] in bases))


def wanted_object(run: MakingRun, name: str, use: Use) -> Any:
    """An object that can do what is asked of a parameter, or a list of layers; None where it is neither."""
    layered = re.search("layer|network|model|module", name, re.I)
    asked = use.of_items - _OF_DATA
    if asked and (made := layers(run, asked if not layered else set())):
        return made
    asked = use.attributes - _OF_DATA
    if not asked:
        return None
    for kind, one in own_classes(run).items():
        if all(hasattr(one, attr) for attr in asked) and kind not in run.making and _may_be(one, name):
            return run.make(kind)
    return None


def _may_be(kind: type, name: str) -> bool:
    """Whether an object may be what is called so: no activation draws random numbers, as layers do."""
    codes = [getattr(one, "__code__", None) for each in kind.__mro__ for one in vars(each).values()]
    draws = any("random" in code.co_names for code in codes if code is not None)
    return not (draws and re.search("activ", name, re.I))


def object_called(run: MakingRun, name: str, asked: tuple[str, ...], is_made: bool = True) -> Any:
    """An object (or its class) that has what is asked of a parameter of that name; None for none."""
    found = [
        kind
        for kind, one in own_classes(run).items()
        if kind not in run.making and all(has(one, each) for each in asked) and _may_be(one, name)
    ]
    is_whole = bool(_WHOLE.search(name))
    found.sort(key=lambda one: (is_loss(one) != is_loss(name), bool(_WHOLE.search(one)) != is_whole))
    if not found:
        return None
    return run.make(found[0]) if is_made else run.namespace[found[0]]


def called_object(run: MakingRun, name: str) -> Any:
    """An object that is called as a function of that name, as a loss is; None where there is none."""
    called = re.sub(r"\W|_", "", name).lower()
    for kind, one in own_classes(run).items():
        fits = (_LOSS.search(name) and _LOSS.search(kind)) or called in kind.lower()
        if fits and "__call__" in vars(one) and kind not in run.making:
            return run.make(kind)
    return None


def wanted_function(run: MakingRun, name: str) -> Any:
    """The learner's function of such a name: an activation, a loss, or the derivative of one."""
    if name in run.namespace and inspect.isfunction(run.namespace[name]):
        return run.namespace[name]
    kind = _LOSS if _LOSS.search(name) else _ACTIVATION
    derived = is_derived(name)
    found = [
        one
        for one, function in run.namespace.items()
        if inspect.isfunction(function) and kind.search(one) and is_derived(one) == derived
    ]
    return run.namespace[min(found, key=lambda one: (rank(one), len(one)))] if found else None


def function_called(run: MakingRun, name: str) -> Any:
    """The learner's function of that name, or a usual one."""
    found = wanted_function(run, name) or called_object(run, name)
    return found or (UsualLoss(name) if is_loss(name) else run.plausible.usual(name))


def called_in_turn(run: MakingRun, name: str, count: int, is_pair: bool) -> Any:
    """Layers that are called; functions that stand together; or one for each, of a pair its derivative."""
    if any("__call__" in vars(one) for one in own_classes(run).values()) and (made := layers(run, set())):
        return made
    tables = [value.values() for value in run.namespace.values() if isinstance(value, dict)]
    held = [*run.namespace.values(), *(one for table in tables for one in table)]
    for one in held:
        if isinstance(one, list | tuple) and len(one) == count and all(map(inspect.isfunction, one)):
            return one
    names = [name if k == 0 or not is_pair else f"{name}_derivative" for k in range(count)]
    return [function_called(run, one) for one in names]


def is_loss(name: str) -> bool:
    """Whether something is called as losses are."""
    return bool(_LOSS.search(name))


def is_activation(name: str, use: Use) -> bool:
    """Whether an object is asked for a value and a slope, and is no loss, or for a value and is called so."""
    slopes = [one for one in use.attributes if is_derived(one)]
    if len(use.attributes) == 1 and not slopes and _ACTIVATION.search(name):
        return True
    return len(use.attributes) == 2 and len(slopes) == 1 and not _LOSS.search(name)


def rank(name: str) -> int:
    """The place of a function in the order in which known ones are taken."""
    order = ("sigmoid", "logistic", "tanh", "mse", "squared")
    return next((k for k, one in enumerate(order) if one in name.lower()), len(order))


def word_for(run: MakingRun, name: str, words: list[str]) -> str | None:
    """One of the words that a parameter is compared with; of an activation, one that anybody knows."""
    wanted = _LOSS if _LOSS.search(name) and not _ACTIVATION.search(name) else _ACTIVATION
    known = [one for one in words if wanted.search(one)]
    if not known and re.search("act|func", name, re.I):
        known = [one for one in run.words() if re.fullmatch("sigmoid|logistic|tanh|relu", one, re.I)]
    if known:
        return min(known, key=rank)
    return words[0] if words else None


def other_choices(use: Use, taken: Any) -> list[Any]:
    """Of what is off, on; else the other activations that anybody knows that a parameter is compared with."""
    if use.is_switch and type(taken) in (bool, int, float) and not taken:
        return [True if taken is False else 0.5]
    if type(taken) not in (int, str) and not isinstance(taken, Enum):
        return []
    constants = {name: one for name, one in use.constants.items() if _ACTIVATION.search(name)}
    found = dict.fromkeys(one for one in use.words if _CHOSEN.match(one))
    known = {one: one for one in found} | {one: constants[one] for one in constants}
    wanted = [one for one in sorted(known, key=rank) if known[one] != taken]
    if found and not wanted:  # any other word is the other activation
        return ["other"]
    return [known[one] for one in wanted][:_MOST_CHOICES]


@contextmanager
def sized(run: MakingRun, inputs: int, outputs: int, first: bool) -> Iterator[None]:
    """Let what is made be one layer of a network."""
    before, was = run.plausible.layout, (run.in_layer, run.first_layer)
    run.plausible.layout, run.first_layer = replace(before, inputs=inputs, outputs=outputs), first
    run.in_layer = True
    try:
        yield
    finally:
        run.plausible.layout, (run.in_layer, run.first_layer) = before, was


def _steps(run: MakingRun) -> list[tuple[int, int, bool]]:
    """The inputs and outputs of each layer of a network, and whether others follow it."""
    layers = list(pairwise(run.plausible.layout.widths))
    return [(inputs, outputs, k < len(layers)) for k, (inputs, outputs) in enumerate(layers, 1)]


def in_steps(run: MakingRun, make: Callable[[], Any]) -> list[Any]:
    """What is made for each layer of a network."""
    made = []
    for inputs, outputs, first in _steps(run):
        with sized(run, inputs, outputs, first):
            made.append(make())
    return made


def layers(run: MakingRun, asked: set[str]) -> list[Any]:
    """Two layers with weights, and an activation between them if there is one; empty where there are none."""
    kinds = {
        name: one
        for name, one in own_classes(run).items()
        if name not in run.making
        and (asked or any(_COMPUTES.search(each) for each in dir(one)))
        and (all(has(one, each) for each in asked) or _is_between(run, one))
        and not _SPECIAL.search(name)
    }
    general = {base for one in kinds.values() for base in one.__mro__[1:]}
    between = [name for name, one in kinds.items() if one not in general and _is_between(run, one)]
    dense = [name for name in kinds if name not in between and _takes_sizes(run, kinds[name])]
    if not dense:
        return []
    dense.sort(key=lambda one: not re.search("dense|linear|layer|fc|full|affine", one, re.I))
    bases = [one for one in kinds[dense[0]].__mro__[1:] if run.is_own(one)]
    between = [one for one in between if not bases or bases[-1] in kinds[one].__mro__]
    made = []
    for inputs, outputs, first in _steps(run):
        with sized(run, inputs, outputs, first):
            made.append(run.make(dense[0]))
            if between and first:
                made.append(run.make(min(between, key=lambda one: (rank(one), len(one)))))
    return made


def layers_or_widths(run: MakingRun, open_use: Use) -> list[Any]:
    """What a constructor is passed that takes any number of values: layers, or how many neurons they have."""
    made = [] if open_use.has_sizes else layers(run, set())
    return made or list(run.plausible.layout.widths)


def layers_of_neurons(run: MakingRun, asked: set[str]) -> list[list[Any]]:
    """Two layers, each a list of neurons that have what is asked of them; empty where there are none."""
    kinds = [
        name
        for name, one in own_classes(run).items()
        if name not in run.making and all(has(one, each) for each in asked)
    ]
    made: list[list[Any]] = []
    for inputs, outputs, first in _steps(run) if kinds else ():
        with sized(run, inputs, inputs, first):
            made.append([run.make(kinds[0]) for _ in range(outputs)])
    return made


def _is_between(run: MakingRun, kind: type) -> bool:
    """Whether a class computes and goes back, and has no neurons: an activation."""
    names = dir(kind)
    both = all(any(one.search(each) for each in names) for one in (_COMPUTES, _GOES_BACK))
    return both and not _takes_sizes(run, kind)


def _takes_sizes(run: MakingRun, kind: type) -> bool:
    """Whether a constructor is told how many neurons there are."""
    uses = run.uses(kind)
    names = [name for name in inspect.signature(kind).parameters if name != "self"]
    return any(run.plausible.is_count(name) or uses.get(name, UNUSED).is_size for name in names)


def assemble(run: MakingRun, one: Any) -> None:
    """Give a new network its layers, its loss and its optimizer, where it has methods for them."""
    kind = type(one)
    methods = [each for each in dir(kind) if inspect.isfunction(getattr(kind, each)) and each[:2] != "__"]
    adding = next((each for each in methods if _ADDS.match(each)), None)
    if adding and not any(array.size > 1 for _, array in arrays_in(one, lists=True)):
        method = getattr(one, adding)
        run.assembled.add(adding)
        wanted = [
            each for each in inspect.signature(method).parameters.values() if each.default is each.empty
        ]
        single = len(wanted) == 1 and not run.plausible.is_count(wanted[0].name)
        made = layers(run, set()) if single else []
        for each in made:
            method(each)
        steps = _steps(run)
        if len(wanted) == 1 and not single:  # the inputs are told as a layer, too
            steps = [(steps[0][0], steps[0][0], True), *steps]
        for inputs, outputs, first in steps if not made else ():
            with sized(run, inputs, outputs, first):
                run.with_arguments(method)
    for each in methods:
        if _COMPILES.match(each):
            run.assembled.add(each)
            run.with_arguments(getattr(one, each))
