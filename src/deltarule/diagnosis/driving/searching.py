"""Search for a way to call what no other way could: after each failure another answer is tried."""

from __future__ import annotations

import ast
import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from types import CodeType
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.driven import DrivenRun
from deltarule.diagnosis.driving.driver import Driver
from deltarule.diagnosis.driving.following import follow, follow_functions
from deltarule.diagnosis.driving.layouts import ArgumentLayout, disagreeing, fit_sizes, twice
from deltarule.diagnosis.driving.needs import Needs, own_methods
from deltarule.diagnosis.driving.plausible import TARGET, UPSTREAM
from deltarule.diagnosis.driving.trials import USUAL
from deltarule.diagnosis.driving.wants import Path
from deltarule.diagnosis.driving.words import BACK, FORWARD, OUTPUT, is_sent, partners
from deltarule.diagnosis.reading.analysis import Analysis

#: How many operations are recorded for one way of calling.
_MOST_OPERATIONS = 60_000
#: How many answers may differ from those that were asked for, and how many sequences of methods are called.
_MOST_CHANGES, _MOST_PLANS = 4, 3
#: How many functions are tried that may make an argument.
_MOST_MAKERS = 3
#: How data lie at first.
_LAID = [replace(USUAL, data=data, order=k) for k in (0, 1) for data in ("rows", "columns", "vector")]
#: What an argument may be that was taken for something else, the likeliest first.
_OTHERS: dict[str, list[tuple[str, Any]]] = {
    "index": [("value", 1), ("value", 2), ("labels", None), ("indices", None)],
    "size": [("value", 2), ("array", None)],
    "number": [("array", None), ("value", 1), ("size", None), ("value", 2)],
    "factor": [("array", None), ("number", None)],
    "term": [("array", None), ("target", None)],
    "list": [("array", None), ("series", 3), ("list", 3), ("list", 2), ("list", 4)],
    "array": [("labels", None), ("output", None), ("list", 0), ("number", None), ("target", None)],
    "parameter": [("array", None)],
    "target": [("labels", None), ("array", None)],
    "labels": [("array", None), ("index", None), ("target", None)],
    "upstream": [("output", None), ("array", None)],
    "output": [("upstream", None), ("array", None)],
    "flag": [("value", False)],
    "images": [("series", None), ("array", None)],
    "function": [("activation", None)],
}
_OF_SHAPES = ("array", "parameter", "target", "factor", "term", "upstream")

Work = Callable[[CallRun], Any]
#: What would be told of an analysis of a call: "right", or the lines that are wrong; else None.
Judge = Callable[[Analysis, str], Any]


def search_calls(driver: Driver, judge: Judge, doubted: str = "") -> DrivenRun | None:
    """Return the best call that a search for arguments comes to.

    ``doubted`` is what was called so that it was wrong, though only names said how: it must be right, too.
    """
    return _Search(driver, judge).best(doubted)


class _Search:
    def __init__(self, driver: Driver, judge: Judge) -> None:
        self.driver, self.trials, self.judge = driver, driver.trials, judge
        self.needs = Needs(driver.recording.source)
        #: The functions whose results others may be given, those that go forward first.
        returning = {
            name for (name, _), names in driver.returns.items() if names and name in driver.functions
        }
        self.makers = sorted(returning, key=lambda one: (not FORWARD.match(one), bool(BACK.search(one)), one))

    def best(self, doubted: str) -> DrivenRun | None:
        """The first wrong one, or the right one that judged most if all that goes back is right.

        What is ``doubted`` must be among what is right.
        """
        right: list[DrivenRun] = []
        judged = set[str]()
        wanted = self._wanted() | ({doubted} if doubted else set())
        for name, label, work in self._ways():
            if name in judged or name not in wanted:
                continue
            self.trials.begin(_MOST_OPERATIONS)
            found = self._found(label, work)
            if found is not None and not found.is_right:
                return found
            if found is None and self.trials.passes_on:
                wanted.discard(name)
            if found is not None:
                if found.analysis.only_gradients and name in self.driver.functions:
                    self.trials.call_again(name, found)
                right.append(found)
                ran = {frame[0] for op in found.analysis.tape.operations for frame in op.place}
                judged |= {name, *self.trials.made}
                judged |= {one for one in wanted if ran.issuperset(self._must_run(one))}
        return max(right, key=lambda one: one.rows) if right and wanted <= judged else None

    def _must_run(self, name: str) -> set[CodeType]:
        """What of a class changes something or goes back; a function itself."""
        if name not in self.driver.classes:
            return {self.driver.functions[name].__code__}
        return {
            method.__code__
            for one, method in own_methods(self.driver.classes[name]).items()
            if self._is_written(method) and (self.needs.changes(one) or BACK.search(one) or is_sent(method))
        }

    def _wanted(self) -> set[str]:
        """What must be judged: the classes and functions that change something or go back."""
        kinds = {name for name in self.driver.classes if self._must_run(name)}
        functions = {name for name in self.driver.functions if self.needs.changes(name) or BACK.search(name)}
        return kinds | (functions - {one for name in functions for one in self.needs.within(name) - {name}})

    def _is_written(self, function: Any) -> bool:
        """Whether a function is more than a place for what is not written yet."""
        code = function.__code__
        node = self.driver.recording.source.function_at(code.co_name, code.co_firstlineno)
        return node is None or any(not isinstance(one, ast.Raise | ast.Pass | ast.Expr) for one in node.body)

    def _ways(self) -> Iterator[tuple[str, str, Work]]:
        for name, kind in self.driver.classes.items():
            plans = sorted(
                self.needs.plans(own_methods(kind)), key=lambda one: not any(map(BACK.search, one))
            )
            for plan in plans[:_MOST_PLANS]:
                yield name, f"{name}.{', '.join(plan)}", partial(follow, name=name, plan=plan)
        for pair in partners(self.driver.functions).values():
            yield pair[1], ", ".join(pair), partial(follow_functions, plan=list(pair))
        for name in self.driver.functions:
            yield name, f"{name}(…)", partial(CallRun.call, name=name)

    def _found(self, label: str, work: Work) -> DrivenRun | None:
        """The first right way to call something, or the wrong one on which two agree."""
        order = itertools.count()
        waiting = [(float(k), next(order), 0, one, Answers(is_search=True)) for k, one in enumerate(_LAID)]
        seen, wrong, most = set[str](), list[DrivenRun](), 0
        while waiting and not self.trials.is_over:
            _, _, changes, layout, answers = heapq.heappop(waiting)
            pair = self._tried(label, layout, answers, work)
            is_whole = len(pair) == 2 and not any(one.failed for one in pair)
            if is_whole and all(one.is_right for one in pair) and _shows_mistakes(pair[0], self.trials.wrong):
                return self.trials.otherwise(pair[0]) or pair[0]
            if any(
                one.is_right for one in pair
            ):  # in one of two ways: it was understood, and nothing is wrong
                return None
            lines = [self.judge(one.analysis, one.label) for one in pair]
            most = max([most, *(one.rows for one in pair if is_whole)])
            self.trials.wrong += pair[:1] if is_whole and not pair[0].is_right else []
            if is_whole and lines[0] == lines[1] and lines[0] not in (None, "right"):
                wrong.append(pair[0])
                self.trials.most = min(self.trials.most, self.trials.count + _MOST_OPERATIONS // 4)
            if changes == _MOST_CHANGES or any(lines):
                continue
            if (reached := _key(layout, answers)) in seen:
                continue
            seen.add(reached)
            gained = 0.1 * self.trials.reached
            others = _changed(layout, answers, self.trials.complaint, self.trials.was_too_small, self.makers)
            for rank, (other, changed) in enumerate(others):
                cost = 1 + changes + 0.1 * rank - gained
                heapq.heappush(waiting, (cost, next(order), changes + 1, other, changed))
        return next((one for one in wrong if one.rows == most), None)

    def _tried(self, label: str, layout: ArgumentLayout, answers: Answers, work: Work) -> list[DrivenRun]:
        """What comes of answers with some data, and with others if something does."""
        found = []
        for varied in twice(layout):
            same = varied.samples == layout.samples
            self.trials.answers = answers if same else answers.resized(layout.samples, varied.samples)
            trial = self.trials.ask(f"{label}, {varied}", varied, work)
            if trial is None:
                break
            found.append(trial)
        return found


def _shows_mistakes(right: DrivenRun, wrong: list[DrivenRun]) -> bool:
    """Whether mistakes would show: there are several outputs, and none is wrong of which more was seen."""
    outputs, judged = _breadth(right)
    steps = right.analysis.chosen.steps if right.analysis.chosen else []
    is_one = outputs < 2 and len(steps) < 2  # the slope at the output is a factor like any other
    return not is_one and not any(_breadth(one)[0] > outputs and _breadth(one)[1] >= judged for one in wrong)


def _breadth(trial: DrivenRun) -> tuple[int, int]:
    """How many outputs were compared in one step, and how many numbers of parameters were judged."""
    chosen = trial.analysis.chosen
    if chosen is None or not chosen.meetings:
        return 0, 0
    shapes = {row.change.key: row.change.shape for row in chosen.rows}
    outputs = sum(one.output.size for one in chosen.meetings[0])
    return outputs, sum(int(np.prod(shape)) for shape in shapes.values())


def _key(layout: ArgumentLayout, answers: Answers) -> str:
    """What tells one state of the search from another."""
    return f"{layout}{answers.known}{sorted(map(str, answers.replaced))}"


def _changed(
    layout: ArgumentLayout, answers: Answers, complaint: str, was_too_small: bool, makers: list[str]
) -> Iterator[tuple[ArgumentLayout, Answers]]:
    """The same answers but for one; what was asked for after it is asked anew."""
    if (fitted := fit_sizes(layout, complaint)) is not None:
        yield fitted, answers.before(None)
    for path in answers.left_out:
        yield layout, answers.replacing(path)
    for path, (kind, _) in answers.known.items():
        yield from ((layout, answers.before(path, one)) for one in _results(path, kind, makers))
    known = list(answers.known.items())[::-1]
    sizes = disagreeing(complaint)
    for path, (kind, shape) in known if sizes else ():
        fits = kind in _OF_SHAPES and type(shape) is tuple
        for told, wanted in (sizes, sizes[::-1]) if sizes and fits else ():
            if told in shape:
                fitted_shape = tuple(wanted if one == told else one for one in shape)
                yield layout, answers.before(path, (kind, fitted_shape))
    others = [
        (path, list(_others(kind, detail, str(path[-1]))))
        for path, (kind, detail) in known
        if kind != "size" or path[-1] != "[]"
    ]
    sizes_asked = [path for path, (kind, _) in known if kind == "size" and path[-1] != "[]"]
    if was_too_small:  # a window goes beyond the picture
        yield from ((layout, answers.before(path, ("value", 2))) for path in sizes_asked)
    elif sizes_asked and ("value", 1) not in answers.known.values():  # it may be written for one output
        others.insert(0, (sizes_asked[0], [("value", 1)]))
    for k in range(max((len(some) for _, some in others), default=0)):
        for path, some in others:
            if k < len(some):
                yield layout, answers.before(path, some[k])


def _results(path: Path, kind: str, makers: list[str]) -> list[tuple[str, Any]]:
    """What functions return, one of which an argument may be given."""
    is_argument = len(path) == 2 and path[0] == "" and kind in ("list", "array", "tuple", "keys", "parts")
    return [("result", one) for one in makers[:_MOST_MAKERS]] if is_argument else []


def _others(kind: str, detail: Any, name: str) -> Iterator[tuple[str, Any]]:
    """What an argument may be, too, the likeliest first."""
    if kind in ("array", "list", "number") and TARGET.match(name):
        yield from (("target", None), ("labels", None))
    elif kind in ("array", "list") and (UPSTREAM.match(name) or OUTPUT.match(name)):
        yield from (("output", None), ("upstream", None))
    if kind in _OF_SHAPES and type(detail) is tuple and detail:
        shapes = [detail[::-1], detail[1:], detail[:1]] if len(detail) > 1 else [(1, *detail), (*detail, 1)]
        yield from ((kind, one) for one in shapes if one != detail)
    yield from (one for one in _OTHERS.get(kind, []) if one != (kind, detail))
