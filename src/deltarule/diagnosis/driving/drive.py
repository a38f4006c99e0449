"""Call what a program only defines, with plausible data, until something trains or returns gradients."""

from __future__ import annotations

import contextlib
import inspect
import re
import time
import traceback
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.calls import (
    FORWARD,
    INPUT,
    CallRun,
    is_given,
    is_own,
    is_partly_read,
    layer_methods,
    returned_names,
)
from deltarule.diagnosis.driving.graphs import NothingReturned, back_method, expressions, go_back
from deltarule.diagnosis.driving.plausible import (
    DATA,
    MASK,
    TARGET,
    ArgumentLayout,
    layouts,
    role_of,
)
from deltarule.diagnosis.driving.returned import analyse_returned, arrays_in
from deltarule.diagnosis.reading.analysis import Analysis, analyse
from deltarule.diagnosis.reading.comparison import ZERO
from deltarule.diagnosis.recording.program import (
    Recording,
    keep_error,
    new_tape,
    record_live,
    recording_on,
)
from deltarule.diagnosis.recording.tape import RecordingStopped

_TRAINS = re.compile(
    r"_*(train\w*|fit|sgd|learn|gradient_?descent\w*|model|step|\w*back_?prop\w*|backward\w*|\w*grad(ient)?s?\w*"
    r"|update\w*|changes?|optimi\w*|run|stochastic\w*|\w*cost\w*|\w*loss\w*|nn\w*|\w*network\w*|\w+_model|\w*train)$",
    re.I,
)
_LOOPS = re.compile(r"_*(train|fit|sgd|learn|model|gradient_?descent|run|step|\w*model|optimi)", re.I)
#: The shape of a start value that is written out.
_SHAPE = re.compile(r"(?:randn?|random|normal|uniform|random_sample)\((?:.*?\()?\s*(\d+)\s*,\s*(\d+)\s*\)")
_UPDATES = re.compile(r"_*(update\w*|apply\w*|step|gradient_?descent|optimi\w*)$", re.I)
#: How many operations are recorded in all, and after two wrong ones agree: a right one may still be found.
_MOST_OPERATIONS, _AFTER_AGREEMENT = 600_000, 25_000
#: What a call costs beside them.
_CALL = 300


@dataclass(eq=False)
class DrivenRun:
    """One way of calling, with what came of it: ``rows`` parameters were judged."""

    label: str
    layout: ArgumentLayout | None
    analysis: Analysis
    rows: int
    is_right: bool


def drive(recording: Recording, seconds: float, meant: str = "") -> tuple[Analysis, str] | None:
    """Return the best analysis of the calls that were tried, and what was called."""
    driver = _Driver(recording, time.monotonic() + max(1.0, seconds), {}, meant)
    best = driver.search()
    if best is None and driver.undefined is not None and not recording.error:
        keep_error(recording, driver.undefined)
    return (best.analysis, best.label) if best else None


def drive_live(
    code: Any, seconds: float, own: dict[str, Any] | None = None, meant: str = ""
) -> tuple[Recording, Analysis, str]:
    """Call a function that is there already, or the methods of an object; ``own``: the learner's data."""
    recording = record_live(code, is_given)
    driver = _Driver(recording, time.monotonic() + max(1.0, seconds), own or {}, meant)
    best = driver.search()
    if best is not None:
        return recording, best.analysis, best.label
    recording.error = "" if driver.reason else driver.raised
    reason = driver.reason or "no way was found to call it so that it trains, or returns gradients"
    return recording, Analysis(recording.tape, recording.source, reason=reason), ""


class _Driver:
    def __init__(self, recording: Recording, deadline: float, own: dict[str, Any], meant: str) -> None:
        self.recording, self.deadline, self.own, self.meant = recording, deadline, own, meant
        self.tape = recording.tape
        names = recording.namespace
        path = recording.source.path
        self.functions = {
            name: one
            for name, one in names.items()
            if isinstance(one, types.FunctionType) and one.__code__.co_filename == path
        }
        self.classes = {
            name: one for name, one in names.items() if isinstance(one, type) and is_own(one, path)
        }
        kinds = [kind for kind in self.classes.values() if not back_method(kind)]
        self.objects = {name: one for name, one in names.items() if type(one) in kinds}
        if recording.root and recording.root not in self.functions:
            self.objects = {recording.root: names[recording.root]}
        self.returns = returned_names(recording)
        self.wrong: list[DrivenRun] = []
        #: A name that a function uses and that there is not, whatever it is called with.
        self.undefined: NameError | None = None
        #: How many operations were recorded, and how many will be at most.
        self.count, self.most = 0, _MOST_OPERATIONS
        #: Why a call said nothing, and what one raised.
        self.reason = self.raised = ""

    def search(self) -> DrivenRun | None:
        """Return the first right trial, or the wrong one on which two agree."""
        for attempt in (self._functions(), self._objects()):
            for trial in attempt:
                if trial.is_right and not self._is_doubtful(trial):
                    return trial
                if trial.is_right:
                    continue
                self.wrong.append(trial)
                if len(self.wrong) > 1 and self._agreed() is not None:
                    self.most = min(self.most, self.count + _AFTER_AGREEMENT)
        return self._agreed() or self._layers() or self._graphs()

    def _layers(self) -> DrivenRun | None:
        """Judge each layer by itself: the first wrong one, or the right one with most parameters."""
        found: list[DrivenRun] = []
        for name in [name for name, kind in self.classes.items() if layer_methods(kind)]:
            self.wrong, self.most = [], self.count + _AFTER_AGREEMENT
            work = partial(CallRun.go_through, name=name)
            for layout in layouts([*self._sizes(), (3, 3)], False, 2):
                trial = None if self._is_over else self._try(f"{name}, {layout}", layout, work)
                if trial is not None and trial.is_right:
                    found.append(trial)
                    break
                self.wrong += [trial] if trial is not None else []
            else:
                found += [one for one in [self._agreed()] if one is not None]
        return max(found, key=lambda one: (not one.is_right, one.rows), default=None)

    def _graphs(self) -> DrivenRun | None:
        """Judge each operation of numbers that build a graph: the first wrong one, or all that there are."""
        right: DrivenRun | None = None
        for name in [name for name, kind in self.classes.items() if back_method(kind)]:
            for label, compute in expressions(self.classes[name]):
                tape = new_tape(self.recording.source, frozenset(), 5.0)
                try:
                    with recording_on(tape):
                        kind = self.recording.rebuilding(is_given, self.tape).value(self.classes[name], name)
                        analysis = go_back(tape, self.recording.source, kind, compute)
                except (RecordingStopped, NothingReturned):
                    return None
                if analysis is None or analysis.chosen is None:
                    continue
                trial = DrivenRun(f"{name}, {label}", None, analysis, 3, not analysis.chosen.bad)
                if not trial.is_right:
                    return trial
                right = trial
        return right

    @property
    def _is_over(self) -> bool:
        """Whether enough was tried; the time is only a bound for what is very slow."""
        return self.count >= self.most or time.monotonic() > self.deadline

    def _is_doubtful(self, trial: DrivenRun) -> bool:
        """Whether it is right where mistakes do not show, and wrong where they do.

        Of one sample, though the program speaks of several; of live code, of one output or fewer parameters.
        """
        layout, text = trial.layout, self.recording.source.text
        if layout is None or not self.wrong:
            return False
        aware = re.search(
            r"axis|\bmean\(|len\((x|y|inputs?|targets?)\w*\)|\b(x|y|inputs?)\w*\.shape\[", text, re.I
        )
        if layout.is_single and aware:
            return any(one.layout and not one.layout.is_single for one in self.wrong)
        others = [(one.rows, one.layout) for one in self.wrong if one.layout is not None]
        if layout.biases == "one" and any(each.biases != "one" and n >= trial.rows for n, each in others):
            return True
        richer = [each for n, each in others if (n, each.outputs) > (trial.rows, layout.outputs)]
        return bool(self.recording.root and richer)

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
        if self.recording.root:
            wanted = [name for name in self.functions if name == self.recording.root]
        others = [name for name in self.functions if name not in wanted and self._takes_data(name)]
        for name in wanted if self.recording.root else wanted + others:
            for layout in self._own_layouts() or layouts(self._sizes(), True, self._orders(name)):
                if self._is_over:
                    return
                for varied in _twice(layout):
                    trial = self._try(f"{name}(…), {varied}", varied, partial(CallRun.call, name=name))
                    if trial is None:
                        break
                    yield from self._confirmed(name, trial)

    def _confirmed(self, name: str, trial: DrivenRun) -> Iterator[DrivenRun]:
        """A trial; or those in which square layers or a second call show that live code is wrong."""
        layout, analysis = trial.layout, trial.analysis
        if not (trial.is_right and self.recording.root and analysis.only_gradients and layout):
            yield trial
            return
        call = partial(CallRun.call, name=name)
        wrong = []
        for one in _twice(replace(layout, inputs=3, outputs=3)):
            square = self._try(f"{name}(…), {one}", one, call)
            wrong += [square] if square is not None and not square.is_right else []
        if len(wrong) < 2:
            self._call_again(name, trial)
        yield from wrong if len(wrong) == 2 else [trial]

    def _call_again(self, name: str, trial: DrivenRun) -> None:
        """See whether a second call with the same arguments gives the double."""
        assert trial.layout is not None
        tape = new_tape(self.recording.source, frozenset(), 5.0)
        results: list[list[Any]] = []
        with recording_on(tape), contextlib.suppress(Exception, RecordingStopped):
            run = CallRun(self.recording, self.own, self.returns, tape, trial.layout)
            for _ in range(2):
                arrays = [one for _, one in arrays_in(run.call(name), lists=True)]
                results.append([(one.value.copy(), max(tape.producers(one.ids))) for one in arrays])
        first, second = results if len(results) == 2 else ([], [])
        for (one, _), (other, made) in zip(first, second, strict=False):
            if one.any() and one.shape == other.shape and np.allclose(other, 2 * one):
                trial.analysis.behaviour = ("gradients_accumulate", tape.operations[made])

    def _own_layouts(self) -> list[ArgumentLayout]:
        """How the learner's own data lie: as they are."""
        if not self.own:
            return []
        inputs, outputs = (int(np.shape(self.own.get(one, [0]))[-1]) for one in ("X", "Y"))
        samples = len(self.own.get("X", [0]))
        return [ArgumentLayout("rows", "own", "in-out", "vector", inputs, outputs, samples)]

    def _orders(self, name: str) -> int:
        """2 where arguments may stand in more than one order: their names say nothing, or there are masks."""
        names = list(inspect.signature(self.functions[name]).parameters)
        return 2 if any(MASK.match(one) for one in names) or sum(not role_of(one) for one in names) > 1 else 1

    def _takes_data(self, name: str) -> bool:
        names = list(inspect.signature(self.functions[name]).parameters)
        return any(DATA.match(one) for one in names) and any(TARGET.match(one) for one in names)

    def _sizes(self) -> list[tuple[int, int]]:
        text = self.recording.source.text
        if self.recording.root:
            return [(6, 3), (3, 1), (3, 3)]
        sizes = [(3, 2), (3, 1)]
        shapes = [tuple(map(int, one)) for one in _SHAPE.findall(text)]
        if shapes and max(map(max, shapes)) < 1000:
            sizes += [(shapes[0][0], shapes[-1][1]), (shapes[0][1], shapes[-1][0])]
        if re.search(r"784", text):
            sizes.append((784, 10))
        if re.search(r"\b10\b", text):
            sizes.append((3, 10))
        return list(dict.fromkeys(sizes))

    # Objects
    def _objects(self) -> Iterator[DrivenRun]:
        sizes = {name: _sizes_of(one) for name, one in self.objects.items()}
        if not self.recording.root:
            alone = [name for name, kind in self.classes.items() if layer_methods(kind) or back_method(kind)]
            sizes.update({name: self._sizes() for name in self.classes if name not in alone})
        for name in sizes:
            for methods in methods_to_call(self.classes.get(name) or type(self.objects[name])):
                yield from self._methods(name, sizes[name], methods)

    def _methods(self, name: str, sizes: list[tuple[int, int]], methods: list[str]) -> Iterator[DrivenRun]:
        def work(run: CallRun) -> Any:
            one = run.kept = run.make(name)
            run.began = len(run.tape.operations)
            result = None
            for _ in range(4):
                for method in methods:
                    result = run.call_method(one, method)
                if len(methods) == 1 and not _LOOPS.match(methods[0]) and result is not None:
                    break
            return result

        held = list(arrays_in(self.objects.get(name)))
        in_lists = bool(held) and all(one.is_scalar for _, one in held)
        for layout in self._own_layouts() or layouts(sizes, False, lists_first=in_lists):
            if self._is_over:
                return
            for varied in _twice(layout):
                trial = self._try(f"{name}.{', '.join(methods)}, {varied}", varied, work)
                if trial is None:
                    break
                yield trial

    def _try(self, label: str, layout: ArgumentLayout, work: Callable[[CallRun], Any]) -> DrivenRun | None:
        """Run once; None where nothing could be compared."""
        budget = min(5.0, max(0.5, self.deadline - time.monotonic()))
        tape = new_tape(self.recording.source, frozenset(), budget)
        source = self.recording.source
        result, failed = None, False
        with recording_on(tape):
            run = CallRun(self.recording, self.own, self.returns, tape, layout)
            try:
                result = work(run)
            except RecordingStopped:
                pass
            except Exception as error:
                self.undefined = error if isinstance(error, NameError) else self.undefined
                failed = True
                self.raised = self.raised or "".join(traceback.format_exception_only(error)).strip()
        self.count += _CALL + len(tape.operations)
        if is_partly_read(tape, [one for some in run.plausible.made.values() for one in some]):
            return None
        analysis = analyse(tape, source, self.meant)
        if analysis.chosen is not None and run.learns_inputs and not analysis.chosen.bad:
            back = analyse_returned(tape, source, result, None, 0)
            analysis = back if back.chosen is not None and back.chosen.bad else analysis
        passed = sum(map(len, run.plausible.made.values()))
        if not failed and (analysis.chosen is None or 0 < _count_judged(analysis) < passed):
            returned = {run.last: run.named(result)}
            other = analyse_returned(tape, source, returned, run.kept, run.began, self.meant)
            self.reason = self.reason or other.reason
            if analysis.chosen is None or _count_judged(other) > _count_judged(analysis):
                analysis = other
                analysis.behaviour = run.changed_argument()
        if analysis.chosen is None:
            return None
        analysis.absent = [op for op in analysis.absent if op.label != INPUT]
        judged = [row for row in analysis.chosen.rows if row.verdict != ZERO]
        silent = {row.change.key for row in analysis.chosen.rows} - {row.change.key for row in judged}
        if not judged or (silent and not analysis.chosen.bad) or (failed and len(analysis.chosen.steps) < 2):
            return None
        count = _count_judged(analysis) + len(analysis.absent)
        clean = not analysis.chosen.bad and not analysis.absent and not tape.grown
        return DrivenRun(label, layout, analysis, count, clean)


def _count_judged(analysis: Analysis) -> int:
    """How many parameters were judged."""
    rows = analysis.chosen.rows if analysis.chosen else []
    return len({row.change.key for row in rows if row.verdict != ZERO})


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
    forward = [name for name in methods if FORWARD.match(name)]
    backward = [name for name in training if re.search("back|grad", name, re.I)]
    updates = [name for name in methods if _UPDATES.match(name)]
    plans = [[name] for name in training if name not in backward]
    plans += [[a, b, c] for a in forward for b in backward for c in updates if c != b]
    plans += [[a, b] for a in forward for b in backward]
    return plans + [[name] for name in backward]


def _sizes_of(one: Any) -> list[tuple[int, int]]:
    """(inputs, outputs) that the shapes of an object's arrays allow."""
    every_shape = [array.shape for _, array in arrays_in(one, lists=True)]
    shapes = [shape for shape in every_shape if len(shape) == 2]
    large = [shape for shape in shapes if min(shape) > 1] or shapes
    found = []
    if shapes:
        weights = [shape for shape in shapes if shape in large or shape[0] == large[-1][1]]
        first, last = weights[0], weights[-1]
        found = [(first[0], last[1]), (first[1], last[0])]
    every = sorted({size for shape in shapes or every_shape for size in shape})[:4]
    found += [(a, b) for a in every for b in every]
    return list(dict.fromkeys(found)) or [(3, 2), (3, 1), (2, 1)]
