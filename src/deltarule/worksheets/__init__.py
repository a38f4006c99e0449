"""Worksheets: networks to be computed by hand, with keys, and the marking of what was answered.

Reading order: exercise, questions, random_exercise, printing, worksheet; answers, follow_through,
wrong_formulas, marking; class_set, mistake_chart.
"""

from __future__ import annotations

from deltarule.worksheets.marking import Marking, mark
from deltarule.worksheets.worksheet import Worksheet, worksheet

__all__ = ["Marking", "Worksheet", "mark", "worksheet"]
