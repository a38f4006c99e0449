"""The workbook of a network, or of a worked example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from deltarule.arrays import check_whole
from deltarule.errors import InputError
from deltarule.formula.text import clean
from deltarule.nn.network import Network
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep, Optimizer
from deltarule.spreadsheet.network_layout import NetworkLayout
from deltarule.spreadsheet.network_sheet import NetworkSheet
from deltarule.spreadsheet.read_me import write_read_me
from deltarule.spreadsheet.step_model import StepModel
from deltarule.spreadsheet.training_layout import TrainingLayout
from deltarule.spreadsheet.training_sheet import TrainingSheet, cost_chart
from deltarule.spreadsheet.workbook_writer import WorkbookWriter
from deltarule.tutorials import Example

#: The most formulas that work out one step, and the most in a whole workbook.
MOST_STEP_FORMULAS, MOST_FORMULAS = 2_000, 400_000

_FULL_BATCH = (
    "The example trains in batches of {size}; this workbook takes all {n} samples at once, in every step."
)
_DROPOUT = "Training drops some inputs of layers at random (dropout); this workbook drops none."
_NARROW = (
    "The network computes in float32; a spreadsheet computes in double precision, and so do the numbers."
)
_NO_RULE = "The example does not say how to train, so there is no update and no training run here."
_SEARCHES = (
    "L-BFGS finds each step by a line search over several gradients: no one formula gives it, so there is "
    "no update and no training run here."
)
_SCHEDULED = (
    "The learning rate changes from step to step ({spec}, planned for the steps on the sheet training): "
    "there its column holds numbers. The learning rate on this sheet is that of this sheet's update alone."
)


def example_spreadsheet(
    example: Example, *, optimizer: str | Optimizer | None = None, steps: int = 100
) -> bytes:
    """Make the workbook of a worked example; see :func:`spreadsheet`.

    Examples
    --------
    >>> from deltarule.tutorials import load_example
    >>> example_spreadsheet(load_example("T1"), steps=2)[:2]
    b'PK'
    """
    optimizer = optimizer or example.training.get("optimizer")
    size, n = example.training.get("batch_size"), len(example.X)
    batches = [] if size is None or size >= n else [_FULL_BATCH.format(size=size, n=n)]
    return spreadsheet(
        example.network(), example.X, example.Y, optimizer, steps=steps, title=example.title, notes=batches
    )


def spreadsheet(
    net: Network,
    X: Any,
    Y: Any,
    optimizer: str | Optimizer | None = None,
    *,
    steps: int = 100,
    title: str | None = None,
    notes: Sequence[str] = (),
) -> bytes:
    """Make a workbook for Excel or LibreOffice in which every number that is not given is a formula.

    Parameters
    ----------
    net : Network
    X, Y : array-like
        A few samples and their targets.
    optimizer : str or Optimizer, optional
        The optimizer of the update and of the training run, which uses all samples at once.
    steps : int
        The number of steps of the training run.
    title : str, optional
    notes : sequence of str
        Further paragraphs for the first sheet.

    Raises
    ------
    InputError
        If the network is too large for a sheet, or one of its formulas is a text.
    MissingExtraError
        If XlsxWriter is not installed.
    """
    check_whole("steps", steps)
    resolved = None if optimizer is None else OPTIMIZERS.resolve(optimizer)
    rule = resolved if isinstance(resolved, GradientStep) else None
    _check_size(net, len(net.inputs(X)), rule, steps)
    exact = net.copy("float64")
    x = exact.inputs(X)
    y, _ = exact.targets(Y, None, len(x))
    model = StepModel(exact, x.astype(exact.dtype, copy=False), y, rule, steps)
    return _write_workbook(model, clean(title or repr(net))[:200], [*notes, *_left_out(net, resolved)], steps)


def _left_out(net: Network, optimizer: Optimizer | None) -> Iterator[str]:
    """What this workbook leaves out."""
    if any(layer.dense.dropout for layer in net.layers):
        yield _DROPOUT
    if net.dtype != np.float64:
        yield _NARROW
    if optimizer is None:
        yield _NO_RULE
    elif not isinstance(optimizer, GradientStep):
        yield _SEARCHES
    elif optimizer.schedule.name != "constant":
        yield _SCHEDULED.format(spec=optimizer.schedule.spec)


def _check_size(net: Network, n_samples: int, rule: GradientStep | None, steps: int) -> None:
    """Refuse what would make a sheet that nobody can read, or no program open."""
    per_parameter = 2 + (len(rule.slots) if rule else 0)
    coupled = [layer.dense.n_out for layer in net.layers if layer.activation.coupled]
    per_sample = 3 * sum(net.sizes[1:]) + sum(size**2 for size in coupled)
    formulas = net.parameters.size * per_parameter + n_samples * per_sample
    if formulas > MOST_STEP_FORMULAS:
        raise InputError(
            f"{net!r} with {n_samples:,} samples needs {formulas:,} formulas per step, but a spreadsheet can "
            f"take only {MOST_STEP_FORMULAS:,}: choose a smaller network or fewer samples"
        )
    if rule and formulas * steps > MOST_FORMULAS:
        raise InputError(
            f"{steps:,} steps of {formulas:,} formulas each are too many for a spreadsheet: ask for "
            f"{MOST_FORMULAS // formulas:,} steps at most"
        )


def _write_workbook(model: StepModel, title: str, notes: Sequence[str], steps: int) -> bytes:
    book = WorkbookWriter(title)
    layout = NetworkLayout(model, head=3 + len(notes))
    sheet = NetworkSheet(book, layout).write(notes)
    if model.rule is not None:
        TrainingSheet(book, TrainingLayout(model, layout)).write(steps)
        sheet.page.insert_chart(layout.head, layout.width + 1, cost_chart(book, model, steps))
        book.file.add_chartsheet("loss").set_chart(cost_chart(book, model, steps))
    write_read_me(book, model, notes, steps)
    return book.closed()
