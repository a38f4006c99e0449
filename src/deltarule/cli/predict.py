"""``deltarule predict MODEL ROWS``: what a saved network predicts for new rows."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import print_decisions, say, told
from deltarule.cli.options import FILE, GroupedCommand, reading_options
from deltarule.experiments import load_model
from deltarule.files import check_writable, write_atomically


@click.command(cls=GroupedCommand, short_help="Predict new rows or pictures with a saved model.")
@click.argument("model", type=FILE)
@click.argument("rows")
@click.option("--probabilities", is_flag=True, help="Print the probability of each class, too.")
@click.option("--out", type=FILE, metavar="FILE", help="Write the CSV to this file, not to the terminal.")
@click.option("--quiet", is_flag=True, help="Do not report what was decided about the rows.")
@reading_options
def predict(
    model: Path, rows: str, probabilities: bool, out: Path | None, quiet: bool, **reading: Any
) -> None:
    """Predict each of ROWS with MODEL, and print the predictions as CSV.

    ROWS is a table file with the columns that MODEL was trained on (other columns are ignored, and the target
    may be missing), - for a table on standard input, a picture, or a folder of pictures.

    \b
    Examples:
      deltarule predict iris.safetensors new.csv --probabilities
      deltarule predict iris.safetensors new.csv --out predicted.csv
    """
    if out is not None:
        check_writable(out)
    columns, decisions = load_model(model).answers(rows, probabilities=probabilities, **reading)
    if not quiet:
        print_decisions(told(decisions), err=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(values.tolist() for values in columns.values()), strict=True))
    if out is None:
        say(text.getvalue().rstrip("\n"))
    else:
        write_atomically(out, text.getvalue().encode())
