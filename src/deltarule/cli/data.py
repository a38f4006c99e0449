"""``deltarule data``: what there is to learn from."""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from deltarule.cli.console import print_decisions, print_json, print_table, say, told
from deltarule.cli.options import GroupedCommand, reading_options
from deltarule.data import load, names
from deltarule.data.encoding import Table
from deltarule.data.summary import SHOWN_COLUMNS, dataset_summary, described_columns, first_rows
from deltarule.experiments.choices import reading_of


@click.group(short_help="List the bundled data sets, or look into any data.")
def data() -> None:
    """List the data sets that have a name, or look into any data that deltarule train takes.

    \b
    Examples:
      deltarule data list
      deltarule data show Iris.csv
    """


@data.command(name="list", short_help="List the data sets that have a name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def list_sets(as_json: bool) -> None:
    """List the names that deltarule train takes, and what each of them is.

    \b
    Examples:
      deltarule data list
      deltarule train moons
    """
    if as_json:
        print_json(names())
    else:
        print_table(["name", "what it is"], names().items(), numbers=False)


@data.command(cls=GroupedCommand, short_help="Show what a data set holds.")
@click.argument("source")
@click.option("--target", metavar="NAMES", help="The column to predict.")
@click.option("--drop", metavar="NAMES", help="Columns to leave out, separated by commas.")
@click.option("--keep", metavar="NAMES", help="Columns to keep, even if they look useless.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@reading_options
def show(
    source: str, target: str | None, drop: str | None, keep: str | None, as_json: bool, **options: Any
) -> None:
    """Show the columns of SOURCE, its target and its first rows, as deltarule train would see them.

    \b
    Examples:
      deltarule data show iris
      deltarule data show sales.xlsx --table 2024 --target price
    """
    dataset = load(source, target=target, drop=drop or (), keep=keep or (), options=reading_of(options))
    decisions = told(dataset.decisions)
    if as_json:
        print_json(dataset_summary(dataset) | {"decisions": decisions})
        return
    say(dataset.description)
    say(f"{len(dataset)} rows, {dataset.task}, target {', '.join(dataset.target_names) or 'none'}")
    print_decisions(decisions)
    if dataset.test is not None:
        say(f"{len(dataset.test)} more rows to test on")
    say()
    if isinstance(dataset.inputs, Table):
        print_table(["column", "kind", "missing", "values"], described_columns(dataset.inputs), numbers=False)
        say()
        head, *rows = first_rows(dataset, dataset.inputs)
        print_table(head, rows, title="first rows", numbers=False)
        more = len(dataset.inputs.names) - SHOWN_COLUMNS
        if more > 0:
            say(f"… and {more} more columns")
    if dataset.classes is not None:
        labels, counts = np.unique(dataset.target, return_counts=True)
        say()
        print_table(["class", "rows"], zip(labels.tolist(), counts.tolist(), strict=True))
