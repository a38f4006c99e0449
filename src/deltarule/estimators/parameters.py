"""What the parameters of the estimators mean: scikit-learn's names and ranges, as records of ours."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from numbers import Integral
from types import SimpleNamespace
from typing import Any, ClassVar, TypeAlias

import numpy as np
from sklearn.metrics import get_scorer_names

from deltarule.arrays import TINY, check_number, check_whole
from deltarule.errors import InputError
from deltarule.nn.activations import ACTIVATIONS, Activation
from deltarule.nn.initializers import INITIALIZERS, Initializer
from deltarule.nn.losses import LOSSES, Loss
from deltarule.nn.optimizers import (
    LBFGS,
    OPTIMIZERS,
    SGD,
    Adagrad,
    AdamHat,
    AdamW,
    GradientStep,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
)
from deltarule.nn.schedules import SCHEDULES, Constant, Schedule
from deltarule.registry import did_you_mean, record

__all__ = [
    "PRESETS",
    "Parameters",
    "hidden_activations",
    "hidden_sizes",
    "make_initializer",
    "make_loss",
    "make_optimizer",
    "parameters_of",
    "plans_ahead",
]

#: The checked values of an estimator's parameters, by name.
Parameters: TypeAlias = SimpleNamespace

#: What a preset says where the user says nothing.
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
    """An estimator's parameters, checked; where one has its default, the preset's word goes.

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
    return Parameters(**values | untouched)


# ---------------------------------------------------------------------- ranges

_Check: TypeAlias = Callable[[str, Any], None]


def _number(low: float = -math.inf, high: float = math.inf) -> _Check:
    return lambda name, value: check_number(name, value, low, high)


def _whole(name: str, value: Any) -> None:
    check_whole(name, value)


def _or(choices: Iterable[Any], check: _Check) -> _Check:
    """One of some values, or what another check lets pass."""

    def either(name: str, value: Any) -> None:
        if not any(
            value is choice or (type(value) is type(choice) and value == choice) for choice in choices
        ):
            check(name, value)

    return either


def _flag(name: str, value: Any) -> None:
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name} must be True or False, got {value!r}")


def _one_of(*choices: str | None) -> _Check:
    def check(name: str, value: Any) -> None:
        if not isinstance(value, str | None) or value not in choices:
            shown = ", ".join(map(repr, choices))
            hint = did_you_mean(value, [c for c in choices if c]) if isinstance(value, str) else ""
            raise InputError(f"{name} must be one of {shown}, got {value!r}{hint}")

    return check


def _verbose(name: str, value: Any) -> None:
    if not isinstance(value, bool | np.bool_ | Integral) or int(value) < 0:
        raise InputError(f"{name} must be True, False or a whole number ≥ 0, got {value!r}")


def _random_state(name: str, value: Any) -> None:
    if isinstance(value, np.random.RandomState):
        return
    if not isinstance(value, Integral) or not 0 <= int(value) < 2**32:
        raise InputError(
            f"{name} must be None, a whole number from 0 to 2³² − 1 or a RandomState, got {value!r}"
        )


def _sizes(name: str, value: Any) -> None:
    hidden_sizes(value)


def _class_weight(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise InputError(f"{name} must be None, 'balanced' or a dict from classes to weights, got {value!r}")


def _scoring(name: str, value: Any) -> None:
    if not (value in get_scorer_names() if isinstance(value, str) else callable(value)):
        raise InputError(
            f"{name} must be None, a scorer's name or a callable (estimator, X, y), got {value!r}"
        )


def _weights(name: str, value: Any) -> None:
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise InputError(f"{name} must be None or a pair (coefs, intercepts), got {value!r}")


def _dropout(name: str, value: Any) -> None:
    for share in value if isinstance(value, tuple | list) else [value]:
        check_number(name, share, 0, math.nextafter(1, 0))


_SHARE = _number(0, math.nextafter(1, 0))

_CHECKS: dict[str, _Check] = {
    "hidden_layer_sizes": _sizes,
    "alpha": _number(0),
    "batch_size": _or(["auto"], _whole),
    "learning_rate_init": _number(TINY),
    "power_t": _number(0),
    "max_iter": _whole,
    "shuffle": _flag,
    "random_state": _or([None], _random_state),
    "tol": _number(0),
    "verbose": _verbose,
    "warm_start": _flag,
    "momentum": _number(0, 1),
    "nesterovs_momentum": _flag,
    "early_stopping": _flag,
    "validation_fraction": _SHARE,
    "beta_1": _SHARE,
    "beta_2": _SHARE,
    "epsilon": _number(TINY),
    "n_iter_no_change": _or([math.inf], _whole),
    "max_fun": _whole,
    "dropout": _dropout,
    "clip_norm": _or([None], _number(TINY)),
    "label_smoothing": _SHARE,
    "class_weight": _or([None, "balanced"], _class_weight),
    "scoring": _or([None], _scoring),
    "initial_weights": _or([None], _weights),
    "standardize": _flag,
    "preset": _one_of(None, *PRESETS),
    "engine": _one_of("auto", "reference", "compiled"),
    "progress": _flag,
}


def _resolved(name: str, resolve: Callable[[], Any]) -> Any:
    """What a text or a record stands for; where it stands for nothing, the parameter is named."""
    try:
        return resolve()
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


# ---------------------------------------------------------------------- layers and losses


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


def hidden_activations(value: Any, n_layers: int) -> list[Activation]:
    """``activation`` for each hidden layer; scikit-learn's ``"logistic"`` is our ``"sigmoid"``."""
    several = isinstance(value, list | tuple)
    if several and len(value) != n_layers:
        raise InputError(f"activation: {n_layers} hidden layers need as many activations, got {len(value)}")
    return [_activation(one) for one in (value if several else [value] * n_layers)]


def _activation(value: Any) -> Activation:
    name = "sigmoid" if isinstance(value, str) and value == "logistic" else value
    found: Activation = _resolved("activation", lambda: ACTIVATIONS.resolve(name))
    if found.coupled:
        raise InputError(
            f"activation: {found.name} is for outputs; a hidden layer needs one that acts on each neuron"
        )
    return found


def make_initializer(value: Any) -> Initializer | None:
    """``initializer``: None stands for scikit-learn's uniform numbers, Glorot & Bengio (2010)."""
    return None if value is None else _resolved("initializer", lambda: INITIALIZERS.resolve(value))


def make_loss(value: Any, names: Mapping[str, str]) -> Loss:
    """``loss``: a name of scikit-learn's or of ours, a Loss, or a pair of functions (terms, derivative).

    Parameters
    ----------
    value : str, Loss or (callable, callable)
        The functions take outputs and targets, both (n_samples, n_outputs), and return an array like them.
    names : mapping
        scikit-learn's names and what they are here.
    """
    if isinstance(value, tuple) and len(value) == 2 and all(map(callable, value)):
        return Loss("own", *value, "own", "own")  # type: ignore[arg-type]
    ours = names.get(value, value) if isinstance(value, str) else value
    return _resolved("loss", lambda: LOSSES.resolve(ours))


# ---------------------------------------------------------------------- solvers

#: Where SciPy's L-BFGS-B stops by itself, and so scikit-learn's: a relative improvement of 2.2e-9.
_IMPROVEMENT = 1e7 * float(np.finfo(float).eps)


def make_optimizer(p: Parameters, n_samples: int, seen: int = 0, *, fresh: bool = True) -> Optimizer:
    """The optimizer that the parameters describe.

    Parameters
    ----------
    p : Parameters
    n_samples : int
        Of an epoch: scikit-learn's "invscaling" counts samples.
    seen : int
        Samples before this training.
    fresh : bool
        Whether it begins with ``learning_rate_init`` all the same, as scikit-learn's ``fit`` does.
    """
    falling = _InverseScaling(float(p.learning_rate_init), p.power_t, n_samples, seen, fresh)
    rate = _resolved("learning_rate", lambda: _rate(p, falling))
    adam = {"beta1": p.beta_1, "beta2": p.beta_2, "epsilon": p.epsilon}
    makers: dict[str, Callable[[], Optimizer]] = {
        "lbfgs": lambda: LBFGS(tolerance=p.tol, improvement=_IMPROVEMENT, evaluations=p.max_fun),
        "sgd": lambda: _descent(p, rate),
        "adam": lambda: AdamHat(rate, **adam),
        "adamw": lambda: AdamW(rate, **adam, weight_decay=p.alpha),
        "rmsprop": lambda: RMSprop(rate, epsilon=p.epsilon),
        "adagrad": lambda: Adagrad(rate, epsilon=p.epsilon),
    }
    known = isinstance(p.solver, str) and p.solver in makers
    optimizer: Optimizer = _resolved(
        "solver", makers[p.solver] if known else lambda: OPTIMIZERS.resolve(p.solver)
    )
    if p.clip_norm is not None and isinstance(optimizer, GradientStep):
        return replace(optimizer, clip_norm=float(p.clip_norm))
    return optimizer


def _descent(p: Parameters, rate: Schedule) -> Optimizer:
    if not p.momentum:
        return SGD(rate)
    return (Nesterov if p.nesterovs_momentum else Momentum)(rate, momentum=p.momentum)


def _rate(p: Parameters, falling: Schedule) -> Schedule:
    """``learning_rate``; scikit-learn's own three names mean something to "sgd" only."""
    if isinstance(p.learning_rate, Schedule):
        return p.learning_rate
    rate = float(p.learning_rate_init)
    if p.learning_rate == "invscaling" and p.solver == "sgd":
        return falling
    if not plans_ahead(p):
        return Constant(rate)
    if isinstance(p.learning_rate, str) and p.learning_rate in SCHEDULES:
        return SCHEDULES.maker(p.learning_rate)(rate)
    return SCHEDULES.resolve(p.learning_rate)


def plans_ahead(p: Parameters) -> bool:
    """Whether the learning rate follows a schedule of ours, made for all epochs: then none is too many."""
    return not isinstance(p.learning_rate, str) or p.learning_rate not in (
        "constant",
        "invscaling",
        "adaptive",
    )


@record
class _InverseScaling(Schedule):
    """scikit-learn's "invscaling": it falls after each epoch, with the samples seen."""

    rate: float
    power: float
    n_samples: int
    seen: int
    fresh: bool
    name: ClassVar[str] = "invscaling"
    formula: ClassVar[str] = "η = rate / (1 + samples seen)^power"

    def __call__(self, t: float, T: float) -> float:
        if self.fresh and t < 1:
            return self.rate
        return self.rate / (1 + self.seen + math.floor(t) * self.n_samples) ** self.power
