"""``deltarule inspect``: every neuron of a network, and what it computes for a row."""

from __future__ import annotations

from typing import Any

import click

from deltarule.cli.console import print_decisions, print_json, say, text_width, told
from deltarule.cli.options import GroupedCommand, reading_options
from deltarule.derivations.inspection import Inspection
from deltarule.errors import InputError
from deltarule.experiments import FittedModel
from deltarule.nn.network import Network
from deltarule.tutorials import is_example, load_example


@click.command(cls=GroupedCommand, short_help="Show every neuron: inputs, weights, bias, net, output.")
@click.argument("model")
@click.argument("rows", required=False)
@click.option("--row", type=click.IntRange(1), default=1, help="The number of the row to compute.")
@click.option("--layer", type=click.IntRange(1), help="Show this layer only.")
@click.option("--all", "everything", is_flag=True, help="Show large layers in full, too.")
@click.option(
    "--digits",
    type=click.IntRange(1, 17),
    help="The number of significant digits.  [default: as many as fit, 4 to 9]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@reading_options
def inspect(
    model: str,
    rows: str | None,
    row: int,
    layer: int | None,
    everything: bool,
    digits: int | None,
    as_json: bool,
    **reading: Any,
) -> None:
    """Show the neurons of MODEL, and what each of them computes for one row.

    MODEL is a worked example (T1 to T5, or a .toml file), which brings its own rows, or a saved model,
    followed by ROWS: a file or a bundled set, as deltarule train takes them.

    \b
    Examples:
      deltarule inspect T1
      deltarule inspect iris.safetensors Iris.csv --row 17
    """
    found = _inspection(model, rows, row, layer, reading)
    print_decisions(told(found.decisions), err=True)
    if as_json:
        print_json(found.to_dict())
    else:
        say(found.text(text_width(80), digits, everything=everything))


def _inspection(
    model: str, rows: str | None, row: int, layer: int | None, reading: dict[str, Any]
) -> Inspection:
    if is_example(model):
        if rows is not None:
            raise InputError(f"{model} has its own rows: leave out {rows}")
        example = load_example(model)
        return Inspection(example.network(), example.X, row, layer)
    return FittedModel(Network.load(model), model).inspect(rows, row=row, layer=layer, **reading)
