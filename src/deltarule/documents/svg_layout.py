"""Where everything stands in a drawing of a network, in CSS px."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from deltarule.documents.drawing import Drawing, Edge, Gap, Node, shortened, visible
from deltarule.registry import record

_MOST_LABELS = 20  # edges that are labelled; more are told apart by width and colour
FONT, LINE = 13, 17  # px: of the font, from line to line
MARGIN, _SPACE = 20, 9  # px: around the figure, between a neuron and its values
_HEAD, _GAP = 44, 56.5  # px: height of the columns' headings, of a gap
_NAME_ROOM = 170  # px: the longest name
_BOLD = 1.12  # how much wider bold text is
_PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.28, 0.72, 0.22, 0.78, 0.16, 0.84)  # of a label along its edge


def em(text: str) -> float:
    """How wide a text may be at most, in units of the font's size."""
    return sum(_em_of(character) for character in text)


def _em_of(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF" or ord(character) > 0xFFFF:
        return 1.3
    if character in "mwMW@%…—␀␊␍�":
        return 1.0
    return 0.35 if character in "iljft.,:;'| " else 0.72 if character.isupper() else 0.6


def px(text: str) -> float:
    """How wide a text may be at most, in px."""
    return FONT * em(visible(text))


@record
class NeuronTexts:
    """The texts beside or below a neuron: its name, where the circle is too small, then its values."""

    name: str
    values: tuple[tuple[str, str], ...]

    @property
    def label_width(self) -> float:
        return max((px(label) for label, _ in self.values), default=0.0)

    @property
    def width(self) -> float:
        numbers = max((px(number) for _, number in self.values), default=-6.0)
        return max(self.label_width + 6 + numbers, _BOLD * px(self.name))

    @property
    def height(self) -> float:
        return LINE * (len(self.values) + bool(self.name))


@record
class Rectangle:
    """A rectangle that is taken."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Rectangle) -> float:
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, high)


@record
class _EdgeLine:
    """An edge from circle to circle."""

    x1: float
    y1: float
    x2: float
    y2: float

    def at(self, share: float) -> tuple[float, float]:
        return self.x1 + share * (self.x2 - self.x1), self.y1 + share * (self.y2 - self.y1)

    def crosses(self, box: Rectangle) -> bool:
        """Whether it runs through the box; lines lead from left to right, never straight up."""
        slope = (self.y2 - self.y1) / (self.x2 - self.x1)
        heights = [self.y1 + slope * (x - self.x1) for x in (box.left, box.right)]
        return min(heights) < box.bottom and max(heights) > box.top


class SvgLayout:
    """Where the neurons, their texts and the edges of a drawing stand."""

    def __init__(self, drawing: Drawing, narrow: bool = False) -> None:
        self.drawing, self.narrow = drawing, narrow
        self.labelled = len(drawing.edges) <= _MOST_LABELS
        self.radius = 25.0 if self.labelled and not narrow else 21.0
        self.margin, self.space = (6, 5) if narrow else (MARGIN, _SPACE)
        self._texts_of = [[self.texts(n) for n in c.nodes if isinstance(n, Node)] for c in drawing.columns]
        self.ys, self.bottom = self._neuron_ys()
        self.xs, self.width = self._column_xs()
        self.lines = {edge: self._edge_line(edge) for edge in drawing.edges}

    def texts(self, node: Node) -> NeuronTexts:
        """What stands beside or below a neuron."""
        inside = _BOLD * px(node.name) <= 2 * self.radius - 4
        name = "" if inside else shortened(visible(node.name), _NAME_ROOM / (_BOLD * FONT), em)
        return NeuronTexts(name, node.values)

    def _column_xs(self) -> tuple[list[float], float]:
        """The middle of each column, and the width of the picture."""
        columns = self.drawing.columns
        widths = [max(block.width for block in blocks) for blocks in self._texts_of]
        heads = [max(px(column.name), px(column.activation)) / 2 for column in columns]
        halves = [max(head, self.radius) for head in heads]
        for index, wide in enumerate(widths[1:-1], start=1):
            halves[index] = max(halves[index], wide / 2)
        apart = self._column_distance()
        xs = [self.margin + max(heads[0], self.radius + self.space + widths[0])]
        for left, right in pairwise(halves):
            xs.append(xs[-1] + max(apart, left + right + (6 if self.narrow else 36)))
        width = xs[-1] + max(heads[-1], self.radius + self.space + widths[-1]) + self.margin
        spare = max(0.0, (0 if self.narrow else 420) - width) / 2
        return [x + spare for x in xs], width + 2 * spare

    def _column_distance(self) -> float:
        """From column to column: room for labels, or for lines that are not too steep."""
        if self.narrow:
            return 108.0
        if self.labelled:
            widest = max(px(f"{edge.name} {edge.text}") for edge in self.drawing.edges)
            return max(270.0, 2 * self.radius + (3.4 if len(self.drawing.edges) > 8 else 2.3) * widest)
        return min(300.0, max(150.0, self.bottom / (len(self.ys) - 1)))

    def _neuron_ys(self) -> tuple[list[list[float]], float]:
        """The middle of each neuron and gap, and where they end."""
        beside = max(block.height for blocks in (self._texts_of[0], self._texts_of[-1]) for block in blocks)
        below = max((block.height + 5 for blocks in self._texts_of[1:-1] for block in blocks), default=0.0)
        top = MARGIN + _HEAD + max(0.0, beside / 2 - self.radius)
        pitch = max(beside, 2 * self.radius + max(below, 3 * LINE if self.labelled else 0)) + 20
        heights = [
            [_GAP if isinstance(item, Gap) else pitch for item in column.nodes]
            for column in self.drawing.columns
        ]
        tallest = max(map(sum, heights))
        starts = (top + (tallest - sum(high)) / 2 for high in heights)
        ys = [_stacked(start, high, self.radius) for start, high in zip(starts, heights, strict=True)]
        return ys, top + tallest

    def _edge_line(self, edge: Edge) -> _EdgeLine:
        x1, x2 = self.xs[edge.layer - 1 : edge.layer + 1]
        y1, y2 = self.ys[edge.layer - 1][edge.source], self.ys[edge.layer][edge.target]
        share = self.radius / math.hypot(x2 - x1, y2 - y1)
        dx, dy = share * (x2 - x1), share * (y2 - y1)
        return _EdgeLine(x1 + dx, y1 + dy, x2 - dx, y2 - dy)

    def labels(self) -> Iterator[tuple[Edge, Rectangle]]:
        """Where the name and the number of each weight stand: where least is in the way."""
        taken = list(self._node_boxes())
        for edge in self.drawing.edges if self.labelled else ():
            box = min(self._label_boxes(edge), key=lambda box: self._in_the_way(edge, box, taken))
            taken.append(box)
            yield edge, box

    def _label_boxes(self, edge: Edge) -> Iterator[Rectangle]:
        """Where its label may stand, the best places first."""
        half = px(f"{edge.name} {edge.text}") / 2 + 5
        for share in _PLACES:
            x, y = self.lines[edge].at(share)
            yield Rectangle(x - half, y - LINE / 2, x + half, y + LINE / 2)

    def _in_the_way(self, edge: Edge, box: Rectangle, taken: Sequence[Rectangle]) -> float:
        """What stands in the way: texts count most, then other lines."""
        covered = sum(box.overlap(other) for other in taken)
        others = (self.lines[other] for other in self.drawing.edges if other.layer == edge.layer)
        return 10 * covered + 5 * sum(line.crosses(box) for line in others if line != self.lines[edge])

    def _node_boxes(self) -> Iterator[Rectangle]:
        """The neurons and their values."""
        reach = self.radius + 4
        for index, (x, column) in enumerate(zip(self.xs, self.drawing.columns, strict=True)):
            for item, y in zip(column.nodes, self.ys[index], strict=True):
                if isinstance(item, Gap):
                    continue
                texts = self.texts(item)
                left, top = self.corner(index, texts, y)
                yield Rectangle(x - reach, y - reach, x + reach, y + reach)
                yield Rectangle(left - 8, top - 4, left + texts.width + 8, top + texts.height + 4)

    def corner(self, column: int, block: NeuronTexts, y: float) -> tuple[float, float]:
        """The left upper corner of a neuron's texts: left of inputs, right of outputs, below all others."""
        beside = self.radius + self.space
        if column == 0:
            return self.xs[column] - beside - block.width, y - block.height / 2
        if column == len(self.xs) - 1:
            return self.xs[column] + beside, y - block.height / 2
        return self.xs[column] - block.width / 2, y + self.radius + 5


def _stacked(top: float, heights: Sequence[float], radius: float) -> list[float]:
    """The middles of neurons and gaps, one under the other."""
    middles = []
    for height in heights:
        middles.append(top + (_GAP / 2 if height == _GAP else radius))
        top += height
    return middles
