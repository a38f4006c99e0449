"""What is put to the test: a function, a network object, or a script that has one."""

from __future__ import annotations

import inspect
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deltarule.diagnosis.arguments import plain_arguments
from deltarule.diagnosis.objects import is_network

_NAMES = (
    "backprop", "backpropagation", "backpropagate", "backward", "backward_pass", "gradients", "gradient",
    "compute_gradients", "get_gradients", "grad", "grads", "train_step", "update", "step",
)  # fmt: skip

_PREDICTING = ("predict", "infer", "inference", "feedforward", "feed_forward", "forward", "forward_pass")


def find_in_script(path: str | Path, name: str | None = None) -> Any:
    """The function or network of a script; it runs, but not what stands under ``if __name__ == "__main__"``.

    Raises
    ------
    LookupError
        If there is none; the message says what there is.
    """
    found = runpy.run_path(str(path), run_name="deltarule_check")
    own = {key: value for key, value in found.items() if not key.startswith("__")}
    if name is not None:
        if name not in own:
            raise LookupError(f"there is no {name} in {path}; there are {', '.join(own) or 'no names'}")
        return _made(own[name])
    functions = {key: value for key, value in own.items() if _is_function(value)}
    for known in _NAMES:
        if known in functions:
            return functions[known]
    if len(functions) == 1:
        return next(iter(functions.values()))
    for value in own.values():
        if is_network(value):
            return value
    for value in own.values():
        if isinstance(value, type) and value.__module__ == "deltarule_check":
            made = _made(value)
            if is_network(made):
                return made
    raise LookupError(
        f"{path} has no function (weights, biases, X, Y) and no network with weights and a method train or "
        f"backward; it has {', '.join(own) or 'no names'}. Name one with --name"
    )


def find_predict(path: str | Path, name: str | None = None) -> Any:
    """The function of a script that predicts, from (weights, biases, X); None where there is none."""
    found = runpy.run_path(str(path), run_name="deltarule_check")
    if name is not None and not _is_function(found.get(name), 3, 3):
        raise LookupError(f"there is no function {name}(weights, biases, X) in {path}")
    names = _PREDICTING if name is None else (name,)
    return next((found[one] for one in names if _is_function(found.get(one), 3, 3)), None)


def _is_function(value: Any, least: int = 4, most: int = 5) -> bool:
    """Whether it takes (weights, biases, X, Y), and perhaps a learning rate."""
    if not inspect.isfunction(value) or value.__module__ not in ("deltarule_check", None):
        return False
    return least <= plain_arguments(value) <= most


_MAKERS: tuple[Callable[[type], Any], ...] = (
    lambda kind: kind(),
    lambda kind: kind([3, 4, 2]),
    lambda kind: kind(3, 4, 2),
    lambda kind: kind([3, 3, 3]),
)


def _made(value: Any) -> Any:
    """An object of a class, made as such classes usually are."""
    if not isinstance(value, type):
        return value
    for make in _MAKERS:
        try:
            return make(value)
        except TypeError:
            continue
    raise LookupError(
        f"{value.__name__} cannot be made without arguments, nor from sizes: make an object of it"
    )
