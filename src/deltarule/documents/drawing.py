"""A network as what is to be drawn: neurons with their values, weights between them; free of any format."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from deltarule.registry import record

#: Colours that tie a neuron or a weight to a factor of a formula: 0 … 7.
N_TAGS = 8

_JOINERS = "\u200c\u200d"  # they shape letters and emoji, and have no place of their own


@record
class Node:
    """A neuron, or a bias that a layer shares.

    Parameters
    ----------
    name : str
        Any text: inputs may be called as the features of a data set.
    values : tuple of (str, str)
        Label and number: ``("net", "0.3775")``, ``("δ", "0.0087713547")``.
    tag : int, optional
        Its colour, 0 … 7.
    paths : tuple of int
        The paths to the loss on which it lies.
    """

    name: str
    values: tuple[tuple[str, str], ...] = ()
    tag: int | None = None
    paths: tuple[int, ...] = ()


@record
class Gap:
    """So many neurons that are left out here."""

    count: int


@record
class NeuronColumn:
    """The inputs, or a layer's neurons from top to bottom.

    Parameters
    ----------
    name : str
        ``"inputs"``, ``"layer 1"``.
    activation : str
        Its name; empty for the inputs.
    nodes : tuple of Node or Gap
    bias : Node, optional
        The bias that all its neurons share; a bias of one neuron is among that neuron's values.
    """

    name: str
    activation: str
    nodes: tuple[Node | Gap, ...]
    bias: Node | None = None

    @property
    def heading(self) -> str:
        """The name, and the activation where there is one."""
        return f"{self.name}, {self.activation}" if self.activation else self.name

    @property
    def size(self) -> int:
        """How many neurons there are, drawn or not."""
        return sum(item.count if isinstance(item, Gap) else 1 for item in self.nodes)

    @property
    def n_left_out(self) -> int:
        """How many of them are not drawn."""
        return sum(item.count for item in self.nodes if isinstance(item, Gap))


@record
class Edge:
    """A weight, from ``columns[layer - 1].nodes[source]`` to ``columns[layer].nodes[target]``.

    Parameters
    ----------
    layer, source, target : int
    name : str
        ``"w5"``.
    weight : float
    text : str
        The weight as it is printed.
    tag : int, optional
        Its colour, 0 … 7.
    paths : tuple of int
        The paths to the loss on which it lies.
    """

    layer: int
    source: int
    target: int
    name: str
    weight: float
    text: str
    tag: int | None = None
    paths: tuple[int, ...] = ()


@record
class Drawing:
    """What is to be drawn: columns from the inputs to the outputs, the edges between them, a caption."""

    columns: tuple[NeuronColumn, ...]
    edges: tuple[Edge, ...]
    caption: str


def visible(text: str) -> str:
    """``text`` with a picture for each control character, and without what would turn its direction.

    Examples
    --------
    >>> visible("two\\nlines")
    'two␊lines'
    """
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    code, category = ord(character), unicodedata.category(character)
    if code < 0x20 or code == 0x7F:
        return chr(0x2400 + min(code, 0x21))
    if category in ("Cc", "Cs") or character in "\ufffe\uffff":
        return "\ufffd"
    if category in ("Zl", "Zp"):
        return " "
    return "" if category == "Cf" and character not in _JOINERS else character


def shortened(text: str, room: float, measure: Callable[[str], float]) -> str:
    """``text``, or as much of its beginning as fits into ``room`` together with an ellipsis.

    Examples
    --------
    >>> shortened("sepal length", 8, len)
    'sepal l…'
    """
    most = 4 * int(room) + 4  # marks that take no room of their own also end
    if len(text) <= most and measure(text) <= room:
        return text
    text = text[:most]
    while text and measure(text + "…") > room:
        text = text[:-1]
    return text + "…"
