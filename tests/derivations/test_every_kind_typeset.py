"""Derivations of every kind of network are typeset: pdflatex and typst take them, and MathML is XML."""

from __future__ import annotations

import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from deltarule.derivations import explain
from deltarule.derivations.notation import NOTATIONS
from deltarule.nn.network import Network

from .networks import N_NETWORKS, every_name, random_case

#: Six networks of every twelve: their kinds repeat with periods of 2, 3 and 5.
SEEDS = [seed for seed in range(N_NETWORKS) if seed // 6 % 2 == 0]
AT_ONCE = 13
PREAMBLE = (
    "\\documentclass{article}\n\\usepackage{amsmath,booktabs,graphicx,longtable,xcolor}\n\\begin{document}\n"
)
HOSTILE = [
    "<script>alert(1)</script>",
    "$x$ \\alpha #1 %",
    "a & b_c ^ ~ {}",
    "`*[x](y)*` \x07 \u202e 漢字 🙂",
]


def derived(seed):
    net, X, Y, masks = random_case(seed)
    names = every_name(net) if seed % 5 == 0 else [name for name in every_name(net) if name != "all"]
    detail = ["chain", "delta"][seed % 2]
    return explain(net, X, Y, names, rng=masks, notation=list(NOTATIONS)[seed % 3], detail=detail)


def typeset(source, folder):
    (folder / "d.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "d.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=300)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("first", range(0, len(SEEDS), AT_ONCE))
def test_pdflatex_takes_derivations_of_every_kind_of_network(first, tmp_path):
    bodies = [derived(seed).latex(standalone=False) for seed in SEEDS[first : first + AT_ONCE]]
    typeset(PREAMBLE + "\n\\clearpage\n".join(bodies) + "\n\\end{document}\n", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, len(SEEDS), AT_ONCE))
def test_typst_takes_derivations_of_every_kind_of_network(first):
    """Every third one: of each period some."""
    pytest.importorskip("typst")
    for seed in SEEDS[first : first + AT_ONCE : 3]:
        assert derived(seed).pdf().startswith(b"%PDF")


@pytest.mark.parametrize(
    "seed", [pytest.param(n, marks=[pytest.mark.slow] if n % 4 else []) for n in range(0, N_NETWORKS, 5)]
)
def test_mathml_of_every_kind_of_network_is_xml(seed):
    page = derived(seed).html()
    formulas = re.findall(r"<math.*?</math>", page, flags=re.DOTALL)
    assert len(formulas) > 10
    for formula in formulas:
        ElementTree.fromstring(formula)


def hostile():
    net = Network([4, 2, 2], output="softmax", seed=0)
    what = ["W1[0,0]", "W1[1,1]", "z1[0]", "layer1", "w3"]
    return explain(net, [[0.1, 0.2, 0.3, 0.4]], [1], what, inputs=HOSTILE, title=HOSTILE[0])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_prints_hostile_names_as_text(tmp_path):
    typeset(hostile().latex(), tmp_path)


def test_typst_prints_hostile_names_as_text(tmp_path):
    pytest.importorskip("typst")
    (tmp_path / "h.pdf").write_bytes(hostile().pdf())
    if shutil.which("pdftotext"):
        done = subprocess.run(["pdftotext", "h.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
        assert "<script>alert(1)</script>" in done.stdout.decode()
