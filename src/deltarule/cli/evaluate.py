"""``deltarule evaluate MODEL SOURCE``: how good a saved network is on data with known answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import number, print_decisions, print_json, print_table, say, told
from deltarule.cli.options import FILE, reading_options, take_reading_options
from deltarule.data.encoding import LabelEncoding
from deltarule.experiments.fitting import predict_dataset
from deltarule.experiments.saved_models import load_labelled, load_model, part_of


@click.command(short_help="Score a saved network on data with known answers.")
@click.argument("model", type=FILE)
@click.argument("source")
@click.option(
    "--part", type=click.Choice(["train", "test"]), help="Of a set with two parts.  [default: test]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@reading_options
def evaluate(model: Path, source: str, part: str | None, as_json: bool, **options: Any) -> None:
    """Print loss, score and confusion matrix of MODEL on SOURCE.

    SOURCE is what deltarule train takes; a table has the columns that MODEL was trained on, and its target.

    \b
    deltarule evaluate iris.safetensors Iris.csv
    """
    net, encoding = load_model(model)
    dataset = part_of(load_labelled(source, encoding, take_reading_options(options)), part)
    predictions = predict_dataset(net, dataset)
    decisions = told(dataset.decisions)
    report: dict[str, Any] = {
        "model": str(model), "data": dataset.description, "decisions": decisions, **predictions.scores
    }  # fmt: skip
    if isinstance(encoding.target, LabelEncoding):
        report["confusion"] = predictions.confusion(encoding.target).tolist()
    if as_json:
        print_json(report)
        return
    say(f"{net!r}, {net.loss.name}")
    print_decisions(decisions)
    score = predictions.scores[predictions.metric]
    print_table(
        ["", "rows", "loss", predictions.metric],
        [(source, len(dataset), number(predictions.loss), f"{score:.4f}")],
    )
    if isinstance(encoding.target, LabelEncoding):
        classes = [str(label) for label in encoding.target.classes]
        say()
        rows = [(name, *counts) for name, counts in zip(classes, report["confusion"], strict=True)]
        print_table(["true \\ predicted", *classes], rows)
