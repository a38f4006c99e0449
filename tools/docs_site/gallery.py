"""The gallery: pictures, pages and reports, each made by the command that stands under it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import chdir
from typing import NamedTuple

from click.testing import CliRunner

from deltarule.cli import cli
from docs_site.mistakes import programs
from docs_site.pages import PAGES, fenced, write


class Exhibit(NamedTuple):
    """What is shown: a title, a sentence, the command, and what it writes; nothing where it prints."""

    title: str
    text: str
    command: str
    shown: tuple[str, ...] = ()


EXHIBITS = (
    Exhibit("A network, drawn", "The weights at their lines, and what each neuron computes.",
            "deltarule draw T1 -o T1.svg", ("T1.svg",)),
    Exhibit("A derivation", "Where the gradient of w1 comes from: two paths, one through each output.",
            "deltarule explain T1 w1 --out w1.html", ("w1.html",)),
    Exhibit("The same by hand", "Rounded to four decimals at each step, and how much difference that makes.",
            "deltarule explain T1 w1 --by-hand 4 --no-picture"),
    Exhibit("The whole pass in column notation", "As most textbooks write it.",
            "deltarule explain T3 all --notation column --digits 4 --out T3.html", ("T3.html",)),
    Exhibit("A boundary", "Two moons: the curves, and what the network predicts all over the plane.",
            "deltarule train moons --plot moons.svg --quiet", ("moons.svg",)),
    Exhibit("Flowers", "Three species: the curves, and which species was mistaken for which.",
            "deltarule train iris --plot iris.svg --quiet", ("iris.svg",)),
    Exhibit("Handwritten digits", "Eight by eight pixels, 1,797 of them.",
            "deltarule train digits --plot digits.svg --quiet", ("digits.svg",)),
    Exhibit("Every neuron in the terminal", "Inputs, weights, bias, weighted input and output.",
            "deltarule inspect T1"),
    Exhibit("A verdict", "What `check` says about a program with one mistake, which has a "
            "[page of its own](mistakes/f_instead_of_slope.md).", "deltarule check my_backprop.py"),
    Exhibit("A worksheet, and its key", "Numbers that are easy to work with, blanks, and a key.",
            "deltarule worksheet --seed 7 --out sheet.html", ("sheet.html", "sheet-key.html")),
    Exhibit("A workbook", "Forward pass, backward pass and 100 updates as live formulas.",
            "deltarule spreadsheet T1 -o T1.xlsx", ("T1.xlsx",)),
)  # fmt: skip


def write_gallery() -> None:
    """Run every command of the gallery, and write the page with what came out."""
    folder = PAGES / "gallery"
    folder.mkdir(parents=True)
    (folder / "my_backprop.py").write_text(programs("f_instead_of_slope")[1], encoding="utf-8")
    with chdir(folder):
        parts = [part for exhibit in EXHIBITS for part in _shown(exhibit)]
    intro = (PAGES / "gallery.md").read_text(encoding="utf-8")
    write("gallery.md", "\n\n".join([intro.rstrip(), *parts]))


def _shown(exhibit: Exhibit) -> Iterator[str]:
    os.environ["COLUMNS"] = "80"
    result = CliRunner().invoke(cli, shlex.split(exhibit.command)[1:])
    if result.exit_code not in (0, 1) or any(not os.path.isfile(name) for name in exhibit.shown):
        raise RuntimeError(f"{exhibit.command}: {result.output}")
    yield f"## {exhibit.title}"
    yield exhibit.text
    for name in exhibit.shown:
        if name.endswith(".svg"):
            yield f"![{exhibit.title}](gallery/{name})"
        elif name.endswith(".html"):
            yield f'<iframe class="page" src="gallery/{name}" title="{exhibit.title}"></iframe>'
        else:
            yield f"[{name}](gallery/{name})"
    if not exhibit.shown:
        yield fenced(result.output)
    yield fenced(exhibit.command, "sh")
