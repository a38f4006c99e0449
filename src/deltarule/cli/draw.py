"""``deltarule draw``: a network as a figure for a lecture or a paper."""

from __future__ import annotations

from pathlib import Path

import click

from deltarule.cli.console import say
from deltarule.cli.options import FILE, GroupedCommand
from deltarule.cli.sources import ROW, load_source
from deltarule.derivations.network_drawing import draw as draw_network
from deltarule.documents.drawing import Drawing
from deltarule.documents.renderers.figure_files import FIGURE_FORMATS, figure_file
from deltarule.errors import InputError
from deltarule.files import check_writable, format_of, write_atomically
from deltarule.formula.text import text
from deltarule.formula.tree import measured
from deltarule.nn.network import Network
from deltarule.tutorials import is_example


@click.command(cls=GroupedCommand, short_help="Draw a network as a figure: weights, values, δ.")
@click.argument("source")
@click.argument("rows", required=False)
@ROW
@click.option(
    "--out", "-o", type=FILE, required=True, help="Write the figure to this file, named .svg, .pdf or .png."
)
@click.option("--values/--no-values", default=True, help="Show net, out and δ of the row.")
@click.option("--digits", type=click.IntRange(1, 17), default=4, help="The number of significant digits.")
def draw(source: str, rows: str | None, row: int | None, out: Path, values: bool, digits: int) -> None:
    """Draw the network of SOURCE with its weights, and the values of one row.

    SOURCE is a worked example (T1 to T5), a .toml file (deltarule new writes one), or a saved model, with or
    without ROWS for it. Up to 20 weights are written at their lines; more are shown by width and colour.

    \b
    Examples:
      deltarule draw T1 -o net.svg
      deltarule draw mine.toml -o net.pdf --no-values
      deltarule draw iris.safetensors Iris.csv --row 17 -o iris.png
    """
    format = format_of(out, FIGURE_FORMATS)
    if format is None:
        raise InputError(f"--out {out}: the name must end in {', '.join(FIGURE_FORMATS.values())}")
    check_writable(out)
    drawing = _drawing(source, rows, row, values, digits)
    write_atomically(out, figure_file(drawing, format))
    say(f"{source}: written to {out}")


def _drawing(source: str, rows: str | None, row: int | None, values: bool, digits: int) -> Drawing:
    def number(value: float) -> str:
        return text(measured(value), digits)

    saved = None if is_example(source) or not Path(source).exists() else Network.load(source)
    inputs = list(saved.encoding.inputs.feature_names) if saved and saved.encoding else None
    if saved and rows is None:
        return draw_network(saved, inputs=inputs, number=number)
    example = load_source(source, rows, row)
    net = example.network()
    if not values:
        return draw_network(net, inputs=inputs, number=number)
    sample = (row or 1) - 1 if rows is None else 0
    if sample >= len(example.X):
        raise InputError(f"--row {row}: there are {len(example.X)} rows")
    trace = net.forward(example.X[sample : sample + 1])
    y = example.Y[sample : sample + 1]
    return draw_network(net, trace, net.backward(trace, y), y, inputs=inputs, number=number)
