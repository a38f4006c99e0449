"""The ways in which what a program only defines is called, one after the other."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.deeper import deeper
from deltarule.diagnosis.driving.driven import DrivenRun
from deltarule.diagnosis.driving.following import follow, follow_functions
from deltarule.diagnosis.driving.graphs import judge_graphs
from deltarule.diagnosis.driving.layouts import twice
from deltarule.diagnosis.driving.loss_functions import follow_loss, follow_loss_class, loss_methods
from deltarule.diagnosis.driving.named_calls import NamedCalls
from deltarule.diagnosis.driving.needs import Needs, is_used, is_written, own_methods, takes
from deltarule.diagnosis.driving.own_data import judge_with_own_data
from deltarule.diagnosis.driving.plans import (
    changing_functions,
    training_functions,
)
from deltarule.diagnosis.driving.trials import (
    AFTER_FAILURE,
    MOST_OPERATIONS,
    USUAL,
    Trials,
)
from deltarule.diagnosis.driving.undefined import is_left_out, run_fragment
from deltarule.diagnosis.driving.unrun import goes_on_unrun, note_unrun
from deltarule.diagnosis.driving.usage import sums_over_steps
from deltarule.diagnosis.driving.within import needs_nothing
from deltarule.diagnosis.driving.words import (
    BACK,
    is_own,
    is_sent,
    partners,
    returned_names,
)
from deltarule.diagnosis.recording.program import (
    Recording,
)


class Driver:
    """Calls what a program defines, in one way after the other."""

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
        self.returns = returned_names(recording)
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

    def leaves_out(self, found: DrivenRun) -> bool:
        """Whether a call is right, and what goes back by what ran in it, or is made of it, was not judged."""
        is_called = found.is_right and found.work is not None
        if is_called and goes_on_unrun(self.recording.source, self.trials.run):
            return True
        name, tree = found.label.partition(".")[0], self.recording.source.tree
        open_classes = [one for one in tree.body if isinstance(one, ast.ClassDef) and one.name in self.left]
        every = (each for one in open_classes if one.name != name for each in ast.walk(one))
        return is_called and any(isinstance(one, ast.Name) and one.id == name for one in every)

    def _is_partial(self, found: DrivenRun) -> bool:
        """Whether what is right is a part, and what changes something or goes back with it is not judged."""
        name = found.label.partition(".")[0]
        if self.leaves_out(found):
            return True
        return found.is_right and name in self.classes and bool(self.left) and name not in self.left

    def _by_names(self) -> DrivenRun | None:
        """Call what trains by its name, with data in every usual layout."""
        return NamedCalls(self.recording, self.trials, self.functions, self.classes, self.own).judge()

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
        changing, others = self.to_call()
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
        loss: DrivenRun | None = None
        covered, left = set[str](), set[str]()
        shown = {one for one, function in self.functions.items() if needs_nothing(function)}
        used = {name: is_used(self.recording.source, name, shown) for name in self.classes}
        for name in sorted(self.classes, key=used.__getitem__) if not self.recording.root else ():
            kind = self.classes[name]
            if inspect.isabstract(kind) or name in covered:
                continue
            if used[name] and (right is None or not self._is_open(kind, needs)):
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
            covered |= self.trials.last.made
            if self.trials.last.was_loss:  # which is not the rest
                is_open = self.trials.answers is None or self.trials.answers.is_ambiguous
                loss = loss or (None if is_open else found)  # the sign is open, too
            elif right is None or right.rows < found.rows:
                right = found
        self.left = left - covered
        return None if self.left else right or (None if self.functions else loss)

    def _is_open(self, kind: type, needs: Needs) -> bool:
        """Whether a class goes back and changes something in a way of its own that did not run."""
        return any(
            needs.changes(name)
            and (BACK.search(name) or is_sent(one))
            and one.__code__ not in self.trials.run
            and is_written(self.recording.source, one)
            for name, one in vars(kind).items()
            if inspect.isfunction(one)
        )

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
        for data in (*series, "rows", "columns", "row", "column", "vector"):
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
                        if self.trials.looks_up_one(trial):
                            return None
                        return self.trials.otherwise(trial) or deeper(self.trials, trial) or trial
                    self.trials.wrong += [] if trial.is_right else [trial]
                if not answers.is_ambiguous or self.trials.is_over:
                    break
        return self.trials.agreed()

    def _fragment(self) -> DrivenRun | None:
        """Run a program that ends with a name that it does not define, with what that seems to be."""
        if not self.recording.error.startswith("NameError"):
            return None
        found, error = self._follow("all of it", run_fragment), self.trials.undefined
        if error is not None and is_left_out(self.recording.source, error, self.recording.namespace):
            self.trials.undefined = None  # nothing is wrong with what the program defines
        return found

    def _shown(self) -> DrivenRun | None:
        """What the functions do that show how the program is used, with data of their own."""
        for name, function in self.functions.items():
            if needs_nothing(function) and not self.trials.is_over:
                trial = self.trials.attempt(f"{name}()", None, partial(CallRun.call, name=name))
                if trial is not None and trial.is_right:
                    return trial
                self.trials.wrong += [] if trial is None else [trial]
        return self.trials.agreed()
