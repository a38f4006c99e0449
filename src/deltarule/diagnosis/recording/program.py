"""Run a learner's program and record what it computes."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import os
import random
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.diagnosis.reading.updates import recognise_update
from deltarule.diagnosis.recording.data_use import arguments_taken, columns_taken
from deltarule.diagnosis.recording.imports import supply_modules, surroundings
from deltarule.diagnosis.recording.live import Rebuilding
from deltarule.diagnosis.recording.made_data import has_pictures, made_arguments
from deltarule.diagnosis.recording.missing import FROM_PACKAGE
from deltarule.diagnosis.recording.source import ProgramSource, read_source, source_of
from deltarule.diagnosis.recording.tape import MadeTable, RecordingStopped, Tape, use_tape
from deltarule.errors import InputError

#: How many rows made-up data have where a program looks beyond the usual ones, and at most.
_MANY_ROWS, _MOST_ROWS = 200, 12000
#: How many samples a program may count by itself at most, and how many seconds are spent on so many.
_MOST_SAMPLES, _FOR_MANY = 70_000, 6.0
#: How many classes they have at most.
_MOST_CLASSES = 30
#: What Python says of what was a list in Python 2.
_OF_PYTHON_2 = re.compile(
    r"'(zip|map|filter)' object (is not subscriptable|does not)|of type '(zip|map|filter)'"
)
#: How many sizes of made-up data are tried.
_MOST_SIZES = 8


@dataclass
class Recording:
    """What a program did: its tape, its names at the end, and what it raised."""

    source: ProgramSource
    tape: Tape
    namespace: dict[str, Any]
    error: str = ""
    #: The local names where it was raised.
    at_error: dict[str, Any] = field(default_factory=dict)
    #: What its names were made with; what is made anew gets them, too.
    names: dict[str, Any] = field(default_factory=dict)
    #: Of live code, the name of the function or object to be judged.
    root: str = ""

    def choose(self, name: str) -> None:
        """Let the function, class or object of that name be the one that is judged.

        Raises
        ------
        InputError
            If the program has none of that name.
        """
        if name not in self.namespace:
            raise InputError(f"there is no {name} in the program")
        self.root = name

    def rebuilding(self, is_given: Callable[[str], bool], before: Tape | None = None) -> Rebuilding:
        """What makes live things anew for another recording."""
        return Rebuilding(self.source.path, self.names, is_given, before)


def new_tape(source: ProgramSource, siblings: frozenset[str], seconds: float) -> Tape:
    """Return an empty tape for a program and the modules beside it."""
    tape = Tape({source.path, *siblings}, seconds, partial(recognise_update, source=source))
    tape.made = replace(tape.made, columns=max(tape.made.columns, columns_taken(source.tree)))
    return tape


@contextlib.contextmanager
def recording_on(tape: Tape) -> Iterator[None]:
    """Record on the tape; printing, warnings and random numbers stay within."""
    states = np.random.get_state(), random.getstate()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002 the learner's program may use the global generator
    random.seed(5)
    use_tape(tape)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
            np.errstate(all="ignore"),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        use_tape(None)
        np.random.set_state(states[0])  # noqa: NPY002
        random.setstate(states[1])


def record_program(path: str | Path, seconds: float = 15.0, text: str | None = None) -> Recording:
    """Run a program (or its text) until its parameters changed a few times; record it.

    One that takes ``zip`` for a list is run again as of Python 2; where made-up data have too many or too few
    columns for it, with others; and where a step moves nothing, as one for a sample that is all zeros, with
    more steps.
    """
    source = read_source(path, text)
    recording = _record(source, seconds)
    if _OF_PYTHON_2.search(recording.error) and not source.is_translated:
        source.is_translated = True
        recording = _record(source, seconds)
        recording.tape.note("missing", "zip, map and filter were taken to return lists, as in Python 2")
    if recording.tape.stopped == "updates" and _stands_still(recording.tape):
        return _record(source, seconds, most_updates=8)
    tables, tried, seen = _other_tables(recording), 0, {_end(recording)}
    while tables and tried < _MOST_SIZES:
        made, tried = tables.pop(0), tried + 1
        other = _record(source, seconds if made.rows < _MOST_ROWS else min(seconds, _FOR_MANY), made=made)
        if other.tape.stopped or not other.error:
            return other
        if _end(other) not in seen:  # it got further, or fails for another reason
            seen.add(_end(other))
            tables[:0] = _other_tables(other)
    return recording


def _end(recording: Recording) -> str:
    """What ended a program, and where, whatever the sizes were."""
    return re.sub(r": .*(?= \()", "", recording.error, flags=re.S)


def _record(
    source: ProgramSource,
    seconds: float,
    most_updates: int = 4,
    made: MadeTable | None = None,
) -> Recording:
    siblings = _beside(source.path)
    names = surroundings(source.path, siblings, source.is_translated)
    tape = new_tape(source, siblings, seconds)
    tape.most_updates, tape.made = most_updates, made or tape.made
    recording = Recording(source, tape, dict(names), names=names)
    arguments = made_arguments(source.tree) if tape.made.arguments else []
    with started(source.path, arguments), recording_on(tape):
        supply_modules(source, siblings, recording.namespace)
        _run(recording)
    return recording


@contextlib.contextmanager
def started(path: str, with_arguments: Sequence[str] = ()) -> Iterator[None]:
    """Let a program be as if it was started in its folder, with arguments or none."""
    before, arguments = Path.cwd(), sys.argv
    try:
        os.chdir(Path(path).parent)
        sys.argv = [path, *with_arguments]
        yield
    finally:
        os.chdir(before)
        sys.argv = arguments


def _stands_still(tape: Tape) -> bool:
    """Whether there is a step after which all parameters are what they were."""
    changes = [op for op in tape.operations if op.version and op.old is not None]
    moving = {op.version for op in changes if (tape.result(op) != tape.value[op.old]).any()}
    return not moving.issuperset(op.version for op in changes)


def _other_tables(recording: Recording) -> list[MadeTable]:
    """What made-up data should be, by the sizes in the error, or in the program."""
    usual, error = recording.tape.made, recording.error
    if not usual.arguments and _ends_for_arguments(recording):
        return [replace(usual, arguments=True)]
    are_empty = any(not op.size for op in recording.tape.operations)  # rows of which there are too few
    if "missing" not in recording.tape.notes or not (error or are_empty):
        return []
    if "invalid literal for int" in error:
        return [replace(usual, is_whole=True)]
    turned = [] if usual.in_columns or FROM_PACKAGE not in _missing(recording) else _turned(usual, error)
    constants = [one for one in recording.source.nodes if isinstance(one, ast.Constant)]
    bounds = [one.value for one in constants if type(one.value) is int and _is_bound(recording.source, one)]
    beyond = max((one for one in bounds if usual.rows <= one < _MOST_ROWS), default=0)
    split = [replace(usual, rows=beyond + usual.rows)] if beyond else []
    if error.startswith("IndexError"):  # lists do not say of what size they should be
        numbers = [one.value for one in constants if type(one.value) is int]
        large = [one for one in numbers if usual.columns <= one < 1000]
        others = [replace(usual, columns=one + 1) for one in dict.fromkeys(large)][:4]
        many = [_MANY_ROWS, *(one for one in [max(large, default=0)] if one > _MANY_ROWS)]
        plain = (
            [replace(usual, pictures=False)] if usual.pictures and has_pictures(_missing(recording)) else []
        )
        return [*turned, *plain, *split, *(replace(usual, rows=one) for one in many), *others]
    if not error.startswith("ValueError"):
        return split
    if (shaped := re.search(r"cannot reshape array of size \d+ into shape \((\d+)", error)) is not None:
        split += [
            replace(usual, rows=one) for one in [int(shaped.group(1))] if usual.rows < one <= _MOST_SAMPLES
        ]
    told = re.sub(r"\((dim|line) \d+\)", "", error)
    sizes = {int(one) for one in re.findall(r"\b\d+\b", told)} - {0, usual.rows}
    pairs = [(one, size) for one in sizes & {usual.columns - 1, usual.columns} for size in sizes - {one}]
    columns = sorted({usual.columns + size - one for one, size in pairs})[:4]
    tables = [replace(one, columns=each) for each in columns for one in (usual, *split)]
    classes = sorted(
        size for size in sizes if usual.classes in sizes and usual.classes < size <= _MOST_CLASSES
    )
    return [*tables, *(replace(usual, classes=each) for each in classes[:2]), *turned, *split]


def _turned(usual: MadeTable, error: str) -> list[MadeTable]:
    """Samples in columns, where shapes did not fit, or there is no second size of targets."""
    is_misfit = error.startswith("ValueError") or "tuple index" in error
    return [replace(usual, in_columns=True)] if is_misfit else []


def _missing(recording: Recording) -> str:
    """What was said of what is missing."""
    return " ".join(recording.tape.notes.get("missing", ()))


def _ends_for_arguments(recording: Recording) -> bool:
    """Whether a program reads what it is started with, and has changed nothing before it ended."""
    changes = any(op.version for op in recording.tape.operations)
    return bool(arguments_taken(recording.source.tree)) and not changes and not recording.tape.stopped


def _is_bound(source: ProgramSource, number: ast.expr) -> bool:
    """Whether rows are taken from a number on, or up to it: ``data[1000:]``, ``data[:1000, 1:]``."""
    part = source.parent(number)
    holder = source.parent(part) if isinstance(part, ast.Slice) else None
    if isinstance(holder, ast.Tuple):
        return holder.elts[0] is part and isinstance(source.parent(holder), ast.Subscript)
    return isinstance(holder, ast.Subscript)


def record_live(code: Any, is_given: Callable[[str], bool]) -> Recording:
    """Make a function or an object anew, so that what it computes can be recorded; nothing is called."""
    own = function_of(code)
    source = source_of(own.__code__)
    siblings = _beside(source.path)
    names = surroundings(source.path, siblings)
    root = getattr(code, "__name__", "it")
    recording = Recording(source, new_tape(source, siblings, 15.0), {}, names=names, root=root)
    with recording_on(recording.tape):
        made = recording.rebuilding(is_given)
        functions = {name: one for name, one in own.__globals__.items() if inspect.isfunction(one)}
        recording.namespace = {name: made.value(one) for name, one in functions.items()}
        recording.namespace[root] = made.value(code, "")
    return recording


def function_of(code: Any) -> Any:
    """A function itself; of an object, its first method."""
    function = inspect.unwrap(getattr(code, "__func__", code))
    if inspect.isfunction(function):
        return function
    methods = [one for _, one in inspect.getmembers(type(code), inspect.isfunction)]
    if not methods:
        raise TypeError(f"{type(code).__name__} is neither a function nor an object with methods")
    return methods[0]


def _beside(path: str) -> frozenset[str]:
    """The modules in the same folder."""
    return frozenset(str(one) for one in Path(path).parent.glob("*.py") if str(one) != path)


def _run(recording: Recording) -> None:
    try:
        exec(recording.source.recordable(), recording.namespace)
    except (RecordingStopped, SystemExit):
        pass
    except BaseException as raised:
        _run_the_rest(recording, keep_error(recording, raised))


def keep_error(recording: Recording, raised: BaseException) -> int:
    """Keep what was raised; return the line of the top level where it was."""
    lines = []
    for frame, line in traceback.walk_tb(raised.__traceback__):
        if frame.f_code.co_filename == recording.source.path:
            lines.append(line)
            here = frame.f_locals.items()
            recording.at_error.update((name, one) for name, one in here if not name.startswith("__"))
    text = traceback.format_exception_only(raised)[-1].strip()
    recording.error = f"{text} (line {lines[-1]})" if lines else text
    return lines[0] if lines else 0


def _run_the_rest(recording: Recording, failed: int) -> None:
    """Run what stands behind the line that failed, as far as it goes."""
    behind = [one for one in recording.source.recordable_tree().body if one.lineno > failed]
    with contextlib.suppress(RecordingStopped):
        for statement in behind:
            code = compile(ast.Module([statement], []), recording.source.path, "exec")
            with contextlib.suppress(Exception, SystemExit):
                exec(code, recording.namespace)
