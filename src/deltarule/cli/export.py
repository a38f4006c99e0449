"""``deltarule export MODEL``: a saved network as a file that other programs run."""

from __future__ import annotations

from pathlib import Path

import click

from deltarule.cli.console import print_json, say
from deltarule.cli.options import FILE, GroupedCommand
from deltarule.errors import InputError
from deltarule.exchange.exporting import FORMATS, exported
from deltarule.files import check_writable, write_atomically
from deltarule.nn.network import Network


@click.command(cls=GroupedCommand, short_help="Write a saved model as ONNX, Python, C or JavaScript.")
@click.argument("model", type=FILE)
@click.option("--onnx", type=FILE, metavar="FILE", help="Write an ONNX file, for onnxruntime and others.")
@click.option("--numpy", type=FILE, metavar="FILE", help="Write a Python file that needs NumPy alone.")
@click.option("--python", type=FILE, metavar="FILE", help="Write a Python file that needs no package at all.")
@click.option("--c", type=FILE, metavar="FILE", help="Write a C99 file that allocates no memory.")
@click.option(
    "--javascript", type=FILE, metavar="FILE", help="Write a JavaScript module for web pages and Node."
)
@click.option(
    "--dtype", type=click.Choice(["float32", "float64"]),
    help="The type of the numbers that the files take and give.  [default: the network's]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def export(model: Path, dtype: str | None, as_json: bool, **files: Path | None) -> None:
    """Write MODEL as files that predict without deltarule.

    Each source file is readable and complete: the weights, the formulas beside the code, scaling and labels,
    and test cases, which it checks when it is run without arguments. It takes rows as the table has them,
    with texts, dates and missing cells, and lines of CSV from standard input.

    \b
    Examples:
      deltarule export iris.safetensors --python iris.py
      deltarule export iris.safetensors --onnx iris.onnx --c iris.c
    """
    chosen = {format: path for format in FORMATS if (path := files[format]) is not None}
    _check_distinct_files(chosen)
    net = Network.load(model)
    contents = {format: exported(net, format, dtype) for format in chosen}
    for format, path in chosen.items():
        write_atomically(path, contents[format])
    if as_json:
        written = {format: str(path) for format, path in chosen.items()}
        print_json({"model": str(model), "network": repr(net), "written": written})
        return
    for format, path in chosen.items():
        say(f"{net!r}: written to {path} ({format}, {len(contents[format]):,} bytes)")


def _check_distinct_files(chosen: dict[str, Path]) -> None:
    """Refuse before anything is written what could not be."""
    if not chosen:
        raise InputError(
            f"name at least one file to write: {', '.join(f'--{name} FILE' for name in FORMATS)}"
        )
    seen: dict[Path, str] = {}
    for format, path in chosen.items():
        other = seen.setdefault(check_writable(path).resolve(), format)
        if other != format:
            raise InputError(f"--{other} and --{format} would both write {path}: name two files")
