"""A drawing for a terminal: boxes and wires where they fit, else lists, else one line for each layer.

In the figure, every neuron has a wire of its own; it comes from the neuron's box and runs down between two
columns, and each weight is written on its branch to the next neuron. Wires that only cross are not joined.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from deltarule.documents.drawing import Drawing, Gap, NeuronColumn, Node, shortened, visible
from deltarule.errors import InputError
from deltarule.registry import record

__all__ = ["sketch"]

_MOST_WIRES = 20  # edges of a figure
_MOST_LISTED = 60  # edges of a list
_MOST_MOVED = 6  # rows: a column, so that its wires find a way
_NAME_ROOM = 20  # cells: the longest name
_LEAST_WIDTH = 20

#: What stands at a crossing, by the directions that meet there.
_JOINTS = {
    "lr": "─", "du": "│", "dr": "╭", "dl": "╮", "ru": "╰", "lu": "╯",
    "dru": "├", "dlu": "┤", "dlr": "┬", "lru": "┴", "dlru": "┼",
}  # fmt: skip
_ASCII = {
    **dict.fromkeys("╭╮╰╯├┤┬┴┼", "+"),
    "─": "-", "│": "|", "⋮": "...", "δ": "delta", "→": "->", "…": "...", "−": "-", "·": ".",
}  # fmt: skip


def sketch(drawing: Drawing, width: int = 100, ascii: bool = False) -> str:
    """The drawing as lines of text, none wider than ``width`` cells of a terminal.

    Parameters
    ----------
    drawing : Drawing
    width : int
        At least 20.
    ascii : bool
        Whether to do without box drawing and Greek: ``delta`` for δ, ``...`` for ⋮.

    Raises
    ------
    InputError
        If ``width`` is less than 20.

    Examples
    --------
    >>> from deltarule.derivations.network_drawing import draw
    >>> from deltarule.nn.network import Network
    >>> print(sketch(draw(Network([2, 1], bias=False, initializer="zeros"))))
      inputs              layer 1, identity
    ╭────╮
    │ i1 ├──╮           ╭────╮
    ╰────╯  ╰─── w1 0 ──┤ o1 │
    ╭────╮    ╭─ w2 0 ──┤    │
    │ i2 ├────╯         ╰────╯
    ╰────╯
    """
    if width < _LEAST_WIDTH:
        raise InputError(f"width must be at least {_LEAST_WIDTH} cells, got {width!r}")
    shown = _presentable(drawing, ascii)
    lines = _as_figure(shown, width) or _as_lists(shown, width) or _as_summary(shown, width)
    return "\n".join(_fitted(line, width, ascii) for line in lines)


# ------------------------------------------------------------------ texts


def _cell_width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    from rich.cells import cell_len

    return cell_len(text)


def _fitted(line: str, width: int, ascii: bool) -> str:
    if not ascii:
        return shortened(line.rstrip(), width, _cell_width)
    line = _to_ascii(line.rstrip())
    return line if len(line) <= width else line[: width - 3] + "..."


def _to_ascii(text: str) -> str:
    return "".join(_ASCII.get(character, character) for character in text).encode("ascii", "replace").decode()


def _presentable(drawing: Drawing, ascii: bool) -> Drawing:
    """The drawing with names that a terminal can show, and short ones."""

    def text(given: str) -> str:
        shown = "".join(character for character in visible(given) if not _changes_width(character))
        shown = shortened(shown, _NAME_ROOM, _cell_width)
        return _to_ascii(shown) if ascii else shown

    def node(given: Node) -> Node:
        return Node(text(given.name), tuple((text(label), text(number)) for label, number in given.values))

    columns = tuple(
        NeuronColumn(
            column.name,
            text(column.activation),
            tuple(item if isinstance(item, Gap) else node(item) for item in column.nodes),
            column.bias and node(column.bias),
        )
        for column in drawing.columns
    )
    edges = tuple(replace(edge, text=text(edge.text), tag=None) for edge in drawing.edges)
    return Drawing(columns, edges, drawing.caption)


def _changes_width(character: str) -> bool:
    """Whether it changes how wide its neighbours are: terminals disagree on that."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def _padded(text: str, width: int, fill: str = " ") -> str:
    return text + fill * (width - _cell_width(text))


def _bias_in_words(bias: Node) -> str:
    return " ".join([bias.name, *(number for _, number in bias.values)])


# ------------------------------------------------------------------ the figure


def _box_lines(node: Node) -> list[str]:
    """What stands in a neuron's box: its name, its values with the numbers in a column."""
    widest = max((_cell_width(label) for label, _ in node.values), default=0)
    return [node.name, *(f"{_padded(label, widest)} {number}" for label, number in node.values)]


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

    def branches(self, box: int, n_wires: int) -> list[int]:
        """The rows in which the wires come in, about its middle."""
        rows = self.rows(box)
        first = (len(rows) - n_wires) // 2
        return list(rows[first : first + n_wires])

    def spread(self, total: int) -> _BoxColumn:
        """The column with its boxes spread evenly over so many rows."""
        slot = total / len(self.boxes)
        tops = tuple(int(slot * i + (slot - self.height) / 2) for i in range(len(self.boxes)))
        return replace(self, tops=tops)

    def moved(self, by: int) -> _BoxColumn:
        """The column so many rows further down."""
        return replace(self, tops=tuple(top + by for top in self.tops))


def _as_figure(drawing: Drawing, width: int) -> list[str]:
    """Boxes and wires; nothing where they do not fit."""
    if any(column.n_left_out for column in drawing.columns) or len(drawing.edges) > _MOST_WIRES:
        return []
    columns = _box_columns(drawing)
    if columns[-1].left + max(columns[-1].width, 2 + _cell_width(drawing.columns[-1].heading)) > width:
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
    return {
        (edge.source, edge.target): f" {edge.name} {edge.text} "
        for edge in drawing.edges
        if edge.layer == layer
    }


def _box_columns(drawing: Drawing) -> list[_BoxColumn]:
    """The columns side by side, their boxes spread evenly over the height."""
    columns: list[_BoxColumn] = []
    for layer, column in enumerate(drawing.columns):
        boxes = tuple(tuple(_box_lines(node)) for node in column.nodes if isinstance(node, Node))
        n_wires = len(columns[-1].boxes) if columns else 0
        height = max(n_wires, *map(len, boxes)) + 2
        wide = max(_cell_width(line) for box in boxes for line in box) + 4
        left = 0
        if columns:  # two dashes, the wires, a label between two dashes each
            label = max(map(_cell_width, _edge_labels(drawing, layer).values()))
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
        moved = after.moved(by)
        branches = [moved.branches(box, n_wires) for box in range(len(moved.boxes))]
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
            wide = _cell_width(character)
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
        n_wires = len(exits)
        branches = [after.branches(box, n_wires) for box in range(len(after.boxes))]
        places = [before.right + 3 + 2 * wire for wire in range(n_wires)]
        for wire, (place, start) in enumerate(zip(places, exits, strict=True)):
            ends = [of_box[wire] for of_box in branches]
            self._draw_down(place, start, ends)
        for wire, (place, start) in enumerate(zip(places, exits, strict=True)):
            self._draw_across(start, before.right + 1, place)
            self.cells[start, before.right] = "├"
            for of_box in branches:
                self._draw_across(of_box[wire], place + 1, after.left)
                self.cells[of_box[wire], after.left] = "┤"

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
        place = before.right + 3 + 2 * n_wires
        for wire, box in product(range(n_wires), range(len(after.boxes))):
            self.write(after.branches(box, n_wires)[wire], place, labels[wire, box])

    def captions(self, columns: Sequence[NeuronColumn], places: Sequence[_BoxColumn]) -> None:
        """Above each column its name, below it the bias that it shares."""
        top, bottom = self.top - 1, self.bottom + 1
        for column, place in zip(columns, places, strict=True):
            self.write(top, place.left + 2, column.heading)
            if column.bias:
                self.write(bottom, place.left + 2, _bias_in_words(column.bias))

    def lines(self) -> list[str]:
        right = max(column for _, column in self.cells) + 1
        return [
            "".join(self.cells.get((row, column), " ") for column in range(right))
            for row in range(self.top, self.bottom + 1)
        ]


# ------------------------------------------------------------------ the list, the summary


def _as_lists(drawing: Drawing, width: int) -> list[str]:
    """Each neuron with its values and its weights; nothing for a network that is too large."""
    if len(drawing.edges) > _MOST_LISTED:
        return []
    lines: list[str] = []
    for layer, column in enumerate(drawing.columns):
        lines.append(column.heading)
        for place, item in enumerate(column.nodes):
            if isinstance(item, Gap):
                lines.append(f"  ⋮  {item.count:,} more")
                continue
            lines += _wrapped_items("  ", [item.name, *map(" ".join, item.values)], width)
            lines += _wrapped_items("      ", list(_weights_of_neuron(drawing, layer, place)), width)
        if column.bias:
            lines.append(f"  {_bias_in_words(column.bias)}")
    return lines


def _weights_of_neuron(drawing: Drawing, layer: int, target: int) -> Iterator[str]:
    for edge in drawing.edges:
        if (edge.layer, edge.target) == (layer, target):
            source = drawing.columns[layer - 1].nodes[edge.source]
            yield f"{source.name if isinstance(source, Node) else ''} {edge.name} {edge.text}"


def _wrapped_items(indent: str, items: Sequence[str], width: int) -> list[str]:
    """The items in lines, two blanks between them."""
    lines: list[str] = []
    for item in items:
        if lines and _cell_width(lines[-1]) + 2 + _cell_width(item) <= width:
            lines[-1] += f"  {item}"
        else:
            lines.append(indent + item)
    return lines


def _as_summary(drawing: Drawing, width: int) -> list[str]:
    """One line for each layer, with as many neurons as it holds."""
    lines = []
    for column in drawing.columns:
        line = (
            f"{column.name}: {column.size:,}{f' neurons, {column.activation}' if column.activation else ''}"
        )
        for item in column.nodes:
            longer = f"{line}{', ' if item is not column.nodes[0] else '; '}{_in_short(item)}"
            if _cell_width(longer) > width - 5:  # an ellipsis of three dots fits behind it
                line += ", …"
                break
            line = longer
        lines.append(line)
    return lines


def _in_short(item: Node | Gap) -> str:
    """A neuron with its output, or with an input's value."""
    if isinstance(item, Gap):
        return f"⋮ {item.count:,} more"
    values = dict(item.values)
    return f"{item.name} {values.get('out', values.get('x', ''))}".rstrip()
