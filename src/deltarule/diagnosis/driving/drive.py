"""Call what a program only defines, with plausible data, until something trains or returns gradients."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import re
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.deeper import deeper
from deltarule.diagnosis.driving.driven import LONGEST, DrivenRun
from deltarule.diagnosis.driving.following import follow, follow_functions
from deltarule.diagnosis.driving.graphs import back_method, judge_graphs
from deltarule.diagnosis.driving.layouts import MISFIT, ArgumentLayout, layouts, twice
from deltarule.diagnosis.driving.loss_functions import follow_loss, follow_loss_class, loss_methods
from deltarule.diagnosis.driving.needs import Needs, is_used, own_methods, takes
from deltarule.diagnosis.driving.own_data import judge_with_own_data
from deltarule.diagnosis.driving.plans import (
    LOOPS,
    changing_functions,
    depth_of,
    methods_to_call,
    sizes_in,
    sizes_of,
    training_functions,
)
from deltarule.diagnosis.driving.plausible import DATA, MASK, TARGET, role_of
from deltarule.diagnosis.driving.returned import arrays_in
from deltarule.diagnosis.driving.trials import (
    AFTER_AGREEMENT,
    AFTER_FAILURE,
    MOST_OPERATIONS,
    USUAL,
    Trials,
)
from deltarule.diagnosis.driving.undefined import run_fragment
from deltarule.diagnosis.driving.unrun import note_unrun
from deltarule.diagnosis.driving.usage import sums_over_steps
from deltarule.diagnosis.driving.within import needs_nothing
from deltarule.diagnosis.driving.words import (
    BACK,
    is_given,
    is_own,
    is_sent,
    layer_methods,
    partners,
    returned_names,
)
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.recording.program import (
    Recording,
    keep_error,
    new_tape,
    record_live,
    recording_on,
    started,
)
from deltarule.diagnosis.recording.tape import RecordingStopped

#: Of a network of one layer, what its only weights are called.
_ONE_LAYER = re.compile(r"(w|weights?|theta)$", re.I)


def drive(recording: Recording, seconds: float, meant: str = "") -> DrivenRun | None:
    """Return the best of the calls that were tried."""
    driver = Driver(recording, time.monotonic() + min(LONGEST, max(1.0, seconds)), {}, meant)
    with started(recording.source.path):
        best, undefined = driver.search(), driver.trials.undefined
    does_not_fit = MISFIT.search(recording.error) and "missing" not in recording.tape.notes
    if best is not None and best.is_right and (undefined or does_not_fit):
        best = None  # another part of the program can never run, or what it is given does not fit
    misfit = None if recording.error else driver.trials.misfit()
    is_single = best is not None and best.layout is not None and best.layout.is_single
    if best is not None and misfit is not None and is_single and not best.is_right:
        best = None  # of one sample alone, the shapes that never fit are spread
    if best is not None and best.is_right and best.crash is not None:
        recording.tape.note("calls", f"it fails with one layer more than in {best.label}, which is right")
        error, recording.tape = best.crash
        keep_error(recording, error)
        return None
    if best is None and undefined is not None and not recording.error:
        keep_error(recording, undefined)
    elif best is None and misfit is not None:
        error, recording.tape = misfit
        keep_error(recording, error)
    return driver.noted(best) if best is not None else None


def drive_live(
    code: Any, seconds: float, own: dict[str, Any] | None = None, meant: str = ""
) -> tuple[Recording, Analysis, str]:
    """Call a function that is there already, or the methods of an object; ``own``: the learner's data."""
    recording = record_live(code, is_given)
    driver = Driver(recording, time.monotonic() + max(1.0, seconds), own or {}, meant)
    best = driver.search()
    if best is not None:
        return recording, best.analysis, best.label
    recording.error = "" if driver.trials.reason else driver.trials.raised
    reason = driver.trials.reason or "no way was found to call it so that it trains or returns gradients"
    return recording, Analysis(recording.tape, recording.source, reason=reason), ""


class Driver:
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
        self.depth = depth_of(self.functions.values())
        #: Classes whose numbers lie in lists.
        self.in_lists: set[str] = set()
        #: Classes that change something, and were not judged by the use of their arguments.
        self.left: set[str] = set()
        self.trials = Trials(recording, deadline, own, meant, self.returns)

    def search(self) -> DrivenRun | None:
        """Return the first verdict: what is done with arguments decides, then what they are called."""
        ways = [self._fragment, self._shown, self._by_use, self._by_asking, self._by_pairs, self._by_own_data]
        ways += [self._by_names]
        if self.recording.root:  # the learner says what is called, with usual arguments
            ways = [self._by_names, self._by_use, self._by_asking]
        for way in ways:
            if way == self._by_names and not self.recording.root and self.trials.misfit() is not None:
                return None
            self.trials.begin(MOST_OPERATIONS if way in ways[:2] else AFTER_FAILURE)
            if (found := way()) is not None and not self._is_partial(found):
                return found
        return None if self.recording.root else judge_graphs(self.recording, self.classes)

    def noted(self, best: DrivenRun) -> DrivenRun:
        """A call, with notes of what did not run, and of what was made up."""
        if best.is_right and best.work is not None:
            note_unrun(best.analysis.tape, self.recording.source, self.trials.run)
        for text in self.recording.tape.notes.get("missing", ()):
            best.analysis.tape.note("missing", text)
        return best

    def _is_partial(self, found: DrivenRun) -> bool:
        """Whether a class is right, as an activation is, and others that change something are not judged."""
        name = found.label.partition(".")[0]
        return found.is_right and name in self.classes and bool(self.left) and name not in self.left

    def _by_names(self) -> DrivenRun | None:
        """Call what trains by its name, with data in every usual layout; of classes, others like it."""
        found = self._verdict(itertools.chain(self._functions(), self._objects()))
        if found is not None:
            found.by_name = any(found is one for one in self.trials.wrong)
        return (self._beside(found) if found is not None and found.is_right else None) or found

    def _verdict(self, attempt: Iterator[DrivenRun]) -> DrivenRun | None:
        """The first right of several trials, or the wrong one on which two agree."""
        for trial in attempt:
            if trial.is_right and not self.trials.is_doubtful(trial):
                return self.trials.otherwise(trial) or deeper(self.trials, trial) or trial
            if trial.is_right:
                continue
            self.trials.wrong.append(trial)
            if len(self.trials.wrong) > 1 and self.trials.agreed() is not None:
                self.trials.most = min(self.trials.most, self.trials.count + AFTER_AGREEMENT)
        return self.trials.agreed()

    def _beside(self, right: DrivenRun) -> DrivenRun | None:
        """A wrong class that has the same methods as one that is right."""
        name, _, called = right.label.partition(".")
        methods = called.partition(", data as")[0].split(", ")
        others = {} if self.recording.root or name not in self.classes else self.classes
        for other, kind in others.items():
            if other in {name, *self.trials.made} or not set(methods) <= set(own_methods(kind)):
                continue
            self.trials.begin(AFTER_FAILURE)
            found = self._verdict(self._methods(other, self._made_sizes(other), methods))
            if found is not None and not found.is_right:
                return found
        return None

    def _by_asking(self) -> DrivenRun | None:
        """Call what changes something with arguments of which what is done with them tells what they are."""
        needs, right, judged = Needs(self.recording.source), None, set[str]()
        loss: DrivenRun | None = None
        changing, others = self.to_call()
        for name in [*changing, *others]:
            if name in judged or (right is not None and name in others):
                continue
            if (found := self._as_loss(f"{name}(…)", partial(follow_loss, name=name))) is not None:
                if not found.is_right:
                    return found
                loss = loss or found
                continue
            found = self._follow(f"{name}(…)", partial(CallRun.call, name=name))
            if found is not None and not found.is_right:
                return found
            if found is not None:
                judged |= needs.within(name)
                right = right or found
                if found.analysis.only_gradients and not needs_nothing(self.functions[name]):
                    self.trials.call_again(name, found)
        return right or (self._by_pairs() if partners(self.functions) and loss else loss)

    def _by_own_data(self) -> DrivenRun | None:
        """Call what takes data that the program defines under the same names."""
        changing, others = self._to_call()
        return judge_with_own_data(self.trials, [*changing, *others], self.classes)

    def _as_loss(self, label: str, work: Callable[[CallRun], Any]) -> DrivenRun | None:
        """Call what may be a loss and its derivative by what it is passed."""
        self.trials.wrong = []
        for varied in twice(USUAL):
            self.trials.answers = Answers()
            trial = self.trials.attempt(f"{label}, {varied}", varied, work)
            if trial is None or trial.is_right:
                return trial
            self.trials.wrong.append(trial)
        return self.trials.agreed()

    def _by_pairs(self) -> DrivenRun | None:
        """Judge layers that are two functions, one that goes forward and one that goes back."""
        right: DrivenRun | None = None
        for plan in map(list, partners(self.functions).values()):
            found = self._follow(", ".join(plan), partial(follow_functions, plan=plan))
            if found is None or not found.is_right:
                return found
            right = right or found
        return right

    def to_call(self) -> tuple[list[str], list[str]]:
        """The functions that change something, or are called as if they did; and others that may go back."""
        if self.recording.root:
            return [self.recording.root] if self.recording.root in self.functions else [], []
        changing = changing_functions(self.recording.source, self.functions)
        others = [name for name, one in self.functions.items() if len(inspect.signature(one).parameters) > 1]
        changing = list(dict.fromkeys([*changing, *training_functions(self.functions)]))
        return changing, [name for name in others[::-1] if name not in changing]

    def _by_use(self) -> DrivenRun | None:
        """Call the methods of each class in the order in which they need each other."""
        needs = Needs(self.recording.source)
        right: DrivenRun | None = None
        covered, left = set[str](), set[str]()
        shown = {one for one, function in self.functions.items() if needs_nothing(function)}
        for name, kind in self.classes.items() if not self.recording.root else ():
            if is_used(self.recording.source, name, shown) or inspect.isabstract(kind) or name in covered:
                continue
            self.trials.begin()
            found = self._judged(name, needs)
            if found is not None and not found.is_right:
                return found
            if found is None and self.trials.passes_on:
                continue
            if found is None:
                own = own_methods(kind)
                last = {plan[-1] for plan in needs.plans(own) if len(plan) > 1 and takes(own[plan[-1]])}
                if not self.trials.had_parameters:  # what prepares data has none, and does not go back
                    last = {one for one in last if BACK.search(one) or is_sent(own[one])}
                left |= {name} if last or any(map(needs.changes, own)) else set()
                continue
            covered |= self.trials.made
            is_more = right is None or right.rows < found.rows
            right = found if is_more and not self.trials.was_loss else right  # a loss is not the rest
        self.left = left - covered
        return None if self.left else right

    def _judged(self, name: str, needs: Needs) -> DrivenRun | None:
        """What comes of the first sequence of a class's methods that can be judged."""
        for plan in needs.plans(own_methods(self.classes[name])):
            work = partial(follow, name=name, plan=plan)
            if (found := self._follow(f"{name}.{', '.join(plan)}", work)) is not None:
                return found
        for pair in loss_methods(self.classes[name]):
            work = partial(follow_loss_class, name=name, methods=pair)
            if (found := self._as_loss(f"{name}.{', '.join(pair)}", work)) is not None:
                return found
        return None

    def _follow(self, label: str, work: Callable[[CallRun], Any]) -> DrivenRun | None:
        """The first right way to pass what is asked for, or the wrong one on which two agree."""
        self.trials.wrong = []
        series = ("series",) if sums_over_steps(self.recording.source) else ()
        for data in (*series, "rows", "columns", "row", "vector"):
            for order in (0, 1):
                layout = replace(USUAL, data=data, order=order)
                for varied in twice(layout):
                    self.trials.answers, seen = (answers := Answers()), len(self.trials.after_meeting)
                    trial = self.trials.attempt(f"{label}, {varied}", varied, work)
                    if trial is None and len(self.trials.after_meeting) == seen:
                        break
                    if trial is None:  # shapes did not fit: see whether others do
                        continue
                    if trial.is_right and not self.trials.is_doubtful(trial):
                        return self.trials.otherwise(trial) or deeper(self.trials, trial) or trial
                    self.trials.wrong += [] if trial.is_right else [trial]
                if not answers.is_ambiguous or self.trials.is_over:
                    break
        return self.trials.agreed()

    def _fragment(self) -> DrivenRun | None:
        """Run a program that ends with a name that it does not define, with what that seems to be."""
        is_fragment = self.recording.error.startswith("NameError")
        return self._follow("all of it", run_fragment) if is_fragment else None

    # Functions
    def _shown(self) -> DrivenRun | None:
        """What the functions do that show how the program is used, with data of their own."""
        for name, function in self.functions.items():
            if needs_nothing(function) and not self.trials.is_over:
                trial = self.trials.attempt(f"{name}()", None, partial(CallRun.call, name=name))
                if trial is not None and trial.is_right:
                    return trial
                self.trials.wrong += [] if trial is None else [trial]
        return self.trials.agreed()

    def _functions(self) -> Iterator[DrivenRun]:
        halves = {backward for _, backward in partners(self.functions).values()}
        wanted = [
            name
            for name in training_functions(self.functions)
            if name not in halves
            or any(map(TARGET.match, inspect.signature(self.functions[name]).parameters))
        ]
        if self.recording.root:
            wanted = [name for name in self.functions if name == self.recording.root]
        others = [name for name in self.functions if name not in wanted and self._takes_data(name)]
        for name in wanted if self.recording.root else wanted + others:
            names = inspect.signature(self.functions[name]).parameters
            for depth in (self.depth, 1) if any(map(_ONE_LAYER.match, names)) else (self.depth,):
                found = False
                for trial in self._calls(name, depth):
                    found = True
                    yield trial
                if found or self.trials.is_over:
                    break

    def _calls(self, name: str, depth: int) -> Iterator[DrivenRun]:
        """The calls of a function that could be judged, with so many layers."""
        tried: set[ArgumentLayout] = set()
        for layout in self._own_layouts() or layouts(
            self._sizes(),
            True,
            self._orders(name),
            ends_with_class="row[:-1]" in self.recording.source.text,
        ):
            if self.trials.is_over:
                return
            data = replace(layout, weights="", biases="")
            if data in tried and not self.trials.takes_parameters:
                continue
            tried.add(data)
            for varied in twice(replace(layout, layers=depth)):
                trial = self.trials.attempt(f"{name}(…), {varied}", varied, partial(CallRun.call, name=name))
                if trial is None:
                    break
                yield from self._confirmed(name, trial)
            if self.trials.is_hopeless:
                return

    def _confirmed(self, name: str, trial: DrivenRun) -> Iterator[DrivenRun]:
        """A trial; or those in which square layers or a second call show that live code is wrong."""
        layout, analysis = trial.layout, trial.analysis
        if not (trial.is_right and analysis.only_gradients and layout):
            yield trial
            return
        call = partial(CallRun.call, name=name)
        wrong = []
        for one in twice(replace(layout, inputs=3, outputs=3)) if self.recording.root else ():
            square = self.trials.attempt(f"{name}(…), {one}", one, call)
            wrong += [square] if square is not None and not square.is_right else []
        if len(wrong) < 2:
            self.trials.call_again(name, trial)
        yield from wrong if len(wrong) == 2 else [trial]

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
        return [(6, 3), (3, 1), (3, 3)] if self.recording.root else sizes_in(self.recording.source.text)

    # Objects
    def _objects(self) -> Iterator[DrivenRun]:
        alone = [name for name, kind in self.classes.items() if layer_methods(kind) or back_method(kind)]
        kinds = [self.classes[name] for name in alone] if not self.recording.root else []
        sizes = {name: sizes_of(one) for name, one in self.objects.items() if type(one) not in kinds}
        if not self.recording.root:
            sizes.update({name: self._made_sizes(name) for name in self.classes if name not in alone})
        for name in sizes:
            for methods in methods_to_call(self.classes.get(name) or type(self.objects[name])):
                yield from self._methods(name, sizes[name], methods)

    def _made_sizes(self, name: str) -> list[tuple[int, int]]:
        """The usual sizes; before them those of an object that does not take them."""
        tape = new_tape(self.recording.source, frozenset(), 2.0)
        with recording_on(tape), contextlib.suppress(Exception, RecordingStopped):
            made = CallRun(self.recording, self.own, self.returns, tape, USUAL).make(name)
            shapes = [one.shape for _, one in arrays_in(made, lists=True)]
            are_lists = all(one.is_scalar for _, one in arrays_in(made))
            self.in_lists |= {name} if shapes and are_lists else set()
            dims = {size for shape in shapes for size in shape}
            if len(dims) > 1 and not {USUAL.inputs, USUAL.outputs} <= dims:
                return list(dict.fromkeys([*sizes_of(made)[:4], *self._sizes()]))
        return self._sizes()

    def _methods(self, name: str, sizes: list[tuple[int, int]], methods: list[str]) -> Iterator[DrivenRun]:
        kind = self.classes.get(name) or type(self.objects[name])
        is_alone = sum(layer_methods(one) is not None for one in self.classes.values()) < 2
        sends_back = is_alone and len(methods) > 1 and is_sent(getattr(kind, methods[-1]))

        def work(run: CallRun) -> Any:
            one = run.kept = run.make(name)
            run.began, run.learns_inputs = len(run.tape.operations), sends_back
            result = None
            for _ in range(1 if sends_back else 4):
                for method in methods:
                    result = run.call_method(one, method)
                if len(methods) == 1 and not LOOPS.match(methods[0]) and result is not None:
                    break
            return result

        held = list(arrays_in(self.objects.get(name)))
        in_lists = name in self.in_lists or (bool(held) and all(one.is_scalar for _, one in held))
        for layout in self._own_layouts() or layouts(sizes, False, lists_first=in_lists):
            if self.trials.is_over:
                return
            for varied in twice(layout):
                trial = self.trials.attempt(f"{name}.{', '.join(methods)}, {varied}", varied, work)
                if trial is None:
                    break
                yield trial
            if self.trials.is_hopeless:
                return
