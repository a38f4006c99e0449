"""The command line: ``deltarule train iris``. One file for each sub-command.

Reading order: console, options, workers; data, train, train_example, evaluate, predict, inspect, explain;
export, import_model, sources, draw, spreadsheet; check; new, worksheet, mark; reproduce, play.
"""

from __future__ import annotations

import signal
import sys
import warnings
from collections import UserDict
from importlib import import_module
from typing import Any, NoReturn

import click

import deltarule
from deltarule.cli.console import mend_streams
from deltarule.cli.workers import speaks_for_all
from deltarule.documents.plain_table import printable
from deltarule.errors import DataFaults, DeltaruleError, LayoutError
from deltarule.registry import signals_wait

__all__ = ["cli", "main"]


class _Commands(UserDict[str, Any]):
    """Modules by the names of their sub-commands: one is imported when it is asked for, to start sooner."""

    def __getitem__(self, name: str) -> Any:
        module = self.data[name]
        with signals_wait():
            return getattr(import_module(f"deltarule.cli.{module}"), module)


#: The sub-commands in the order of the help, by what one wants.
_SECTIONS = {
    "Train a network, and use it": ("train", "predict", "evaluate", "export", "import", "data"),
    "See where a number comes from": (
        "play",
        "explain",
        "inspect",
        "draw",
        "spreadsheet",
        "new",
        "reproduce",
    ),
    "Check and teach": ("check", "worksheet", "mark"),
}
_MODULES = {"import": "import_model"}
_COMMANDS = _Commands({name: _MODULES.get(name, name) for names in _SECTIONS.values() for name in names})


class _BadInput(click.ClickException):
    """``deltarule: …``, a line for each fault on standard error, a drawing where it helps; exit status 2."""

    exit_code = 2

    def __init__(self, *faults: object, drawing: str = "") -> None:
        super().__init__(str(faults[0]))
        self.faults: tuple[object, ...] = faults
        self.drawing = drawing

    def show(self, file: Any = None) -> None:
        for fault in self.faults:
            click.echo(printable(f"deltarule: {' '.join(str(fault).split())}"), file=file, err=True)
        if self.drawing:
            click.echo(self.drawing, file=file, err=True)


class _Group(click.Group):
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the sub-commands by what one wants."""
        for title, names in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(100)) for name in names])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments; an option that is not there becomes one line."""
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            raise _misused(error) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run a sub-command; what the user can mend becomes one line, never a traceback."""
        try:
            return super().invoke(ctx)
        except (BrokenPipeError, click.exceptions.NoArgsIsHelpError):
            raise
        except click.UsageError as error:
            raise _misused(error) from error
        except DataFaults as error:
            raise _BadInput(*error.faults) from error
        except LayoutError as error:
            raise _BadInput(f"{error.path}: {error.reason}", drawing=error.drawing) from error
        except (DeltaruleError, OSError) as error:
            raise _BadInput(error) from error
        except MemoryError as error:
            raise _BadInput(f"out of memory: {error or 'the data or the network is too large'}") from error


def _misused(error: click.UsageError) -> _BadInput:
    """What was wrong with the arguments, and where they are explained."""
    path = "deltarule" if error.ctx is None else error.ctx.command_path.replace("cli", "deltarule", 1)
    words = error.format_message().rstrip(".")
    for kind, plain in (("a valid integer", "a whole number"), ("a valid float", "a number")):
        words = words.replace(f"{kind} range", plain).replace(kind, plain)
    found = _BadInput(f"{words} See {path} --help" if words.endswith("?") else f"{words}: see {path} --help")
    if not speaks_for_all():
        found.faults = ()
    return found


_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}


@click.group(cls=_Group, commands=_COMMANDS, context_settings=_SETTINGS)
@click.version_option(deltarule.__version__, prog_name="deltarule")
def cli() -> None:
    """Neural networks that show their work.

    \b
    Try one of these first:
      deltarule play               the playground, in the browser
      deltarule train iris         train a network, and see how good it is
      deltarule explain T1 w5      derive the gradient of a weight, with numbers
      deltarule check mine.py      find the mistake in your backpropagation

    deltarule COMMAND --help explains a command, with examples.
    """


def _tell(message: Warning | str, *where: Any, **more: Any) -> None:
    """Print a warning as a line for people."""
    click.echo(printable(f"deltarule: {' '.join(str(message).split())}"), err=True)


def main() -> NoReturn:
    """The console script: exit 0 on success, 1 when a check fails, 2 on bad input, 130 and 143 on signals."""
    mend_streams()
    received: list[int] = []

    def terminate(number: int, frame: object) -> NoReturn:
        received.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, terminate)
    warnings.showwarning = _tell
    try:
        code = cli.main(prog_name="deltarule", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = 130
    except BrokenPipeError:
        code = 1
    if code == 130 and received:
        code = 143
    try:
        sys.stdout.flush()
    except OSError:  # the reader has gone; let the interpreter's own flush find nothing to complain about
        mend_streams(force=True)
    sys.exit(code or 0)
