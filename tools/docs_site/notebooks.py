"""Pages made of the notebooks: their text, their code, and what it gave when the notebook was run."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from docs_site.pages import PAGES, ROOT, fenced, write

NOTEBOOKS = ("T1", "T2", "T3", "T4", "T5", "experiment")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def write_notebooks() -> None:
    """Write a page for each notebook; below its title stands what it is, and where its example comes from."""
    for name in NOTEBOOKS:
        cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        if cells[0]["cell_type"] == "code":  # what is imported comes after the words
            cells[:2] = cells[1::-1]
        text = "\n\n".join(part for number, cell in enumerate(cells) for part in _cell(name, number, cell))
        title, _, rest = text.partition("\n")
        about = f"*This page is the notebook `notebooks/{name}.ipynb`, as it ran."
        about += (
            f" [Where the example comes from](sources.md#{name.lower()}).*" if name != "experiment" else "*"
        )
        write(f"tutorials/{name}.md", f"{title}\n\n{about}\n\n{rest}")


def _cell(name: str, number: int, cell: dict[str, Any]) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield source
        return
    yield fenced(source, "python")
    for which, output in enumerate(cell["outputs"]):
        yield from _output(f"{name}-{number}-{which}.png", output)


def _output(picture: str, output: dict[str, Any]) -> Iterator[str]:
    """What a cell gave: text as it was printed, a derivation as it is written, a picture as a file."""
    data = output.get("data", {})
    if "image/png" in data:
        path = PAGES / "tutorials" / picture
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b64decode("".join(data["image/png"])))
        yield f"![What the code above draws]({picture})"
    elif "text/markdown" in data:
        yield (
            '<div class="output" markdown="1">\n\n'
            + _no_headings("".join(data["text/markdown"]))
            + "\n\n</div>"
        )
    elif text := "".join(output.get("text", data.get("text/plain", ""))):
        yield fenced(_COLOURS.sub("", text))


def _no_headings(text: str) -> str:
    """Headings of a derivation are no headings of the page."""
    return re.sub(r"^#+ (.*)$", r"**\1**", text, flags=re.M)
