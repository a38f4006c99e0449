"""``deltarule check my_backprop.py``: is this backpropagation right, and if not, which mistake is it?"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click

from deltarule import diagnosis
from deltarule.cli.console import print_json, say
from deltarule.cli.options import FILE, GroupedCommand
from deltarule.diagnosis.grading import as_csv, as_junit, as_table
from deltarule.diagnosis.observation.scratch import scratch_for
from deltarule.diagnosis.programs import refuse_what_is_no_program
from deltarule.errors import InputError
from deltarule.files import check_writable, write_atomically
from deltarule.nn.losses import LOSSES


@click.command(cls=GroupedCommand, short_help="Check your own backpropagation, and name the mistake.")
@click.argument("script", type=FILE)
@click.option("--csv", "csv_file", type=FILE, help="Write the table of a folder's programs to this CSV file.")
@click.option("--junit", "junit_file", type=FILE, help="Write it to this JUnit XML file, for autograders.")
@click.option("--name", help="The function, class or object of the script to check.  [default: recognised]")
@click.option("--loss", help=f"The loss that you mean: {', '.join(LOSSES)}.  [default: recognised]")
@click.option("--seconds", type=float, default=20.0, help="The time limit; in a folder, for each program.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.pass_context
def check(
    context: click.Context,
    /,
    script: Path,
    csv_file: Path | None,
    junit_file: Path | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Check the backpropagation in SCRIPT; if it is wrong, name the mistake and the line.

    SCRIPT is a Python file, a notebook, - for standard input, or a folder of submissions. It needs no
    changes: it is run as it is for a few updates, in a process of its own that can write to nothing but a
    scratch folder. What it computes is recorded, its steps are compared with the gradient of its own
    forward pass, and the line where the two part is reported.

    If a script trains nothing by itself, its functions that train or return gradients are called, and its
    classes with methods such as train(x, y) or forward and backward.

    The exit status is 0 if all is right, 1 if something is wrong, and 2 if it cannot be judged.

    \b
    Examples:
      deltarule check my_backprop.py
      deltarule check my_backprop.py --loss half_squared_error
      deltarule check submissions/ --csv verdicts.csv --junit verdicts.xml
    """
    if script.is_dir():
        if settings["loss"] or settings["name"]:
            raise InputError("for a folder, only --seconds, --csv, --junit and --json can be used")
        _check_folder(context, script, settings["seconds"], (csv_file, junit_file), as_json)
    if csv_file or junit_file:
        raise InputError("--csv and --junit are only for a folder of programs")
    with _program(script) as path:
        refuse_what_is_no_program(path, str(script))
        seen = diagnosis.check(path, **settings)
    status = {"right": 0, "wrong": 1}.get(seen.verdict, 2)
    _tell(context, str(seen), seen.to_dict(), as_json, status)


@contextlib.contextmanager
def _program(script: Path) -> Iterator[Path]:
    """The file to check; for ``-`` one with what stands on standard input, among the files that lie here."""
    if str(script) != "-":
        yield script
        return
    with scratch_for(Path.cwd()) as (_, here):
        path = here / "standard_input.py"
        path.write_bytes(sys.stdin.buffer.read())
        yield path


def _check_folder(
    context: click.Context,
    folder: Path,
    seconds: float,
    files: tuple[Path | None, Path | None],
    as_json: bool,
) -> NoReturn:
    """Check the programs of a folder; the files are written when all of it is done."""
    for file in files:
        if file is not None:
            check_writable(file)
    programs = diagnosis.check_folder(folder, seconds)
    for file, write in zip(files, (as_csv, as_junit), strict=True):
        if file is not None:
            write_atomically(file, write(programs).encode())
    verdicts = {one.verdict for one in programs}
    status = 1 if "wrong" in verdicts else 2 if "cannot judge" in verdicts else 0
    record = {"right": status == 0, "programs": [one.to_dict() for one in programs]}
    _tell(context, as_table(programs), record, as_json, status)


def _tell(context: click.Context, text: str, record: dict[str, Any], as_json: bool, status: int) -> NoReturn:
    """Print a report, or its record as JSON, and exit."""
    if as_json:
        print_json(record)
    else:
        say(text)
    context.exit(status)
