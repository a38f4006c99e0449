"""How networks, data sets, trainings and reports show themselves in a notebook, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from deltarule.data import Dataset
from deltarule.data.summary import SHOWN_COLUMNS, described_columns, first_rows
from deltarule.data.table import Table
from deltarule.derivations.network_drawing import draw
from deltarule.documents.svg import as_image, svg
from deltarule.errors import MissingExtraError
from deltarule.nn.network import Network
from deltarule.plotting import draw_history, figure, figure_bytes
from deltarule.training import History
from deltarule.tutorials import Example


def network(net: Network) -> str:
    """Draw a network, with its weights where there are few."""
    return as_image(svg(draw(net), dark=False), repr(net))


def example(worked: Example) -> str:
    """Draw the network of a worked example below its title."""
    return f"<div><b>{escape(worked.title)}</b><br/>{network(worked.network())}</div>"


def history(trained: History) -> str:
    """Draw loss and metrics by epoch; without matplotlib, print them as a table."""
    columns = [name for name in trained if name not in ("epoch", "learning_rate") and name[:4] != "val_"]
    try:
        made, panels = figure(len(columns))
    except MissingExtraError:
        return report(trained)
    for panel, column in zip(panels, columns, strict=True):
        draw_history(panel, trained, column)
    return as_image(figure_bytes(made, "svg").decode(), str(trained))


def dataset(data: Dataset) -> str:
    """Show the kinds of the columns, and the first rows."""
    words = f"<b>{escape(data.name)}</b>: {len(data):,} rows, {data.task}"
    if data.target_names:
        words += f", target {escape(', '.join(data.target_names))}"
    if not isinstance(data.inputs, Table):
        return f"<p>{words}; pictures of {' × '.join(map(str, data.inputs.shape[1:]))}</p>"
    head, *rows = first_rows(data, data.inputs)
    more = len(data.inputs.names) - SHOWN_COLUMNS
    left = f"<p>… and {more} more columns</p>" if more > 0 else ""
    columns = _table(("column", "kind", "missing", "values"), described_columns(data.inputs))
    return f"<div><p>{words}</p>{columns}<p>First rows:</p>{_table(head, rows)}{left}</div>"


def report(told: Any) -> str:
    """Print a report as it is printed elsewhere, in letters of equal width."""
    return f'<pre style="line-height:1.3;white-space:pre-wrap">{escape(str(told))}</pre>'


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    def row(cells: Sequence[object], tag: str) -> str:
        style = "text-align:left;padding:0.2em 1em 0.2em 0.3em"
        written = "".join(f'<{tag} style="{style}">{escape(str(cell))}</{tag}>' for cell in cells)
        return f"<tr>{written}</tr>"

    return f"<table>{row(head, 'th')}{''.join(row(cells, 'td') for cells in rows)}</table>"
