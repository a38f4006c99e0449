"""``deltarule spreadsheet``: a worked example as a workbook of live formulas."""

from __future__ import annotations

from pathlib import Path

import click

from deltarule.cli.console import say
from deltarule.cli.options import FILE, GroupedCommand
from deltarule.cli.sources import ROW, load_source
from deltarule.errors import InputError
from deltarule.files import check_writable, write_atomically


@click.command(cls=GroupedCommand, short_help="Write a workbook in which every step is a live formula.")
@click.argument("example")
@click.argument("rows", required=False)
@ROW
@click.option("--out", "-o", type=FILE, required=True, help="Write the workbook to this file, named .xlsx.")
@click.option(
    "--steps", type=click.IntRange(1), default=100, help="The number of updates in the training run."
)
@click.option("--optimizer", help='The optimizer: "adam(0.01)".  [default: the example\'s own]')
def spreadsheet(
    example: str, rows: str | None, row: int | None, out: Path, steps: int, optimizer: str | None
) -> None:
    """Write EXAMPLE as a workbook for Excel or LibreOffice.

    EXAMPLE is a worked example (T1 to T5), a .toml file (deltarule new writes one), or a saved model,
    followed by ROWS for it.

    One sheet computes a single step: forward pass, loss, backward pass, gradients and update. Each row has
    the name of a quantity, its formula in symbols, and a cell that computes it. Another sheet holds a
    training run, each row computed from the one above. Change a weight or the learning rate, and everything
    follows.

    \b
    Examples:
      deltarule spreadsheet T1 -o T1.xlsx
      deltarule spreadsheet mine.toml -o mine.xlsx --steps 500
    """
    from deltarule.spreadsheet import example_spreadsheet

    if out.suffix.lower() != ".xlsx":
        raise InputError(f"--out {out}: the name must end in .xlsx")
    check_writable(out)
    loaded = load_source(example, rows, row)
    write_atomically(out, example_spreadsheet(loaded, optimizer=optimizer, steps=steps))
    say(f"{loaded.title}: written to {out}")
