"""Writes the sheet "read me": the sheets, the names and the numbers in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deltarule.spreadsheet.step_model import StepModel
from deltarule.spreadsheet.workbook_writer import WorkbookWriter, height

_WIDTHS = 22, 88


def write_read_me(book: WorkbookWriter, model: StepModel, notes: Sequence[str], steps: int) -> None:
    """The sheet, with the notes at its end."""
    sheet = book.sheet("read me", 2)
    sheet.page.set_portrait()
    for column, width in enumerate(_WIDTHS):
        sheet.page.set_column(column, column, width)
    sheet.words(0, 0, book.title, "title")
    row = 2
    for title, lines in _explanations(model, notes, steps):
        sheet.bar(row, title, 2)
        for left, right in lines:
            row += 1
            sheet.words(row, 0, left, "name")
            sheet.words(row, 1, right, "what")
            sheet.page.set_row(row, height((right, _WIDTHS[1])))
        row += 2


def _explanations(
    model: StepModel, notes: Sequence[str], steps: int
) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    sheets = [("network", _NETWORK)]
    if model.rule is not None:
        sheets += [("training", _TRAINING.format(steps=f"{steps:,}")), ("loss", _LOSS)]
    yield "The sheets", sheets
    yield "How to use them", _USE
    yield "Names", [line for line in _NAMES if model.n_samples > 1 or line[0] not in _OF_SEVERAL]
    yield "Numbers", _NUMBERS
    if notes:
        yield "This workbook", [("", note) for note in notes]


_NETWORK = (
    "One step, worked out once: the given numbers, the forward pass, the loss, the backward pass, the "
    "gradients and the update. On each row: a quantity’s name, what it is, its formula, and its number."
)
_TRAINING = (
    "{steps} steps, one on each row. Every step takes all samples. The working of a step (forward pass, "
    "backward pass, gradients) stands to the right of the parameters."
)
_LOSS = "The column of the loss as a curve; the same curve stands beside the numbers of the sheet network."
_USE = (
    ("Change a number", "Only in blue cells: inputs, targets, weights, biases and settings. "
     "The learning rate is a good one to begin with: watch the curve of the loss."),
    ("Follow a formula", "Click a cell: its formula refers to the cells of the quantities that the third "
     "column names. $ marks a cell that stays the same when a formula is copied to the next sample."),
    ("Write your own", "Parameters have names that formulas may use: w_5 is w5, b_1 is b1, b_h1 is b_h1; "
     "eta is the learning rate. (W5 is a cell, so w5 cannot be a name.)"),
    ("Change a formula", "The sheets are protected against slips, without a password: unprotect the sheet "
     "first (in Excel under Review)."),
)  # fmt: skip
_NAMES = (
    ("i1, h1, o1", "An input, a neuron of a hidden layer, an output."),
    ("w1, w2, …", "Weights, counted neuron by neuron, each neuron’s inputs in order."),
    ("b1, b_h1", "The bias that layer 1 shares; the bias of neuron h1 alone."),
    ("net_h1, out_h1", "What neuron h1 takes in, weighted and summed; what it puts out."),
    ("y_o1", "The target of output o1."),
    ("E_o1, E", "The loss of output o1; of all outputs together."),
    ("L", "The cost: the losses of all samples, and penalties where there are any."),
    ("∂E/∂w1", "How E changes with w1, all other parameters kept: the gradient."),
    ("δ_h1", "How the loss, or the cost, changes with net_h1."),
    ("Σₙ", "The sum over all samples, which stand side by side."),
    ("net_h1⁽²⁾", "On the sheet training: the number of sample 2."),
    ("… if … else …", "In a formula “u if z > 0 else v”: u where the test holds, otherwise v."),
)
_OF_SEVERAL = ("Σₙ", "net_h1⁽²⁾")
_NUMBERS = (
    ("Decimals", "Nine are shown; the cells hold about 16 digits. Very small and very large ones are shown "
     "with an exponent: 1.5E-07 is 0.00000015."),
    ("#NUM!, #DIV/0!", "A number left the range that the formula can work out, such as e^x for x over 709 or "
     "log 0. Smaller weights or a smaller learning rate help."),
)  # fmt: skip
