"""``deltarule mark``: what of a worksheet was answered right, and which mistakes were made."""

from __future__ import annotations

from pathlib import Path

import click

from deltarule.cli.console import print_json, print_table, say, text_width
from deltarule.cli.options import FILE
from deltarule.errors import InputError
from deltarule.files import check_writable, write_atomically
from deltarule.formula.text import clean
from deltarule.worksheets import Worksheet
from deltarule.worksheets import mark as mark_one
from deltarule.worksheets.class_set import ClassMarking, ClassSet, mark_class
from deltarule.worksheets.worksheet import read_json_file


@click.command(short_help="Mark a worksheet, with credit for what follows on.")
@click.argument("sheet", type=FILE)
@click.argument("answers", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--csv", "table", type=FILE, help="Write a row for each student.")
@click.option("--plot", type=FILE, help="Draw which mistake was made how often.")
@click.option(
    "--out", "-o", type=FILE,
    help="Write the marked sheet of one student; the format is that of the name's ending.",
)  # fmt: skip
def mark(
    sheet: Path, answers: Path, as_json: bool, table: Path | None, plot: Path | None, out: Path | None
) -> None:
    """Mark the ANSWERS to a SHEET, which is the .json file that deltarule worksheet wrote.

    ANSWERS is a CSV file with the columns blank (its number, or the quantity's name) and answer; an empty
    answer is none. Of a class (class.json) it has the column student too; or it is a folder with a file for
    each student, called as the student's sheet is.

    An answer that is wrong, but right for the student's own earlier numbers, follows on, and counts. Of a
    wrong one the mistake is named that gives just this number.

    \b
    deltarule mark sheet.json answers.csv
    deltarule mark class/class.json answers.csv --plot mistakes.png --csv marks.csv
    """
    for path in (table, plot, out):
        if path is not None:
            check_writable(path)
    found = read_json_file(sheet, lambda data: (ClassSet if "sheets" in data else Worksheet).from_data(data))
    if isinstance(found, ClassSet):
        if out is not None:
            raise InputError("--out is for one student's sheet; of a class use --csv or --json")
        marked = mark_class(found, answers)
    else:
        one = mark_one(found, answers)
        marked = ClassMarking({sheet.stem: one})
        if out is not None:
            one.report.save(out)
    _write_table_and_plot(marked, table, plot)
    if as_json:
        print_json(marked.data() if isinstance(found, ClassSet) else one.data())
    elif isinstance(found, ClassSet):
        _print_class_marks(marked)
    else:
        click.echo(one.report.text(text_width()), nl=False)


def _write_table_and_plot(marked: ClassMarking, table: Path | None, plot: Path | None) -> None:
    if table is not None:
        write_atomically(table, marked.csv().encode())
    if plot is not None:
        from deltarule.worksheets.mistake_chart import plot_mistakes

        n = len(marked.markings)
        plot_mistakes(plot, marked.mistakes(), f"{n} sheet{'s' * (n > 1)} marked")


def _print_class_marks(marked: ClassMarking) -> None:
    """A row for each student, then which mistakes were made."""
    rows = [
        (clean(student), f"{points}/{n}", slip, words) for student, points, n, slip, words in marked.rows()
    ]
    print_table(["student", "marks", "first slip", "mistake"], rows, numbers=False)
    if marked.mistakes():
        say()
        print_table(["mistake", "times"], marked.mistakes().items())
