"""What is decided about single cells: missing ones filled, rare categories pooled, what a model never met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from deltarule.arrays import Array
from deltarule.data import Dataset
from deltarule.data.decisions import Decision, decide, shown
from deltarule.data.encoding import CategoryColumn, ColumnsEncoding, Encoding, LabelEncoding, Table
from deltarule.experiments.choices import Choices
from deltarule.registry import did_you_mean


def encoding_decisions(dataset: Dataset, encoding: Encoding, choices: Choices) -> list[Decision]:
    """What the encoding does to the rows of a table that their file does not say."""
    inputs, table = encoding.inputs, dataset.inputs
    if not isinstance(inputs, ColumnsEncoding) or not isinstance(table, Table):
        return []
    decisions = _filled_cells(table, inputs, choices.missing.replace("drop", "median"))
    for column in inputs.columns:
        if isinstance(column, CategoryColumn) and column.other:
            cells = table.column(column.name)[column.unseen(table) & ~table.missing(column.name)].tolist()
            decisions.append(pooled(column.name, Counter(cells)))
    return decisions


def pooled(column: str, counts: Counter[str]) -> Decision:
    """Tell which rare categories of a column, of so many rows each, are taken together."""
    texts = [text for text, _ in counts.most_common()]
    words = {"column": column, "count": len(texts), "rows": counts.total(), "shown": shown(texts)}
    return decide("rare", **words)


def strange_cells(table: Table | Array, encoding: Encoding) -> list[Decision]:
    """What becomes of cells that are missing, or hold what a model never met."""
    inputs = encoding.inputs
    if not isinstance(inputs, ColumnsEncoding) or not isinstance(table, Table):
        return []
    decisions = _filled_cells(table, inputs, "")
    for column in inputs.columns:
        if not isinstance(column, CategoryColumn):
            continue
        unseen = column.unseen(table) & ~table.missing(column.name)
        if unseen.any():
            texts = list(dict.fromkeys(map(str, table.column(column.name)[unseen].tolist())))
            words = {
                "column": column.name, "count": int(unseen.sum()), "shown": shown(texts), "cell": texts[0],
                "counted": "other" if column.other else "none of its categories",
                "hint": did_you_mean(texts[0], column.categories),
            }  # fmt: skip
            decisions.append(decide("unseen", *table.place(unseen, column.name), **words))
    return decisions


def _filled_cells(table: Table, inputs: ColumnsEncoding, statistic: str) -> list[Decision]:
    """The missing cells that an encoding fills, by column."""
    gone = {column.name: table.missing(column.name) for column in inputs.columns}
    counts = {name: int(missing.sum()) for name, missing in gone.items()}
    places = {name: table.place(missing, name) for name, missing in gone.items()}
    return filled(inputs, counts, statistic, places)


def filled(
    inputs: ColumnsEncoding,
    counts: Mapping[str, int],
    statistic: str,
    places: Mapping[str, tuple[int | None, int | None]],
) -> list[Decision]:
    """Tell how many missing cells of each column an encoding fills with what."""
    decisions: list[Decision] = []
    told = set()
    for column in inputs.columns:
        if not counts.get(column.name) or column.fill is None or column.source in told:
            continue
        told.add(column.source)  # once for all parts of a date
        text = isinstance(column, CategoryColumn)
        value = repr(column.fill) if text else f"{column.fill:.5g}"
        how = "" if not statistic else "the most frequent, " if text else f"the {statistic}, "
        words = {"column": column.source, "count": counts[column.name], "fill": how + value}
        decisions.append(decide("missing", *places.get(column.name, (None, None)), **words))
    return decisions


def new_labels(dataset: Dataset, target: LabelEncoding) -> list[Decision]:
    """The labels that a model does not know, where there are any."""
    new = ~known_labels(dataset.target, target)
    if not new.any():
        return []
    labels = list(dict.fromkeys(dataset.target[new].tolist()))
    words = {
        "count": int(new.sum()),
        "shown": shown(labels),
        "cell": labels[0],
        "hint": did_you_mean(str(labels[0]), map(str, target.classes)),
    }
    place: tuple[int | None, int | None] = (None, None)
    words["place"] = f"row {int(new.argmax()) + 1}"
    if isinstance(dataset.inputs, Table) and dataset.inputs.origin is not None:
        place = dataset.inputs.place(new, target.name)
        words["place"] = ":".join([dataset.inputs.origin.path, *(str(number) for number in place if number)])
    return [decide("new-label", *place, column=target.name, **words)]


def known_labels(labels: Array, target: LabelEncoding) -> Array:
    """Whether each label is one of the classes, (n_rows,) of bool."""
    classes = set(target.classes)
    return np.fromiter((label in classes for label in labels.tolist()), bool, len(labels))
