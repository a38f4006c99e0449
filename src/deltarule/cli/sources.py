"""Where a network with its samples comes from: a worked example, one's own file, or a saved model."""

from __future__ import annotations

from pathlib import Path

import click

from deltarule.cli.console import print_decisions, told
from deltarule.errors import InputError
from deltarule.experiments import load_model
from deltarule.tutorials import Example, is_example, load_example

#: For commands that take rows for a saved model.
ROW = click.option(
    "--row", type=click.IntRange(1),
    help="The number of the row to use, counted from 1.  [default: the first with a target]",
)  # fmt: skip


def load_source(source: str, rows: str | None, row: int | None) -> Example:
    """Return the example, or the saved model with one of the rows.

    Raises InputError if there is no such example, file or row, or rows are named where none belong.
    """
    if is_example(source) or not Path(source).exists():
        example = load_example(source)
        if rows is not None:
            raise InputError(f"{source} has its own rows: leave out {rows}")
        return example
    if rows is None:
        raise InputError(f"{source} is not an example: also name a file or data set with rows for it")
    model = load_model(source)
    dataset = model.rows_with_answers(rows, {})
    print_decisions(told(dataset.decisions), err=True)
    return model.example(dataset, row=row)
