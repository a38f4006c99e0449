"""Writes the sheet "training", a step on each row, and its chart."""

from __future__ import annotations

from typing import Any

from deltarule.nn.optimizers import ETA, TIME
from deltarule.spreadsheet.step_model import RunSnapshot, StepModel
from deltarule.spreadsheet.training_layout import WORKING, TrainingLayout
from deltarule.spreadsheet.workbook_writer import INK, WorkbookWriter

_TRAINING_HINT = (
    "Row n is the network after n updates; every number follows from the row before it. The first row takes "
    "the numbers of the sheet “network”. To the right of the parameters: the working of each step."
)
_TABLE = 4  # the first row, from 0, of numbers


class TrainingSheet:
    """The sheet as it is written."""

    def __init__(self, book: WorkbookWriter, layout: TrainingLayout) -> None:
        self.book, self.layout = book, layout
        self.n_state = sum(column.group not in WORKING for column in layout.columns)
        self.sheet = book.sheet("training", self.n_state)

    def write(self, steps: int) -> None:
        """All of it."""
        self.sheet.words(0, 0, self.book.title, "title")
        self.sheet.words(1, 0, _TRAINING_HINT)
        group = ""
        for index, column in enumerate(self.layout.columns):
            words = column.group if column.group != group else ""
            self.sheet.words(_TABLE - 2, index, words, "part")
            self.sheet.words(_TABLE - 1, index, self.layout.name(column.leaf), "head_right")
            group = column.group
        for snapshot in self.layout.model.run(steps):
            self._write_snapshot(snapshot)
        page = self.sheet.page
        page.repeat_rows(_TABLE - 2, _TABLE - 1)
        page.repeat_columns(0, 1)
        page.set_column(0, 0, 6)
        page.set_column(1, len(self.layout.columns) - 1, 13.5)
        page.print_area(0, 0, (_TABLE + steps), self.n_state - 1)
        page.freeze_panes(_TABLE, TrainingLayout.PARAMETERS)
        self.sheet.protect()
        self.sheet.exponents(_TABLE, 1, _TABLE + steps, len(self.layout.columns) - 1)

    def _write_snapshot(self, snapshot: RunSnapshot) -> None:
        row = _TABLE + snapshot.number
        for index, value in enumerate(self.layout.values(snapshot)):
            column = self.layout.columns[index]
            formula = column.other if snapshot.number else column.first
            look = "count" if index == TrainingLayout.STEP else "cell"
            if formula:
                self.sheet.formula(row, index, formula.format(row + 1, row), value, look)
            elif snapshot.number or column.leaf != ETA:
                self.sheet.number(row, index, value, look if column.leaf == TIME else "rate")


def cost_chart(book: WorkbookWriter, model: StepModel, steps: int) -> Any:
    """The column of the cost as a curve."""
    chart = book.file.add_chart({"type": "line"})
    first, last = _TABLE, _TABLE + steps
    words = model.evidence.cost_word
    chart.add_series({
        "name": words,
        "categories": ["training", first, TrainingLayout.STEP, last, TrainingLayout.STEP],
        "values": ["training", first, TrainingLayout.COST, last, TrainingLayout.COST],
        "line": {"color": INK, "width": 2},
    })  # fmt: skip
    chart.set_title({"name": f"The {words} in {steps} steps", "overlay": False})
    every = max(1, steps // 10)
    never_negative = model.net.loss.name != "poisson"
    chart.set_x_axis({"name": "step", "interval_unit": every, "interval_tick": every})
    chart.set_y_axis({"name": words, "min": 0} if never_negative else {"name": words})
    chart.set_legend({"none": True})
    return chart
