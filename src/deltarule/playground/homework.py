"""The player computes by hand, or checks code: blanks, marks, hints, and the report of a check."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.diagnosis import check
from deltarule.documents.renderers.html import content
from deltarule.errors import InputError
from deltarule.playground.played_run import PlayedRun
from deltarule.tutorials import Example
from deltarule.worksheets import mark, worksheet

#: So many decimals have the blanks of a sheet, so long may a program be, and so long may its check take.
DECIMALS, MOST_CODE, CHECK_SECONDS = 4, 200_000, 20.0


def example_of(run: PlayedRun, rows: int = 1) -> Example:
    """The network with its numbers, rounded as a sheet has them, and the row that is shown."""
    net = run.net
    x, y, _ = run.shown_rows()
    settings = {
        "sizes": net.sizes, "activation": [layer.activation.name for layer in net.layers[:-1]] or "sigmoid",
        "output": net.layers[-1].activation.name, "loss": net.loss.name, "bias": net.layers[0].dense.bias,
    }  # fmt: skip
    weights = {
        f"{kind}{number}": np.round(values, DECIMALS)
        for number, layer in enumerate(net.layers, start=1)
        for kind, values in (("W", layer.W), ("b", layer.b))
        if values is not None
    }
    X, Y = (np.round(np.asarray(part, float)[:rows], DECIMALS) for part in (x, y))
    training = {"optimizer": run.branch.optimizer.spec}
    return Example("playground", run.problem.title, settings, weights, (), X, Y, training)


def by_hand(run: PlayedRun, given: Mapping[str, Any]) -> dict[str, Any]:
    """Make blanks of numbers, mark answers, or give a hint."""
    if "start" in given:
        run.sheet = worksheet(example_of(run), asked=given["start"].get("groups", "all"), decimals=DECIMALS)
        blanks = [{"name": b.name, "part": b.part, "number": b.number} for b in run.sheet.blanks]
        return {"blanks": blanks, "html": content(run.sheet.sheet.document), "decimals": DECIMALS}
    if run.sheet is None:
        raise InputError("there are no blanks yet: first choose what to work out")
    marking = mark(run.sheet, given.get("answers", {}))
    if "hint" in given:
        hinted = [one for one in marking.marks if one.blank.name == given["hint"]]
        if not hinted:
            raise InputError(f"there is no blank called {str(given['hint'])[:40]!r}")
        return {"hint": marking.formula(hinted[0])}
    marks = [
        {"name": one.blank.name, "verdict": one.verdict, "counts": one.counts, "words": one.mistake}
        for one in marking.marks
    ]
    return {"marks": marks, "points": marking.points, "of": marking.out_of}


def check_code(run: PlayedRun, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check a program's backpropagation; it runs apart where the system has processes."""
    code = str(given["code"])
    if len(code) > MOST_CODE:
        raise InputError(f"the program has {len(code):,} characters; at most {MOST_CODE:,} are allowed")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "my_backprop.py")
        path.write_text(code, encoding="utf-8")
        seen = check(path, seconds=CHECK_SECONDS)
        text = str(seen).replace(f"{folder}/", "")
    return {"verdict": seen.verdict, "text": text, "line": seen.faults[0].line if seen.faults else None}
