"""docs/notation.md: every number, name and printed line in it is what the package computes and writes."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import deltarule as dr
from deltarule.tutorials import computed_figures, load_example

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "notation.md").read_text(encoding="utf-8")
FORMULAS = re.findall(r"\$\$\n(.*?)\$\$", PAGE, flags=re.DOTALL)
NOTATIONS = ("matrix", "tutorial", "column")
WHAT = [
    *(f"{kind}{layer}[{i}]" for kind in ("z", "a", "delta") for layer in (1, 2) for i in (0, 1)),
    "loss",
    *(f"w{i}" for i in range(1, 9)),
]


@pytest.fixture(scope="module")
def names():
    """What the page's first block of Python defines."""
    found: dict[str, object] = {}
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(block, found)
    return found


@pytest.fixture(scope="module")
def derivations():
    example = load_example("T1")
    net = example.network()
    return {name: dr.explain(net, example.X, example.Y, WHAT, notation=name) for name in NOTATIONS}


def table(*header):
    """The rows of the table with these columns."""
    lines = PAGE.splitlines()
    start = lines.index(f"| {' | '.join(header)} |") + 2
    rows = []
    while start + len(rows) < len(lines) and lines[start + len(rows)].startswith("|"):
        rows.append([cell.strip() for cell in lines[start + len(rows)].strip("|").split(" | ")])
    return rows


QUANTITIES = table("quantity", *NOTATIONS, "in code", "value")


def rounded(value, printed):
    return f"{value:.{len(printed.partition('.')[2])}f}"


@pytest.mark.parametrize("row", QUANTITIES, ids=lambda row: row[0])
def test_values_in_the_table_are_what_the_code_beside_them_gives(row, names):
    assert rounded(eval(row[4].strip("`"), dict(names)), row[5]) == row[5]


def printed_name(cell):
    """A name as derivations print it as text: ``$w^2_{21}$`` is w²₂₁."""
    if cell.startswith("`"):
        return cell.strip("`")
    name = re.sub(r"\\partial ?", "∂", cell.strip("$")).replace(r"\delta", "δ").replace(r"\eta", "η")
    name = re.sub(r"\{(\w+)\}", r"\1", name.replace(" / ", "/"))
    if "^" in name:
        name = re.sub(r"\^(\d)", lambda m: m[1].translate(str.maketrans("0123", "⁰¹²³")), name)
        return re.sub(r"_(\d+)", lambda m: m[1].translate(str.maketrans("012", "₀₁₂")), name)
    return re.sub(r"(?<=[a-zA-Z])_(?=\d)", "", name)


@pytest.mark.parametrize("column", NOTATIONS)
@pytest.mark.parametrize("row", QUANTITIES[:-1], ids=lambda row: row[0])
def test_names_in_the_table_are_those_of_the_derivations(row, column, derivations):
    name = printed_name(row[1 + NOTATIONS.index(column)])
    derivation = derivations[column]
    assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(derivation))
    if name in derivation.values:
        assert rounded(derivation.values[name], row[5]) == row[5]
    elif name[0] in "wW":
        assert f" {name} {row[5]} " in str(derivation)


def known_numbers():
    """Whatever a formula may hold: what the network is given, what it computes, and one update."""
    example = load_example("T1")
    net, X, Y = example.network(), example.X, example.Y
    found = [*computed_figures(net, X, Y).values(), *X.ravel(), *Y.ravel(), 0.5]
    history_net = example.network()
    example.train(history_net, epochs=1)
    return np.array([*found, *history_net.parameters])


@pytest.mark.parametrize("formula", FORMULAS)
def test_numbers_in_formulas_are_computed_ones(formula):
    known = known_numbers()
    for printed in re.findall(r"-?\d+\.\d+", formula):
        half_a_digit = 0.5001 * 10.0 ** -len(printed.partition(".")[2])
        assert np.isclose(known, float(printed), rtol=0, atol=half_a_digit).any(), printed


BLOCKS = re.findall(r"<!-- (.*?) -->\n```text\n(.*?)\n```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("call", "block"), BLOCKS)
def test_printed_lines_are_what_the_package_prints(call, block, names):
    printed = [line.rstrip() for line in str(eval(call, dict(names))).splitlines()]
    lines = [line.rstrip() for line in block.splitlines()]
    starts = range(len(printed) - len(lines) + 1)
    assert any(printed[start : start + len(lines)] == lines for start in starts), "\n".join(printed)


def test_every_block_of_printed_lines_names_its_call():
    assert PAGE.count("```text\n") == len(BLOCKS) == 6


@pytest.mark.parametrize(("code", "gives"), table("in code", "gives"))
def test_code_gives_what_it_is_said_to(code, gives, names):
    assert eval(code.strip("`"), dict(names)) == gives.strip("`")


def test_numbers_of_weights_follow_the_rule():
    for sizes in ([2, 2, 2], [3, 4, 2, 1]):
        net, before = dr.Network(sizes), 0
        for layer, (n, m) in enumerate(pairwise(sizes), 1):
            for i in range(n):
                for j in range(m):
                    number = before + j * n + i + 1
                    assert net.select(f"w{number}") == net.select(f"W{layer}[{i},{j}]")
            before += n * m


def test_hidden_neurons_are_numbered_through():
    net = dr.Network([3, 4, 2, 1])
    text = str(dr.explain(net, np.ones((1, 3)), [[1.0]], "forward", notation="tutorial"))
    assert re.findall(r"out_(h\d) +=", text) == ["h1", "h2", "h3", "h4", "h5", "h6"]


def test_formulas_survive_github():
    inline = re.findall(r"(?<!\$)\$([^$\n]+)\$(?!\$)", PAGE)
    assert len(inline) > 50
    for formula in [*FORMULAS, *inline]:
        assert "\\\\" not in formula
        assert not re.search(r"[}\])]_|[<|*]|\\[,;{}!]", formula)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        assert (DOCS / target).resolve().is_file()
