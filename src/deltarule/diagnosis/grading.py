"""``check_folder``: the programs of a whole course are observed; a table, CSV and JUnit XML tell of them."""

from __future__ import annotations

import csv
import io
import os
import textwrap
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deltarule.diagnosis.check import check
from deltarule.diagnosis.mistakes import mistake
from deltarule.diagnosis.observation import Diagnosis
from deltarule.diagnosis.observation.reply import printable
from deltarule.diagnosis.programs import programs_in
from deltarule.errors import InputError
from deltarule.registry import record

#: What kinds of faults are called.
_KINDS = {
    "derivative": "a step of the backward pass is wrong",
    "factor": "a factor is wrong",
    "sign": "the sign is wrong",
    "untrained": "a parameter is never trained",
    "shape": "the shapes do not fit",
    "penalty": "the penalty is wrong",
    "optimizer": "the optimizer's own formula is wrong",
    "behaviour": "a call changes its arguments",
    "syntax": "Python cannot read it",
}
_COLUMNS = ("file", "verdict", "line", "expression", "mistake", "text", "loss", "seconds")
_AT_A_TIME = 2
_WIDTH, _NAME, _VERDICT = 80, 28, 12


@record
class CheckedProgram:
    """The verdict on one program in a folder.

    Parameters
    ----------
    file : str
        The path within the folder: ``"anna/backprop.py"``.
    verdict : "right", "wrong" or "cannot judge"
    line : int
        The line of the mistake to fix first; 0 for none.
    expression, mistake, text : str
        The expression in that line, the mistake, and what is wrong; or why the program cannot be judged.
    loss : str
        The loss that its steps follow.
    seconds : float
    failed : bool
        Whether there is no verdict because the program raised an error or did not end.
    """

    file: str
    verdict: str
    line: int = 0
    expression: str = ""
    mistake: str = ""
    text: str = ""
    loss: str = ""
    seconds: float = 0.0
    failed: bool = False

    @property
    def student(self) -> str:
        """The folder that the program lies in, or its own name."""
        folder, name = os.path.split(self.file)
        return folder or os.path.splitext(name)[0]

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {"student": self.student, **asdict(self)}


def check_folder(folder: str | os.PathLike[str], seconds: float = 20.0) -> list[CheckedProgram]:
    """Check each program in a folder, two at a time; none of them can affect the others.

    Parameters
    ----------
    folder : path
        A folder with .py and .ipynb files, or with a folder of such files for each student. A file that
        another file of the same student imports is part of that program, not a program of its own.
    seconds : float
        How long each program may take.

    Returns
    -------
    list of CheckedProgram
        In the order of their names.

    Raises
    ------
    InputError
        If there is no such folder, or no program in it.

    Examples
    --------
    >>> [(one.student, one.verdict) for one in check_folder("submissions")]  # doctest: +SKIP
    [('anna', 'right'), ('ben', 'wrong')]
    """
    root = Path(folder)
    found = programs_in(root)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(lambda path: _checked(root, path, seconds), found))


def _checked(root: Path, path: Path, seconds: float) -> CheckedProgram:
    """Observe one program; whatever fails is said of it alone."""
    name = printable(str(path.relative_to(root)).replace("\n", "\\n"))
    try:
        seen = check(path, seconds=seconds)
    except (InputError, OSError) as error:
        return CheckedProgram(name, "cannot judge", text=printable(str(error)), failed=True)
    return _from_observation(name, seen)


def _from_observation(name: str, seen: Diagnosis) -> CheckedProgram:
    loss, spent = seen.loss, round(seen.seconds, 3)
    if seen.verdict == "wrong":
        first = seen.faults[0]
        called = mistake(first.mistake).title if first.mistake else _KINDS.get(first.kind, first.kind)
        return CheckedProgram(name, "wrong", first.line, first.expression, called, first.text, loss, spent)
    why = "" if seen.verdict == "right" else seen.obstacle or "; ".join(seen.notes)
    failed = bool(seen.error or (why and not seen.unseen))
    line = seen.obstacle_line
    return CheckedProgram(name, seen.verdict, line, text=why, loss=loss, seconds=spent, failed=failed)


def as_table(programs: Sequence[CheckedProgram]) -> str:
    """Write a table of 80 columns, and how many there are of each verdict."""
    lines = [_row("program", "verdict", "line", "mistake")]
    for one in programs:
        lines.append(_row(one.file, one.verdict, str(one.line or ""), one.mistake or one.text))
    counts = Counter(one.verdict for one in programs)
    told = [f"{counts[verdict]} {verdict}" for verdict in ("right", "wrong")]
    unjudged = counts["cannot judge"]
    programs_told = "1 program" if len(programs) == 1 else f"{len(programs)} programs"
    return "\n".join([*lines, "", f"{programs_told}: {', '.join(told)}, {unjudged} not judged."])


def _row(name: str, verdict: str, line: str, words: str) -> str:
    if len(name) > _NAME:
        name = name[: _NAME // 2 - 1] + "…" + name[-_NAME // 2 :]
    left = f"{name:<{_NAME}} {verdict:<{_VERDICT}} {line:>4} "
    told = textwrap.shorten(words, 3 * (_WIDTH - len(left)), placeholder=" …")
    rows = textwrap.wrap(told, _WIDTH - len(left)) or [""]
    return ("\n" + " " * len(left)).join([left + rows[0], *rows[1:]]).rstrip()


def as_csv(programs: Sequence[CheckedProgram]) -> str:
    """Write one row for each program, under the names of the columns."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(_COLUMNS)
    rows.writerows([getattr(one, name) for name in _COLUMNS] for one in programs)
    return out.getvalue()


def as_junit(programs: Sequence[CheckedProgram]) -> str:
    """Write JUnit's XML, which graders and build servers read: one test case for each program.

    What is wrong is a failure; what raised an error, did not end or does not train, an error; what is hidden
    in a package that could not be seen was skipped.
    """
    from xml.etree import ElementTree as tree

    cases = []
    counts: Counter[str] = Counter()
    for one in programs:
        case = tree.Element("testcase", classname=one.student, name=one.file, time=f"{one.seconds:.3f}")
        cases.append(case)
        if one.verdict == "right":
            continue
        kind = "failure" if one.verdict == "wrong" else "error" if one.failed else "skipped"
        counts[kind] += 1
        place = f"line {one.line}: {one.expression}\n" if one.line else ""
        tree.SubElement(case, kind, message=one.mistake or one.text).text = place + one.text
    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    numbers = {name: str(counts[kind]) for name, kind in kinds.items()}
    suite = tree.Element("testsuite", {"name": "deltarule check", "tests": str(len(programs)), **numbers})
    suite.set("time", f"{sum(one.seconds for one in programs):.3f}")
    suite.extend(cases)
    tree.indent(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tree.tostring(suite, encoding="unicode")}\n'
