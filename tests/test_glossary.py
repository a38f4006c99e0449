"""docs/glossary.md: one line for each word, in alphabetical order, and every name in code is there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import deltarule as dr
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.engines import ENGINES
from deltarule.nn.optimizers import OPTIMIZERS, SGD
from deltarule.training import EarlyStopping

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "glossary.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ")
][2:]
NAMES = {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[2])}


def test_each_word_has_one_line_in_alphabetical_order():
    words = [row[0] for row in ROWS]
    assert len(words) > 50
    assert words == sorted(set(words))
    assert all(len(row) == 3 and row[2] for row in ROWS)


def test_its_words_name_what_there_is():
    """What is no public name is a setting, a column, an engine or the name of a record."""
    net = dr.Network([2, 3, 1], activation="relu")
    X, Y = [[0.0, 1.0], [1.0, 0.0]], [0.0, 1.0]
    history = dr.train(net, X, Y, epochs=1, validation=(X, Y))
    known = {*dir(dr), *history, *ENGINES, *(f.name for cls in (EarlyStopping, SGD) for f in fields(cls))}
    estimators = (DOCS.parent / "src" / "deltarule" / "estimators" / "__init__.py").read_text(
        encoding="utf-8"
    )
    known |= set(re.findall(r'"(MLP\w+)"', estimators))  # without scikit-learn they cannot be imported
    namespace = {"net": net, "X": X, "Y": Y, "W": net.layers[0].W, "i": 0, "j": 2}
    for name in NAMES - known:
        if name.startswith("momentum("):
            assert OPTIMIZERS.resolve(name).momentum == 0.9
        elif name.startswith('"'):
            assert ACTIVATIONS.resolve(name.strip('"')).parameter == 0.2
        else:
            assert eval(name, namespace) is not None


def test_its_links_lead_somewhere():
    targets = re.findall(r"\]\((\S+?)\)", PAGE)
    assert targets
    assert all((DOCS / target).is_file() for target in targets)
