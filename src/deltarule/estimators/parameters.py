"""The parameters of the estimators: which values they may have, and what a preset puts in their place."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from sklearn.metrics import get_scorer_names

from deltarule.arrays import TINY, check_number, check_whole
from deltarule.errors import InputError
from deltarule.registry import did_you_mean

__all__ = ["PRESETS", "Parameters", "hidden_sizes", "parameters_of", "resolve_parameter"]


@dataclass(frozen=True)
class Parameters:
    """The checked values of an estimator's parameters, by their names there.

    ``preset_names`` are those whose value is the preset's.
    """

    hidden_layer_sizes: Any
    activation: Any
    loss: Any
    solver: Any
    alpha: float
    batch_size: int | str
    learning_rate: Any
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    dropout: Any
    clip_norm: float | None
    initializer: Any
    initial_weights: Any
    scoring: Any
    standardize: bool
    preset: str | None
    engine: str
    progress: bool
    class_weight: Any = None
    label_smoothing: float = 0.0
    preset_names: frozenset[str] = frozenset()


#: The values that a preset gives the parameters that the user leaves alone.
PRESETS: dict[str, dict[str, Any]] = {
    "robust": {
        "standardize": True,
        "solver": "adamw",
        "alpha": 1.0,
        "learning_rate": "one_cycle",
        "learning_rate_init": 0.01,
        "batch_size": 32,
        "max_iter": 100,
        "n_iter_no_change": math.inf,
    }
}


def parameters_of(estimator: Any) -> Parameters:
    """An estimator's parameters, checked; one that has its default gets the preset's value.

    Raises
    ------
    InputError
        If a value does not fit; the message names the parameter, what it may be, and the value.
    """
    values = estimator.get_params(deep=False)
    for name in values.keys() & _CHECKS.keys():
        _CHECKS[name](name, values[name])
    if values["preset"] is None:
        return Parameters(**values)
    defaults = inspect.signature(type(estimator).__init__).parameters
    chosen = {
        name: value for name, value in PRESETS[values["preset"]].items() if name not in estimator.not_preset
    }
    untouched = {name: value for name, value in chosen.items() if values[name] == defaults[name].default}
    return Parameters(**values | untouched, preset_names=frozenset(untouched))


_Check: TypeAlias = Callable[[str, Any], object]  # of a parameter's name and value


def _number_from(low: float = -math.inf, high: float = math.inf) -> _Check:
    return lambda name, value: check_number(name, value, low, high)


def _either(choices: Iterable[Any], check: _Check) -> _Check:
    """Let pass some values, and what another check lets pass."""

    def check_either(name: str, value: Any) -> None:
        if not any(
            value is choice or (type(value) is type(choice) and value == choice) for choice in choices
        ):
            check(name, value)

    return check_either


def _check_flag(name: str, value: Any) -> None:
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name} must be True or False, got {value!r}")


def _one_of(*choices: str | None) -> _Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, str | None) or value not in choices:
            shown = ", ".join(map(repr, choices))
            hint = did_you_mean(value, [c for c in choices if c]) if isinstance(value, str) else ""
            raise InputError(f"{name} must be one of {shown}, got {value!r}{hint}")

    return check


def _check_verbose(name: str, value: Any) -> None:
    if not isinstance(value, bool | np.bool_ | Integral) or int(value) < 0:
        raise InputError(f"{name} must be True, False or a whole number ≥ 0, got {value!r}")


def _check_random_state(name: str, value: Any) -> None:
    if isinstance(value, np.random.RandomState):
        return
    if not isinstance(value, Integral) or not 0 <= int(value) < 2**32:
        raise InputError(
            f"{name} must be None, a whole number from 0 to 2³² − 1 or a RandomState, got {value!r}"
        )


def _check_class_weight(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise InputError(f"{name} must be None, 'balanced' or a dict from classes to weights, got {value!r}")


def _check_scoring(name: str, value: Any) -> None:
    if not (value in get_scorer_names() if isinstance(value, str) else callable(value)):
        raise InputError(
            f"{name} must be None, a scorer's name or a callable (estimator, X, y), got {value!r}"
        )


def _check_weight_pair(name: str, value: Any) -> None:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InputError(f"{name} must be None or a pair (coefs, intercepts), got {value!r}")


def _check_dropout(name: str, value: Any) -> None:
    for share in value if isinstance(value, tuple | list) else [value]:
        check_number(name, share, 0, math.nextafter(1, 0))


_SHARE = _number_from(0, math.nextafter(1, 0))

_CHECKS: dict[str, _Check] = {
    "hidden_layer_sizes": lambda name, value: hidden_sizes(value),
    "alpha": _number_from(0),
    "batch_size": _either(["auto"], check_whole),
    "learning_rate_init": _number_from(TINY),
    "power_t": _number_from(0),
    "max_iter": check_whole,
    "shuffle": _check_flag,
    "random_state": _either([None], _check_random_state),
    "tol": _number_from(0),
    "verbose": _check_verbose,
    "warm_start": _check_flag,
    "momentum": _number_from(0, 1),
    "nesterovs_momentum": _check_flag,
    "early_stopping": _check_flag,
    "validation_fraction": _SHARE,
    "beta_1": _SHARE,
    "beta_2": _SHARE,
    "epsilon": _number_from(TINY),
    "n_iter_no_change": _either([math.inf], check_whole),
    "max_fun": check_whole,
    "dropout": _check_dropout,
    "clip_norm": _either([None], _number_from(TINY)),
    "label_smoothing": _SHARE,
    "class_weight": _either([None, "balanced"], _check_class_weight),
    "scoring": _either([None], _check_scoring),
    "initial_weights": _either([None], _check_weight_pair),
    "standardize": _check_flag,
    "preset": _one_of(None, *PRESETS),
    "engine": _one_of("auto", "reference", "compiled"),
    "progress": _check_flag,
}


def hidden_sizes(value: Any) -> list[int]:
    """``hidden_layer_sizes`` as a list; a number means one layer.

    Examples
    --------
    >>> hidden_sizes((200, 80)), hidden_sizes(100)
    ([200, 80], [100])
    """
    several = hasattr(value, "__iter__") and not isinstance(value, str | bytes)
    sizes = list(value) if several else [value]
    for size in sizes:
        if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
            raise InputError(f"hidden_layer_sizes must be > 0, whole numbers, got {value!r}")
    return [int(size) for size in sizes]


def resolve_parameter(name: str, resolve: Callable[[], Any]) -> Any:
    """What a text or a record stands for; where it stands for nothing, the parameter is named."""
    try:
        return resolve()
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
