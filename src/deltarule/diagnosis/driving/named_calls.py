"""Call what trains, or goes back, by its name, and pass what parameters are called after."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.deeper import deeper
from deltarule.diagnosis.driving.driven import DrivenRun
from deltarule.diagnosis.driving.graphs import back_method
from deltarule.diagnosis.driving.layouts import ArgumentLayout, layouts, twice
from deltarule.diagnosis.driving.needs import own_methods
from deltarule.diagnosis.driving.plans import (
    LOOPS,
    depth_of,
    methods_to_call,
    sizes_in,
    sizes_of,
    training_functions,
)
from deltarule.diagnosis.driving.plausible import DATA, MASK, TARGET, role_of
from deltarule.diagnosis.driving.returned import arrays_in
from deltarule.diagnosis.driving.trials import AFTER_AGREEMENT, AFTER_FAILURE, USUAL, Trials
from deltarule.diagnosis.driving.words import is_sent, layer_methods, partners
from deltarule.diagnosis.recording.program import Recording, new_tape, recording_on
from deltarule.diagnosis.recording.tape import RecordingStopped

#: Of a network of one layer, what its only weights are called.
_ONE_LAYER = re.compile(r"(w|weights?|theta)$", re.I)


class NamedCalls:
    """The functions, objects and classes that names say train; ``own``: the learner's data."""

    def __init__(
        self,
        recording: Recording,
        trials: Trials,
        functions: dict[str, Any],
        classes: dict[str, type],
        own: dict[str, Any],
    ) -> None:
        self.recording, self.trials, self.own = recording, trials, own
        self.functions, self.classes = functions, classes
        names = recording.namespace
        kinds = [kind for kind in classes.values() if not back_method(kind)]
        self.objects = {name: one for name, one in names.items() if type(one) in kinds}
        if recording.root and recording.root not in functions:
            self.objects = {recording.root: names[recording.root]}
        self.depth = depth_of(functions.values())
        #: Classes whose numbers lie in lists.
        self.in_lists: set[str] = set()

    def judge(self) -> DrivenRun | None:
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
            if other in {name, *self.trials.last.made} or not set(methods) <= set(own_methods(kind)):
                continue
            self.trials.begin(AFTER_FAILURE)
            found = self._verdict(self._methods(other, self._made_sizes(other), methods))
            if found is not None and not found.is_right:
                return found
        return None

    # Functions
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
            if data in tried and not self.trials.last.takes_parameters:
                continue
            tried.add(data)
            for varied in twice(replace(layout, layers=depth)):
                trial = self.trials.attempt(f"{name}(…), {varied}", varied, partial(CallRun.call, name=name))
                if trial is None:
                    break
                yield from self._confirmed(name, trial)
            if self.trials.last.is_hopeless:
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
            made = CallRun(self.recording, self.own, self.trials.returns, tape, USUAL).make(name)
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
            if self.trials.last.is_hopeless:
                return
