"""Write ``notebooks/*.ipynb``, with outputs, from the marimo notebooks ``notebooks/*.py``.

    python tools/notebooks.py                    # all, or those that are named
    python tools/notebooks.py notebooks/T1.py

marimo's own export keeps a derivation as MathML, which JupyterLab and GitHub leave out. Here Jupyter runs the
cells, and a derivation shows itself as Markdown with LaTeX formulas. Three things are written otherwise:

======================================== ================================
marimo                                   Jupyter
======================================== ================================
``mo.md(r\"\"\"…\"\"\")``                    a Markdown cell
``eta = mo.ui.slider(…, value=0.5, …)``  ``eta = 0.5  # its label``
``loss_fig`` as a cell's last line       ``plt.show()``
======================================== ================================

Needs nbformat, nbclient and ipykernel to write; :func:`cells` needs nothing.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[1] / "notebooks"
SECONDS = 120


class Cell(NamedTuple):
    """A cell of a Jupyter notebook."""

    kind: str
    source: str


def cells(notebook: str) -> list[Cell]:
    """The cells of a marimo notebook, given as its source, as Jupyter has them."""
    bodies = list(_bodies(notebook))
    controls = {name for body in bodies if (name := _control(body))}
    return [_cell(notebook, body, controls) for body in bodies]


def _bodies(notebook: str) -> Iterator[list[ast.stmt]]:
    """The statements of each cell."""
    for node in ast.parse(notebook).body:
        if isinstance(node, ast.With):  # app.setup
            yield node.body
        elif isinstance(node, ast.FunctionDef):
            decorator = ast.unparse(node.decorator_list[0]).partition("(")[0]
            yield [node] if decorator == "app.function" else _without_return(node.body)


def _without_return(body: list[ast.stmt]) -> list[ast.stmt]:
    return body[:-1] if isinstance(body[-1], ast.Return) else body


def _cell(notebook: str, body: Sequence[ast.stmt], controls: set[str]) -> Cell:
    first = body[0]
    if isinstance(first, ast.Expr) and ast.unparse(first).startswith("mo.md("):
        (text,) = first.value.args  # type: ignore[attr-defined]
        return Cell("markdown", inspect.cleandoc(ast.literal_eval(text)))
    if _control(body):
        return Cell("code", _setting(first))
    source = _source(notebook, body).replace("import marimo as mo\n", "")
    for name in controls:
        source = source.replace(f"{name}.value", name)
    return Cell("code", re.sub(r"^\w+_fig\Z", "plt.show()", source, flags=re.MULTILINE))


def _control(body: Sequence[ast.stmt]) -> str:
    """The name that a cell gives to a slider or the like; empty for other cells."""
    match = re.match(r"(\w+) = mo\.ui\.", ast.unparse(body[0]))
    return match[1] if match else ""


def _setting(control: ast.stmt) -> str:
    """``name = value  # label`` for a slider or the like."""
    assert isinstance(control, ast.Assign)
    given = {keyword.arg: keyword.value for keyword in control.value.keywords}  # type: ignore[attr-defined]
    name, value = ast.unparse(control.targets[0]), ast.literal_eval(given["value"])
    shown = f'"{value}"' if isinstance(value, str) else repr(value)
    return f"{name} = {shown}  # {ast.literal_eval(given['label'])}: change it, and run the next cell"


def _source(notebook: str, body: Sequence[ast.stmt]) -> str:
    """The lines of some statements that follow each other, and of the comments above them."""
    lines = notebook.splitlines()
    start, end = body[0].lineno - 1, body[-1].end_lineno
    while lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return textwrap.dedent("\n".join(lines[start:end]))


def write(path: Path) -> Path:
    """Run a marimo notebook's cells in Jupyter, and write them with what they show."""
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    made.cells = [_jupyter_cell(i, cell) for i, cell in enumerate(cells(path.read_text(encoding="utf-8")))]
    NotebookClient(made, timeout=SECONDS, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in made.cells:
        _tidy(cell)
    made.metadata["language_info"] = {"name": "python"}
    target = path.with_suffix(".ipynb")
    nbformat.validate(made)
    target.write_text(nbformat.writes(made) + "\n", encoding="utf-8")
    return target


def _jupyter_cell(number: int, cell: Cell) -> Any:
    import nbformat

    new = nbformat.v4.new_markdown_cell if cell.kind == "markdown" else nbformat.v4.new_code_cell
    return new(cell.source, id=f"cell-{number}")


def _tidy(cell: Any) -> None:
    """Leave out what differs from run to run, and LaTeX documents, which no notebook can show."""
    cell.metadata = {}
    if cell.cell_type == "code":
        cell.outputs = _merged(cell.outputs)
    for output in cell.get("outputs", []):
        if output.get("name") == "stderr":
            raise SystemExit(f"{cell.id} complains:\n{output.text}")
        data = output.get("data", {})
        if "text/markdown" in data:  # GitHub prefers HTML, and shows less of it
            data.pop("text/latex", None)
            data.pop("text/html", None)
        elif "image/png" in data:
            data.pop("text/plain", None)


def _merged(outputs: Sequence[Any]) -> list[Any]:
    """The outputs with printed text in one piece: how it is cut differs from run to run."""
    merged: list[Any] = []
    for output in outputs:
        if merged and output.get("name", "") == merged[-1].get("name"):
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def main() -> None:
    """Write the notebooks that are named, or all."""
    parser = argparse.ArgumentParser(description="Write notebooks/*.ipynb from notebooks/*.py.")
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted(FOLDER.glob("*.py")))
    for path in parser.parse_args().notebooks:
        target = write(path)
        print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
