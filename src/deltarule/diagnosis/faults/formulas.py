"""Formulas for factors: which function of which array of the forward pass a factor is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from deltarule.diagnosis.faults.location import Array, BackwardPass
from deltarule.diagnosis.faults.names import NamedArray, name_at
from deltarule.diagnosis.reading.comparison import fit
from deltarule.diagnosis.recording.tape import Operation, Tape, Values


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


#: (formula, function, whether it is the slope of an activation given its argument or its value)
Form: TypeAlias = tuple[str, Callable[[Any], Any], bool]
_FORMS: list[Form] = [
    ("{0} * (1 - {0})", lambda a: a * (1 - a), True),
    ("(1 - {0} ** 2)", lambda a: 1 - a * a, True),
    ("the sigmoid's slope at {0}", lambda z: _sigmoid(z) * (1 - _sigmoid(z)), True),
    ("(1 - np.tanh({0}) ** 2)", lambda z: 1 - np.tanh(z) ** 2, True),
    ("({0} > 0)", lambda z: (z > 0) * 1.0, True),
    ("({0} >= 0)", lambda z: (z >= 0) * 1.0, True),
    ("{0}", lambda a: a, False),
    ("1 / {0}", lambda a: 1 / a, False),
    ("(1 - {0})", lambda a: 1 - a, False),
    ("(1 + {0})", lambda a: 1 + a, False),
    ("{0} * (1 + {0})", lambda a: a * (1 + a), False),
    ("(1 + {0} ** 2)", lambda a: 1 + a * a, False),
    ("{0} ** 2", lambda a: a * a, False),
    ("{0} * (1 - {0} ** 2)", lambda a: a * (1 - a * a), False),
    ("{0} ** 2 * (1 - {0})", lambda a: a * a * (1 - a), False),
    ("the sigmoid of {0}", _sigmoid, False),
    ("np.tanh({0})", np.tanh, False),
    ("(1 - np.tanh({0}))", lambda z: 1 - np.tanh(z), False),
    ("(1 - the sigmoid of {0})", lambda z: 1 - _sigmoid(z), False),
]


@dataclass(eq=False)
class Formula:
    """What a factor is: a function of an array.

    ``code`` is the formula with the array's name at the place in question; empty where it has none there, or
    where the factor is only a multiple of it.
    """

    text: str
    is_slope: bool
    code: str
    named: NamedArray | None
    form: Form

    def value_at(self, tape: Tape, op: Operation) -> Values:
        """Its value in another turn of the same code."""
        assert self.named is not None
        return np.asarray(self.form[1](self.named.value_at(tape, op)))


def label_of(passing: BackwardPass, array: Array | None) -> str:
    """What an array is called: its name, or the text of what computed it."""
    if array is None:
        return "the output"
    name, text = passing.source.name_of(array.op), passing.source.text_of(array.op)
    if not name and len(text) > 25:
        return f"the result of line {passing.source.line(array.op)}"
    return name or (f"({text})" if re.search(r"[-+*/@ ]", text) else text) or "an array"


def derivative_of(passing: BackwardPass, array: Array | None) -> str:
    """``the derivative by h``, by the array that has a name if there is one; ``the error`` for none."""
    known = passing.known.get(id(array)) if array is not None else None
    if not known:
        return "the error"
    named = [one for one in known if passing.source.name_of(one.by.op)]
    return f"the derivative with respect to {label_of(passing, (named or known)[0].by)}"


def arrays_of(passing: BackwardPass, size: int) -> Iterator[Array]:
    """Forward arrays of a size, those with names first, the nearest to the input first; then data."""
    for one in sorted(passing.forward, key=lambda one: (not passing.source.name_of(one.op), one.op.index)):
        if one.ids.size == size:
            yield one
    for index in sorted(passing.forward_indices):
        op = passing.tape.operations[index]
        if op.size == size and size > 1 and (op.is_leaf or op.old is not None or op.initial):
            yield Array(op.ids, op)


def formula_of(passing: BackwardPass, factor: Values | None, at: Operation) -> Formula | None:
    """A formula for a factor, with the names that hold where an operation is computed."""
    if factor is None or factor.size < 2 or not np.isfinite(factor).all() or is_even(factor):
        return None
    arrays = list(arrays_of(passing, factor.size))
    named = [one for one in arrays if passing.source.name_of(one.op)]
    for some in (named, [one for one in arrays if one not in named]):
        for form in _FORMS:
            for array in some:
                with np.errstate(all="ignore"):
                    guess = form[1](passing.tape.value[array.ids])
                for one in (guess, guess.T):
                    scale, misfit = fit(factor, one)
                    if scale and misfit < 1e-7:
                        return _named(passing, form, array, scale, at)
    return None


def is_even(factor: Values) -> bool:
    """Whether it is one number for all entries."""
    return bool(np.ptp(factor) <= 1e-9 * np.abs(factor).max())


def _named(passing: BackwardPass, form: Form, array: Array, scale: float, at: Operation) -> Formula:
    ids = array.ids if len(array.ops) < 2 else array.ids[:1]  # of many single numbers the first
    named = name_at(passing.tape, passing.source, at, ids)
    text = form[0].format(named.text if named else label_of(passing, array))
    times = "" if abs(abs(scale) - 1) < 1e-9 else f"{scale:.4g} times "
    is_code = abs(scale - 1) < 1e-9 and named and "the sigmoid" not in form[0]
    return Formula(times + text, form[2], text if is_code else "", named, form)
