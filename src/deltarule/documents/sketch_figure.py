"""The figure of a network for a terminal: boxes for neurons, a wire with branches from each.

A wire comes from a neuron's box and runs down between two columns, and each weight is written on its branch
to the next neuron. Wires that only cross are not joined.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from deltarule.documents.drawing import Drawing, NeuronColumn, Node
from deltarule.registry import record

_MOST_WIRES = 20  # edges of a figure
_MOST_MOVED = 6  # rows: a column, so that its wires find a way

#: What stands at a crossing, by the directions that meet there.
_JOINTS = {
    "lr": "─", "du": "│", "dr": "╭", "dl": "╮", "ru": "╰", "lu": "╯",
    "dru": "├", "dlu": "┤", "dlr": "┬", "lru": "┴", "dlru": "┼",
}  # fmt: skip


def cell_width(text: str) -> int:
    """How many cells of a terminal a text takes: two for each wide sign, none for what is put on another."""
    marks = sum(unicodedata.category(sign) in ("Mn", "Me", "Cf") for sign in text)
    return len(text) - marks + sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)


def bias_in_words(bias: Node) -> str:
    """The bias that a layer shares, with its number."""
    return " ".join([bias.name, *(number for _, number in bias.values)])


def _box_lines(node: Node) -> list[str]:
    """What stands in a neuron's box: its name, its values with the numbers in a column."""
    widest = max((cell_width(label) for label, _ in node.values), default=0)
    values = (label + " " * (widest - cell_width(label) + 1) + number for label, number in node.values)
    return [node.name, *values]


@record
class _BoxColumn:
    """A column of boxes: ``tops`` are their first rows, ``height`` is that of each."""

    boxes: tuple[tuple[str, ...], ...]
    left: int
    width: int
    height: int
    tops: tuple[int, ...]

    @property
    def right(self) -> int:
        """Where the border to the right is."""
        return self.left + self.width - 1

    def rows(self, box: int) -> range:
        """The rows within the borders."""
        return range(self.tops[box] + 1, self.tops[box] + self.height - 1)

    def branches(self, n_wires: int) -> list[range]:
        """The rows in which the wires come in, about the middle of each box."""
        first = (self.height - 2 - n_wires) // 2
        return [self.rows(box)[first : first + n_wires] for box in range(len(self.boxes))]

    def spread(self, total: int) -> _BoxColumn:
        """The column with its boxes spread evenly over so many rows."""
        slot = total / len(self.boxes)
        tops = tuple(int(slot * i + (slot - self.height) / 2) for i in range(len(self.boxes)))
        return replace(self, tops=tops)


def as_figure(drawing: Drawing, width: int) -> list[str]:
    """Boxes and wires; nothing where they do not fit."""
    if any(column.n_left_out for column in drawing.columns) or len(drawing.edges) > _MOST_WIRES:
        return []
    columns = _box_columns(drawing)
    if columns[-1].left + max(columns[-1].width, 2 + cell_width(drawing.columns[-1].heading)) > width:
        return []
    canvas = _Canvas()
    for layer in range(1, len(columns)):
        wired = _wired(columns[layer - 1], columns[layer])
        if wired is None:
            return []
        columns[layer], exits = wired
        canvas.wires(columns[layer - 1], columns[layer], exits)
        canvas.weights(columns[layer - 1], columns[layer], _edge_labels(drawing, layer))
    for boxes in columns:
        canvas.boxes(boxes)
    canvas.captions(drawing.columns, columns)
    return canvas.lines()


def _edge_labels(drawing: Drawing, layer: int) -> dict[tuple[int, int], str]:
    """The labels of a layer's edges by source and target."""
    edges = (edge for edge in drawing.edges if edge.layer == layer)
    return {(edge.source, edge.target): f" {edge.name} {edge.text} " for edge in edges}


def _box_columns(drawing: Drawing) -> list[_BoxColumn]:
    """The columns side by side, their boxes spread evenly over the height."""
    columns: list[_BoxColumn] = []
    for layer, column in enumerate(drawing.columns):
        boxes = tuple(tuple(_box_lines(node)) for node in column.nodes if isinstance(node, Node))
        n_wires = len(columns[-1].boxes) if columns else 0
        height = max(n_wires, *map(len, boxes)) + 2
        wide = max(cell_width(line) for box in boxes for line in box) + 4
        left = 0
        if columns:  # two dashes, the wires, a label between two dashes each
            label = max(map(cell_width, _edge_labels(drawing, layer).values()))
            left = columns[-1].right + 1 + 2 + 2 * n_wires - 1 + 1 + label + 2
        columns.append(_BoxColumn(boxes, left, wide, height, ()))
    total = max(column.height * len(column.boxes) for column in columns)
    return [column.spread(total) for column in columns]


def _wired(before: _BoxColumn, after: _BoxColumn) -> tuple[_BoxColumn, list[int]] | None:
    """``after``, moved up or down where needed, and the rows in which the wires leave ``before``.

    A wire on its way to its place crosses the wires before it, and must not meet their branches.
    """
    n_wires = len(before.boxes)
    for by in sorted(range(-_MOST_MOVED, _MOST_MOVED + 1), key=abs):
        moved = replace(after, tops=tuple(top + by for top in after.tops))
        branches = moved.branches(n_wires)
        exits = []
        for wire in range(n_wires):
            rows = before.rows(wire)
            met = {row for of_box in branches for row in of_box[:wire]}
            free = sorted(set(rows) - met, key=lambda row: abs(row - (rows[0] + rows[-1]) / 2))
            exits += free[:1]
        if len(exits) == n_wires:
            return moved, exits
    return None


class _Canvas:
    """Characters by row and column; a character that takes two cells is followed by an empty one."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], str] = {}

    @property
    def top(self) -> int:
        return min(row for row, _ in self.cells)

    @property
    def bottom(self) -> int:
        return max(row for row, _ in self.cells)

    def write(self, row: int, column: int, text: str) -> None:
        for character in text:
            wide = cell_width(character)
            if wide == 0:  # a mark on the character before
                self.cells[row, column - 1] = self.cells.get((row, column - 1), "") + character
                continue
            self.cells[row, column] = character
            for more in range(1, wide):
                self.cells[row, column + more] = ""
            column += wide

    def boxes(self, column: _BoxColumn) -> None:
        """The boxes; borders that a wire meets stay joined to it."""
        inner = column.width - 2
        for box, top in zip(column.boxes, column.tops, strict=True):
            self.write(top, column.left, f"╭{'─' * inner}╮")
            self.write(top + column.height - 1, column.left, f"╰{'─' * inner}╯")
            for row in range(top + 1, top + column.height - 1):
                self.cells.setdefault((row, column.left), "│")
                self.cells.setdefault((row, column.right), "│")
            for row, line in enumerate(box, start=top + 1):
                self.write(row, column.left + 2, line)

    def wires(self, before: _BoxColumn, after: _BoxColumn, exits: Sequence[int]) -> None:
        """A wire for each box of ``before``, with a branch to each box of ``after``."""
        places = [before.right + 3 + 2 * wire for wire in range(len(exits))]
        ends = list(zip(*after.branches(len(exits)), strict=True))
        for wire in zip(places, exits, ends, strict=True):
            self._draw_down(*wire)
        for place, start, rows in zip(places, exits, ends, strict=True):
            self._draw_across(start, before.right + 1, place)
            self.cells[start, before.right] = "├"
            for row in rows:
                self._draw_across(row, place + 1, after.left)
                self.cells[row, after.left] = "┤"

    def _draw_down(self, place: int, start: int, ends: Sequence[int]) -> None:
        """The upright part of a wire, which comes in row ``start`` and branches off in rows ``ends``."""
        first, last = min(start, *ends), max(start, *ends)
        for row in range(first, last + 1):
            ways = {"u": row > first, "d": row < last, "l": row == start, "r": row in ends}
            self.cells[row, place] = _JOINTS["".join(way for way in "dlru" if ways[way])]

    def _draw_across(self, row: int, start: int, stop: int) -> None:
        """A level part, under the wires that it crosses."""
        for place in range(start, stop):
            self.cells.setdefault((row, place), "─")

    def weights(self, before: _BoxColumn, after: _BoxColumn, labels: dict[tuple[int, int], str]) -> None:
        """The label of each branch, after the last wire."""
        n_wires = len(before.boxes)
        branches = after.branches(n_wires)
        for (wire, box), label in labels.items():
            self.write(branches[box][wire], before.right + 3 + 2 * n_wires, label)

    def captions(self, columns: Sequence[NeuronColumn], places: Sequence[_BoxColumn]) -> None:
        """Above each column its name, below it the bias that it shares."""
        top, bottom = self.top - 1, self.bottom + 1
        for column, place in zip(columns, places, strict=True):
            self.write(top, place.left + 2, column.heading)
            if column.bias:
                self.write(bottom, place.left + 2, bias_in_words(column.bias))

    def lines(self) -> list[str]:
        right = max(column for _, column in self.cells) + 1
        return [
            "".join(self.cells.get((row, column), " ") for column in range(right))
            for row in range(self.top, self.bottom + 1)
        ]
