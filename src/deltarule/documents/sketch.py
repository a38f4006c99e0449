"""A drawing for a terminal: boxes and wires where they fit, else lists, else one line for each layer."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from deltarule.documents.drawing import Drawing, Gap, NeuronColumn, Node, shortened, visible
from deltarule.documents.sketch_figure import as_figure, bias_in_words, cell_width
from deltarule.errors import InputError

_MOST_LISTED = 60  # edges of a list
_NAME_ROOM = 20  # cells: the longest name
_LEAST_WIDTH = 20

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
    lines = as_figure(shown, width) or _as_lists(shown, width) or _as_summary(shown, width)
    return "\n".join(_fitted(line, width, ascii) for line in lines)


# ------------------------------------------------------------------ texts


def _fitted(line: str, width: int, ascii: bool) -> str:
    if not ascii:
        return shortened(line.rstrip(), width, cell_width)
    line = _to_ascii(line.rstrip())
    return line if len(line) <= width else line[: width - 3] + "..."


def _to_ascii(text: str) -> str:
    return "".join(_ASCII.get(character, character) for character in text).encode("ascii", "replace").decode()


def _presentable(drawing: Drawing, ascii: bool) -> Drawing:
    """The drawing with names that a terminal can show, and short ones."""

    def text(given: str) -> str:
        shown = "".join(character for character in visible(given) if not _changes_width(character))
        shown = shortened(shown, _NAME_ROOM, cell_width)
        return _to_ascii(shown) if ascii else shown

    def node(given: Node) -> Node:
        return Node(text(given.name), tuple((text(label), text(number)) for label, number in given.values))

    def column(given: NeuronColumn) -> NeuronColumn:
        nodes = tuple(item if isinstance(item, Gap) else node(item) for item in given.nodes)
        return NeuronColumn(given.name, text(given.activation), nodes, given.bias and node(given.bias))

    edges = tuple(replace(edge, text=text(edge.text), tag=None) for edge in drawing.edges)
    return Drawing(tuple(map(column, drawing.columns)), edges, drawing.caption)


def _changes_width(character: str) -> bool:
    """Whether it changes how wide its neighbours are: terminals disagree on that."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


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
            lines.append(f"  {bias_in_words(column.bias)}")
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
        if lines and cell_width(lines[-1]) + 2 + cell_width(item) <= width:
            lines[-1] += f"  {item}"
        else:
            lines.append(indent + item)
    return lines


def _as_summary(drawing: Drawing, width: int) -> list[str]:
    """One line for each layer, with as many neurons as it holds."""
    lines = []
    for column in drawing.columns:
        kind = f" neurons, {column.activation}" if column.activation else ""
        line = f"{column.name}: {column.size:,}{kind}"
        for item in column.nodes:
            longer = f"{line}{', ' if item is not column.nodes[0] else '; '}{_in_short(item)}"
            if cell_width(longer) > width - 5:  # an ellipsis of three dots fits behind it
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
