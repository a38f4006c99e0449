"""A drawing as one self-contained SVG: light and dark, on screen and on paper.

Eight classes ``t0`` … ``t7`` colour what belongs to one factor of a formula. Their colours are the custom
properties ``--t0`` … ``--t7`` (:data:`TAG_COLOURS`, on a dark ground :data:`TAG_COLOURS_DARK`), so that
a page's formulas can use the same classes and the same colours. They are the palette of Okabe and Ito,
which colour-blind people can tell apart, darkened to a contrast of 4.5 : 1 and more on white.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from deltarule.documents.drawing import Column, Drawing, Edge, Gap, Node, shortened, visible
from deltarule.registry import record

__all__ = ["TAG_COLOURS", "TAG_COLOURS_DARK", "svg"]

#: The colours ``--t0`` … ``--t7`` on white.
TAG_COLOURS = ("#0068a8", "#b84a00", "#007a5a", "#a23f7a", "#736300", "#137d96", "#7a4a1d", "#4a4a4a")
#: The same on a dark ground.
TAG_COLOURS_DARK = ("#56b4e9", "#f28c3b", "#2cc79a", "#e08abd", "#f0e442", "#8fd9ee", "#d9a875", "#c8c8c8")

_MOST_LABELS = 20  # edges that are labelled; more are told apart by width and colour
_FONT, _LINE = 13, 17  # px: of the font, from line to line
_MARGIN, _SPACE = 20, 9  # px: around the figure, between a neuron and its values
_HEAD, _GAP = 44, 56.5  # px: height of the columns' headings, of a gap
_NAME_ROOM = 170  # px: the longest name
_BOLD = 1.12  # how much wider bold text is
_PLACES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.28, 0.72, 0.22, 0.78, 0.16, 0.84)  # of a label along its edge


def _colours(scheme: dict[str, str], tags: Sequence[str]) -> str:
    tagged = {f"t{tag}": colour for tag, colour in enumerate(tags)}
    return "".join(f"--{name}:{colour};" for name, colour in {**scheme, **tagged}.items())


_LIGHT = _colours(
    {
        "paper": "#ffffff",
        "fill": "#f4f6f8",
        "ink": "#1f2328",
        "soft": "#59636e",
        "line": "#a4adb7",
        "pos": "#2166ac",
        "neg": "#d6600a",
    },
    TAG_COLOURS,
)
_DARK = _colours(
    {
        "paper": "#16181d",
        "fill": "#22262d",
        "ink": "#e6e9ed",
        "soft": "#9aa4b0",
        "line": "#5b6572",
        "pos": "#6cb0f0",
        "neg": "#f0984d",
    },
    TAG_COLOURS_DARK,
)
_RULES = """
& {background:var(--paper);max-width:100%;height:auto;direction:ltr;font-size:13px;
  font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif}
& text {fill:var(--ink)}
& .label,& .soft {fill:var(--soft)}
& .halo {stroke:var(--paper);stroke-width:8px;stroke-linejoin:round;paint-order:stroke}
& .number {font-variant-numeric:tabular-nums}
& .middle {text-anchor:middle}
& .end {text-anchor:end}
& .head {font-weight:600}
& .name {font-weight:600}
& .dots {font-size:22px}
& .node circle {fill:var(--fill);stroke:var(--tag,var(--ink));stroke-width:1.5px}
& .edge line {stroke:var(--tag,var(--line));stroke-width:1.3px;stroke-linecap:round}
& .edge .name {fill:var(--tag,var(--ink))}
& .sized line {stroke-width:inherit}
& .pos line {stroke:var(--tag,var(--pos))}
& .neg line {stroke:var(--tag,var(--neg));stroke-dasharray:7 4}
& .bias rect {fill:var(--paper);stroke:var(--tag,var(--line))}
& .bias .name {fill:var(--tag,var(--ink))}
& .card {fill:var(--paper);fill-opacity:.85}
& .tagged circle {stroke-width:3.5px}
& .tagged line {stroke-width:3px}
& .tagged rect {stroke-width:2.5px}
& .tagged .name {fill:var(--tag)}
"""


def _style() -> str:
    rules = "".join(line.strip() for line in _RULES.splitlines()).replace("&", ".deltarule-net")
    tags = "".join(f".deltarule-net .t{tag}{{--tag:var(--t{tag})}}" for tag in range(len(TAG_COLOURS)))
    dark = f"@media screen and (prefers-color-scheme:dark){{.deltarule-net{{{_DARK}}}}}"
    return f"<style>.deltarule-net{{{_LIGHT}}}{dark}{rules}{tags}</style>"


def svg(drawing: Drawing) -> str:
    """The drawing as an ``<svg>`` element, which is also a whole file.

    Up to 20 weights stand at their edges; more are drawn as lines alone, with a legend.

    Examples
    --------
    >>> from deltarule.derivations.network_drawing import draw
    >>> from deltarule.nn.network import Network
    >>> svg(draw(Network([2, 1]))).startswith('<svg xmlns="http://www.w3.org/2000/svg" class="deltarule-net"')
    True
    """
    page = _Page(drawing)
    body = [*page.edges(), *page.headings(), *page.nodes(), *page.biases(), *page.labels(), *page.foot()]
    width, height = math.ceil(page.width), math.ceil(page.height)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="deltarule-net" role="img" '
            f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
            f"<title>{_escape(_title(drawing))}</title>",
            f"<desc>{_escape(_description(drawing))}</desc>",
            _style(),
            *body,
            "</svg>",
        ]
    )


# ------------------------------------------------------------------ in words


def _title(drawing: Drawing) -> str:
    return f"Neural network, {' – '.join(str(column.size) for column in drawing.columns)}"


def _description(drawing: Drawing) -> str:
    """What the picture shows, for who cannot see it."""
    lines = [drawing.caption]
    for column in drawing.columns:
        items = [*column.nodes, *([column.bias] if column.bias else [])]
        lines.append(f"{_heading(column)}: {'; '.join(map(_words, items))}.")
    if _is_labelled(drawing):
        lines.append(f"weights: {', '.join(f'{edge.name} {edge.text}' for edge in drawing.edges)}.")
    return " ".join(filter(None, lines))


def _words(item: Node | Gap) -> str:
    if isinstance(item, Gap):
        return f"{item.count:,} more"
    return ", ".join([item.name, *(f"{label} {number}" for label, number in item.values)])


def _heading(column: Column) -> str:
    return f"{column.name}, {column.activation}" if column.activation else column.name


def _is_labelled(drawing: Drawing) -> bool:
    return len(drawing.edges) <= _MOST_LABELS


# ------------------------------------------------------------------ measures


def _em(text: str) -> float:
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


def _px(text: str) -> float:
    return _FONT * _em(visible(text))


def _short(name: str) -> str:
    return shortened(visible(name), _NAME_ROOM / (_BOLD * _FONT), _em)


@record
class _Block:
    """The texts beside or below a neuron: its name, where the circle is too small, then its values."""

    name: str
    values: tuple[tuple[str, str], ...]

    @property
    def label_width(self) -> float:
        return max((_px(label) for label, _ in self.values), default=0.0)

    @property
    def width(self) -> float:
        numbers = max((_px(number) for _, number in self.values), default=-6.0)
        return max(self.label_width + 6 + numbers, _BOLD * _px(self.name))

    @property
    def height(self) -> float:
        return _LINE * (len(self.values) + bool(self.name))


@record
class _Box:
    """A rectangle that is taken."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: _Box) -> float:
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, high)


@record
class _Line:
    """An edge from circle to circle."""

    x1: float
    y1: float
    x2: float
    y2: float

    def at(self, share: float) -> tuple[float, float]:
        return self.x1 + share * (self.x2 - self.x1), self.y1 + share * (self.y2 - self.y1)

    def crosses(self, box: _Box) -> bool:
        """Whether it runs through the box; lines lead from left to right, never straight up."""
        slope = (self.y2 - self.y1) / (self.x2 - self.x1)
        heights = [self.y1 + slope * (x - self.x1) for x in (box.left, box.right)]
        return min(heights) < box.bottom and max(heights) > box.top


# ------------------------------------------------------------------ the page


class _Page:
    """Where everything stands, in CSS px, and the elements that say so."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.labelled = _is_labelled(drawing)
        self.radius = 25.0 if self.labelled else 21.0
        self.blocks = [
            [self._block(item) for item in column.nodes if isinstance(item, Node)]
            for column in drawing.columns
        ]
        self.ys = self._rows()
        self.xs = self._columns()
        self.lines = {edge: self._line(edge) for edge in drawing.edges}

    def _block(self, node: Node) -> _Block:
        inside = _BOLD * _px(node.name) <= 2 * self.radius - 4
        return _Block("" if inside else _short(node.name), node.values)

    def _columns(self) -> list[float]:
        """The middle of each column; sets the width."""
        columns = self.drawing.columns
        widths = [max(block.width for block in blocks) for blocks in self.blocks]
        heads = [max(_px(column.name), _px(column.activation)) / 2 for column in columns]
        halves = [max(head, self.radius) for head in heads]
        for index, width in enumerate(widths[1:-1], start=1):
            halves[index] = max(halves[index], width / 2)
        apart = self._apart()
        xs = [_MARGIN + max(heads[0], self.radius + _SPACE + widths[0])]
        for left, right in pairwise(halves):
            xs.append(xs[-1] + max(apart, left + right + 36))
        self.width = xs[-1] + max(heads[-1], self.radius + _SPACE + widths[-1]) + _MARGIN
        spare = max(0.0, 420 - self.width) / 2
        self.width += 2 * spare
        return [x + spare for x in xs]

    def _apart(self) -> float:
        """From column to column: room for labels, or for lines that are not too steep."""
        if self.labelled:
            widest = max(_px(f"{edge.name} {edge.text}") for edge in self.drawing.edges)
            return max(270.0, 2 * self.radius + (3.4 if len(self.drawing.edges) > 8 else 2.3) * widest)
        return min(300.0, max(150.0, self.bottom / (len(self.ys) - 1)))

    def _rows(self) -> list[list[float]]:
        """The middle of each neuron and gap; sets the height."""
        beside = max(block.height for blocks in (self.blocks[0], self.blocks[-1]) for block in blocks)
        below = max((block.height + 5 for blocks in self.blocks[1:-1] for block in blocks), default=0.0)
        top = _MARGIN + _HEAD + max(0.0, beside / 2 - self.radius)
        pitch = max(beside, 2 * self.radius + max(below, 3 * _LINE if self.labelled else 0)) + 20
        heights = [
            [_GAP if isinstance(item, Gap) else pitch for item in column.nodes]
            for column in self.drawing.columns
        ]
        tallest = max(map(sum, heights))
        self.bottom = top + tallest
        return [_stacked(top + (tallest - sum(high)) / 2, high, self.radius) for high in heights]

    def _line(self, edge: Edge) -> _Line:
        x1, x2 = self.xs[edge.layer - 1 : edge.layer + 1]
        y1, y2 = self.ys[edge.layer - 1][edge.source], self.ys[edge.layer][edge.target]
        share = self.radius / math.hypot(x2 - x1, y2 - y1)
        dx, dy = share * (x2 - x1), share * (y2 - y1)
        return _Line(x1 + dx, y1 + dy, x2 - dx, y2 - dy)

    # -------------------------------------------------------------- lines and their labels

    def edges(self) -> Iterator[str]:
        """The lines, those with a tag above the others."""
        known = [abs(edge.weight) for edge in self.drawing.edges if math.isfinite(edge.weight)]
        self.widest = max(known, default=0.0)
        for edge in sorted(self.drawing.edges, key=lambda edge: edge.tag is not None):
            line = self.lines[edge]
            title = f"<title>{_escape(f'{edge.name} = {edge.text}')}</title>"
            yield (
                f'<g class="edge{self._sign(edge)}{_tagged(edge.tag)}"{self._width(edge)}>{title}'
                f'<line x1="{line.x1:.1f}" y1="{line.y1:.1f}" x2="{line.x2:.1f}" y2="{line.y2:.1f}"/></g>'
            )

    def _sign(self, edge: Edge) -> str:
        return "" if self.labelled else " sized neg" if edge.weight < 0 else " sized pos"

    def _width(self, edge: Edge) -> str:
        if self.labelled:
            return ""
        share = abs(edge.weight) / self.widest if self.widest and math.isfinite(edge.weight) else 0.0
        opacity = 0.35 + 0.6 * share if edge.tag is None else 1.0
        return f' stroke-width="{0.4 + 2.8 * share:.2f}" opacity="{opacity:.2f}"'

    def labels(self) -> Iterator[str]:
        """The name and the number of each weight, where least is in the way."""
        if not self.labelled:
            return
        taken = list(self._node_boxes())
        for edge in self.drawing.edges:
            box = min(self._boxes(edge), key=lambda box: self._cost(edge, box, taken))
            taken.append(box)
            x, y = (box.left + box.right) / 2, box.bottom - 4
            yield (
                f'<g class="edge{_tagged(edge.tag)}"><text x="{x:.1f}" y="{y:.1f}" class="halo middle">'
                f'<tspan class="name">{_escape(edge.name)}</tspan> {_escape(edge.text)}</text></g>'
            )

    def _boxes(self, edge: Edge) -> Iterator[_Box]:
        """Where its label may stand, the best places first."""
        half = _px(f"{edge.name} {edge.text}") / 2 + 5
        for share in _PLACES:
            x, y = self.lines[edge].at(share)
            yield _Box(x - half, y - _LINE / 2, x + half, y + _LINE / 2)

    def _cost(self, edge: Edge, box: _Box, taken: Sequence[_Box]) -> float:
        """What stands in the way: texts count most, then other lines."""
        covered = sum(box.overlap(other) for other in taken)
        others = (self.lines[other] for other in self.drawing.edges if other.layer == edge.layer)
        return 10 * covered + 5 * sum(line.crosses(box) for line in others if line != self.lines[edge])

    def _node_boxes(self) -> Iterator[_Box]:
        """The neurons and their values."""
        reach = self.radius + 4
        for column, (x, blocks, ys) in enumerate(zip(self.xs, self.blocks, self._node_ys(), strict=True)):
            for block, y in zip(blocks, ys, strict=True):
                left, top = self._corner(column, block, y)
                yield _Box(x - reach, y - reach, x + reach, y + reach)
                yield _Box(left - 8, top - 4, left + block.width + 8, top + block.height + 4)

    # -------------------------------------------------------------- neurons and their values

    def headings(self) -> Iterator[str]:
        """The name of each column, and below it its activation."""
        for x, column in zip(self.xs, self.drawing.columns, strict=True):
            yield _text(x, _MARGIN + 10, "head middle", column.name)
            if column.activation:
                yield _text(x, _MARGIN + 10 + _LINE, "soft middle", column.activation)

    def nodes(self) -> Iterator[str]:
        """The neurons, their values, and the dots of the gaps."""
        for index, (column, ys) in enumerate(zip(self.drawing.columns, self.ys, strict=True)):
            for item, y in zip(column.nodes, ys, strict=True):
                yield from self._gap(index, item, y) if isinstance(item, Gap) else self._node(index, item, y)

    def _gap(self, column: int, gap: Gap, y: float) -> Iterator[str]:
        yield _text(self.xs[column], y, "dots halo middle", "⋮")
        yield _text(self.xs[column], y + _LINE, "soft halo middle", f"{gap.count:,} more")

    def _node(self, column: int, node: Node, y: float) -> Iterator[str]:
        x, block = self.xs[column], self._block(node)
        yield f'<g class="node{_tagged(node.tag)}"><title>{_escape(node.name)}</title>'
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{self.radius:g}"/>'
        if not block.name:
            yield _text(x, y + 4.5, "name middle", node.name)
        yield from self._texts(column, block, y)
        yield "</g>"

    def _texts(self, column: int, block: _Block, y: float) -> Iterator[str]:
        left, top = self._corner(column, block, y)
        if 0 < column < len(self.xs) - 1:
            yield (
                f'<rect class="card" x="{left - 4:.1f}" y="{top:.1f}" width="{block.width + 8:.1f}" '
                f'height="{block.height + 4:.1f}" rx="4"/>'
            )
        baseline = top + _FONT
        if block.name:
            place, side = (left + block.width, " end") if column == 0 else (left, "")
            yield _text(place, baseline, "name" + side, block.name)
            baseline += _LINE
        if column == 0:  # up to the neuron
            left += block.width - max((_px(number) for _, number in block.values), default=0.0)
            left -= block.label_width + 6
        for label, number in block.values:
            yield _text(left, baseline, "label", label)
            yield _text(left + block.label_width + 6, baseline, "number", number)
            baseline += _LINE

    def _corner(self, column: int, block: _Block, y: float) -> tuple[float, float]:
        """The left upper corner of a neuron's texts: left of inputs, right of outputs, below all others."""
        beside = self.radius + _SPACE
        if column == 0:
            return self.xs[column] - beside - block.width, y - block.height / 2
        if column == len(self.xs) - 1:
            return self.xs[column] + beside, y - block.height / 2
        return self.xs[column] - block.width / 2, y + self.radius + 5

    def _node_ys(self) -> list[list[float]]:
        return [
            [y for item, y in zip(column.nodes, ys, strict=True) if isinstance(item, Node)]
            for column, ys in zip(self.drawing.columns, self.ys, strict=True)
        ]

    # -------------------------------------------------------------- below

    def biases(self) -> Iterator[str]:
        """The bias that a layer shares, under it."""
        for x, column in zip(self.xs, self.drawing.columns, strict=True):
            if column.bias is None:
                continue
            label = f"{column.bias.name} {column.bias.values[0][1]}"
            half, y = _px(label) / 2 + 10, self.bottom + 8
            yield f'<g class="bias{_tagged(column.bias.tag)}">'
            yield f'<rect x="{x - half:.1f}" y="{y - 17:.1f}" width="{2 * half:.1f}" height="25" rx="12"/>'
            yield f'<text x="{x:.1f}" y="{y:.1f}" class="middle"><tspan class="name">'
            yield f"{_escape(column.bias.name)}</tspan> {_escape(column.bias.values[0][1])}</text></g>"

    def foot(self) -> Iterator[str]:
        """The legend and the caption; sets the height."""
        y = self.bottom + (_LINE + 24 if any(column.bias for column in self.drawing.columns) else 4)
        if not self.labelled:
            yield from self._legend(y)
            y += 24
        for line in _wrapped(visible(self.drawing.caption), (self.width - 2 * _MARGIN) / _FONT):
            yield _text(_MARGIN, y, "soft", line)
            y += _LINE
        self.height = y - _LINE + _MARGIN

    def _legend(self, y: float) -> Iterator[str]:
        samples = (("pos", "weight > 0"), ("neg", "weight < 0"))
        x = float(_MARGIN)
        for sign, text in samples:
            yield f'<g class="edge sized {sign}" stroke-width="2.5"><line x1="{x:.1f}" y1="{y - 4:.1f}" '
            yield f'x2="{x + 34:.1f}" y2="{y - 4:.1f}"/></g>'
            yield _text(x + 42, y, "soft", text)
            x += 66 + _px(text)
        yield _text(x, y, "soft", f"widest: |w| = {self.widest:.3g}")


def _stacked(top: float, heights: Sequence[float], radius: float) -> list[float]:
    """The middles of neurons and gaps, one under the other."""
    middles = []
    for height in heights:
        middles.append(top + (_GAP / 2 if height == _GAP else radius))
        top += height
    return middles


def _wrapped(text: str, room: float) -> list[str]:
    """The text in lines of at most ``room`` em, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if _em(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(shortened(word, room, _em))
    return [line for line in lines if line]


def _tagged(tag: int | None) -> str:
    return "" if tag is None else f" tagged t{tag}"


def _text(x: float, y: float, classes: str, content: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{classes}">{_escape(content)}</text>'


def _escape(text: str) -> str:
    return escape(visible(text))
