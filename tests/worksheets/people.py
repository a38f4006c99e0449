"""Students as the tests have them: what somebody answers who rounds at every step, and makes one slip."""

from __future__ import annotations

import math

from deltarule.worksheets.follow_through import StudentValues

__all__ = ["KINDS_OF_SHEETS", "answers_with"]

#: The arguments of worksheets of every kind.
KINDS_OF_SHEETS = {
    "2-2-1": {},
    "batch": {"n_samples": 3},
    "momentum": {"activation": "tanh", "output": "identity", "optimizer": "momentum(0.5)"},
    "softmax": {"sizes": (2, 2, 3), "output": "softmax"},
    "two outputs": {"sizes": (2, 2, 2), "bias": "shared", "loss": "squared_error"},
    "classes": {"loss": "binary_cross_entropy", "n_samples": 2},
    "adam": {"activation": "relu", "output": "identity", "optimizer": "adam(0.1)"},
    "deep": {"sizes": (2, 2, 2, 1), "decimals": 5},
    "huber": {"loss": "huber(0.5)", "output": "tanh", "optimizer": "nesterov(0.5)"},
    "absolute": {"loss": "mean_absolute_error", "bias": "none", "optimizer": "adagrad(0.5)"},
}


def answers_with(sheet, blank=None, formula=None):
    """Answers rounded at every step, each from those before; to one blank by another formula."""
    answers = {}
    for each in sheet.blanks:
        known = {b.leaf: answers[b.name] for b in sheet.blanks if b.name in answers}
        student = StudentValues(sheet.formulas, known, 10.0**-sheet.decimals / 2)
        value = student.value(formula if each is blank else sheet.formulas(each.leaf))
        if math.isfinite(value):  # nobody writes down the logarithm of a negative number
            answers[each.name] = round(value, sheet.decimals)
    return answers
