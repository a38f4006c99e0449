"""``diagnose``: is this backpropagation right, and if not, which mistake is it?"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from deltarule.arrays import check_number
from deltarule.diagnosis.cases import NetworkSettings
from deltarule.diagnosis.dropout import DRAWS, RANDOM, diagnose_dropout, has_dropout
from deltarule.diagnosis.mistakes import mistake
from deltarule.diagnosis.observation.apart import observe_apart, run_apart
from deltarule.diagnosis.observation.reply import typed
from deltarule.diagnosis.observation.wall import is_behind_wall
from deltarule.diagnosis.report import Diagnosis
from deltarule.diagnosis.running import ETA, Subject, try_code
from deltarule.diagnosis.subjects import find_in_script, find_predict
from deltarule.diagnosis.trials import Trial
from deltarule.diagnosis.verdict import Judged, judge
from deltarule.diagnosis.weights import own_numbers, with_findings, with_gradients
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES

_CONFIRM_THE_LOSS = (
    'Is that your loss? If it is another, name it, loss="half_squared_error" (--loss): what is right for one '
    "loss is a mistake with another."
)


def diagnose(
    code: Any = None,
    *,
    name: str | None = None,
    weights: Sequence[Any] | None = None,
    biases: Sequence[Any] | None = None,
    X: Any = None,
    Y: Any = None,
    gradients: Any = None,
    sizes: Sequence[int] | None = None,
    activation: str | None = None,
    output: str | None = None,
    loss: str | None = None,
    reduction: str | None = None,
    l2: float = 0.0,
    dropout: float | None = None,
    predict: Any = None,
    learning_rate: float | None = None,
    returns: str | None = None,
    seconds: float = 20.0,
) -> Diagnosis:
    """Say whether somebody's backpropagation is right, and name the mistake where it is not.

    Parameters
    ----------
    code : callable, object or path, optional
        A function ``(weights, biases, X, Y) -> gradients``, or with a fifth argument, the learning rate,
        ``-> updated weights``; a network object with weights and a method such as ``train(x, y)``; or a
        script that has one. It runs in a process of its own. Any usual layout will do: W as (in, out) or
        (out, in), samples in rows or columns, arrays or lists; lists, tuples or dicts come back.
        Further arguments are known by their names: ``masks`` and ``dropout``, ``p`` or ``keep_prob`` for
        dropout, ``rng`` or ``seed``, ``training``.
    name : str, optional
        Which function, class or object of the script.
    weights, biases, X, Y, gradients
        Or just the numbers of one case, W as (in, out) or (out, in), samples in rows. With code, weights, X
        and Y are looked at when its gradient is right: do they keep the network from learning?
    sizes : sequence of int, optional
        Of the only network that the code can handle.
    activation, output, loss, reduction : str, optional
        Of the hidden layers, of the last, and so on; what is not said is found out, if it can be.
    l2 : float
        The penalty l2/2·ΣW² in the loss.
    dropout : float, optional
        The share of the neurons that training drops, where the code has no argument or attribute for it.
    predict : callable or str, optional
        The function ``(weights, biases, X) -> outputs``, or its name in the script, that must not drop any.
    learning_rate : float, optional
        η, where it matters; an object's own where it says one.
    returns : "gradients" or "weights", optional
    seconds : float
        How long all of it may take.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> W, X, Y = [[0.5], [-0.25]], [[1.0, 2.0], [0.5, -1.0]], [[1.0], [0.0]]
    >>> diagnosis = diagnose(weights=[W], X=X, Y=Y, gradients=[[[0.2], [0.3]]], loss="half_squared_error")
    >>> diagnosis.right
    False
    """
    _check_settings(learning_rate, seconds, returns, dropout, (activation, output, loss))
    given = NetworkSettings(activation, output, loss, reduction, l2)
    if code is None:
        if weights is None or X is None or Y is None or gradients is None:
            raise InputError("without code, weights, X, Y and gradients are needed")
        numbers = with_gradients(own_numbers(weights, biases, X, Y), gradients)
        return judge([Trial(None, (numbers,))], given, learning_rate or ETA, ()).diagnosis
    if (weights is None) != (X is None) or (X is None) != (Y is None):
        raise InputError("weights, X and Y are looked at together: give all three, or none")
    get, get_predict = _getters(code, name, predict)
    subject = Subject(get, get_predict, sizes, learning_rate, returns)

    def work() -> Diagnosis:
        judged = _judge_code(subject, given, dropout)
        if not judged.diagnosis.right or weights is None:
            return judged.diagnosis
        assert judged.trial is not None
        layout = judged.trial.layout
        own = own_numbers(weights, biases, X, Y, None if layout is None else layout.convention)
        return with_findings(judged.diagnosis, (own,))

    diagnosis = _apart(work, seconds)
    if diagnosis.right and loss is None:  # right for the loss found out may be wrong for the one meant
        diagnosis = replace(diagnosis, notes=(_CONFIRM_THE_LOSS, *diagnosis.notes))
    return diagnosis


def _apart(work: Callable[[], Diagnosis], seconds: float) -> Diagnosis:
    """Diagnose in a process of its own; where none can be forked, here and without a limit of time."""
    if is_behind_wall() or not hasattr(os, "fork"):
        return work()
    try:
        return _from_reply(run_apart(lambda: _to_reply(work()), seconds))
    except InputError:
        raise
    except ValueError as error:  # an ApartError, or a reply of another form
        return Diagnosis(False, failure=f"{error}.")


def _to_reply(diagnosis: Diagnosis) -> dict[str, Any]:
    """All of it as JSON: of a mistake, its key and the line as it is."""
    return {**asdict(diagnosis), "mistakes": [(one.key, one.wrong) for one in diagnosis.mistakes]}


def _from_reply(told: dict[str, Any]) -> Diagnosis:
    mistakes = tuple(replace(mistake(key), wrong=wrong) for key, wrong in told["mistakes"])
    whole: Diagnosis = typed(Diagnosis, {**told, "mistakes": []})
    return replace(whole, mistakes=mistakes)


def _check_settings(
    learning_rate: float | None,
    seconds: float,
    returns: str | None,
    dropout: float | None,
    names: tuple[str | None, str | None, str | None],
) -> None:
    """Refuse settings that make no sense."""
    if learning_rate is not None:
        check_number("learning_rate", learning_rate, np.nextafter(0, 1))
    if dropout is not None:
        check_number("dropout", dropout, np.nextafter(0, 1), np.nextafter(1, 0))
    check_number("seconds", seconds, 0.1)
    if returns not in (None, "gradients", "weights"):
        raise InputError(f"returns must be 'gradients' or 'weights', got {returns!r}")
    for name in names[:2]:
        if name is not None:
            ACTIVATIONS.resolve(name)
    if names[2] is not None:
        LOSSES.resolve(names[2])


def _getters(code: Any, name: str | None, predict: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """What gives the code and the function that predicts, in the process in which they run."""
    if isinstance(code, str | os.PathLike):
        path = os.path.abspath(code)
        return partial(find_in_script, path, name), partial(find_predict, path, predict)
    return lambda: code, lambda: predict


def _judge_code(subject: Subject, given: NetworkSettings, dropout: float | None) -> Judged:
    """The diagnosis of code; with dropout switched off and at work, where it has any."""
    tried = try_code(subject)
    printed = tried.outcome.printed.strip()
    notes: tuple[str, ...] = (f"It printed: {printed[:200]}",) if printed else ()
    if (dropout is not None or has_dropout(tried)) and (tried.trials or tried.switches):
        judged = diagnose_dropout(subject, tried, given, dropout, notes)
    elif not tried.trials:
        return Judged(Diagnosis(False, failure=tried.outcome.error, notes=notes))
    elif all(trial.random for trial in tried.trials):
        return Judged(Diagnosis(False, failure=RANDOM, notes=notes))
    else:
        judged = judge(tried.trials, given, tried.eta, notes)
        found = judged.diagnosis
        if tried.draws and not found.right and not found.mistakes:  # random numbers may explain it
            judged = judged._replace(diagnosis=replace(found, notes=(DRAWS, *found.notes)))
    diagnosis, trial = judged
    if diagnosis.right and trial is not None and trial.layout is None:
        diagnosis = with_findings(diagnosis, trial.numbers)
    return Judged(diagnosis, trial)


def assert_backprop_correct(code: Any, **settings: Any) -> None:
    """Raise an AssertionError with the whole report, if the backpropagation is not right.

    Parameters
    ----------
    code : path, callable or object
        It is observed as it is; where that cannot judge, it is diagnosed.
    **settings
        Those of :func:`diagnose`; with any but ``seconds``, the code is diagnosed with them.

    Raises
    ------
    AssertionError
        If it is wrong, or cannot be tested.

    Examples
    --------
    >>> assert_backprop_correct("my_backprop.py")  # doctest: +SKIP
    """
    if not settings.keys() - {"seconds"}:
        seen = observe_apart(code, **settings)
        if seen.verdict != "cannot judge":
            assert seen.verdict == "right", str(seen)
            return
    diagnosis = diagnose(code, **settings)
    assert diagnosis.right, str(diagnosis)
