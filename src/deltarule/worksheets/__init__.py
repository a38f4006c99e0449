"""Worksheets: networks to be computed by hand, with keys, and the marking of what was answered.

Reading order: exercise, exercise_formulas, wrong_formulas, random_exercise; question_requests, choices,
code_lines, questions, question_lines, printing, worksheet, network_template; answers, follow_through, marks,
feedback, marking; tables, workers, class_set, class_marking, mistake_chart, hand_back; moodle_html, moodle.
"""

from __future__ import annotations

from deltarule.worksheets.marking import Marking, mark
from deltarule.worksheets.worksheet import Worksheet, worksheet

__all__ = ["Marking", "Worksheet", "mark", "worksheet"]
