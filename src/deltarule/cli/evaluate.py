"""``deltarule evaluate MODEL SOURCE``: how good a saved network is on data with known answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import print_json, say, text_width, told
from deltarule.cli.options import FILE, reading_options
from deltarule.experiments import load_model


@click.command(short_help="Score a saved network on data with known answers.")
@click.argument("model", type=FILE)
@click.argument("source")
@click.option(
    "--part", type=click.Choice(["train", "test"]), help="Of a set with two parts.  [default: test]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@reading_options
def evaluate(model: Path, source: str, part: str | None, as_json: bool, **reading: Any) -> None:
    """Print loss, score and confusion matrix of MODEL on SOURCE, and whether SOURCE trained it.

    SOURCE is what deltarule train takes; a table has the columns that MODEL was trained on, and its target.

    \b
    deltarule evaluate iris.safetensors Iris.csv
    """
    found = load_model(model).evaluate(source, part=part, **reading)
    report = found.to_dict() | {"decisions": told(found.dataset.decisions)}
    if as_json:
        print_json(report)
    else:
        say(found.text(report, text_width(80)))
