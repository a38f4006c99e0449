"""The notebooks: each .ipynb is made from its .py, is small, and complains of nothing; each .py runs."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
cells = runpy.run_path(str(ROOT / "tools" / "notebooks.py"))["cells"]


def jupyter(path):
    return json.loads(path.with_suffix(".ipynb").read_text(encoding="utf-8"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_there_is_one_for_each_tutorial_and_one_for_experiments():
    assert [path.stem for path in NOTEBOOKS] == ["T1", "T2", "T3", "T4", "T5", "experiment"]


def test_the_jupyter_notebook_has_the_text_and_code_of_the_marimo_one(path):
    expected = [tuple(cell) for cell in cells(path.read_text(encoding="utf-8"))]
    found = [(cell["cell_type"], "".join(cell["source"])) for cell in jupyter(path)["cells"]]
    assert found == expected, "run: python tools/notebooks.py"


def test_the_jupyter_notebook_needs_no_marimo(path):
    code = ["".join(cell["source"]) for cell in jupyter(path)["cells"] if cell["cell_type"] == "code"]
    assert not [source for source in code if re.search(r"\bmo\b|marimo", source)]


def test_its_outputs_are_there_small_and_without_complaints(path):
    outputs = [output for cell in jupyter(path)["cells"] for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert any("text/markdown" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert path.with_suffix(".ipynb").stat().st_size < 400_000


def test_formulas_hold_no_line_that_markdown_takes_for_a_list(path):
    for kind, source in cells(path.read_text(encoding="utf-8")):
        if kind == "markdown":
            for formula in re.findall(r"\$\$(.*?)\$\$", source, flags=re.DOTALL):
                assert not re.search(r"^\s*([-+*>#]|\d+\.) ", formula, flags=re.MULTILINE)


MARIMO = '''
import marimo
app = marimo.App()
with app.setup:
    import marimo as mo
    import math
@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # A root

    $x$
    """)
    return
@app.function
def root(x):
    return math.sqrt(x)
@app.cell
def _():
    x = mo.ui.slider(1, 9, value=4, label="a square")
    x
    return (x,)
@app.cell
def _(x):
    # its root
    root(x.value)
    return
@app.cell
def _():
    root_fig, _ = plt.subplots()
    root_fig
    return
'''


def test_cells_become_what_jupyter_has():
    assert [tuple(cell) for cell in cells(MARIMO)] == [
        ("code", "import math"),
        ("markdown", "# A root\n\n$x$"),
        ("code", "def root(x):\n    return math.sqrt(x)"),
        ("code", "x = 4  # a square: change it, and run the next cell"),
        ("code", "# its root\nroot(x)"),
        ("code", "root_fig, _ = plt.subplots()\nplt.show()"),
    ]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("marimo") is None, reason="needs marimo")
def test_the_marimo_notebook_runs_as_a_script(path, tmp_path):
    environment = {**os.environ, "DELTARULE_DATA_HOME": str(tmp_path), "MPLBACKEND": "agg"}
    command = [sys.executable, "-W", "error::UserWarning", str(path)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout
