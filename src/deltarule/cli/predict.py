"""``deltarule predict MODEL ROWS``: what a saved network predicts for new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import print_decisions, say, told
from deltarule.cli.options import FILE, GroupedCommand, reading_options
from deltarule.data.streams import MergedDecisions
from deltarule.experiments import load_model
from deltarule.experiments.answers import csv_text
from deltarule.files import check_writable


@click.command(cls=GroupedCommand, short_help="Predict new rows or pictures with a saved model.")
@click.argument("model", type=FILE)
@click.argument("rows")
@click.option("--probabilities", is_flag=True, help="Print the probability of each class, too.")
@click.option("--out", type=FILE, metavar="FILE", help="Write the CSV to this file instead of the terminal.")
@click.option("--quiet", is_flag=True, help="Do not report what was decided about the rows.")
@click.option("--memory", metavar="SIZE", help="Read ROWS piece by piece in this much memory: 512MB, 4GB.")
@reading_options
def predict(
    model: Path,
    rows: str,
    probabilities: bool,
    out: Path | None,
    quiet: bool,
    memory: str | None,
    **reading: Any,
) -> None:
    """Predict each of ROWS with MODEL, and print the predictions as CSV.

    ROWS is a table file with the columns that MODEL was trained on (other columns are ignored, and the target
    may be missing), - for a table on standard input, a picture, or a folder of pictures.

    Data of any size are read piece by piece: give a pattern of files in quotation marks, 'new/*.parquet', or
    say how much --memory they may take.

    \b
    Examples:
      deltarule predict iris.safetensors new.csv --probabilities
      deltarule predict iris.safetensors new.csv --out predicted.csv
      deltarule predict y.safetensors 'new/*.parquet' --out predicted.csv
    """
    if out is not None:
        check_writable(out)
    fitted = load_model(model)
    if out is not None:
        _, decisions = fitted.write_answers(out, rows, probabilities=probabilities, memory=memory, **reading)
    else:
        merged = MergedDecisions()
        pieces = fitted.answers_by_piece(rows, probabilities, memory, **reading)
        for number, (columns, found) in enumerate(pieces):
            say(csv_text(columns, header=not number).rstrip("\n"))
            merged.add(next(iter(columns.values())), found)
        decisions = tuple(merged.decisions().values())
    if not quiet:
        print_decisions(told(decisions), err=True)
