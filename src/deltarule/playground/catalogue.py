"""What a player can choose from: sets, activations, losses, optimizers, formats."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from deltarule.data.encoding import SCALES
from deltarule.derivations.notation import NOTATIONS
from deltarule.documents.renderers.html import style
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.initializers import INITIALIZERS
from deltarule.nn.losses import LOSSES
from deltarule.nn.objective import loss_of_output
from deltarule.nn.optimizers import OPTIMIZERS, GradientStep
from deltarule.playground.problem import SETS

#: What can be saved: a title, the ending of the file, and the package that it takes.
SAVED = {
    "model": ("Model file (deltarule)", ".safetensors", ""),
    "onnx": ("ONNX", ".onnx", "onnx"),
    "numpy": ("Python with NumPy", ".py", ""),
    "python": ("Python alone", ".py", ""),
    "c": ("C", ".c", ""),
    "javascript": ("JavaScript", ".mjs", ""),
    "html": ("The derivation as a page", ".html", ""),
    "pdf": ("The derivation as PDF", ".pdf", "typst"),
    "worksheet": ("Worksheet to print", ".html", ""),
    "spreadsheet": ("Spreadsheet with live formulas", ".xlsx", "xlsxwriter"),
}


def catalogue() -> dict[str, Any]:
    """Return every choice by kind; of sets and formats those whose packages are there."""
    return {
        "sets": [
            {"name": name, "title": title, "kind": kind}
            for name, (title, kind) in SETS.items()
            if name != "mnist" or _is_there("pooch")
        ],
        "activations": [name for name in ACTIVATIONS if name != "softmax"],
        "outputs": [{"name": name, "loss": loss_of_output(name)} for name in ACTIVATIONS],
        "losses": list(LOSSES),
        "optimizers": [name for name in OPTIMIZERS if isinstance(OPTIMIZERS.resolve(name), GradientStep)],
        "initializers": list(INITIALIZERS),
        "scales": list(SCALES),
        "notations": list(NOTATIONS),
        "style": style(),
        "formats": [
            {"name": name, "title": title, "ending": end}
            for name, (title, end, package) in SAVED.items()
            if not package or _is_there(package)
        ],
    }


def _is_there(package: str) -> bool:
    return find_spec(package) is not None
