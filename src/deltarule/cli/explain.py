"""``deltarule explain``: any number of a network, derived with every factor."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from deltarule.cli.console import console, print_decisions, say, text_width, told
from deltarule.cli.options import FILE, GroupedCommand, reading_options
from deltarule.derivations import Derivation, explain_update
from deltarule.derivations import explain as derive
from deltarule.derivations.derivation import FORMATS
from deltarule.derivations.notation import NOTATIONS
from deltarule.errors import InputError
from deltarule.experiments import load_model
from deltarule.experiments.choices import READING
from deltarule.files import format_of, write_atomically
from deltarule.formula.numbers import FULL, check_digits
from deltarule.tutorials import is_example, load_example


def _digits(text: str) -> int | str:
    """1 to 17, or "full"."""
    if text == FULL:
        return text
    try:
        digits = int(text)
        check_digits(digits)
    except (ValueError, InputError):
        raise click.BadParameter(f"expected 1 to 17 or {FULL}, got {text!r}") from None
    return digits


@click.command(cls=GroupedCommand, short_help="Derive any number of a network, factor by factor.")
@click.argument("source")
@click.argument("what", nargs=-1)
@click.option(
    "--row", type=click.IntRange(1),
    help="The number of the row, of all rows of the file.  [default: all of an example, a model's first]",
)  # fmt: skip
@click.option(
    "--notation",
    type=click.Choice(list(NOTATIONS)),
    help="The names of the quantities.  [default: those that WHAT uses]",
)
@click.option(
    "--detail", type=click.Choice(["chain", "delta"]), default="chain",
    help="Show every path of the chain rule, or δ by recursion.",
)  # fmt: skip
@click.option(
    "--digits", type=_digits, default="9", metavar="N|full", help="The number of significant digits."
)
@click.option(
    "--by-hand",
    type=click.IntRange(1, 15),
    metavar="N",
    help="Round to N decimals at each step, as you would by hand.",
)
@click.option(
    "--optimizer", help='Show the update by this optimizer: "adam(0.01)".  [default: the example\'s own]'
)
@click.option(
    "--step",
    type=click.IntRange(1),
    metavar="K",
    help="Train the example first, and explain update number K.",
)
@click.option(
    "--format",
    "format",
    type=click.Choice(list(FORMATS)),
    help="The format.  [default: text, or that of the file's name]",
)
@click.option("--out", "-o", type=FILE, help="Write the derivation to this file.")
@click.option("--picture/--no-picture", default=True, help="Draw the network above the derivation.")
@click.option("--ascii", is_flag=True, help="Use ASCII characters only.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@partial(reading_options, but_format=True)
def explain(
    source: str,
    what: tuple[str, ...],
    step: int | None,
    format: str | None,
    out: Path | None,
    ascii: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Derive WHAT of a network: symbol = formula = the numbers inserted = value.

    SOURCE is a worked example (T1 to T5, or a .toml file), or a saved model, followed by a file or a bundled
    set with rows and their answers.

    \b
    WHAT is one or more of
      w5, W2[0,1]           the gradient of a weight, and its update
      b1, b_o1              the same of a bias
      net_h1, z2[1]         the weighted input of a neuron
      out_o1, a1[0]         its output
      delta_h1, delta2[0]   its delta
      W2, z1, layer2        a whole layer, in matrices
      loss, forward, backward, update, all

    \b
    Examples:
      deltarule explain T1 w5 w1
      deltarule explain T1 w1 --by-hand 4
      deltarule explain T1 all --out T1.html
      deltarule explain iris.safetensors Iris.csv --row 17 "W1[2,5]"
    """
    format = _chosen_format(format, out, as_json)
    if is_example(source):
        own = {name: value for name, value in settings.items() if name not in READING}
        derivation = _from_example(source, what or ("all",), step, own)
    else:
        derivation = _from_model(source, what, step, settings)
    if out is not None:
        write_atomically(out, derivation.to(format))
        say(f"{derivation.document.title}: written to {out}")
    elif format == "text":
        _print_derivation(derivation, ascii)
    else:
        click.echo(derivation.to(format), nl=False)


def _chosen_format(format: str | None, out: Path | None, as_json: bool) -> str:
    if as_json:
        if format not in (None, "json"):
            raise InputError(f"--json and --format {format} cannot be used together")
        format = "json"
    if format is None and out is not None:
        format = format_of(out, FORMATS)
        if format is None:
            raise InputError(
                f"--out {out}: the name must end in {', '.join(FORMATS.values())}; or use --format"
            )
        return format
    if format == "pdf" and out is None and sys.stdout.isatty():
        raise InputError("a PDF cannot be shown in a terminal: name a file with --out")
    return format or "text"


def _print_derivation(derivation: Derivation, ascii: bool) -> None:
    """As wide as the terminal, and in ASCII where it knows no more."""
    try:
        "∂δ₂ᵀ⎡╭".encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        ascii = True
    screen = console()
    if screen.is_terminal:
        shown = derivation.text(text_width(), ascii, colours=True).rstrip("\n")
        screen.print(Text.from_ansi(shown), soft_wrap=True)
    else:
        click.echo(derivation.text(text_width(), ascii), nl=False)


def _from_example(
    source: str, what: tuple[str, ...], step: int | None, settings: dict[str, Any]
) -> Derivation:
    example = load_example(source)
    net = example.network()
    row, optimizer, by_hand = (settings.pop(name) for name in ("row", "optimizer", "by_hand"))
    optimizer = optimizer or example.training.get("optimizer")
    if step is None:
        if row is not None and row > len(example.X):
            raise InputError(f"--row {row}: there are {len(example.X)} rows")
        return derive(
            net, example.X, example.Y, what, sample=None if row is None else row - 1, optimizer=optimizer,
            by_hand=by_hand, title=example.title, **settings,
        )  # fmt: skip
    if row is not None or by_hand is not None:
        raise InputError(
            "--step explains an update of all the rows it used, exactly: leave out --row and --by-hand"
        )
    history = example.train(net, optimizer=optimizer, epochs=max(step, example.training.get("epochs", 1)))
    return explain_update(history, step, what, title=f"{example.title}, update {step}", **settings)


def _from_model(source: str, what: tuple[str, ...], step: int | None, settings: dict[str, Any]) -> Derivation:
    if not what:
        raise InputError(f"{source} is not an example: also name a file or data set with rows for it")
    if step is not None:
        raise InputError("--step explains an update of an example's training; a saved model has none")
    rows, *what_list = what
    row = settings.pop("row")
    model = load_model(source)
    dataset = model.rows_with_answers(rows, settings)
    print_decisions(told(dataset.decisions), err=True)
    return model.explain(dataset, what_list or ("forward", "loss"), row=row, **settings)
