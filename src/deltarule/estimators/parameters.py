"""The parameters of the estimators: which values they may have, and what a preset puts in their place."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Annotated, Any, TypeAlias, get_type_hints

import numpy as np
from sklearn.metrics import get_scorer_names

from deltarule.arrays import TINY, check_number, check_whole
from deltarule.errors import InputError
from deltarule.registry import did_you_mean

#: The values that a preset gives the parameters that the user leaves alone.
PRESETS: dict[str, dict[str, Any]] = {
    "robust": {
        "standardize": True, "solver": "adamw", "alpha": 1.0, "learning_rate": "one_cycle",
        "learning_rate_init": 0.01, "batch_size": 32, "max_iter": 100, "n_iter_no_change": math.inf,
    }
}  # fmt: skip


_Check: TypeAlias = Callable[[str, Any], object]  # of a parameter's name and value


def _number_from(low: float = -math.inf, high: float = math.inf) -> _Check:
    return lambda name, value: check_number(name, value, low, high)


def _must_be(what: str, fits: Callable[[Any], bool]) -> _Check:
    def check(name: str, value: Any) -> None:
        if not fits(value):
            raise InputError(f"{name} must be {what}, got {value!r}")

    return check


def _either(choices: Iterable[Any], check: _Check) -> _Check:
    """Let pass some values, and what another check lets pass."""

    def check_either(name: str, value: Any) -> None:
        if not any(
            value is choice or (type(value) is type(choice) and value == choice) for choice in choices
        ):
            check(name, value)

    return check_either


def _one_of(*choices: str | None) -> _Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, str | None) or value not in choices:
            shown = ", ".join(map(repr, choices))
            hint = did_you_mean(value, [c for c in choices if c]) if isinstance(value, str) else ""
            raise InputError(f"{name} must be one of {shown}, got {value!r}{hint}")

    return check


def _check_sizes(name: str, value: Any) -> None:
    hidden_sizes(value)


def _check_dropout(name: str, value: Any) -> None:
    for share in value if isinstance(value, tuple | list) else [value]:
        check_number(name, share, 0, math.nextafter(1, 0))


_FLAG = _must_be("True or False", lambda value: isinstance(value, bool | np.bool_))
_VERBOSE = _must_be(
    "True, False or a whole number ≥ 0",
    lambda value: isinstance(value, bool | np.bool_ | Integral) and int(value) >= 0,
)
_RANDOM_STATE = _must_be(
    "None, a whole number from 0 to 2³² − 1 or a RandomState",
    lambda value: (
        isinstance(value, np.random.RandomState | None)
        or (isinstance(value, Integral) and 0 <= int(value) < 2**32)
    ),
)
_SHARE = _number_from(0, math.nextafter(1, 0))
_WEIGHTS = _must_be(
    "None or a pair (coefs, intercepts)",
    lambda value: value is None or (isinstance(value, tuple | list) and len(value) == 2),
)
_SCORING = _must_be(
    "None, a scorer's name or a callable (estimator, X, y)",
    lambda value: value in [None, *get_scorer_names()] if isinstance(value, str | None) else callable(value),
)
_CLASS_WEIGHT = _must_be(
    "None, 'balanced' or a dict from classes to weights",
    lambda value: value == "balanced" if isinstance(value, str) else isinstance(value, Mapping | None),
)


@dataclass(frozen=True)
class Parameters:
    """The values of an estimator's parameters, each with the check that it has passed.

    What has none is checked where it is resolved: an activation, a loss, a solver. ``preset_names`` are the
    parameters whose value is the preset's.
    """

    hidden_layer_sizes: Annotated[Any, _check_sizes]
    activation: Any
    loss: Any
    solver: Any
    alpha: Annotated[float, _number_from(0)]
    batch_size: Annotated[int | str, _either(["auto"], check_whole)]
    learning_rate: Any
    learning_rate_init: Annotated[float, _number_from(TINY)]
    power_t: Annotated[float, _number_from(0)]
    max_iter: Annotated[int, check_whole]
    shuffle: Annotated[bool, _FLAG]
    random_state: Annotated[Any, _RANDOM_STATE]
    tol: Annotated[float, _number_from(0)]
    verbose: Annotated[bool | int, _VERBOSE]
    warm_start: Annotated[bool, _FLAG]
    momentum: Annotated[float, _number_from(0, 1)]
    nesterovs_momentum: Annotated[bool, _FLAG]
    early_stopping: Annotated[bool, _FLAG]
    validation_fraction: Annotated[float, _SHARE]
    beta_1: Annotated[float, _SHARE]
    beta_2: Annotated[float, _SHARE]
    epsilon: Annotated[float, _number_from(TINY)]
    n_iter_no_change: Annotated[float, _either([math.inf], check_whole)]
    max_fun: Annotated[int, check_whole]
    dropout: Annotated[Any, _check_dropout]
    clip_norm: Annotated[float | None, _either([None], _number_from(TINY))]
    initializer: Any
    initial_weights: Annotated[Any, _WEIGHTS]
    scoring: Annotated[Any, _SCORING]
    standardize: Annotated[bool, _FLAG]
    preset: Annotated[str | None, _one_of(None, *PRESETS)]
    engine: Annotated[str, _one_of("auto", "reference", "compiled")]
    progress: Annotated[bool, _FLAG]
    class_weight: Annotated[Any, _CLASS_WEIGHT] = None
    label_smoothing: Annotated[float, _SHARE] = 0.0
    preset_names: frozenset[str] = frozenset()


_CHECKS: dict[str, _Check] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Parameters, include_extras=True).items()
    if hasattr(hint, "__metadata__")
}


def parameters_of(estimator: Any) -> Parameters:
    """An estimator's parameters, checked; one that has its default gets the preset's value.

    Raises InputError if a value does not fit; the message names the parameter, what it may be, and the
    value.
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
    """The value that ``resolve`` finds for a parameter; its error names the parameter."""
    try:
        return resolve()
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
