"""``deltarule predict MODEL ROWS``: what a saved network predicts for new rows."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import click

from deltarule.cli.console import say
from deltarule.cli.options import FILE
from deltarule.experiments.saved_models import predicted_columns
from deltarule.files import check_writable, write_atomically


@click.command(short_help="Apply a saved network to new rows or images.")
@click.argument("model", type=FILE)
@click.argument("rows", type=FILE)
@click.option("--probabilities", is_flag=True, help="Print what the network gives each class, too.")
@click.option("--out", type=FILE, metavar="FILE", help="Write the CSV here, not to the terminal.")
def predict(model: Path, rows: Path, probabilities: bool, out: Path | None) -> None:
    """Print a CSV with one line for each of ROWS: what MODEL predicts.

    ROWS is a .csv or .parquet file with the columns that MODEL was trained on (others are ignored; the target
    may be missing), or an image, or a folder of images.

    \b
    deltarule predict iris.safetensors new.csv --probabilities
    """
    if out is not None:
        check_writable(out)
    columns = predicted_columns(model, rows, probabilities=probabilities)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    if out is None:
        say(text.getvalue().rstrip("\n"))
    else:
        write_atomically(out, text.getvalue().encode())
