"""``deltarule predict MODEL ROWS``: what a saved network predicts for new rows."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import click

from deltarule.cli.console import print_decisions, say, told
from deltarule.cli.options import FILE, reading_options
from deltarule.experiments import load_model
from deltarule.files import check_writable, write_atomically


@click.command(short_help="Apply a saved network to new rows or images.")
@click.argument("model", type=FILE)
@click.argument("rows")
@click.option("--probabilities", is_flag=True, help="Print what the network gives each class, too.")
@click.option("--out", type=FILE, metavar="FILE", help="Write the CSV here, not to the terminal.")
@click.option("--quiet", is_flag=True, help="Do not tell what was decided about the rows.")
@reading_options
def predict(
    model: Path, rows: str, probabilities: bool, out: Path | None, quiet: bool, **reading: Any
) -> None:
    """Print a CSV with one line for each of ROWS: what MODEL predicts.

    ROWS is a table file with the columns that MODEL was trained on (others are ignored; the target may be
    missing), - for standard input, or an image, or a folder of images.

    \b
    deltarule predict iris.safetensors new.csv --probabilities
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
