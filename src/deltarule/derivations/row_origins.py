"""Where a row's inputs come from, and what the outputs say: an encoding, with its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from deltarule.arrays import Array
from deltarule.data.encoding import (
    CategoryColumn,
    ColumnsEncoding,
    Encoding,
    LabelEncoding,
    NumberColumn,
    NumbersEncoding,
    PixelsEncoding,
    Table,
)
from deltarule.documents.document import Block, Heading, Line, Lines, Paragraph
from deltarule.formula.tree import Expr, Number, Symbol, measured
from deltarule.registry import record

#: Of more inputs the first so many are derived.
MOST_INPUTS = 40
#: A shift of so many scales leaves few digits of a difference.
_LARGE = 100
#: Of more classes the first so many are named.
MOST_CLASSES = 12


@record
class InputOrigin:
    """How one input came out of a row.

    Parameters
    ----------
    name : str
        Of the input.
    cell : str
        The cell as the row has it; "" where it is missing, makes another input 1, or is a black pixel.
    sides : tuple of Expr
        What the input equals, step by step: the numbers put in, the value.
    note : str
        What is said about it; "" for nothing.
    """

    name: str
    cell: str
    sides: tuple[Expr, ...]
    note: str = ""


def row_origins(encoding: Encoding, raw: Table | Array, row: int = 0) -> tuple[InputOrigin, ...]:
    """Where each input of a row comes from.

    Parameters
    ----------
    encoding : Encoding
    raw : Table, or ndarray (n_rows, height, width)
        Rows as they were before they were encoded.
    row : int
        Which of them, from 0.

    Examples
    --------
    >>> encoding = Encoding(ColumnsEncoding((NumberColumn("girth", 3.758, 1.759),)), None)
    >>> (origin,) = row_origins(encoding, Table({"girth": [4.1]}))
    >>> print(origin.name, *origin.sides, sep=" = ")
    girth = (4.1 − 3.758)/1.759 = 0.194428653
    """
    one = raw.take(np.array([row])) if isinstance(raw, Table) else raw[row : row + 1]
    if isinstance(encoding.inputs, PixelsEncoding):
        return tuple(_of_pixels(encoding.inputs, one))
    assert isinstance(encoding.inputs, ColumnsEncoding)
    assert isinstance(one, Table)
    return tuple(origin for column in encoding.inputs.columns for origin in _of_column(column, one))


def _of_pixels(inputs: PixelsEncoding, image: Any) -> Iterator[InputOrigin]:
    values = inputs.flatten(image)[0]
    for name, value in zip(inputs.feature_names, values.tolist(), strict=True):
        cell, scale = measured(value), inputs.scale
        sides = (cell,) if scale == 1 else (cell / measured(scale), measured(value / scale))
        yield InputOrigin(name, f"{value:g}" if value else "", sides)


def _of_column(column: NumberColumn | CategoryColumn, table: Table) -> Iterator[InputOrigin]:
    features = column.encode(table)[0].tolist()
    if table.missing(column.name)[0]:
        cell, note = "", f"the cell is missing, and counts as {column.fill!r}"
    else:
        value = table.column(column.name)[0]
        cell, note = value if isinstance(value, str) else f"{float(value):.9g}", ""
    if isinstance(column, NumberColumn):
        number = float(column.fill or 0) if not cell else float(table.column(column.name)[0])
        yield InputOrigin(column.name, cell, _scaled(number, column.shift, column.scale, features[0]), note)
        return
    for name, feature in zip(column.feature_names, features, strict=True):
        if feature:
            other = name == column.feature_names[-1] and column.other
            unknown = ", which is no category of its own" if other else ""
            why = note or f"{column.name} is {cell!r}{unknown}"
            yield InputOrigin(name, cell, (measured(1),), why)
        else:
            yield InputOrigin(name, "", (measured(0),))


def _scaled(number: float, shift: float, scale: float, value: float) -> tuple[Expr, ...]:
    if (shift, scale) == (0.0, 1.0):
        return (measured(number),)
    # Rounded like other numbers, a difference of large ones would not be what it seems.
    put = measured if abs(shift) < _LARGE * scale else lambda large: Number(float(f"{large:.12g}"))
    moved = put(number) - put(shift) if shift else measured(number)
    return (moved / measured(scale), measured(value))


# ---------------------------------------------------------------- as blocks of a derivation


def origin_part(
    encoding: Encoding,
    origins: Sequence[InputOrigin],
    y: Array,
    outputs: Sequence[str],
    targets: Sequence[Expr],
) -> Iterator[Block]:
    """The blocks that say where the inputs of one row come from, and what its outputs and targets mean.

    ``y`` is the row's encoded target (n_outputs,); ``outputs`` and ``targets`` are what those are called.
    """
    yield Heading(("The row, as the network takes it",))
    zeros = [origin.name for origin in origins if not origin.cell and not origin.note]
    others = [origin for origin in origins if origin.cell or origin.note]
    lines = [
        Line((Symbol(origin.name), *origin.sides), (origin.note,) if origin.note else ())
        for origin in others[:MOST_INPUTS]
    ]
    yield Lines(tuple(lines))
    if len(others) > len(lines):
        yield Paragraph((f"… and {len(others) - len(lines):,} more inputs.",), aside=True)
    if zeros:
        named = ", ".join(zeros) if len(zeros) <= MOST_CLASSES else f"the other {len(zeros):,} inputs"
        yield Paragraph((f"These are 0: {named}.",))
    yield from _target_part(encoding, y, outputs, targets)


def _target_part(
    encoding: Encoding, y: Array, outputs: Sequence[str], targets: Sequence[Expr]
) -> Iterator[Block]:
    target = encoding.target
    if isinstance(target, LabelEncoding):
        named = zip(outputs, target.output_names(len(outputs)), strict=True)
        meant = ", ".join(f"{output} for {name}" for output, name in list(named)[:MOST_CLASSES])
        more = f" … and {len(outputs) - MOST_CLASSES} more" if len(outputs) > MOST_CLASSES else ""
        label = target.decode(y[None])[0]
        yield Paragraph((f"Outputs stand for classes: {meant}{more}. The target is {label}.",))
    elif isinstance(target, NumbersEncoding):
        units = np.atleast_2d(target.decode(y[None])).ravel().tolist()
        parts = zip(targets, units, target.shift, target.scale, y.tolist(), target.names, strict=True)
        yield Lines(
            tuple(
                Line((symbol, *_scaled(unit, shift, scale, value)), (f"the target, from {name}",))
                for symbol, unit, shift, scale, value, name in parts
            )
        )


def output_names(encoding: Encoding | None, n_outputs: int) -> tuple[str, ...]:
    """What the outputs mean: their classes, or the names of targets; none where nothing is known."""
    target = None if encoding is None else encoding.target
    if isinstance(target, LabelEncoding):
        return target.output_names(n_outputs)
    return target.names if isinstance(target, NumbersEncoding) else ()
