"""``check``: is this backpropagation right, and if not, which mistake is it, and where?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deltarule.arrays import check_number
from deltarule.diagnosis.observation.apart import observe_apart
from deltarule.diagnosis.observation.record import Diagnosis
from deltarule.diagnosis.one_case import diagnose_case, own_start
from deltarule.errors import InputError
from deltarule.nn.losses import LOSSES


def check(
    code: Any = None,
    *,
    weights: Sequence[Any] | None = None,
    biases: Sequence[Any] | None = None,
    X: Any = None,
    Y: Any = None,
    gradients: Any = None,
    loss: str | None = None,
    name: str | None = None,
    seconds: float = 20.0,
) -> Diagnosis:
    """Say whether a backpropagation is right and, if it is not, which line is wrong and why.

    Parameters
    ----------
    code : path, callable or object, optional
        A Python file or a notebook, which is run as it is for a few updates; a function that trains or
        returns gradients, or a network object, which are called with plausible data. It runs in a process of
        its own if the system has processes.
    weights, biases, X, Y
        With a function, the learner's own initial values, with which it is called; even if the gradient is
        right, the report then says what prevents these weights from learning. W is (in, out) or (out, in),
        whichever the function takes.
    gradients
        Without code, the gradients that were computed from the numbers of one case, in the layout of the
        weights; samples are rows.
    loss : str, optional
        The loss that you mean, one of ``LOSSES``; then a gradient that is right only for a different loss
        counts as a mistake.
    name : str, optional
        The function, class or object of the file to check.
    seconds : float
        The time limit for the whole check.

    Returns
    -------
    Diagnosis

    Raises
    ------
    InputError
        If there is no such file, or the numbers do not fit each other.

    Examples
    --------
    >>> W, X, Y = [[0.5], [-0.25]], [[1.0, 2.0], [0.5, -1.0]], [[1.0], [0.0]]
    >>> diagnosis = check(weights=[W], X=X, Y=Y, gradients=[[[0.375], [1.25]]], loss="half_squared_error")
    >>> [mistake.key for mistake in diagnosis.mistakes]
    ['sign']
    """
    check_number("seconds", seconds, 0.1)
    if loss is not None:
        LOSSES.resolve(loss)
    if code is None:
        if weights is None or X is None or Y is None or gradients is None:
            raise InputError("without code, weights, X, Y and gradients are all needed")
        return diagnose_case(weights, biases, X, Y, gradients, loss)
    if (weights is None) != (X is None) or (X is None) != (Y is None):
        raise InputError("weights, X and Y are checked together: give all three, or none of them")
    own = None if weights is None else own_start(weights, biases, X, Y)
    return observe_apart(code, seconds, own=own, loss=loss or "", name=name or "")


def assert_backprop_correct(code: Any, **settings: Any) -> None:
    """Raise an AssertionError with the whole report if the backpropagation is not right.

    Parameters
    ----------
    code : path, callable or object
    **settings
        The same as those of :func:`check`.

    Raises
    ------
    AssertionError
        If it is wrong, or cannot be judged.

    Examples
    --------
    >>> assert_backprop_correct("my_backprop.py")  # doctest: +SKIP
    """
    seen = check(code, **settings)
    assert seen.right, str(seen)
