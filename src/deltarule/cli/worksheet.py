"""``deltarule worksheet``: networks to be computed by hand, with keys; for one or for a class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import say, text_width
from deltarule.cli.options import FILE, GroupedCommand, activations, network_sizes, options_of
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


_network = options_of("The network, where there is no example")
_questions = options_of("The questions")
_paper = options_of("The paper")
_written = options_of("What is made and written")


@click.command(cls=GroupedCommand, short_help="Make a worksheet to compute by hand, with its key.")
@click.argument("example", required=False)
@click.argument("rows", required=False)
@_network(
    "--sizes",
    type=network_sizes,
    default="2-2-1",
    metavar="I-H-O",
    help="The numbers of inputs, hidden neurons and outputs.",
)
@_network("--activation", type=activations, default="sigmoid", help="The activation of the hidden layers.")
@_network("--output", default="sigmoid", help="The activation of the output layer.")
@_network(
    "--loss",
    metavar="NAME",
    help=f"The loss: {', '.join(LOSSES)}.  [default: cross_entropy after softmax, else half_squared_error]",
)
@_network(
    "--bias",
    type=click.Choice(["neuron", "shared", "none"]),
    default="neuron",
    help="One bias for each neuron, one for each layer, or none.",
)
@_network(
    "--samples",
    "n_samples",
    type=click.IntRange(1, 100),
    default=1,
    help="The number of samples in the batch.",
)
@_questions(
    "--ask",
    "asked",
    multiple=True,
    metavar="WHAT",
    help="What to ask for; see above.  [default: forward, loss, deltas, and one weight of each layer]",
)
@_questions(
    "--optimizer",
    metavar="SPEC",
    help='The optimizer of the update.  [default: the example\'s own, or "sgd(0.5)"]',
)
@_questions(
    "--decimals", type=click.IntRange(1, 10), default=4, help="The decimals to which answers are rounded."
)
@_questions("--formulas", is_flag=True, help="Print the formula of each answer, in symbols.")
@_questions("--hints", is_flag=True, help="Print how each answer is computed, in words.")
@_questions(
    "--vary/--no-vary",
    default=None,
    help="Replace the numbers of an example by random ones.  [default: for a class only]",
)
@_questions("--seed", type=click.IntRange(0), default=0, help="The random seed.")
@_paper("--title", help="The title of the sheet.", show_default=False)
@_paper(
    "--instructions", default="", show_default=False, metavar="TEXT", help="A paragraph above the questions."
)
@_paper("--student", default="", show_default=False, metavar="NAME", help="The name on the sheet.")
@_paper("--paper", type=click.Choice(PAPERS), default="a4", help="The size of the pages.")
@ROW
@_written(
    "--students",
    type=FILE,
    metavar="CSV",
    help="Make a sheet for each student in this file, which has a column student or name.",
)
@_written(
    "--out",
    "-o",
    type=FILE,
    help="Write the sheet to this file, its key and the data for marking beside it; with --students, write"
    " all sheets to this new folder.",
)
@_written(
    "--format",
    "format",
    type=click.Choice(list(FORMATS)),
    help="The format.  [default: text; with --students pdf]",
)
@_written("--key", is_flag=True, help="Print the key instead of the sheet.")
@_written(
    "--moodle", type=FILE, metavar="XML", help="Write the questions to this file for Moodle's question bank."
)
@_written(
    "--variants",
    type=click.IntRange(1, 2000),
    default=1,
    help="How many variants of each question to write for Moodle, without --students.",
)
@_written("--json", "as_json", is_flag=True, help="Print the data that deltarule mark takes.")
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
    """Make a worksheet: a network with its numbers, blanks to be computed by hand, and the key.

    EXAMPLE is a worked example (T1 to T5), a .toml file (deltarule new writes one), or a saved model,
    followed by ROWS for it. Without one, the network has random numbers that are easy to compute with. With
    --students, every student gets different numbers: a folder with sheets, keys, a template for the
    answers, and class.json for deltarule mark.

    \b
    WHAT to ask for, separated by commas:
      net_h1, out_o1, z1    values of the forward pass
      delta_h1, w5, W2      deltas and gradients
      "new w5"              a weight after the update
      forward, loss, deltas, gradients, update, all
    \b
    A word before it changes the question, a number after it sets the points:
      show:delta_h1=3       the result is given, the way to it is asked for
      choice:w5             several answers to choose from: usual mistakes
      mistake:net_h1        a worked step with a mistake to be found
      code:delta_h1         several lines of code to choose from

    \b
    Examples:
      deltarule worksheet --seed 7 --out sheet.pdf
      deltarule worksheet T1 --ask forward,loss
      deltarule worksheet --ask "net_h1, show:delta_h1=3, choice:w5=2" --hints
      deltarule worksheet --sizes 2-3-3 --students names.csv --out class
      deltarule worksheet --ask "w1, choice:w5" --moodle q.xml --variants 30
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
        raise InputError(f"{example} has its own network: leave out --{option}")
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
