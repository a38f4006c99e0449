"""``deltarule worksheet``: networks to be computed by hand, with keys; for one or for a class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import say, text_width
from deltarule.cli.options import FILE, activations, network_sizes
from deltarule.cli.sources import ROW, load_source
from deltarule.derivations.derivation import FORMATS
from deltarule.errors import InputError
from deltarule.files import check_writable, write_atomically
from deltarule.nn.losses import LOSSES
from deltarule.worksheets import worksheet as make
from deltarule.worksheets.class_set import class_set, read_students
from deltarule.worksheets.moodle import moodle_questions
from deltarule.worksheets.questions import PAPERS

#: What an example brings itself.
_NETWORK = ("sizes", "activation", "output", "loss", "bias", "n_samples")


@click.command(short_help="A network to compute by hand, with its key.")
@click.argument("example", required=False)
@click.argument("rows", required=False)
@ROW
@click.option("--sizes", type=network_sizes, default="2-2-1", metavar="I-H-O", help="Neurons.")
@click.option("--activation", type=activations, default="sigmoid", help="Of the hidden layers.")
@click.option("--output", default="sigmoid", help="Activation of the last layer.")
@click.option(
    "--loss", metavar="NAME",
    help=f"One of {', '.join(LOSSES)}.  [default: cross_entropy after softmax, else half_squared_error]",
)  # fmt: skip
@click.option(
    "--bias", type=click.Choice(["neuron", "shared", "none"]), default="neuron",
    help="One for each neuron, one for each layer, or none.",
)  # fmt: skip
@click.option("--samples", "n_samples", type=click.IntRange(1, 100), default=1, help="In the batch.")
@click.option("--optimizer", metavar="SPEC", help='Of the update.  [default: the example\'s, or "sgd(0.5)"]')
@click.option(
    "--ask", "asked", multiple=True, metavar="WHAT",
    help="What is asked for.  [default: forward, loss, deltas, and of each layer one weight]",
)  # fmt: skip
@click.option("--decimals", type=click.IntRange(1, 10), default=4, help="To which answers are rounded.")
@click.option("--formulas", is_flag=True, help="Say on the sheet how each number is computed, in symbols.")
@click.option("--hints", is_flag=True, help="The same in words.")
@click.option("--title", help="Of the sheet.", show_default=False)
@click.option("--instructions", default="", show_default=False, metavar="TEXT", help="Above the questions.")
@click.option("--paper", type=click.Choice(PAPERS), default="a4", help="The size of the pages.")
@click.option(
    "--vary/--no-vary", default=None, help="Give an example random numbers.  [default: for a class]"
)
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the random numbers.")
@click.option("--student", default="", show_default=False, metavar="NAME", help="Whose sheet it is.")
@click.option(
    "--students", type=FILE, metavar="CSV",
    help="A sheet for each name in the column student or name of this file.",
)  # fmt: skip
@click.option("--key", is_flag=True, help="Print the key, not the sheet.")
@click.option(
    "--format", "format", type=click.Choice(list(FORMATS)), help="[default: text; with --students pdf]"
)
@click.option(
    "--out", "-o", type=FILE,
    help="Write the sheet to this file, with key and marking data beside it; with --students, a new folder.",
)  # fmt: skip
@click.option("--moodle", type=FILE, metavar="XML", help="Write the questions for Moodle's question bank.")
@click.option("--variants", type=click.IntRange(1, 2000), default=1, help="Of them, without --students.")
@click.option("--json", "as_json", is_flag=True, help="Print the data that deltarule mark takes.")
@click.pass_context
def worksheet(
    context: click.Context,
    /,
    example: str | None,
    rows: str | None,
    row: int | None,
    students: Path | None,
    student: str,
    vary: bool | None,
    key: bool,
    format: str | None,
    out: Path | None,
    as_json: bool,
    moodle: Path | None,
    variants: int,
    **settings: Any,
) -> None:
    """Make a worksheet: a network, its numbers, and blanks for what is to be computed by hand; and its key.

    EXAMPLE is a worked example (T1, T4 …), a .toml file (deltarule new makes one), or a saved model, followed
    by ROWS for it; without one, the network has random numbers of few decimals. With --students every student
    gets numbers of their own: a folder with sheets, keys, a template for answers, and class.json, which
    deltarule mark takes.

    WHAT is what deltarule explain can derive, divided by commas: net_h1, out_o1, delta_h1, w5 (its
    gradient), "new w5" (after the update), z1, W2; or forward, loss, deltas, gradients, update, all. Behind
    it may stand its points, before it how the question is put: show:delta_h1 gives the result, choice:w5
    offers the results of usual mistakes, mistake:net_h1 has one to be found, code:delta_h1 has a line of a
    program to be chosen.

    \b
    deltarule worksheet --seed 7 --out sheet.pdf
    deltarule worksheet T1 --ask forward,loss
    deltarule worksheet --ask "net_h1, show:delta_h1=3, choice:w5=2, code:delta_h1" --hints
    deltarule worksheet --sizes 2-3-3 --output softmax --samples 2 --students names.csv --out class
    deltarule worksheet --ask "net_h1, delta_h1, w1, choice:w5" --moodle questions.xml --variants 30
    """
    _check_exclusive_options(context, example, students, key or as_json or bool(student), out)
    if example is not None:
        settings = {name: value for name, value in settings.items() if name not in _NETWORK}
        settings["example"] = load_source(example, rows, row)
    if moodle is not None:
        check_writable(moodle)
        names = read_students(students) if students else [str(n) for n in range(1, variants + 1)]
        made = class_set(names, vary=vary is not False, **settings)
        write_atomically(moodle, moodle_questions(list(made.sheets.values())))
        say(f"{len(names)} variants of each question: written to {moodle}")
        if out is None:
            return
    if students is not None:
        assert out is not None
        ending = FORMATS[format or "pdf"]
        made = class_set(read_students(students), vary=vary is not False, **settings)
        folder = made.save(out, ending)
        say(f"{len(made.sheets)} sheets and keys ({ending}), class.json, answers.csv: written to {folder}")
        return
    one = make(student=student, vary=bool(vary), **settings)
    if out is not None:
        say("written: " + ", ".join(map(str, one.save(_with_ending(out, format)))))
    elif as_json:
        click.echo(one.json(), nl=False)
    elif format in (None, "text"):
        click.echo((one.key if key else one.sheet).text(text_width()), nl=False)
    else:
        click.echo(one.key.to(format) if key else one.sheet_as(format), nl=False)


def _check_exclusive_options(
    context: click.Context, example: str | None, students: Path | None, for_one: bool, out: Path | None
) -> None:
    """Refuse options that exclude each other."""
    source = click.core.ParameterSource.COMMANDLINE
    given = [name for name in _NETWORK if context.get_parameter_source(name) == source]
    if example is not None and given:
        option = {"n_samples": "samples"}.get(given[0], given[0])
        raise InputError(f"{example} brings its own network: leave out --{option}")
    if students is not None and out is None and not context.params["moodle"]:
        raise InputError("a class is written to a folder: name one with --out")
    if students is not None and for_one:
        raise InputError("--students makes files for a class: leave out --student, --key and --json")


def _with_ending(out: Path, format: str | None) -> Path:
    if format is None or out.suffix.lower() == FORMATS[format]:
        return out
    raise InputError(
        f"--out {out} and --format {format}: a name that ends in {FORMATS[format]} says the same"
    )
