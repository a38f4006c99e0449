"""Log 0 and 1/0 in a formula, taken as training takes them: 0 counts as a tiny number."""

from __future__ import annotations

import math

import numpy as np

from deltarule.formula.tree import Add, Call, Choice, Compare, Div, Expr, Number, log

#: What 0 counts as in training, where it is divided by or its logarithm is taken: a, and 1 − a.
_TINIEST, _ROUNDED = math.sqrt(np.finfo(float).tiny), float(np.finfo(float).eps)


def kept_finite(formula: Expr) -> Expr:
    """The formula with log 0 and 1/0 as training takes them: 0 counts as a tiny number."""

    def keep(part: Expr) -> Expr | None:
        if isinstance(part, Call) and part.function == "log":
            return log(_above_zero(part.argument))
        if isinstance(part, Div):
            return part.top.replace(keep) / _above_zero(part.bottom)
        return None

    return formula.replace(keep)


def _above_zero(body: Expr) -> Expr:
    floor = Number(_ROUNDED if isinstance(body, Add) else _TINIEST)
    return Choice(body, Compare(body, ">", floor), floor)
