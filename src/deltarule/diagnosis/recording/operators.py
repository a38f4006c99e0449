"""What is done with traced arrays by operators and methods: each is recorded, moves ids, or compares."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltarule.diagnosis.recording.tape import current_tape
from deltarule.diagnosis.recording.traced import PROTOCOLS, Traced, apply, matrix_product, plain


def _add_move(name: str) -> None:
    def move(self: Traced, *args: Any, **options: Any) -> Traced:
        return self._moved(lambda a: getattr(a, name)(*plain(args), **plain(options)))

    setattr(Traced, name, move)


def _add_function(name: str) -> None:
    def method(self: Traced, *args: Any, **options: Any) -> Any:
        return PROTOCOLS["function"](getattr(np, name), (self, *args), options)

    setattr(Traced, name, method)


def _add_rounding(name: str) -> None:
    def rounding(self: Traced, *digits: Any) -> Any:
        return self if has_decimals(digits) else getattr(float(self), name)(*plain(digits))

    setattr(Traced, name, rounding)


def has_decimals(digits: Any) -> bool:
    """Whether numbers are rounded only to be shorter: they stay what they are."""
    return bool(digits) and digits[0] is not None and int(digits[0]) > 1


def _add_operator(name: str, ufunc: Any) -> None:
    def combine(a: Any, b: Any) -> Any:
        return _product(a, b) if name == "mul" else apply(ufunc, a, b)

    def forward(self: Traced, other: Any) -> Any:
        return NotImplemented if _is_foreign(other) else combine(self, other)

    def reflected(self: Traced, other: Any) -> Any:
        return NotImplemented if _is_foreign(other) else combine(other, self)

    def in_place(self: Traced, other: Any) -> Any:
        result = combine(self, other)
        return result if self.is_scalar else self._write(result)

    setattr(Traced, f"__{name}__", forward)
    setattr(Traced, f"__r{name}__", reflected)
    setattr(Traced, f"__i{name}__", in_place)


def _product(a: Any, b: Any) -> Any:
    """``a * b``: of matrices the product of matrices."""
    is_product = any(type(x) is Traced and x.is_matrix for x in (a, b)) and np.ndim(a) and np.ndim(b)
    return matrix_product(a, b, "dot") if is_product else apply(np.multiply, a, b)


def _add_comparison(name: str, ufunc: Any) -> None:
    def compare(self: Traced, other: Any) -> Any:
        if _is_foreign(other):
            return name == "ne" if name in ("eq", "ne") and not hasattr(other, "columns") else NotImplemented
        _note_comparison(self)
        answer = ufunc(self.value, plain(other))
        return answer if np.ndim(answer) else bool(answer)

    setattr(Traced, f"__{name}__", compare)


def _note_comparison(x: Traced) -> None:
    """Remember what a comparison depends on: what it decides has no other way back to that."""
    if (tape := current_tape()) is not None:
        leaves = tape.leaves(x.ids)
        tape.compared |= leaves
        if leaves:
            tape.comparisons.append((len(tape.operations), leaves))


def _is_foreign(x: Any) -> bool:
    return x is None or isinstance(x, str) or hasattr(x, "columns")


for _name in (
    "reshape", "ravel", "flatten", "squeeze", "swapaxes", "repeat", "diagonal", "transpose", "take",
):  # fmt: skip
    _add_move(_name)
for _name in ["sum", "mean", "max", "min", "prod", "std", "var", "clip", "dot", "trace", "round"]:
    _add_function(_name)
for _name in ("__round__", "__floor__", "__ceil__", "__trunc__"):
    _add_rounding(_name)
for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power,
    "mod": np.remainder, "floordiv": np.floor_divide,
}.items():  # fmt: skip
    _add_operator(_name, _ufunc)
for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal,
    "ne": np.not_equal,
}.items():  # fmt: skip
    _add_comparison(_name, _ufunc)
