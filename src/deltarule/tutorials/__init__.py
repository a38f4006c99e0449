"""Tutorials: worked examples as TOML files, and their published figures beside ours.

Reading order: example_schema, example, trained_example, computed_figures, comparisons; t1, t2, t3, t4,
t5_gates, t5_classes, t5_mnist, references; sources, reproduce.
"""

from __future__ import annotations

from deltarule.tutorials.comparisons import Comparison, decimals
from deltarule.tutorials.computed_figures import computed_figures
from deltarule.tutorials.example import Example, example_names, example_of, is_example, load_example
from deltarule.tutorials.reproduce import TUTORIALS, Reproduction, reproductions
from deltarule.tutorials.sources import SOURCES
from deltarule.tutorials.trained_example import TrainedExample, trained_example

__all__ = [
    "SOURCES",
    "TUTORIALS",
    "Comparison",
    "Example",
    "Reproduction",
    "TrainedExample",
    "computed_figures",
    "decimals",
    "example_names",
    "example_of",
    "is_example",
    "load_example",
    "reproductions",
    "trained_example",
]
