"""``deltarule evaluate MODEL SOURCE``: how good a saved network is on data with known answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import print_json, say, text_width, told
from deltarule.cli.options import FILE, GroupedCommand, reading_options
from deltarule.experiments import load_model


@click.command(cls=GroupedCommand, short_help="Score a saved model on data with known answers.")
@click.argument("model", type=FILE)
@click.argument("source")
@click.option(
    "--part",
    type=click.Choice(["train", "test"]),
    help="Which part to score on, where the data have two.  [default: test]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@reading_options
def evaluate(model: Path, source: str, part: str | None, as_json: bool, **reading: Any) -> None:
    """Score MODEL on SOURCE: the loss, the score, and the confusion matrix.

    SOURCE is anything that deltarule train takes. A table needs the columns that MODEL was trained on, and
    its target. The report also says whether SOURCE is what MODEL was trained on.

    \b
    Examples:
      deltarule evaluate iris.safetensors Iris.csv
    """
    found = load_model(model).evaluate(source, part=part, **reading)
    report = found.to_dict() | {"decisions": told(found.dataset.decisions)}
    if as_json:
        print_json(report)
    else:
        say(found.text(report, text_width(80)))
