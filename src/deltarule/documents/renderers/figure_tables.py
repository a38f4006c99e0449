"""A drawing in words, for formats without pictures: its neurons as a table, its weights in a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deltarule.documents.document import Inline, TableBlock
from deltarule.documents.drawing import Drawing, Edge, Gap, NeuronColumn, Node
from deltarule.formula.tree import Compare, Expr, Number, Symbol, Tagged, Words

_LABELS = ("x", "b", "net", "z", "out", "a", "y", "δ")  # of a neuron's values, in order
_MOST_WEIGHTS = 20  # that are listed


def neurons(drawing: Drawing) -> TableBlock:
    """The neurons of a drawing, with what is known of each."""
    nodes = [item for column in drawing.columns for item in column.nodes if isinstance(item, Node)]
    found = {label for node in nodes for label, _ in node.values}
    if any(column.bias for column in drawing.columns):
        found.add("b")
    labels = [*(label for label in _LABELS if label in found), *sorted(found.difference(_LABELS))]
    unique = _has_unique_names(drawing)
    rows = [row for column in drawing.columns for row in _column_rows(column, labels, unique)]
    return TableBlock(("neuron", *labels), tuple(rows))


def _has_unique_names(drawing: Drawing) -> bool:
    """Whether no two neurons of different layers have the same name."""
    names = [{item.name for item in column.nodes if isinstance(item, Node)} for column in drawing.columns]
    return len(set().union(*names)) == sum(map(len, names))


def _column_rows(column: NeuronColumn, labels: Sequence[str], unique: bool) -> Iterator[tuple[Inline, ...]]:
    for item in column.nodes:
        if isinstance(item, Gap):
            yield (f"… {item.count:,} more", *("" for _ in labels))
        else:
            known = dict(item.values)
            yield (
                _tagged_name(item.name if unique else f"{column.name}: {item.name}", item.tag),
                *(_written_number(known[label]) if label in known else "" for label in labels),
            )
    if column.bias:
        ((_, value),) = column.bias.values
        shared = _tagged_name(column.bias.name, column.bias.tag)
        yield (shared, *(_written_number(value) if label == "b" else "" for label in labels))


def weights(drawing: Drawing) -> tuple[Inline, ...]:
    """The weights of a small network in a row; nothing of a large one."""
    if len(drawing.edges) > _MOST_WEIGHTS:
        return ()
    return tuple(
        part for index, edge in enumerate(drawing.edges) for part in _weight_in_words(drawing, edge, index)
    )


def _weight_in_words(drawing: Drawing, edge: Edge, index: int) -> Iterator[Inline]:
    source = drawing.columns[edge.layer - 1].nodes[edge.source]
    target = drawing.columns[edge.layer].nodes[edge.target]
    assert isinstance(source, Node)
    assert isinstance(target, Node)
    symbol, value = Symbol(edge.name[0], edge.name[1:]), _written_number(edge.text)
    yield "; " if index else "Weights: "
    yield Compare(symbol if edge.tag is None else Tagged(symbol, edge.tag), "=", value)
    if _has_unique_names(drawing):
        yield f" from {source.name} to {target.name}"


def _tagged_name(name: str, tag: int | None) -> Inline:
    return name if tag is None else Tagged(Words(name), tag)


def _written_number(written: str) -> Expr:
    """A number that is written already, as a formula, so that its sign is a minus."""
    try:
        return Number(float(written))
    except ValueError:
        return Words(written)
