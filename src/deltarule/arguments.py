"""Keyword arguments under the names that other libraries have for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from deltarule.errors import InputError
from deltarule.registry import did_you_mean

#: What others call the same, and what it is called here.
_ELSEWHERE = {
    "source": "X data df dataset dataframe train_data file path csv",
    "target": "y label labels target_column target_col label_column outcome",
    "drop": "drop_columns ignore exclude skip",
    "keep": "keep_columns features columns",
    "missing": "impute imputer fillna na nan handle_missing",
    "scale": "scaler scaling normalize standardize",
    "test": "test_size test_split test_share test_fraction holdout",
    "validation": "validation_split validation_fraction val_size val_split valid_size",
    "hidden": "hidden_layer_sizes hidden_layers hidden_sizes hidden_units layers neurons units hidden_size",
    "output": "output_activation out_activation",
    "loss": "criterion loss_function",
    "l2": "alpha weight_decay",
    "optimizer": "solver",
    "learning_rate": "lr learning_rate_init eta",
    "schedule": "lr_schedule scheduler",
    "clip_norm": "clipnorm max_norm gradient_clip",
    "epochs": "max_iter n_epochs num_epochs nb_epoch n_iter iterations steps max_epochs",
    "batch_size": "batch minibatch_size",
    "patience": "n_iter_no_change early_stopping",
    "seed": "random_state random_seed",
    "progress": "verbose",
    "delimiter": "sep separator",
    "table": "sheet sheet_name",
    "kind": "dtypes types kinds",
    "dropout": "dropout_rate",
    "probabilities": "proba predict_proba return_proba",
    "row": "sample index",
}
_HERE = {other: name for name, others in _ELSEWHERE.items() for other in others.split()}


def refuse_others(function: str, others: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse keyword arguments that a function has not, all at once, and say what they are called here.

    Examples
    --------
    >>> refuse_others("experiment", {"random_state": 1}, ["seed", "epochs"])
    Traceback (most recent call last):
      ...
    deltarule.errors.InputError: experiment() has no 'random_state': write seed=1
    """
    names = list(known)
    if others:
        raise InputError("; ".join(_hint(function, name, value, names) for name, value in others.items()))


def _hint(function: str, name: str, value: Any, known: list[str]) -> str:
    here, shown = _HERE.get(name, name), repr(value)
    shown = shown if len(shown) <= 40 else "…"
    if here in known:
        meant = f": write {here}={shown}"
    elif here == "learning_rate" and "optimizer" in known:
        meant = f": write optimizer='adam(learning_rate={shown})'"
    else:
        meant = did_you_mean(name, known)
    return f"{function}() has no {name!r}{meant}"
