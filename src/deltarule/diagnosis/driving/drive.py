"""Call what a program only defines, with plausible data, until something trains or returns gradients."""

from __future__ import annotations

import ast
import contextlib
import copy
import inspect
import re
import time
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from deltarule.diagnosis.driving.plausible import DATA, RATE, TARGET, ArgumentLayout, Plausible, layouts
from deltarule.diagnosis.driving.returned import analyse_returned, arrays_in
from deltarule.diagnosis.reading.analysis import Analysis, analyse
from deltarule.diagnosis.reading.comparison import ZERO
from deltarule.diagnosis.recording.program import Recording, keep_error, new_tape, recording_on
from deltarule.diagnosis.recording.tape import RecordingStopped, Tape

_TRAINS = re.compile(
    r"_*(train\w*|fit|sgd|learn|gradient_?descent\w*|model|step|\w*back_?prop\w*|backward\w*|\w*grad(ient)?s?\w*"
    r"|update\w*|changes?|optimi\w*|run|stochastic\w*|\w*cost\w*|\w*loss\w*|nn\w*|\w*network\w*|\w+_model|\w*train)$",
    re.I,
)
_LOOPS = re.compile(r"_*(train|fit|sgd|learn|model|gradient_?descent|run|step|\w*model|optimi)", re.I)
_FORWARD = re.compile(
    r"_*(forward\w*|feed_?forward\w*|predict|propagate|think|query|activate|calc\w*|compute|front\w*|f_prop\w*)$",
    re.I,
)
_UPDATES = re.compile(r"_*(update\w*|apply\w*|step|gradient_?descent|optimi\w*)$", re.I)


@dataclass(eq=False)
class DrivenRun:
    """One way of calling, with what came of it."""

    label: str
    layout: ArgumentLayout | None
    analysis: Analysis
    rows: int
    is_right: bool


def drive(recording: Recording, seconds: float) -> tuple[Analysis, str] | None:
    """Return the best analysis of the calls that were tried, and what was called."""
    driver = _Driver(recording, time.monotonic() + max(1.0, seconds))
    best = driver.search()
    if best is None and driver.undefined is not None and not recording.error:
        keep_error(recording, driver.undefined)
    return (best.analysis, best.label) if best else None


class _Driver:
    def __init__(self, recording: Recording, deadline: float) -> None:
        self.recording, self.deadline = recording, deadline
        self.tape = recording.tape
        names = recording.namespace
        path = recording.source.path
        self.functions = {
            name: one
            for name, one in names.items()
            if isinstance(one, types.FunctionType) and one.__code__.co_filename == path
        }
        self.classes = {
            name: one for name, one in names.items() if isinstance(one, type) and one.__module__ == "__main__"
        }
        self.objects = {name: one for name, one in names.items() if type(one) in self.classes.values()}
        self.returns = _returned_names(recording)
        self.wrong: list[DrivenRun] = []
        #: A name that a function uses and that there is not, whatever it is called with.
        self.undefined: NameError | None = None

    def search(self) -> DrivenRun | None:
        """Return the first right trial, or the wrong one on which two agree."""
        began_to_agree = time.monotonic()
        for attempt in (self._functions(), self._objects()):
            for trial in attempt:
                if trial.is_right:
                    if trial.layout is not None and trial.layout.is_single and self._knows_batches():
                        continue
                    return trial
                self.wrong.append(trial)
                if self._agreed() is not None and len(self.wrong) > 1:
                    self.deadline = min(self.deadline, began_to_agree + 1.5)
                else:
                    began_to_agree = time.monotonic()
                if time.monotonic() > self.deadline:
                    break
        return self._agreed()

    def _knows_batches(self) -> bool:
        """Whether a batch was judged wrong though the program speaks of several samples."""
        text = self.recording.source.text
        aware = re.search(
            r"axis|\bmean\(|len\((x|y|inputs?|targets?)\w*\)|\b(x|y|inputs?)\w*\.shape\[", text, re.I
        )
        return bool(aware) and any(one.layout and not one.layout.is_single for one in self.wrong)

    def _agreed(self) -> DrivenRun | None:
        """The wrong trial that judged most, if another with other data or sizes is wrong, too."""
        if not self.wrong:
            return None
        best = max(self.wrong, key=lambda one: one.rows)
        others = [one for one in self.wrong if one is not best and one.layout != best.layout]
        return best if others or best.layout is None else None

    # Functions
    def _functions(self) -> Iterator[DrivenRun]:
        wanted = training_functions(self.functions)
        others = [name for name in self.functions if name not in wanted and self._takes_data(name)]
        for name in wanted + others:
            for layout in layouts(self._sizes(), True):
                if time.monotonic() > self.deadline:
                    return
                for varied in _twice(layout):
                    trial = self._try(f"{name}(…), {varied}", varied, partial(_Run.call, name=name))
                    if trial is None:
                        break
                    yield trial

    def _takes_data(self, name: str) -> bool:
        names = list(inspect.signature(self.functions[name]).parameters)
        return any(DATA.match(one) for one in names) and any(TARGET.match(one) for one in names)

    def _sizes(self) -> list[tuple[int, int]]:
        text = self.recording.source.text
        sizes = [(3, 2), (3, 1)]
        if re.search(r"784", text):
            sizes.append((784, 10))
        if re.search(r"\b10\b", text):
            sizes.append((3, 10))
        return sizes

    # Objects
    def _objects(self) -> Iterator[DrivenRun]:
        makers: list[tuple[str, Callable[[_Run], Any], list[tuple[int, int]], type]] = []
        for name, one in self.objects.items():
            makers.append((name, partial(_Run.renewed, one=one), _sizes_of(one), type(one)))
        for name, kind in self.classes.items():
            makers.append((name, partial(_Run.make, kind=kind), self._sizes(), kind))
        for name, make, sizes, kind in makers:
            for methods in methods_to_call(kind):
                yield from self._methods(name, make, sizes, methods)

    def _methods(
        self, name: str, make: Callable[[_Run], Any], sizes: list[tuple[int, int]], methods: list[str]
    ) -> Iterator[DrivenRun]:
        def work(run: _Run) -> Any:
            one = make(run)
            run.kept = one
            result = None
            for _ in range(4):
                for method in methods:
                    result = run.call_method(one, method)
                if len(methods) == 1 and not _LOOPS.match(methods[0]) and result is not None:
                    break
            return result

        for layout in layouts(sizes, False):
            if time.monotonic() > self.deadline:
                return
            for varied in _twice(layout):
                trial = self._try(f"{name}.{', '.join(methods)}, {varied}", varied, work)
                if trial is None:
                    break
                yield trial

    def _try(self, label: str, layout: ArgumentLayout, work: Callable[[_Run], Any]) -> DrivenRun | None:
        """Run once; None where nothing could be compared."""
        budget = min(5.0, max(0.5, self.deadline - time.monotonic()))
        tape = new_tape(self.recording.source, frozenset(), budget)
        source = self.recording.source
        result, failed = None, False
        with recording_on(tape):
            run = _Run(self, tape, layout)
            try:
                run.renew_namespace()
                result = work(run)
            except RecordingStopped:
                pass
            except NameError as raised:
                failed, self.undefined = True, raised
            except Exception:
                failed = True
        analysis = analyse(tape, source)
        if analysis.chosen is None and not failed:
            analysis = analyse_returned(tape, source, {run.last: run.named(result)}, run.kept)
        if analysis.chosen is None:
            return None
        judged = [row for row in analysis.chosen.rows if row.verdict != ZERO]
        if not judged or (failed and len(analysis.chosen.steps) < 2):
            return None
        clean = not analysis.chosen.bad and not analysis.absent and not tape.grown
        return DrivenRun(label, layout, analysis, len(judged), clean)


def training_functions(names: Iterable[str]) -> list[str]:
    """Those whose names say that they train, loops first."""
    wanted = [name for name in names if _TRAINS.match(name)]
    return sorted(wanted, key=lambda name: (not _LOOPS.match(name), bool(_UPDATES.match(name))))


def _twice(layout: ArgumentLayout) -> Iterator[ArgumentLayout]:
    """A layout, and the same with other data, that two may agree."""
    yield layout
    yield replace(layout, seed=layout.seed + 6, samples=layout.samples + 2)


def methods_to_call(kind: type) -> list[list[str]]:
    """Sequences of methods to call, the likeliest first."""
    methods = [
        name for name in dir(kind) if not name.startswith("__") and callable(getattr(kind, name, None))
    ]
    training = [name for name in methods if _TRAINS.match(name)]
    training.sort(key=lambda name: (not _LOOPS.match(name), name))
    forward = [name for name in methods if _FORWARD.match(name)]
    backward = [name for name in training if re.search("back|grad", name, re.I)]
    updates = [name for name in methods if _UPDATES.match(name)]
    plans = [[name] for name in training if name not in backward]
    plans += [[a, b, c] for a in forward for b in backward for c in updates if c != b]
    plans += [[a, b] for a in forward for b in backward]
    return plans + [[name] for name in backward]


def _sizes_of(one: Any) -> list[tuple[int, int]]:
    """(inputs, outputs) that the shapes of an object's arrays allow."""
    shapes = [array.shape for _, array in arrays_in(one) if array.value.ndim == 2]
    large = [shape for shape in shapes if min(shape) > 1] or shapes
    found = []
    if shapes:
        weights = [shape for shape in shapes if shape in large or shape[0] == large[-1][1]]
        first, last = weights[0], weights[-1]
        found = [(first[0], last[1]), (first[1], last[0])]
    every = sorted({size for shape in shapes for size in shape})[:4]
    found += [(a, b) for a in every for b in every]
    return list(dict.fromkeys(found)) or [(3, 2), (3, 1), (2, 1)]


def _returned_names(recording: Recording) -> dict[tuple[str, int], list[str]]:
    """By function, the names in its return statement."""
    found = {}
    for node in ast.walk(recording.source.tree):
        if isinstance(node, ast.FunctionDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    parts = inner.value.elts if isinstance(inner.value, ast.Tuple) else [inner.value]
                    found[node.name, node.lineno] = [ast.unparse(one).replace("self.", "") for one in parts]
    return found


class _Run:
    """The calls of one trial."""

    def __init__(self, driver: _Driver, tape: Tape, layout: ArgumentLayout) -> None:
        self.driver, self.tape = driver, tape
        self.plausible = Plausible(layout, driver.recording.namespace)
        self.pool: dict[str, Any] = {}
        self.kept: Any = self.plausible.made
        self.calling: set[str] = set()
        self.last = ""

    # Start values
    def renew_namespace(self) -> None:
        """Give the arrays of the program's own names ids on this tape."""
        names = self.driver.recording.namespace
        for name, one in names.items():
            if not name.startswith("__") and one not in self.driver.objects.values():
                self.renew(one, name)
        for kind in self.driver.classes.values():
            self.renew(dict(vars(kind)), "")

    def renew(self, x: Any, name: str = "") -> None:
        old = self.driver.tape
        for path, array in arrays_in(x, name):
            last = re.split(r"[.\[]", path)[-1].strip("]'\"")
            given = DATA.match(last) or TARGET.match(last) or RATE.match(last)
            made = old.operations[int(old.producer[int(array.ids.flat[0])])] if array.size else None
            with contextlib.suppress(ValueError):
                array.ids[...] = self.tape.leaf(array.value, data=not given)
                if made is not None:
                    self.tape.operations[-1].place = made.place

    def renewed(self, one: Any) -> Any:
        """A copy of an object, its arrays with ids on this tape."""
        made = copy.deepcopy(one)
        old = dict(arrays_in(one))
        for path, array in arrays_in(made):
            if path in old and array.size and array.value.dtype.kind == "f":
                array.ids[...] = old[path].ids
        self.renew(made)
        self._away_from_zero(made)
        return made

    def _away_from_zero(self, one: Any) -> None:
        """Tiny and zero weights hide mistakes."""
        for path, array in arrays_in(one):
            last = re.split(r"[.\[]", path)[-1]
            if array.value.dtype.kind != "f" or array.size < 2 or DATA.match(last) or TARGET.match(last):
                continue
            if abs(array.value).max() < 0.02 and array.value.any() and array.value.ndim == 2:
                array.value[...] = self.plausible.rng.normal(size=array.shape) * 0.7
                self.tape.value[array.ids] = array.value

    def make(self, kind: type) -> Any:
        one = self._with_arguments(kind, kind.__name__)
        self._away_from_zero(one)
        return one

    # Calls
    def call(self, name: str) -> Any:
        function = self.driver.functions[name]
        self.calling.add(name)
        result = self._with_arguments(function, name)
        self.calling.discard(name)
        self._pool(name, function.__code__.co_firstlineno, result)
        return result

    def call_method(self, one: Any, name: str) -> Any:
        method = getattr(one, name)
        result = self._with_arguments(method, name)
        code = getattr(getattr(method, "__func__", method), "__code__", None)
        self._pool(name, code.co_firstlineno if code else 0, result)
        return result

    def _pool(self, name: str, line: int, result: Any) -> None:
        self.last = name
        names = self.driver.returns.get((name, line), [])
        if len(names) == 1:
            self.pool[names[0]] = result
        elif isinstance(result, tuple) and len(result) == len(names):
            self.pool.update(zip(names, result, strict=True))

    def named(self, result: Any) -> Any:
        """The returned values by the names that they have in the return statement."""
        if isinstance(result, tuple):
            for names in self.driver.returns.values():
                if len(names) == len(result) and all(
                    self.pool.get(k) is v for k, v in zip(names, result, strict=True)
                ):
                    return {
                        name if name.isidentifier() else f"result {k}": one
                        for k, (name, one) in enumerate(zip(names, result, strict=True), 1)
                    }
        return result

    def _with_arguments(self, function: Any, name: str) -> Any:
        parameters = list(inspect.signature(function).parameters.values())
        hidden = any(re.search("hid", one.name, re.I) for one in parameters)
        positional, named = [], {}
        for one in parameters:
            if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
                continue
            if one.default is not one.empty and not self._overrides(one):
                continue
            try:
                value = self._argument(one.name, hidden)
            except LookupError:
                if one.default is not one.empty:
                    continue
                raise
            if one.kind == one.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[one.name] = value
        return function(*positional, **named)

    @staticmethod
    def _overrides(one: inspect.Parameter) -> bool:
        """Whether a default is worth replacing: data that is None, and long loops."""
        if one.default is None:
            return bool(DATA.match(one.name) or TARGET.match(one.name))
        return bool(re.search(r"epoch|iter|batch_?size", one.name, re.I))

    def _argument(self, name: str, hidden: bool) -> Any:
        if name in self.pool:
            return self.pool[name]
        is_data = DATA.match(name) or TARGET.match(name)
        if not is_data and (maker := self._maker_of(name)) is not None:
            self.call(maker)
            if name in self.pool:
                return self.pool[name]
        namespace = self.driver.recording.namespace
        if not is_data and name in namespace and list(arrays_in(namespace[name])):
            return namespace[name]
        return self.plausible.value(name, hidden)

    def _maker_of(self, name: str) -> str | None:
        """The function whose return statement has this name, or that goes forward where a cache is wanted."""
        wants_cache = re.search(r"cache|memory|states?$|activations?$|forward", name, re.I)
        for (function, _), names in self.driver.returns.items():
            if function in self.calling or function not in self.driver.functions:
                continue
            if name in names:
                return function
            if wants_cache and _FORWARD.match(function) and len(names) > 1:
                self.call(function)
                self.pool.setdefault(name, self.pool.get(names[-1]))
                return function
        return None
