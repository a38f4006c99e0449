"""What a player can choose from: sets, activations, losses, optimizers, formats."""

from __future__ import annotations

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

#: What can be saved: a title and the ending of the file.
SAVED = {
    "model": ("Model file (deltarule)", ".safetensors"),
    "onnx": ("ONNX", ".onnx"),
    "numpy": ("Python with NumPy", ".py"),
    "python": ("Python alone", ".py"),
    "c": ("C", ".c"),
    "javascript": ("JavaScript", ".mjs"),
    "html": ("The derivation as a page", ".html"),
    "pdf": ("The derivation as PDF", ".pdf"),
    "worksheet": ("Worksheet to print", ".html"),
    "spreadsheet": ("Spreadsheet with live formulas", ".xlsx"),
}


def catalogue() -> dict[str, Any]:
    """Return every choice by kind."""
    return {
        "sets": [{"name": name, "title": title, "kind": kind} for name, (title, kind) in SETS.items()],
        "activations": [name for name in ACTIVATIONS if name != "softmax"],
        "outputs": [{"name": name, "loss": loss_of_output(name)} for name in ACTIVATIONS],
        "losses": list(LOSSES),
        "optimizers": [name for name in OPTIMIZERS if isinstance(OPTIMIZERS.resolve(name), GradientStep)],
        "initializers": list(INITIALIZERS),
        "scales": list(SCALES),
        "notations": list(NOTATIONS),
        "style": style(),
        "formats": [{"name": name, "title": title, "ending": end} for name, (title, end) in SAVED.items()],
    }
