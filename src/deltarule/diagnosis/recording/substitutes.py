"""What a recorded program gets for ``numpy``, ``math`` and ``random``: the same, but numbers have ids."""

from __future__ import annotations

import difflib
import importlib
import math
import random
import sys
import time
import types
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.convolutions import convolve2d, correlate2d
from deltarule.diagnosis.recording.functions import (
    call_function,
    call_ufunc,
    erf,
    expit,
    logsumexp,
    shares,
    softmax,
)
from deltarule.diagnosis.recording.made_data import note
from deltarule.diagnosis.recording.tape import current_tape
from deltarule.diagnosis.recording.traced import (
    Traced,
    apply,
    asking,
    has_traced,
    leaf,
    matrix_product,
    plain,
    recorded,
    to_traced,
)

_REMOVED = {
    "float": float, "int": int, "bool": bool, "object": object, "float_": np.float64, "product": np.prod,
    "NaN": np.nan, "Inf": np.inf, "infty": np.inf, "alltrue": np.all, "sometrue": np.any,
}  # fmt: skip
#: From which likeness on to a name that a module has a name is taken for a slip of the pen.
_ALIKE = 0.8
#: Activations that programs take from ``numpy`` or ``math``, which do not have them.
_NOT_THERE: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("sigmoid", "logistic", "expit"), expit),
    "relu": lambda x: apply(np.maximum, x, 0),
    "softmax": shares,
}
#: Random numbers around a middle, so wide: a network may compute both, and derivatives go through them.
_SHIFTED = {"normal": ("loc", "scale"), "gauss": ("mu", "sigma"), "normalvariate": ("mu", "sigma")}
_REORDERING = frozenset({"permutation", "choice", "permuted", "sample"})
_GENERATORS = frozenset({"default_rng", "RandomState", "Generator", "Random"})


class Substitute(types.ModuleType):
    """A module that gives the original's names, some replaced."""

    def __init__(self, original: Any, replaced: dict[str, Any], wrap: Callable[[str, Any], Any]) -> None:
        super().__init__(original.__name__)
        public = [name for name in dir(original) if not name.startswith("_")]
        self.__dict__.update(replaced, __all__=getattr(original, "__all__", None) or public)
        self.__dict__["_original"], self.__dict__["_wrap"] = original, wrap

    def __getattr__(self, name: str) -> Any:
        if name in _NOT_THERE and not hasattr(self._original, name):
            note(f"{self.__name__} has no {name}: the usual function of that name was put in its place")
            return _NOT_THERE[name]
        if not hasattr(self._original, name):
            alike = difflib.get_close_matches(name, dir(self._original), 1, _ALIKE)
            for one in alike:
                note(f"{self.__name__} has no {name}: it was taken for {one}")
                name = one
        found = self._wrap(name, getattr(self._original, name))
        self.__dict__[name] = found
        return found


class _Ufunc:
    """A universal function that takes lists of traced numbers, too."""

    def __init__(self, ufunc: Any) -> None:
        self._ufunc = ufunc

    def __call__(self, *xs: Any, **options: Any) -> Any:
        if not has_traced(xs):
            return self._ufunc(*xs, **options)
        out = options.pop("out", xs[self._ufunc.nin] if len(xs) > self._ufunc.nin else None)
        return call_ufunc(self._ufunc, "__call__", xs[: self._ufunc.nin], {**options, "out": out})

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ufunc, name)
        if name not in ("reduce", "outer", "at", "accumulate", "reduceat"):
            return found

        def method(*xs: Any, **options: Any) -> Any:
            return call_ufunc(self._ufunc, name, xs, options) if has_traced(xs) else found(*xs, **options)

        return method


def _wrap_numpy(name: str, found: Any) -> Any:
    if isinstance(found, np.ufunc):
        return _Ufunc(found)
    if isinstance(found, type) or not callable(found):
        return found
    if name.startswith("save"):
        return lambda *args, **options: None
    return lambda *args, **options: call_function(found, args, options)


def _array(x: Any, dtype: Any = None, *, copy: Any = True, ndmin: int = 0, **options: Any) -> Any:
    """``np.array``: a copy with the same ids, or new start values."""
    if asking((x,)) is not None:
        return x.__array_function__(np.array, (), (x,), {"ndmin": ndmin})
    try:
        if not has_traced(x):
            return leaf(np.array(x, dtype=dtype, ndmin=ndmin, **options), is_scalar=False)
        array = x.copy() if type(x) is Traced else to_traced(x)
    except ValueError as error:  # rows of different lengths: an array of lists, as of NumPy before 1.24
        if dtype not in (None, object) or "inhomogeneous" not in str(error):
            raise
        return _ragged(x)
    if dtype is object:
        return np.array([*x], dtype=object)
    array = array if dtype is None else array.astype(dtype)
    while ndmin > np.ndim(array):
        array = array.reshape((1, *array.shape))
    if type(array) is Traced:
        array.is_scalar = array.is_matrix = False
    return array


def _ragged(rows: Any) -> Any:
    """An array of lists of different lengths; of several columns where all rows have as many."""
    counts = {len(one) if isinstance(one, list | tuple) else 0 for one in rows}
    is_table = len(counts) == 1 and 0 not in counts
    made = np.empty((len(rows), *counts) if is_table else len(rows), dtype=object)
    for where in np.ndindex(made.shape):
        made[where] = rows[where[0]][where[1]] if is_table else rows[where[0]]
    return made


def _asarray(x: Any, dtype: Any = None, **options: Any) -> Any:
    if type(x) is not Traced or x.is_matrix:
        return _array(x, dtype)
    return x if dtype is None or np.dtype(dtype) == x.value.dtype else x.astype(dtype)


class _Matrix:
    """``np.matrix``, whose ``*`` is the product of matrices, and ``np.mat``."""

    def __new__(cls, x: Any, dtype: Any = None, copy: Any = True) -> Any:
        if asking((x,)) is not None:
            return x.__array_function__(np.asmatrix, (), (x,), {})
        if not has_traced(x):
            return leaf(np.matrix(x, dtype), is_scalar=False)
        numbers = x if type(x) is Traced and not copy else _array(x, dtype)
        return Traced(np.asmatrix(numbers.value), np.asmatrix(numbers.ids))


def _vectorize(function: Any = None, *_: Any, **__: Any) -> Any:
    """``np.vectorize``: the function of every element, recorded."""
    if function is None:
        return _vectorize

    def call(*xs: Any) -> Any:
        if (open_one := asking(xs)) is not None:
            open_one.be_array()
        arrays = [to_traced(x) for x in xs]
        shape = np.broadcast_shapes(*(one.shape for one in arrays))
        spread: list[Any] = [np.broadcast_to(one, shape) for one in arrays]
        results = [function(*(one[where].as_scalar() for one in spread)) for where in np.ndindex(shape)]
        return _array(results).reshape(shape) if shape else results[0]

    return call


class _Joiner:
    """``np.c_`` and ``np.r_``."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if (open_one := asking(parts)) is not None:
            open_one.be_array()
        if not has_traced(parts):
            return leaf(self._original[key], is_scalar=False)
        arrays = [to_traced(one) for one in parts if not isinstance(one, slice)]
        values, ids = ([getattr(one, side) for one in arrays] for side in ("value", "ids"))
        return Traced(self._original[tuple(values)], self._original[tuple(ids)], False)


def _drawn(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function that draws random numbers: they are start values; what it reorders keeps its ids."""

    def draw(*args: Any, **options: Any) -> Any:
        if name in _SHIFTED:
            given = dict(zip(_SHIFTED[name], args, strict=False)) | options
            middle, width = (given.pop(key, k) for k, key in enumerate(_SHIFTED[name]))
            if has_traced([middle, width]):
                return middle + width * draw(0.0, 1.0, *args[2:], **given)
        x, rest, options = (args[0] if args else None), plain(args[1:]), plain(options)
        if name == "shuffle":
            return _shuffle(function, x, *rest)
        if name in _REORDERING and type(x) is Traced and x.ndim:
            return x[function(np.arange(len(x)), *rest, **options)]
        if isinstance(x, list) and has_traced(x):
            return function(x, *rest, **options)
        result = function(*plain(args), **options)
        if isinstance(result, np.ndarray):
            return leaf(result, is_scalar=False) if result.dtype.kind == "f" or name == "integers" else result
        return leaf(result, is_scalar=True) if isinstance(result, float) else result

    return draw


def _shuffle(function: Callable[..., Any], x: Any, *rest: Any) -> None:
    if type(x) is not Traced:
        function(x, *rest)
        return
    order = np.arange(len(x))
    function(order)
    x.value[...], x.ids[...] = x.value[order], x.ids[order]


class RandomNumbers:
    """A random generator (of ``default_rng`` or ``RandomState``) whose numbers are start values."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(self._generator, name)
        return _drawn(found, name) if callable(found) else found


def _wrap_random(name: str, found: Any) -> Any:
    """A function of ``numpy.random``, or of Python's ``random``."""
    if name not in _GENERATORS:
        return _drawn(found, name) if callable(found) and not isinstance(found, type) else found

    def seeded(*args: Any, **options: Any) -> Any:
        if args and isinstance(args[0], RandomNumbers):
            return args[0]
        if all(one is None for one in (*args, *options.values())):  # the same numbers each time
            return RandomNumbers(found(random.getrandbits(32)))
        return RandomNumbers(found(*plain(args), **plain(options)))

    return seeded


_UFUNC_OF_MATH = {"fabs": "absolute", "atan": "arctan", "pow": "power"}


def _wrap_math(name: str, found: Any) -> Any:
    ufunc = getattr(np, _UFUNC_OF_MATH.get(name, name), None)

    def call(*xs: Any) -> Any:
        if not has_traced(xs):
            return found(*xs)
        if name == "fsum":
            return sum(xs[0])
        if name == "log" and len(xs) == 2:
            return apply(np.log, _scalar(xs[0])) / math.log(plain(xs[1]))
        if name == "erf":
            return erf(_scalar(xs[0]))
        result = found(*(float(x) for x in plain(xs)))  # what it raises, it raises
        if not isinstance(ufunc, np.ufunc):
            return recorded(f"opaque {name}", result, [_scalar(x) for x in xs])
        return apply(ufunc, *(_scalar(x) for x in xs))

    return call if callable(found) else found


def _scalar(x: Any) -> Any:
    return x.item() if type(x) is Traced else x


def traced_float(x: Any = 0.0) -> Any:
    """``float(x)`` that keeps the id."""
    return x.item().astype(float) if type(x) is Traced else float(x)


def product(x: Any, y: Any) -> Any:
    """``x.dot(y)``: an array's own method would lose the ids of y."""
    if type(x) is np.ndarray and has_traced(y):
        return matrix_product(x, y, "dot")
    return x.dot(y)


def own(x: Any) -> Any:
    """A plain number that is given a parameter's name becomes a start value of its own."""
    if type(x) in (int, float) or (type(x) is Traced and x.is_scalar and x.value.dtype.kind == "f"):
        return _fresh(x)
    return x


def _fresh(x: Any) -> Any:
    """A start value of its own where a number was only a start value so far."""
    tape = current_tape()
    if type(x) is not Traced:
        return leaf(float(x) if isinstance(x, float) else x, is_scalar=True)
    if tape is not None and tape.operation_of(x.ids).is_leaf:
        return leaf(x.value, is_scalar=True)
    return x


def repeated(items: Any, times: Any) -> Any:
    """``[0.0] * n``: each number is one of its own."""
    if isinstance(items, list) and isinstance(times, int):
        every = [one for _ in range(times) for one in items]
        return [_fresh(one) if type(one) is Traced and one.is_scalar else one for one in every]
    return items * times


def _replaced_in(name: str, **replaced: Any) -> types.ModuleType:
    """A module that takes time to import, with some functions replaced: it is imported for the others."""
    module = types.ModuleType(name)
    module.__dict__.update(replaced, __getattr__=lambda part: getattr(importlib.import_module(name), part))
    return module


def substitutes() -> dict[str, Any]:
    """By name, the modules that a recorded program gets in place of the real ones."""
    random_of_numpy = Substitute(np.random, {}, _wrap_random)
    linear_algebra = Substitute(np.linalg, {}, _wrap_numpy)
    replaced = {
        **_REMOVED,
        "random": random_of_numpy,
        "linalg": linear_algebra,
        "array": _array,
        **dict.fromkeys(("asarray", "asanyarray", "ascontiguousarray", "asfarray"), _asarray),
        "matrix": _Matrix,
        **dict.fromkeys(("mat", "asmatrix"), partial(_Matrix, copy=False)),
        "vectorize": _vectorize,
        "frompyfunc": lambda function, nin, nout: _vectorize(function),
        "c_": _Joiner(np.c_),
        "r_": _Joiner(np.r_),
    }
    return {
        "numpy": Substitute(np, replaced, _wrap_numpy),
        "numpy.random": random_of_numpy,
        "numpy.linalg": linear_algebra,
        "math": Substitute(math, {}, _wrap_math),
        "time": Substitute(time, {"sleep": lambda seconds: None}, lambda name, found: found),
        "random": Substitute(random, {}, _wrap_random),
        "scipy.special": _replaced_in(
            "scipy.special", expit=expit, softmax=softmax, logsumexp=logsumexp, erf=erf
        ),
        "scipy.signal": _replaced_in("scipy.signal", correlate2d=correlate2d, convolve2d=convolve2d),
    }


def replaced_functions(modules: dict[str, Any]) -> dict[int, Any]:
    """By the identity of a function of a substituted module, what stands in its place."""
    found: dict[int, Any] = {}
    for name, module in modules.items():
        for key, one in vars(sys.modules[name]).items() if name in sys.modules else ():
            if callable(one) and not isinstance(one, type) and not key.startswith("_"):
                found.setdefault(id(one), getattr(module, key, one))
    return found
