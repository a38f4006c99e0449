"""Search for a way to call what no other way could: after each failure another answer is tried."""

from __future__ import annotations

import heapq
import inspect
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import CodeType
from typing import Any

import numpy as np

from deltarule.diagnosis.driving.answers import Answers
from deltarule.diagnosis.driving.blame import (
    fitting,
    is_beyond,
    told_shapes,
    wants_whole_numbers,
)
from deltarule.diagnosis.driving.calls import CallRun
from deltarule.diagnosis.driving.driven import DrivenRun, Ending, LastCall
from deltarule.diagnosis.driving.driver import Driver
from deltarule.diagnosis.driving.following import follow, follow_functions
from deltarule.diagnosis.driving.layered_lists import NUMBERS
from deltarule.diagnosis.driving.layouts import ArgumentLayout, disagreeing, fit_sizes, fits_one_sample, twice
from deltarule.diagnosis.driving.loss_functions import follow_loss_class, loss_methods
from deltarule.diagnosis.driving.needs import Needs, is_written, own_methods
from deltarule.diagnosis.driving.plausible import TARGET, UPSTREAM
from deltarule.diagnosis.driving.trials import USUAL
from deltarule.diagnosis.driving.wants import Path
from deltarule.diagnosis.driving.words import BACK, FORWARD, OUTPUT, is_sent, partners
from deltarule.diagnosis.reading.analysis import Analysis
from deltarule.diagnosis.reading.comparison import ZERO
from deltarule.diagnosis.recording.source import ProgramSource
from deltarule.diagnosis.recording.tape import Tape

#: How many operations are recorded for one way of calling, at first, and once no way has come to anything.
_MOST_OPERATIONS = (40_000, 200_000)
#: How many after a wrong one was found: a right one may still be.
_AFTER_WRONG = 25_000
#: How many answers may differ from those that were asked for, and how many sequences of methods are called.
_MOST_CHANGES, _MOST_PLANS = 4, 3
#: In how many ways something must have been called that never fits.
_MISFITS = 6
#: How many lines of a program are wrong at most where it was understood.
_MOST_MISTAKES = 2
#: How many functions are tried that may make an argument.
_MOST_MAKERS = 3
#: How data lie at first.
_LAID = [replace(USUAL, data=data, order=k) for k in (0, 1) for data in ("rows", "columns", "vector")]
#: The data that fit most easily: one sample of one output.
_EASIEST = replace(USUAL, data="row", outputs=1)
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
_OF_SHAPES = ("array", "parameter", "target", "factor", "term")

Work = Callable[[CallRun], Any]
#: What would be told of an analysis of a call: "right", or the lines that are wrong; else None.
Judge = Callable[[Analysis, str], Any]


def search_calls(driver: Driver, judge: Judge, doubted: str = "") -> DrivenRun | None:
    """Return the best call that a search for arguments comes to.

    ``doubted`` is what was called so that it was wrong, though only names said how: it must be right, too.
    """
    return _Search(driver, judge).best(doubted)


@dataclass(frozen=True)
class _State:
    """What is tried: how data lie, and what arguments are; and what it is a change of came to."""

    layout: ArgumentLayout
    answers: Answers
    #: How many changes came before it that got no further.
    changes: int = 0
    came_to: tuple[str, int] | None = None


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
        for most, (name, label, work) in itertools.product(_MOST_OPERATIONS, list(self._ways())):
            if name in judged or name not in wanted:
                continue
            self.trials.begin(most)
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
                judged |= {name, *self.trials.last.made}
                judged |= {one for one in wanted if ran.issuperset(self._must_run(one))}
        return max(right, key=lambda one: one.rows) if right and wanted <= judged else None

    def _must_run(self, name: str) -> set[CodeType]:
        """What of a class changes something or goes back; a function itself."""
        if name not in self.driver.classes:
            return {self.driver.functions[name].__code__}
        source = self.driver.recording.source
        return {
            method.__code__
            for one, method in own_methods(self.driver.classes[name]).items()
            if is_written(source, method) and (self.needs.changes(one) or BACK.search(one) or is_sent(method))
        }

    def _wanted(self) -> set[str]:
        """What must be judged: the classes and functions that change something or go back."""
        kinds = {name for name in self.driver.classes if self._must_run(name)}
        functions = {name for name in self.driver.functions if self.needs.changes(name) or BACK.search(name)}
        return kinds | (functions - {one for name in functions for one in self.needs.within(name) - {name}})

    def _ways(self) -> Iterator[tuple[str, str, Work]]:
        for name, kind in self.driver.classes.items():
            for pair in loss_methods(kind):
                yield name, f"{name}.{', '.join(pair)}", partial(follow_loss_class, name=name, methods=pair)
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
        laid = [_State(one, Answers(is_search=True)) for one in _LAID]
        waiting = [(float(k), next(order), one) for k, one in enumerate(laid)]
        seen, places, wrong, most = set[str](), set[Any](), list[DrivenRun](), 0
        ends: dict[str, Ending] = {}
        while waiting and not self.trials.is_over:
            state = heapq.heappop(waiting)[-1]
            pair = self._tried(label, state.layout, state.answers, work)
            if self.trials.last.ended is not None:
                ends[_key(state, self.trials.last)] = self.trials.last.ended
            if any(one.analysis.tape.grown for one in pair):  # it may be written for one sample
                pair = []
            is_whole = len(pair) == 2 and not any(one.failed for one in pair)
            if is_whole and all(one.is_right for one in pair) and _shows_mistakes(pair[0], self.trials.wrong):
                return self.trials.otherwise(pair[0], state.answers) or pair[0]
            if any(one.is_right for one in pair):  # in one way: it was understood, and nothing is wrong
                self.trials.fits_somehow = True
                return None
            lines = [self.judge(one.analysis, one.label) for one in pair]
            most = max([most, *(one.rows for one in pair if is_whole and not _shows_little(one))])
            self.trials.wrong += pair[:1] if is_whole and not pair[0].is_right else []
            if (
                is_whole
                and lines[0] == lines[1]
                and _is_likely(lines[0])
                and not self._is_made_up(state.answers)
                and not _shows_little(pair[0])
            ):
                wrong.append(pair[0])
                self.trials.most = min(self.trials.most, self.trials.count + _AFTER_WRONG)
            came_to = self.trials.last.complaint, len(self.trials.last.reached)
            is_further = state.came_to is not None and not self.trials.last.reached <= places
            places |= self.trials.last.reached
            changes = state.changes + (not is_further) + (came_to == state.came_to)
            if changes > _MOST_CHANGES + 1 or any(lines):
                continue
            if (reached := _key(state, self.trials.last)) in seen:
                continue
            seen.add(reached)
            for rank, (layout, answers) in enumerate(_changed(state, self.trials.last, self.makers)):
                cost = changes + 0.1 * rank - 0.1 * len(self.trials.last.reached)
                other = _State(layout, answers, changes, came_to)
                heapq.heappush(waiting, (cost, next(order), other))
        if not wrong and _where_all_end(list(ends.values()), self.driver.recording.source) is not None:
            self._tried(label, _EASIEST, Answers(is_search=True), work)
            easiest = [self.trials.last.ended] if self.trials.last.ended is not None else []
            self.trials.never_fits = _where_all_end([*ends.values(), *easiest], self.driver.recording.source)
        return next((one for one in wrong if one.rows == most), None)

    def _is_made_up(self, answers: Answers) -> bool:
        """Whether a method that objects lack was supplied: what it should compute is not known."""
        functions = [path for path, (kind, _) in answers.known.items() if kind in ("function", "activation")]
        owners = [
            (self.driver.classes[path[0]], path[1]) for path in functions if path[0] in self.driver.classes
        ]
        return any(name not in inspect.signature(kind).parameters for kind, name in owners)

    def _tried(self, label: str, layout: ArgumentLayout, answers: Answers, work: Work) -> list[DrivenRun]:
        """What comes of answers with some data, and with others if something does."""
        first, second = twice(layout)
        self.trials.answers = answers
        found = [self.trials.ask(f"{label}, {first}", first, work)]
        if found[0] is not None:  # what the first one said is what is changed
            last = self.trials.last
            for other in (answers.resized(first.samples, second.samples), answers):
                self.trials.answers = other
                found[1:] = [self.trials.ask(f"{label}, {second}", second, work)]
                if found[1] is not None and not found[1].failed:  # else it was no number of samples
                    break
            self.trials.last = last
        return [one for one in found if one is not None]


def _is_likely(lines: Any) -> bool:
    """Whether what would be told are mistakes that a program has: many are of what was passed."""
    return lines not in (None, "right") and len(lines) <= _MOST_MISTAKES


def _shows_little(trial: DrivenRun) -> bool:
    """Whether little can be seen of what a call does.

    Weights are a matrix of one number, though other parameters are more: NumPy makes it fit. Or the
    gradient of some is zero: nothing of the inputs comes through.
    """
    rows = trial.analysis.comparison.rows
    shapes = [row.change.shape for row in rows]
    is_one = (1, 1) in shapes and any(np.prod(one) > 1 for one in shapes)
    return is_one or any(row.verdict == ZERO for row in rows)


def _where_all_end(ends: list[Ending], source: ProgramSource) -> tuple[BaseException, Tape] | None:
    """What is raised where all calls that compared outputs end: shapes do not fit, whatever they are.

    Those that ended before do not count: others went on there. What one sample would fit may be meant so.
    """
    if len(ends) < _MISFITS or any(found is None for _, found in ends):
        return None
    last = Counter(line for line, _ in ends).most_common(1)[0][0]
    found = next(one for line, one in ends if line == last and one is not None)
    if fits_one_sample(str(found[0])):
        return None
    passed = {source.line(op) for op in found[1].operations}
    return found if all(line == last or line in passed for line, _ in ends) else None


def _shows_mistakes(right: DrivenRun, wrong: list[DrivenRun]) -> bool:
    """Whether mistakes would show: there are several outputs, and none is wrong of which more was seen."""
    outputs, judged = _breadth(right)
    steps = right.analysis.chosen.steps if right.analysis.chosen else []
    is_one = outputs < 2 and len(steps) < 2  # the slope at the output is a factor like any other
    return not is_one and not any(_breadth(one)[0] > outputs and _breadth(one)[1] >= judged for one in wrong)


def _breadth(trial: DrivenRun) -> tuple[int, int]:
    """How many outputs were compared in one step, and how many numbers of parameters were judged."""
    chosen = trial.analysis.chosen
    shapes = {row.change.key: row.change.shape for row in chosen.rows} if chosen is not None else {}
    judged = sum(int(np.prod(shape)) for shape in shapes.values())
    if chosen is None or not chosen.meetings:
        return 0, 0
    if chosen.loss_name == "its own loss":  # derived by the outputs
        return judged, judged
    return sum(one.output.size for one in chosen.meetings[0]), judged


def _key(state: _State, last: LastCall) -> str:
    """What tells one state of the search from another: what arguments were."""
    answers = state.answers
    said = {path: (kind, last.size_of(path) or detail) for path, (kind, detail) in answers.known.items()}
    return f"{state.layout.order}{said}{sorted(map(str, answers.replaced))}{answers.lacking}"


def _changed(state: _State, last: LastCall, makers: list[str]) -> Iterator[tuple[ArgumentLayout, Answers]]:
    """The same answers but for one; what was asked for after it is asked anew.

    What went into the expression that failed is changed first.
    """
    layout, answers = state.layout, state.answers
    complaint = last.complaint
    if (filled := answers.filling(complaint)) is not None:
        yield layout, filled
    if (fitted := fit_sizes(layout, complaint)) is not None:
        yield fitted, answers.before(None)
    yield from ((one, answers) for one in _of_other_sizes(layout, complaint))
    known = list(answers.known.items())[::-1]
    known.sort(key=lambda one: one[0] not in last.blamed)
    for path, (kind, _) in known if wants_whole_numbers(complaint) else ():
        if kind == "array" and path in last.blamed:
            yield from ((layout, answers.before(path, (one, None))) for one in ("labels", "index", "size"))
        if kind in NUMBERS and path[-1] == "[]" and (*path[:-1], -1) not in answers.known:
            yield layout, answers.ending(path, ("index", None))
    for path, said in known:
        for other in fitting(path, said, complaint, last.answered):
            yield layout, answers.before(path, other)
    yield from ((layout, answers.before(*one)) for one in _told(known, last))
    if is_beyond(complaint):
        yield layout, answers.alike(3)
    for path in answers.left_out:
        yield layout, answers.replacing(path)
    for path, (kind, _) in answers.known.items():
        yield from ((layout, answers.before(path, one)) for one in _results(path, kind, makers))
    asked = [
        path for path in reversed(answers.known) if answers.known[path][0] == "size" and path[-1] != "[]"
    ]
    if (
        asked and not last.was_too_small and ("value", 1) not in answers.known.values()
    ):  # it may be written for one output
        yield layout, answers.before(asked[0], ("value", 1))
    for is_blamed in (True, False):
        others = [
            (path, list(_others(kind, (is_blamed and last.shape_of(path)) or detail, str(path[-1]))))
            for path, (kind, detail) in known
            if (kind != "size" or path[-1] != "[]") and (path in last.blamed) == is_blamed
        ]
        for k in range(max((len(some) for _, some in others), default=0)):
            yield from ((layout, answers.before(path, some[k])) for path, some in others if k < len(some))


def _of_other_sizes(layout: ArgumentLayout, complaint: str) -> Iterator[ArgumentLayout]:
    """Data of as many outputs or inputs as what they do not go together with."""
    sizes = disagreeing(complaint)
    for told, wanted in (sizes, sizes[::-1]) if sizes is not None else ():
        if told == layout.outputs:
            yield replace(layout, outputs=wanted)
        if told == layout.inputs:
            yield replace(layout, inputs=wanted)


def _told(
    known: list[tuple[Path, tuple[str, Any]]], last: LastCall
) -> Iterator[tuple[Path, tuple[str, Any]]]:
    """What arguments tell of sizes: the shapes of others, or a part that is too large."""
    for path, (kind, _) in known:
        if len(path) > 2:
            continue
        if kind == "size" and last.was_too_small:
            yield path, ("value", 2)
        for told, shape in told_shapes(last.answered) if kind in ("array", "list", "images") else ():
            if told != path and "." in path[0] and last.shape_of(path) != shape:
                yield path, ("array", shape)


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
        is_matrix = len(detail) > 1
        shapes = [(1, *detail), (*detail, 1)] if not is_matrix else [detail[::-1], detail[1:], detail[:1]]
        shapes += [(*detail[:1], 1), (1, *detail[1:])] if is_matrix else []
        yield from ((kind, one) for one in shapes if one != detail)
    yield from (one for one in _OTHERS.get(kind, []) if one != (kind, detail))
