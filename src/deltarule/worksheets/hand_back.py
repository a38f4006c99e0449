"""What a class gets back: a marked sheet for each, one file to print, marks, and which mistakes were made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from deltarule.derivations import Derivation
from deltarule.documents.document import Block, Document, Heading, Inline, Paragraph, TableBlock
from deltarule.documents.renderers.pdf import merged_pdf
from deltarule.files import new_folder
from deltarule.formula.text import clean
from deltarule.worksheets.class_marking import ClassMarking
from deltarule.worksheets.mistake_chart import plot_mistakes
from deltarule.worksheets.tables import csv_bytes, xlsx_bytes
from deltarule.worksheets.workers import in_parallel


def hand_back(marked: ClassMarking, folder: str | os.PathLike[str]) -> Path:
    """Write into a new folder what is handed back: all of it, or nothing.

    ================== ==========================================================================
    students/          of each student the marked sheet, as a page to read and a PDF
    all.pdf            all marked sheets to print, each beginning on the front of a sheet
    marks.csv, .xlsx   a row for each student: points, in all and for each question
    class.html, .pdf   the marks, how each question was answered, the mistakes, what was not read
    mistakes.svg       which mistake was made how often
    ================== ==========================================================================

    Raises InputError if the folder is there and not empty; MissingExtraError if Typst, XlsxWriter or
    matplotlib is not installed.
    """
    with new_folder(folder) as working:
        students = working / "students"
        students.mkdir()
        reports = {name: marking.report for name, marking in marked.markings.items()}

        def write(name: str) -> None:
            (students / f"{name}.html").write_text(reports[name].html(), encoding="utf-8")
            (students / f"{name}.pdf").write_bytes(reports[name].pdf())

        in_parallel(write, reports)
        whole = merged_pdf("Marked sheets", [report.document for report in reports.values()])
        (working / "all.pdf").write_bytes(whole)
        (working / "marks.csv").write_bytes(csv_bytes(marked.table()))
        (working / "marks.xlsx").write_bytes(xlsx_bytes("marks", marked.table()))
        report = Derivation(class_report(marked), {})
        (working / "class.html").write_text(report.html(), encoding="utf-8")
        (working / "class.pdf").write_bytes(report.pdf())
        plot_mistakes(working / "mistakes.svg", marked.mistakes(), f"{len(reports)} sheets marked")
    return Path(folder)


def class_report(marked: ClassMarking) -> Document:
    """Return what a class has done, as a document."""
    sheet = next(iter(marked.markings.values())).worksheet
    return Document(f"{sheet.title}: the class", tuple(_blocks(marked)), 4, sheet.paper)


def _blocks(marked: ClassMarking) -> Iterator[Block]:
    rows = marked.rows()
    mean = sum(points for _, points, *_ in rows) / len(rows)
    yield Paragraph((f"{len(rows)} sheets marked; on average {mean:.1f} of {rows[0][2]:g} points.",))
    if marked.faults:
        yield Heading(("Not taken as it was written",))
        yield from (Paragraph((clean(fault),)) for fault in marked.faults)
    yield Heading(("Mistakes",))
    counts: list[tuple[Inline, ...]] = [(words, str(times)) for words, times in marked.mistakes().items()]
    yield TableBlock(("mistake", "times"), tuple(counts) or (("no wrong answer", "0"),))
    yield Heading(("Questions",))
    yield TableBlock(("question", "right", "follows on", "wrong", "empty"), tuple(_questions(marked)))
    yield Heading(("Marks",))
    marks = [(clean(student), f"{points:g}", slip, words) for student, points, _, slip, words in rows]
    yield TableBlock(("student", "points", "first slip", "mistake"), tuple(marks))


def _questions(marked: ClassMarking) -> Iterator[tuple[Inline, ...]]:
    """Of each question how many answers had which verdict."""
    markings = list(marked.markings.values())
    for index, blank in enumerate(markings[0].worksheet.blanks):
        verdicts = [marking.marks[index].verdict for marking in markings]
        right = verdicts.count("right") + verdicts.count("by hand")
        counts = [right, *(verdicts.count(verdict) for verdict in ("follows on", "wrong", "empty"))]
        yield (f"({blank.number}) {blank.name}", *map(str, counts))
