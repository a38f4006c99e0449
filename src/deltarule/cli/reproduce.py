"""``deltarule reproduce``: the tutorials' published figures beside ours."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deltarule.cli.console import console, print_json
from deltarule.data import load
from deltarule.tutorials import SOURCES, TUTORIALS, Comparison, Reproduction, decimals, reproductions

_MARKS = {True: ("✓", "green"), False: ("✗", "yellow"), None: ("–", "dim")}
_WIDEST_NOTE = 100


@click.command()
@click.argument(
    "tutorials", nargs=-1, type=click.Choice(TUTORIALS, case_sensitive=False), metavar="[TUTORIAL]..."
)
@click.option("--quick", is_flag=True, help="Shorten the long experiments: half a minute in all.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option(
    "--mnist", "folder", type=click.Path(), metavar="FOLDER",
    help="The folder with MNIST: train/0…9 and test/0…9 with pictures, or the four IDX files.",
)  # fmt: skip
@click.pass_context
def reproduce(
    context: click.Context, tutorials: tuple[str, ...], quick: bool, as_json: bool, folder: str | None
) -> None:
    """Run the experiments of five tutorials, and print their published figures beside ours.

    Choose among T1 to T5, one_step (scikit-learn's SGD step), rat42 (NIST's certified regression) and
    product_of_sums (a course's exercise). [default: all] Each names its source; where a source is wrong, a
    note says why. All of them together take some minutes, most of that for MNIST, which is read from
    $DELTARULE_DATA_HOME/mnist or downloaded.

    The exit status is 1 if a figure that must agree does not.

    \b
    Examples:
      deltarule reproduce T1 T4
      deltarule reproduce --quick
      deltarule reproduce T5 --mnist mnist-images
    """
    images = None if folder is None else load(folder)
    chosen = [e for e in reproductions(quick=quick, images=images) if e.tutorial in (tutorials or TUTORIALS)]
    all_rows: list[Comparison] = []
    ran = []
    errors = Console(file=sys.stderr)
    for experiment in chosen:
        started, named = time.perf_counter(), {"tutorial": experiment.tutorial, "title": experiment.title}
        status = f"{experiment.tutorial}: {experiment.title} …"
        with errors.status(status) if errors.is_terminal else nullcontext():
            rows = experiment.run()
        seconds = time.perf_counter() - started
        all_rows += rows
        source = str(SOURCES[experiment.tutorial])
        ran.append(
            {**named, "source": source, "seconds": round(seconds, 3), "rows": [asdict(row) for row in rows]}
        )
        if not as_json:
            _print_experiment(experiment, rows, seconds)
    ok = all(row.ok for row in all_rows)
    if as_json:
        print_json({"ok": ok, "experiments": ran})
    else:
        console().print(_verdict(all_rows))
    context.exit(0 if ok else 1)


def _print_experiment(experiment: Reproduction, rows: list[Comparison], seconds: float) -> None:
    """A table, and under it the notes that its rows refer to by number."""
    out = console()
    notes = list(dict.fromkeys(row.note for row in rows if row.note))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("quantity")
    for column in ("published", "ours"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("agrees", justify="center", no_wrap=True)
    table.add_column("note", no_wrap=True)
    for row in rows:
        table.add_row(*_row_cells(row, notes))
    title = Text(f"{experiment.tutorial}  {experiment.title}", style="bold")
    out.print(title, Text(f"{seconds:.1f} s", style="dim"))
    source = SOURCES[experiment.tutorial]
    out.print(Text(f"Source: {source.words}"), width=min(out.width, _WIDEST_NOTE))
    if source.address:
        out.print(Text(source.address, style="dim"), soft_wrap=True)
    out.print()
    out.print(table)
    for number, note in enumerate(notes, 1):
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_row(Text(f"[{number}]", style="dim"), Text(note))
        out.print(grid, width=min(out.width, _WIDEST_NOTE))
    out.print()


def _row_cells(row: Comparison, notes: list[str]) -> list[Text]:
    mark, style = _MARKS[row.agrees] if row.ok else ("WRONG", "bold red")
    return [
        Text(row.quantity),
        Text(_figure_text(row.published, row.published)),
        Text(_figure_text(row.ours, row.published)),
        Text(mark, style=style),
        Text(f"[{notes.index(row.note) + 1}]" if row.note else "", style="dim"),
    ]


def _figure_text(value: Any, published: Any) -> str:
    """A number with as many digits as the source prints; a matrix row by row."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return "\n".join(" ".join(f"{entry + 0.0:>12.6g}" for entry in row) for row in value)
    if isinstance(value, int):
        return str(value)
    if not isinstance(published, float):
        return f"{value:.10g}"
    mantissa, exponent, _ = repr(published).partition("e")
    return (
        f"{value:.{decimals(float(mantissa))}e}" if exponent else f"{value:.{max(decimals(published), 2)}f}"
    )


def _verdict(rows: list[Comparison]) -> Text:
    wrong = [f"{row.tutorial} {row.quantity}" for row in rows if not row.ok]
    if wrong:
        words = f"{len(wrong)} of {len(rows)} figures are not as expected: {'; '.join(wrong)}"
        return Text(words, style="bold red")
    published = [row for row in rows if row.agrees is not None]
    agreeing = sum(row.agrees is True for row in published)
    return Text(
        f"{agreeing} of {len(published)} published figures agree; where one does not, its note says why. "
        "Figures without a published one equal the exact value, where that is known."
    )
