"""Rows of cells, as a table has them, for exported networks: read by this library, made up, described."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from deltarule.arrays import Array
from deltarule.data.meaning import DATE_FORMS, parted, read_column
from deltarule.data.reading import Cells
from deltarule.data.table import Table
from deltarule.exchange.portable_network import PortableNetwork

#: How a made-up date of each order is written.
_DATES = {
    "ymd": "%Y-%m-%d %H:%M", "dmy": "%d.%m.%Y", "mdy": "%m/%d/%Y %H:%M", "time": "%H:%M", "ym": "%Y-%m",
    "my": "%m/%Y",
}  # fmt: skip
_SAID = {
    "number": "a number", "comma": "a number with a decimal comma", "yes-no": "yes or no", "time": "a time",
    "ymd": "a date: year, month, day", "dmy": "a date: day, month, year", "mdy": "a date: month, day, year",
    "ym": "a date: year, month", "my": "a date: month, year",
}  # fmt: skip
_NEVER_MET = "something else"


def features_of(network: PortableNetwork, rows: Sequence[Sequence[str]]) -> Array:
    """Return what rows of cells make of each input, (n_rows, n_features), NaN where a cell is missing."""
    read = []
    for name, kind, texts in zip(network.columns, network.cell_kinds, zip(*rows, strict=True), strict=True):
        cells = Cells.of(texts, as_text=kind == "text")
        read.append(read_column(name, cells, kind).with_missing().values)
    features = np.empty((len(rows), len(network.features)))
    for place, source in enumerate(network.sources):
        values = read[source.column]
        if source.kind not in ("text", "other"):
            part = "missing" if source.kind == "missing" else source.part
            features[:, place] = Table({"": values[part]}).column("").astype(float)
            continue
        known = [s.part for s in network.sources if s.kind == "text" and s.column == source.column]
        wanted = {source.part} if source.kind == "text" else set(known)
        texts = Table({"": values[""]}).column("").tolist()
        features[:, place] = [
            np.nan if text is None else float((text in wanted) == (source.kind == "text")) for text in texts
        ]
    return features


def cells_of(network: PortableNetwork, features: Array) -> tuple[tuple[str, ...], ...]:
    """Return rows of cells that make about these inputs, (n_rows, n_features)."""
    return tuple(
        tuple(_cell(network, column, row) for column in range(len(network.columns))) for row in features
    )


def _cell(network: PortableNetwork, column: int, row: Array) -> str:
    """A cell of a column that makes about these inputs, (n_features,)."""
    kind, _ = parted(network.cell_kinds[column])
    parts = {
        source.part: value
        for source, value in zip(network.sources, row.tolist(), strict=True)
        if source.column == column and source.kind != "missing"
    }
    if kind == "text":
        return max(parts, key=lambda part: parts[part]) or _NEVER_MET
    if kind in DATE_FORMS:
        hours = min(max(parts.get("hour", 0.0), 0.0), 23.9)
        days = 0.0 if kind == "time" else float(np.clip(round(parts.get("days", 0.0)), -25000, 47000))
        return (datetime(1970, 1, 1) + timedelta(days=days, hours=hours)).strftime(_DATES[kind])
    if kind == "yes-no":
        return "yes" if parts[""] > 0.5 else "no"
    text = repr(parts[""]).removesuffix(".0")
    if kind.startswith("unit "):
        return f"{text} {kind[5:]}"
    return text.replace(".", ",") if kind == "comma" else text


def column_notes(network: PortableNetwork) -> list[str]:
    """Return for each column what its cells are."""
    notes = []
    for column, kind in enumerate(network.cell_kinds):
        found = [s.part for s in network.sources if s.column == column and s.kind == "text"]
        is_open = any(s.column == column and s.kind == "other" for s in network.sources)
        texts = f"a text: {', '.join([*found, *['anything else'] * is_open])}"
        base, gone = parted(kind)
        said = _SAID.get(base) or f"a number of {base[5:]}"
        notes.append(texts if kind == "text" else said if gone is None else f"{said}; {gone:g} is missing")
    return notes
