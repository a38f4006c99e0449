"""``deltarule mark``: what of a worksheet was answered right, and which mistakes were made."""

from __future__ import annotations

from pathlib import Path

import click

from deltarule.cli.console import print_json, print_table, say, text_width
from deltarule.cli.options import FILE, GroupedCommand
from deltarule.files import check_writable, write_atomically
from deltarule.formula.text import clean
from deltarule.worksheets import Worksheet
from deltarule.worksheets import mark as mark_one
from deltarule.worksheets.class_marking import ClassMarking, mark_class
from deltarule.worksheets.class_set import ClassSet
from deltarule.worksheets.hand_back import hand_back
from deltarule.worksheets.tables import csv_bytes
from deltarule.worksheets.worksheet import read_json_file


@click.command(cls=GroupedCommand, short_help="Mark a worksheet, with credit for follow-through.")
@click.argument("sheet", type=FILE)
@click.argument("answers", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--csv", "table", type=FILE, help="Write the marks to this CSV file, one row for each student.")
@click.option("--plot", type=FILE, help="Draw how often each mistake was made into this file.")
@click.option(
    "--out", "-o", type=FILE,
    help="Write the marked sheet to this file; for a class, all that is handed back to this new folder.",
)  # fmt: skip
def mark(
    sheet: Path, answers: Path, as_json: bool, table: Path | None, plot: Path | None, out: Path | None
) -> None:
    """Mark ANSWERS to SHEET, the .json file that deltarule worksheet wrote.

    ANSWERS is a table, CSV or a spreadsheet, with the columns blank (its number or the name of the
    quantity) and answer, or with one column for each blank. For a class (class.json) it also has the column
    student, as in the template answers.csv; or it is a folder with one file for each student, named like
    the student's sheet. An empty cell is a missing answer, and a cell that is not a number is a wrong one.
    Whatever cannot be read is listed and stops nothing.

    A wrong answer that is right for the student's own earlier numbers still counts (follow-through). If a
    known mistake gives exactly the number that was answered, the mistake is named.

    With --out, everything to hand back to a class is written: a marked sheet for each student, all of them in
    one PDF to print, the marks as CSV and XLSX, and a summary of the class.

    \b
    Examples:
      deltarule mark sheet.json answers.csv
      deltarule mark class/class.json answers.csv --out feedback
      deltarule mark class/class.json answers.csv --csv marks.csv
    """
    found = read_json_file(sheet, lambda data: (ClassSet if "sheets" in data else Worksheet).from_data(data))
    is_class = isinstance(found, ClassSet)
    for path in (table, plot, None if is_class else out):
        if path is not None:
            check_writable(path)
    marked = (
        mark_class(found, answers)
        if isinstance(found, ClassSet)
        else ClassMarking({sheet.stem: mark_one(found, answers)})
    )
    one = next(iter(marked.markings.values()))
    _write_table_and_plot(marked, table, plot)
    if is_class and out is not None:
        hand_back(marked, out)
    elif out is not None:
        one.report.save(out)
    if as_json:
        print_json(marked.data() if is_class else one.data())
        return
    if is_class:
        rows = [(clean(who), f"{got:g}/{n:g}", slip, words) for who, got, n, slip, words in marked.rows()]
        print_table(["student", "marks", "first slip", "mistake"], rows, numbers=False)
        if marked.mistakes():
            say()
            print_table(["mistake", "times"], marked.mistakes().items())
    else:
        click.echo(one.report.text(text_width()), nl=False)
    if marked.faults:
        say(f"\nNot taken as it was written ({len(marked.faults)}):")
        for fault in marked.faults:
            say(f"  {' '.join(fault.split())}")
    if is_class and out is not None:
        say(f"\n{len(marked.markings)} marked sheets, all.pdf, marks and class.html: written to {out}")


def _write_table_and_plot(marked: ClassMarking, table: Path | None, plot: Path | None) -> None:
    if table is not None:
        write_atomically(table, csv_bytes(marked.table()))
    if plot is not None:
        from deltarule.worksheets.mistake_chart import plot_mistakes

        n = len(marked.markings)
        plot_mistakes(plot, marked.mistakes(), f"{n} sheet{'s' * (n > 1)} marked")
