"""Run a learner's program and record what it computes."""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import os
import random
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.diagnosis.reading.updates import recognise_update
from deltarule.diagnosis.recording import missing
from deltarule.diagnosis.recording.source import ProgramSource, read_source
from deltarule.diagnosis.recording.substitutes import own, product, repeated, substitutes, traced_float
from deltarule.diagnosis.recording.tape import RecordingStopped, Tape, use_tape
from deltarule.diagnosis.recording.traced import leaf


@dataclass
class Recording:
    """What a program did: its tape, its names at the end, and what it raised."""

    source: ProgramSource
    tape: Tape
    namespace: dict[str, Any]
    error: str = ""
    #: The local names where it was raised.
    at_error: dict[str, Any] = field(default_factory=dict)


def new_tape(source: ProgramSource, siblings: frozenset[str], seconds: float, versions: int = 4) -> Tape:
    """Return an empty tape for a program and the modules beside it."""
    return Tape(
        {source.path, *siblings}, versions, seconds, lambda tape, op: recognise_update(tape, op, source)
    )


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


def record_program(path: str | Path, seconds: float = 15.0, versions: int = 4) -> Recording:
    """Run a program until its parameters changed ``versions`` times; record what it computes."""
    source = read_source(path)
    folder = Path(source.path).parent
    siblings = frozenset(str(one) for one in folder.glob("*.py") if str(one) != source.path)
    tape = new_tape(source, siblings, seconds, versions)
    recording = Recording(source, tape, _namespace(source, siblings))
    before, arguments = Path.cwd(), sys.argv
    try:
        os.chdir(folder)
        sys.argv = [source.path]
        with recording_on(tape):
            _run(recording)
    finally:
        os.chdir(before)
        sys.argv = arguments
    return recording


def _run(recording: Recording) -> None:
    try:
        exec(recording.source.recordable(), recording.namespace)
    except (RecordingStopped, SystemExit):
        pass
    except BaseException as raised:
        failed = keep_error(recording, raised)
        _run_the_rest(recording, failed)


def keep_error(recording: Recording, raised: BaseException) -> int:
    """Keep what was raised; return the line of the top level where it was."""
    path, lines = recording.source.path, []
    step = raised.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            lines.append(step.tb_lineno)
            recording.at_error.update(
                (name, one) for name, one in step.tb_frame.f_locals.items() if not name.startswith("__")
            )
        step = step.tb_next
    text = traceback.format_exception_only(raised)[-1].strip()
    recording.error = f"{text} (line {lines[-1]})" if lines else text
    return lines[0] if lines else 0


def _run_the_rest(recording: Recording, failed: int) -> None:
    """Define what stands behind the line that failed."""
    defining = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign)
    for line, statement in recording.source.recordable_statements():
        if line > failed and isinstance(statement, defining):
            code = compile(ast.Module([statement], []), recording.source.path, "exec")
            with contextlib.suppress(Exception, RecordingStopped, SystemExit):
                exec(code, recording.namespace)


def _namespace(source: ProgramSource, siblings: frozenset[str]) -> dict[str, Any]:
    names: dict[str, Any] = {
        "__name__": "__main__",
        "__file__": source.path,
        "__leaf__": lambda x: leaf(x, is_scalar=True),
        "__own__": own,
        "__dot__": product,
        "__float__": traced_float,
        "__repeated__": repeated,
    }
    own_builtins = dict(vars(builtins))
    own_builtins.update(
        open=_open,
        input=lambda *_: "1",
        exit=_leave,
        quit=_leave,
        help=lambda *_: None,
        breakpoint=lambda: None,
    )
    own_builtins["__import__"] = _importing(siblings, names, own_builtins)
    names["__builtins__"] = own_builtins
    return names


def _leave(*_: Any) -> None:
    raise SystemExit


def _open(name: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
    """``open`` that writes to memory, and makes up the tables that are not there."""
    if any(letter in mode for letter in "wax+"):
        return io.BytesIO() if "b" in mode else io.StringIO()
    try:
        return open(name, mode, *args, **options)
    except FileNotFoundError:
        if "b" in mode or not str(name).endswith((".csv", ".txt", ".data")):
            raise
        return missing.text_file(name)


def _importing(
    siblings: frozenset[str], names: dict[str, Any], own_builtins: dict[str, Any]
) -> Callable[..., Any]:
    """The ``import`` of a recorded program: substitutes, the modules beside it, stand-ins."""
    replaced = substitutes()
    loaded: dict[str, Any] = {}
    beside = {Path(one).stem: one for one in siblings}

    def load(name: str) -> Any:
        if name not in loaded:
            module = loaded[name] = types.ModuleType(name)
            kept = {key: one for key, one in names.items() if key.startswith("__")}
            module.__dict__.update(kept, __name__=name, __file__=beside[name])
            exec(read_source(beside[name]).recordable(), module.__dict__)
        return loaded[name]

    def find(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        root = name.partition(".")[0]
        if root in beside:
            return load(root)
        if root in missing.SHOWING:
            return missing.stand_in(name)
        try:
            module = builtins.__import__(name, globals, locals, fromlist, level)
        except ImportError:
            return missing.stand_in(name)
        return replaced.get(module.__name__, module)

    return find
