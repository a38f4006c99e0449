"""NumPy's functions of traced arrays, by kind: create, read, move, join, compute."""

from __future__ import annotations

import functools
import inspect
import io
import math
import string
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.made_data import archive, table
from deltarule.diagnosis.recording.operators import has_decimals
from deltarule.diagnosis.recording.tape import current_tape
from deltarule.diagnosis.recording.traced import (
    PROTOCOLS,
    Traced,
    apply,
    asking,
    has_traced,
    leaf,
    matrix_product,
    plain,
    recorded,
    reduce,
    to_traced,
    with_ids,
)

#: Their results are start values.
_CREATING = frozenset([
    "zeros", "ones", "full", "eye", "identity", "empty", "linspace", "loadtxt", "genfromtxt", "load",
    "fromfunction", "tri", "fromiter", "meshgrid", "geomspace", "logspace", "arange",
    "frombuffer", "fromstring", "fromfile",
])  # fmt: skip
#: Their results are plain numbers: nobody differentiates them.
_READING = frozenset([
    "argmax", "argmin", "argsort", "any", "all", "shape", "ndim", "size", "isclose", "allclose",
    "array_equal", "unique", "bincount", "median",  "count_nonzero", "nonzero", "array2string",
    "array_repr", "array_str", "histogram", "digitize", "may_share_memory", "shares_memory",
    "argwhere", "flatnonzero", "result_type", "percentile", "quantile", "corrcoef", "searchsorted",
])  # fmt: skip
#: They do with ids what they do with numbers; by name, which arguments hold the numbers.
_MOVING: dict[str, tuple[int, ...]] = dict.fromkeys([
    "reshape", "transpose", "ravel", "squeeze", "expand_dims", "swapaxes", "moveaxis", "rollaxis",
    "atleast_1d", "atleast_2d", "delete", "atleast_3d", "repeat", "tile", "flip", "fliplr", "flipud",
    "rot90", "roll", "broadcast_to", "take", "diagonal", "copy", "pad", "diag", "diagflat", "split",
    "array_split", "hsplit", "vsplit",
], (0,)) | {"append": (0, 1), "insert": (0, 2)}  # fmt: skip
#: They move the numbers of a list of arrays.
_JOINING = frozenset(["concatenate", "vstack", "hstack", "stack", "column_stack", "dstack", "row_stack"])
_FILLED: dict[str, float | None] = {"zeros_like": 0.0, "empty_like": 0.0, "ones_like": 1.0, "full_like": None}
_REDUCING = {
    "sum": "sum", "mean": "mean", "max": "max", "min": "min", "prod": "prod",
    "amax": "max", "amin": "min", "nansum": "sum", "nanmean": "mean",
}  # fmt: skip
#: What is written with the operations of traced arrays; ``_computes`` adds them.
COMPUTING: dict[str, Callable[..., Any]] = {}


def _computes(function: Callable[..., Any]) -> Callable[..., Any]:
    COMPUTING[function.__name__.strip("_")] = function
    return function


def call_function(function: Any, args: Any, options: Any) -> Any:
    """Call a function of NumPy's; here it is decided what becomes of its numbers."""
    name = getattr(function, "__name__", "")
    every = [one for x in args for one in (x if isinstance(x, list | tuple) and len(x) < 6 else (x,))]
    if (open_one := asking(every)) is not None and name not in _CREATING:
        return open_one.__array_function__(function, (), args, options)
    if name == "full" and len(args) > 1 and has_traced(args[1]):
        return np.broadcast_to(to_traced(args[1]), plain(args[0])).copy()
    if unknown := options.keys() - (_keywords(function) or options.keys()):
        raise TypeError(f"{name}() got an unexpected keyword argument {min(unknown)!r}")
    if name in _CREATING:
        return _create(function, name, plain(args), plain(options))
    if not (has_traced(args) or has_traced(tuple(options.values()))):
        return function(*args, **options)
    if name in COMPUTING:
        return COMPUTING[name](*args, **options)
    if name in _REDUCING:
        return _reduced(_REDUCING[name], *args, **options)
    if name in _FILLED:
        return _filled(_FILLED[name], *args, **options)
    if name in _MOVING or name in _JOINING:
        return _move(function, name, args, options)
    if name in _READING:
        return function(*plain(args), **plain(options))
    return _unknown(function, args, options)


@functools.cache
def _keywords(function: Any) -> frozenset[str]:
    """The names that a function's arguments have; none where that is not known, or any may be passed."""
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return frozenset()
    is_open = any(one.kind == one.VAR_KEYWORD for one in known.values())
    return frozenset() if is_open else frozenset(known)


def _create(function: Any, name: str, args: Any, options: Any) -> Any:
    if name == "fromfile" and args and isinstance(args[0], io.BytesIO):
        return _read_from(*args, **options)
    try:
        result = function(*args, **options)
    except OSError:
        named = {key: options[key] for key in ("dtype", "unpack", "usecols") if key in options}
        if str(args[0]).endswith(".npz"):
            return archive(args[0])
        return table(args[0], **named)
    if name == "arange" and result.dtype.kind != "f":
        return result
    if isinstance(result, list | tuple):
        return type(result)(leaf(one, is_scalar=False) for one in result)
    return leaf(result, is_scalar=False)


def _read_from(file: io.BytesIO, dtype: Any = float, count: int = -1, **_: Any) -> Any:
    """``np.fromfile`` of a made-up file, which is in memory."""
    size = -1 if count < 0 else count * np.dtype(dtype).itemsize
    return leaf(np.frombuffer(file.read(size), dtype), is_scalar=False)


def _filled(filled: float | None, a: Any, *args: Any, dtype: Any = None, shape: Any = None, **_: Any) -> Any:
    numbers = plain(a)
    kind = dtype or getattr(numbers, "dtype", float)
    value = np.empty(np.shape(numbers) if shape is None else plain(shape), kind)
    value[...] = plain(args[0]) if filled is None else filled
    is_matrix = type(a) is Traced and a.is_matrix
    return leaf(np.asmatrix(value) if is_matrix else value, is_scalar=False)


def _reduced(
    name: str, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, *rest: Any, **options: Any
) -> Any:
    keepdims = options.get("keepdims", rest[0] if rest else False)
    return _into(out, reduce(name, a, axis, keepdims))


def _move(function: Any, name: str, args: Any, options: Any) -> Any:
    """Do with the ids what is done with the numbers."""
    args, options = list(args), plain({key: one for key, one in options.items() if key != "dtype"})
    if not args:
        args = [options.pop(next(iter(options)))]
    both: list[Any] = [[], []]
    for k, one in enumerate(args):
        if name in _JOINING and k == 0:
            parts = [to_traced(part) for part in one]
            both[0].append([part.arrays[0] for part in parts])
            both[1].append([part.arrays[1] for part in parts])
        elif k in _MOVING.get(name, ()):
            for side, array in zip(both, to_traced(one).arrays, strict=True):
                side.append(array)
        else:
            both[0].append(plain(one))
            both[1].append(plain(one))
    values = function(*both[0], **options)
    options.pop("constant_values", None)
    ids = function(*both[1], **options)
    if isinstance(values, list | tuple):
        return [with_ids(one, two, False) for one, two in zip(values, ids, strict=True)]
    return with_ids(values, ids.astype(np.int64, copy=False), None if np.ndim(values) == 0 else False)


def _unknown(function: Any, args: Any, options: Any) -> Any:
    """A function of no known kind: it moves numbers if it does so with the ids; else its result is new."""
    result = function(*plain(tuple(args)), **plain(options))
    tape = current_tape()
    if not isinstance(result, np.ndarray) or result.dtype.kind not in "fiu" or tape is None:
        return result
    try:
        ids_for_values = [one.ids if type(one) is Traced else one for one in args]
        ids = np.asarray(function(*ids_for_values, **plain(options)))
        of_first = next(one for one in args if has_traced(one)).ids
        if np.isin(ids, [0, *of_first.ravel()]).all() and np.array_equal(tape.value[ids], result):
            return with_ids(result, ids, False)
    except Exception:  # whatever it does with whole numbers, it is no move
        pass
    name = getattr(function, "__name__", "")
    return recorded(f"opaque {name}", result, [one for one in args if has_traced(one)])


# Universal functions
def call_ufunc(ufunc: Any, method: str, xs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call a universal function, or its ``reduce``, ``outer``, ``at``."""
    if method == "reduce":
        name = {"add": "sum", "maximum": "max", "minimum": "min", "multiply": "prod"}.get(ufunc.__name__)
        if name:
            axis = options.get("axis", xs[1] if len(xs) > 1 else 0)
            return reduce(name, xs[0], axis, options.get("keepdims", False))
    if method == "outer":
        a, b = to_traced(xs[0]), to_traced(xs[1])
        return apply(ufunc, a.reshape(a.shape + (1,) * b.ndim), b)
    if method == "at" and ufunc.__name__ in ("add", "subtract"):
        return _add_at(ufunc, *xs)
    if method != "__call__" or ufunc.nin > 2:
        return getattr(ufunc, method)(*(plain(x) for x in xs))
    if ufunc.__name__ == "matmul":
        result = matrix_product(xs[0], xs[1], "matmul")
    elif ufunc.__name__ == "logaddexp":
        result = apply(np.log, apply(np.add, apply(np.exp, xs[0]), apply(np.exp, xs[1])))
    else:
        result = apply(ufunc, *xs)
    return _into(options.get("out"), result, options.get("where", True))


def _into(out: Any, result: Any, where: Any = True) -> Any:
    """Write a result where ``out=`` says."""
    target = out[0] if isinstance(out, tuple) else out
    if target is None:
        return result
    if type(target) is Traced and type(result) is Traced:
        mask = np.broadcast_to(plain(where), target.shape)
        target.value[mask] = np.broadcast_to(result.value, target.shape)[mask]
        target.ids[mask] = np.broadcast_to(result.ids, target.shape)[mask]
        return target
    target[...] = plain(result)
    return result


def _add_at(ufunc: Any, target: Traced, index: Any, x: Any) -> None:
    x, keys = to_traced(x), plain(index)
    keys = keys if isinstance(keys, tuple) else (keys,)
    arrays = np.broadcast_arrays(*(np.arange(target.shape[a])[k] for a, k in enumerate(keys)))
    room = np.shape(target.value[tuple(arrays)])
    values, ids = np.broadcast_to(x.value, room), np.broadcast_to(x.ids, room)
    for where in np.ndindex(arrays[0].shape):
        key = tuple(int(one[where]) for one in arrays)
        target[key] = apply(ufunc, target[key], Traced(values[where], ids[where]))


# What computes
@_computes
def _average(a: Any, axis: Any = None, weights: Any = None, **options: Any) -> Any:
    if weights is None:
        return reduce("mean", a, axis, options.get("keepdims", False))
    return reduce("sum", to_traced(a) * weights, axis, False) / reduce("sum", weights, axis, False)


@_computes
def _var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: Any = False
) -> Any:
    away = to_traced(a) - reduce("mean", a, axis, True)
    mean = reduce("mean", away * away, axis, keepdims)
    count = to_traced(a).size // max(1, np.size(plain(mean)))
    return mean * (count / (count - ddof)) if ddof else mean


@_computes
def _std(*args: Any, **options: Any) -> Any:
    return apply(np.sqrt, _var(*args, **options))


@_computes
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if ord not in (None, 2, "fro"):
        return np.linalg.norm(plain(x), ord, plain(axis))
    x = to_traced(x)
    return apply(np.sqrt, reduce("sum", x * x, axis, keepdims))


@_computes
def _dot(a: Any, b: Any, out: Any = None) -> Any:
    shape: tuple[int, ...] = () if asking((a, b)) is not None else np.shape(plain(b))
    if len(shape) < 3:
        return _into(out, matrix_product(a, b, "dot"))
    columns = np.moveaxis(to_traced(b), -2, 0).reshape(shape[-2], -1)  # each row with each column
    product = matrix_product(a, columns, "dot")
    return _into(out, product.reshape(*product.shape[:-1], *shape[:-2], shape[-1]))


@_computes
def _matmul(a: Any, b: Any, out: Any = None) -> Any:
    return _into(out, matrix_product(a, b, "matmul"))


@_computes
def _vdot(a: Any, b: Any) -> Any:
    return matrix_product(to_traced(a).ravel(), to_traced(b).ravel(), "dot")


@_computes
def _inner(a: Any, b: Any) -> Any:
    return matrix_product(a, to_traced(b).T, "dot")


@_computes
def _outer(a: Any, b: Any, out: Any = None) -> Any:
    return _into(out, apply(np.multiply, to_traced(a).reshape(-1, 1), to_traced(b).reshape(1, -1)))


@_computes
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = to_traced(a), to_traced(b)
    if isinstance(axes, int):
        axes = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    of_a, of_b = ([k % x.ndim for k in np.ravel(one).tolist()] for one, x in zip(axes, (a, b), strict=True))
    rest_a = [k for k in range(a.ndim) if k not in of_a]
    rest_b = [k for k in range(b.ndim) if k not in of_b]
    inner = int(np.prod([a.shape[k] for k in of_a]))
    left = a.transpose(*rest_a, *of_a).reshape(-1, inner)
    right = b.transpose(*of_b, *rest_b).reshape(inner, -1)
    shape = [a.shape[k] for k in rest_a] + [b.shape[k] for k in rest_b]
    return matrix_product(left, right, "dot").reshape(shape)


@_computes
def _einsum(subscripts: str, *arrays: Any, out: Any = None, **_: Any) -> Any:
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    if not arrow:
        counts = Counter(inputs.replace(",", ""))
        single = sorted(letter for letter, times in counts.items() if times == 1 and letter != ".")
        output = "..." * ("..." in inputs) + "".join(single)
    terms, output = _without_dots(inputs.split(","), output, [np.ndim(plain(one)) for one in arrays])
    letters = list(dict.fromkeys("".join(terms)))
    product: Any = None
    for term, one in zip(terms, arrays, strict=True):
        array = to_traced(one)
        array = array.transpose(*(term.index(letter) for letter in letters if letter in term))
        sizes = iter(array.shape)
        array = array.reshape(*(next(sizes) if letter in term else 1 for letter in letters))
        product = array if product is None else product * array
    summed = tuple(k for k, letter in enumerate(letters) if letter not in output)
    product = reduce("sum", product, summed, False) if summed else product
    kept = [letter for letter in letters if letter in output]
    return _into(out, product.transpose(*(kept.index(letter) for letter in output)) if kept else product)


def _without_dots(terms: list[str], output: str, axes: list[int]) -> tuple[list[str], str]:
    """Subscripts with a letter for each axis that ``...`` stands for; they are counted from the right."""
    free = [letter for letter in string.ascii_letters if letter not in "".join(terms)]
    counts = [n + 3 - len(term) if "..." in term else 0 for term, n in zip(terms, axes, strict=True)]
    letters = "".join(free[: max(counts)])
    starts = [len(letters) - n for n in counts]
    spelled = [term.replace("...", letters[k:]) for term, k in zip(terms, starts, strict=True)]
    return spelled, output.replace("...", letters)


@_computes
def _where(condition: Any, x: Any = None, y: Any = None) -> Any:
    mask = np.asarray(plain(condition)).astype(bool)
    if x is None:
        return np.where(mask)
    return recorded("where", np.where(mask, plain(x), plain(y)), [x, y], mask)


@_computes
def _clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **_: Any) -> Any:
    value = np.asarray(plain(a))
    low = -np.inf if a_min is None else plain(a_min)
    clipped = np.clip(value, low, np.inf if a_max is None else plain(a_max))
    return _into(out, recorded("clip", clipped, [a], clipped == value))


@_computes
def _round(a: Any, *digits: Any, **options: Any) -> Any:
    digits = digits or tuple(options.values())
    return to_traced(a).copy() if has_decimals(digits) else np.round(plain(a), *plain(digits))


COMPUTING["around"] = _round


@_computes
def _copyto(target: Any, source: Any, **_: Any) -> None:
    target[...] = source


@_computes
def _trace(a: Any, *_: Any) -> Any:
    return reduce("sum", a.diagonal(), None, False)


# Of scipy.special
def expit(x: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + apply(np.exp, apply(np.negative, x)))


_ERF = np.frompyfunc(math.erf, 1, 1)


def erf(x: Any) -> Any:
    """The error function, also of what asks what it should be."""
    if (open_one := asking((x,))) is not None:
        return open_one.ask("tanh", (x,))
    result = np.asarray(_ERF(plain(x)), float)
    return recorded("erf", result, [x]) if has_traced(x) else result[()]


def softmax(x: Any, axis: Any = None) -> Any:
    """Shares that add up to one along an axis."""
    e = apply(np.exp, x)
    return e / reduce("sum", e, axis, True)


def shares(x: Any, axis: Any = None) -> Any:
    """Shares of the outputs of one sample, or along an axis: how several samples lie is not known.

    Raises
    ------
    AttributeError
        For several samples without an axis.
    """
    if axis is None and sum(size > 1 for size in np.shape(x)) > 1:
        raise AttributeError("module 'numpy' has no attribute 'softmax'")
    return softmax(x, axis)


def logsumexp(x: Any, axis: Any = None, keepdims: Any = False, **_: Any) -> Any:
    """The logarithm of a sum of exponentials."""
    return apply(np.log, reduce("sum", apply(np.exp, x), axis, keepdims))


PROTOCOLS.update(ufunc=call_ufunc, function=call_function)
