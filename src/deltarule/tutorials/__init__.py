"""Tutorials: worked examples as TOML files, and their published figures beside ours."""

from __future__ import annotations

from deltarule.tutorials.example import Example, example_names, is_example, load_example
from deltarule.tutorials.figures import figures
from deltarule.tutorials.reproduce import TUTORIALS, Experiment, experiments
from deltarule.tutorials.rows import Row, decimals

__all__ = [
    "TUTORIALS",
    "Example",
    "Experiment",
    "Row",
    "decimals",
    "example_names",
    "experiments",
    "figures",
    "is_example",
    "load_example",
]
