"""``deltarule spreadsheet``: a worked example as a workbook of live formulas."""

from __future__ import annotations

from pathlib import Path

import click

from deltarule.cli.console import say
from deltarule.cli.options import FILE
from deltarule.cli.sources import ROW, load_source
from deltarule.errors import InputError
from deltarule.files import check_writable, write_atomically


@click.command(short_help="A workbook in which every step is a live formula.")
@click.argument("example")
@click.argument("rows", required=False)
@ROW
@click.option("--out", "-o", type=FILE, required=True, help="Write to this file, named .xlsx.")
@click.option("--steps", type=click.IntRange(1), default=100, help="Steps of the training run.")
@click.option("--optimizer", help='Instead of the example\'s own, as in "adam(0.01)".')
def spreadsheet(
    example: str, rows: str | None, row: int | None, out: Path, steps: int, optimizer: str | None
) -> None:
    """Write EXAMPLE as a workbook for Excel or LibreOffice.

    It is a worked example (T1, T4 …), a .toml file (deltarule new makes one), or a saved model, followed by
    ROWS for it.

    One sheet works out a step: forward pass, loss, backward pass, gradients and update, a quantity on each
    row with its name, its formula in symbols, and a cell that computes it. Another holds a training run,
    each row computed from the row before. Change a weight or the learning rate, and all of it changes.

    \b
    deltarule spreadsheet T1 -o T1.xlsx
    deltarule spreadsheet mine.toml -o mine.xlsx --steps 500 --optimizer "adam(0.05)"
    """
    from deltarule.spreadsheet import example_spreadsheet

    if out.suffix.lower() != ".xlsx":
        raise InputError(f"--out {out}: name it .xlsx")
    check_writable(out)
    loaded = load_source(example, rows, row)
    write_atomically(out, example_spreadsheet(loaded, optimizer=optimizer, steps=steps))
    say(f"{loaded.title}: written to {out}")
