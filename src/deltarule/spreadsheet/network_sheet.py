"""Writes the sheet "network": a quantity on each row, with name, words, formula and numbers."""

from __future__ import annotations

from collections.abc import Sequence

from deltarule.formula.excel import defined_name
from deltarule.formula.tree import Expr
from deltarule.nn.optimizers import ETA
from deltarule.spreadsheet.network_layout import NetworkLayout, on_network_sheet
from deltarule.spreadsheet.network_rows import SheetRow
from deltarule.spreadsheet.workbook_writer import SheetWriter, WorkbookWriter, height

_HINT = (
    "Blue cells are given: change one, and everything that follows from it changes. All other numbers are "
    "formulas. The sheet “read me” explains the names."
)


class NetworkSheet:
    """The sheet as it is written."""

    WIDTHS, NUMBER = (19, 46, 50), 16  # of the columns of words, and of one of numbers

    def __init__(self, book: WorkbookWriter, layout: NetworkLayout) -> None:
        self.book, self.layout, self.model = book, layout, layout.model
        self.sheet = book.sheet("network", layout.width)

    def write(self, notes: Sequence[str]) -> SheetWriter:
        """All of it, with notes under the title."""
        layout, sheet, last = self.layout, self.sheet, max(self.layout.rows)
        self._set_columns()
        self._write_opening(notes)
        self._write_headings()
        for row, each in layout.rows.items():
            if isinstance(each, str):
                sheet.bar(row, each, layout.width)
            else:
                self._write_row(row, each)
        sheet.page.freeze_panes(layout.head + 1, 1)
        sheet.page.print_area(0, 0, last, layout.width - 1)
        sheet.protect()
        sheet.exponents(layout.head + 1, layout.VALUES, last, layout.width - 1)
        self._define_names()
        return sheet

    def _set_columns(self) -> None:
        page, layout = self.sheet.page, self.layout
        page.repeat_rows(layout.head)
        page.repeat_columns(0)
        for column, width in enumerate(self.WIDTHS):
            page.set_column(column, column, width)
        page.set_column(layout.VALUES, layout.width - 1, self.NUMBER)

    def _write_opening(self, notes: Sequence[str]) -> None:
        net, rule = self.model.net, self.model.rule
        by = f"; optimizer: {rule.name}" if rule else ""
        about = f"{net!r}; loss: {net.loss.name.replace('_', ' ')}{by}."
        across = sum(self.WIDTHS) + self.NUMBER * self.model.n_samples
        self.sheet.words(0, 0, self.book.title, "title")
        for row, line in enumerate([about, _HINT, *notes], start=1):
            self.sheet.paragraph(row, line, self.layout.width)
            self.sheet.page.set_row(row, height((line, across)))

    def _write_headings(self) -> None:
        head, n = self.layout.head, self.model.n_samples
        for column, words in enumerate(["name", "what it is", "formula"]):
            self.sheet.words(head, column, words, "head")
        for sample in range(n):
            words = "value" if n == 1 else f"sample {sample + 1}"
            self.sheet.words(head, self.layout.VALUES + sample, words, "head_right")

    def _write_row(self, row: int, each: SheetRow) -> None:
        first = each.leaves[0]
        written = "" if each.given else self.layout.symbols(first)
        self.sheet.words(row, 0, self.layout.names.name(first), "name")
        self.sheet.words(row, 1, each.what, "what")
        self.sheet.words(row, 2, written, "formula")
        self.sheet.page.set_row(row, height((each.what, self.WIDTHS[1]), (written, self.WIDTHS[2])))
        look = "result" if each.result else "number"
        for column, leaf in enumerate(each.leaves, start=self.layout.VALUES):
            value = self.model.value(leaf)
            if each.given:
                self.sheet.number(row, column, value, "given")
            else:
                self.sheet.formula(row, column, self.layout.formula(leaf), value, look)

    def _define_names(self) -> None:
        """Parameters and the learning rate by name, for formulas of one's own."""
        places = self.layout.places
        named: dict[str, Expr] = {defined_name(self.layout.names.name(p)): p for p in self.model.positions}
        named |= {"eta": ETA} if ETA in places else {}
        for name, leaf in named.items():
            self.book.file.define_name(name, f"={on_network_sheet(places[leaf])}")
