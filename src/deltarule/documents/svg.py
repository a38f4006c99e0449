"""A drawing as one self-contained SVG."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterator
from html import escape

from deltarule.documents.drawing import Drawing, Edge, Gap, Node, shortened, visible
from deltarule.documents.svg_layout import FONT, LINE, MARGIN, NeuronTexts, SvgLayout, em, px
from deltarule.documents.svg_style import svg_style


def svg(drawing: Drawing, dark: bool = True, narrow: bool = False) -> str:
    """The drawing as an ``<svg>`` element, which is also a whole file.

    Up to 20 weights stand at their edges; more are drawn as lines alone, with a legend.

    Parameters
    ----------
    drawing : Drawing
    dark : bool
        Whether it follows a reader who likes a dark ground; not for slides and for pages that do not.
    narrow : bool
        Whether its columns are close to each other, for the screen of a telephone.

    Examples
    --------
    >>> from deltarule.derivations.network_drawing import draw
    >>> from deltarule.nn.network import Network
    >>> svg(draw(Network([2, 1]))).startswith('<svg xmlns="http://www.w3.org/2000/svg" class="deltarule-net"')
    True
    """
    page = _Elements(drawing, narrow)
    body = [*page.edges(), *page.headings(), *page.nodes(), *page.biases(), *page.labels(), *page.foot()]
    width, height = math.ceil(page.layout.width), math.ceil(page.height)
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="deltarule-net{" narrow" * narrow}" role="img" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    )
    title = f"Neural network, {' – '.join(str(column.size) for column in drawing.columns)}"
    words = [f"<title>{title}</title>", f"<desc>{_escape(_description(page.layout))}</desc>"]
    return "\n".join([root, *words, svg_style(dark), *body, "</svg>"])


def as_image(drawn: str, words: str) -> str:
    """An ``<img>`` of a drawing: its style reaches nothing else on the page, and notebooks keep it whole."""
    source = f"data:image/svg+xml;base64,{b64encode(drawn.encode()).decode()}"
    return f'<img src="{source}" alt="{_escape(words)}" style="max-width:100%;background:white"/>'


def _description(layout: SvgLayout) -> str:
    """What the picture shows, for those who cannot see it."""
    drawing = layout.drawing
    lines = [drawing.caption]
    for column in drawing.columns:
        items = [*column.nodes, *([column.bias] if column.bias else [])]
        lines.append(f"{column.heading}: {'; '.join(map(_item_in_words, items))}.")
    if layout.labelled:
        lines.append(f"weights: {', '.join(f'{edge.name} {edge.text}' for edge in drawing.edges)}.")
    return " ".join(filter(None, lines))


def _item_in_words(item: Node | Gap) -> str:
    if isinstance(item, Gap):
        return f"{item.count:,} more"
    return ", ".join([item.name, *(f"{label} {number}" for label, number in item.values)])


class _Elements:
    """The elements of the picture, part by part."""

    def __init__(self, drawing: Drawing, narrow: bool) -> None:
        self.drawing, self.layout = drawing, SvgLayout(drawing, narrow)
        known = [abs(edge.weight) for edge in drawing.edges if math.isfinite(edge.weight)]
        self.widest = max(known, default=0.0)

    def edges(self) -> Iterator[str]:
        """The lines, those with a tag above the others."""
        for edge in sorted(self.drawing.edges, key=lambda edge: edge.tag is not None):
            line = self.layout.lines[edge]
            title = f"<title>{_escape(f'{edge.name} = {edge.text}')}</title>"
            yield (
                f'<g class="edge{self._sign_and_width(edge)}>{title}'
                f'<line x1="{line.x1:.1f}" y1="{line.y1:.1f}" x2="{line.x2:.1f}" y2="{line.y2:.1f}"/></g>'
            )

    def _sign_and_width(self, edge: Edge) -> str:
        """The end of the class, and the attributes, of an edge: without a label its line shows the weight."""
        if self.layout.labelled:
            return f'{_tag_classes(edge.tag)}{_path_classes(edge.paths)}"'
        sign = "neg" if edge.weight < 0 else "pos"
        share = abs(edge.weight) / self.widest if self.widest and math.isfinite(edge.weight) else 0.0
        opacity = 0.35 + 0.6 * share if edge.tag is None else 1.0
        width = f'stroke-width="{0.4 + 2.8 * share:.2f}" opacity="{opacity:.2f}"'
        return f' sized {sign}{_tag_classes(edge.tag)}{_path_classes(edge.paths)}" {width}'

    def labels(self) -> Iterator[str]:
        """The name and the number of each weight."""
        for edge, box in self.layout.labels():
            x, y = (box.left + box.right) / 2, box.bottom - 4
            yield (
                f'<g class="edge{_tag_classes(edge.tag)}"><text x="{x:.1f}" y="{y:.1f}" class="halo middle">'
                f'<tspan class="name">{_escape(edge.name)}</tspan> {_escape(edge.text)}</text></g>'
            )

    def headings(self) -> Iterator[str]:
        """The name of each column, and below it its activation."""
        for x, column in zip(self.layout.xs, self.drawing.columns, strict=True):
            yield _text_element(x, MARGIN + 10, "head middle", column.name)
            if column.activation:
                yield _text_element(x, MARGIN + 10 + LINE, "soft middle", column.activation)

    def nodes(self) -> Iterator[str]:
        """The neurons, their values, and the dots of the gaps."""
        for index, (column, x) in enumerate(zip(self.drawing.columns, self.layout.xs, strict=True)):
            for item, y in zip(column.nodes, self.layout.ys[index], strict=True):
                if isinstance(item, Gap):
                    yield _text_element(x, y, "dots halo middle", "⋮")
                    yield _text_element(x, y + LINE, "soft halo middle", f"{item.count:,} more")
                else:
                    yield from self._neuron(index, item, y)

    def _neuron(self, column: int, node: Node, y: float) -> Iterator[str]:
        x, block = self.layout.xs[column], self.layout.texts(node)
        classes = _tag_classes(node.tag) + _path_classes(node.paths)
        yield f'<g class="node{classes}"><title>{_escape(node.name)}</title>'
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{self.layout.radius:g}"/>'
        if not block.name:
            yield _text_element(x, y + 4.5, "name middle", node.name)
        yield from self._neuron_texts(column, block, y)
        yield "</g>"

    def _neuron_texts(self, column: int, block: NeuronTexts, y: float) -> Iterator[str]:
        left, top = self.layout.corner(column, block, y)
        if 0 < column < len(self.layout.xs) - 1:
            yield (
                f'<rect class="card" x="{left - 4:.1f}" y="{top:.1f}" width="{block.width + 8:.1f}" '
                f'height="{block.height + 4:.1f}" rx="4"/>'
            )
        baseline = top + FONT
        if block.name:
            place, side = (left + block.width, " end") if column == 0 else (left, "")
            yield _text_element(place, baseline, "name" + side, block.name)
            baseline += LINE
        if column == 0:  # up to the neuron
            left += block.width - max((px(number) for _, number in block.values), default=0.0)
            left -= block.label_width + 6
        for label, number in block.values:
            yield _text_element(left, baseline, "label", label)
            yield _text_element(left + block.label_width + 6, baseline, "number", number)
            baseline += LINE

    def biases(self) -> Iterator[str]:
        """The bias that a layer shares, under it."""
        for x, column in zip(self.layout.xs, self.drawing.columns, strict=True):
            if column.bias is None:
                continue
            name, number = column.bias.name, column.bias.values[0][1]
            half, y = px(f"{name} {number}") / 2 + 10, self.layout.bottom + 8
            yield f'<g class="bias{_tag_classes(column.bias.tag)}">'
            yield f'<rect x="{x - half:.1f}" y="{y - 17:.1f}" width="{2 * half:.1f}" height="25" rx="12"/>'
            yield f'<text x="{x:.1f}" y="{y:.1f}" class="middle"><tspan class="name">'
            yield f"{_escape(name)}</tspan> {_escape(number)}</text></g>"

    def foot(self) -> Iterator[str]:
        """The legend and the caption; sets the height."""
        y = self.layout.bottom + (LINE + 24 if any(column.bias for column in self.drawing.columns) else 4)
        if not self.layout.labelled:
            x = float(MARGIN)
            for sign, text in (("pos", "weight > 0"), ("neg", "weight < 0")):
                yield f'<g class="edge sized {sign}" stroke-width="2.5"><line x1="{x:.1f}" y1="{y - 4:.1f}" '
                yield f'x2="{x + 34:.1f}" y2="{y - 4:.1f}"/></g>'
                yield _text_element(x + 42, y, "soft", text)
                x += 66 + px(text)
            yield _text_element(x, y, "soft", f"widest: |w| = {self.widest:.3g}")
            y += 24
        for line in _wrapped(visible(self.drawing.caption), (self.layout.width - 2 * MARGIN) / FONT):
            yield _text_element(MARGIN, y, "soft", line)
            y += LINE
        self.height = y - LINE + MARGIN


def _wrapped(text: str, room: float) -> list[str]:
    """The text in lines of at most ``room`` em, broken between words."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if em(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(shortened(word, room, em))
    return [line for line in lines if line]


def _tag_classes(tag: int | None) -> str:
    return "" if tag is None else f" tagged t{tag}"


def _path_classes(paths: tuple[int, ...]) -> str:
    return "".join(f" p{path}" for path in paths)


def _text_element(x: float, y: float, classes: str, content: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{classes}">{_escape(content)}</text>'


def _escape(text: str) -> str:
    return escape(visible(text))
