"""NumPy's functions of traced arrays: those that compute are recorded, those that move numbers move ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.traced import (
    PROTOCOLS,
    Traced,
    apply,
    has_traced,
    leaf,
    matrix_product,
    plain,
    recorded,
    reduce,
    to_traced,
    with_ids,
)

_Handler = Callable[..., Any]
HANDLERS: dict[str, _Handler] = {}


def _handles(*names: str) -> Callable[[_Handler], _Handler]:
    def add(function: _Handler) -> _Handler:
        HANDLERS.update(dict.fromkeys(names, function))
        return function

    return add


def call_function(function: Any, args: Any, options: Any) -> Any:
    """Call a function of NumPy's with traced arrays among its arguments."""
    handler = HANDLERS.get(getattr(function, "__name__", ""))
    return handler(*args, **options) if handler else _unknown(function, args, options)


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
    elif ufunc.__name__ in ("logaddexp",):
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
    x = to_traced(x)
    keys = plain(index)
    keys = keys if isinstance(keys, tuple) else (keys,)
    arrays = np.broadcast_arrays(*(np.arange(target.shape[a])[k] for a, k in enumerate(keys)))
    room = np.shape(target.value[tuple(arrays)])
    values, ids = np.broadcast_to(x.value, room), np.broadcast_to(x.ids, room)
    for where in np.ndindex(arrays[0].shape):
        key = tuple(int(one[where]) for one in arrays)
        target[key] = apply(ufunc, target[key], Traced(values[where], ids[where]))


def _add_reduction(name: str, operation: str) -> None:
    def handler(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any
    ) -> Any:
        return _into(out, reduce(operation, a, axis, keepdims))

    HANDLERS[name] = handler


for _name in ("sum", "mean", "max", "min", "prod"):
    _add_reduction(_name, _name)
for _name, _operation in {"amax": "max", "amin": "min", "nansum": "sum", "nanmean": "mean"}.items():
    _add_reduction(_name, _operation)


@_handles("average")
def _average(a: Any, axis: Any = None, weights: Any = None, **options: Any) -> Any:
    if weights is None:
        return reduce("mean", a, axis, options.get("keepdims", False))
    return reduce("sum", to_traced(a) * weights, axis, False) / reduce("sum", weights, axis, False)


@_handles("var")
def _variance(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: int = 0,
    keepdims: Any = False,
    **_: Any,
) -> Any:
    away = to_traced(a) - reduce("mean", a, axis, True)
    mean = reduce("mean", away * away, axis, keepdims)
    count = to_traced(a).size // max(1, np.size(plain(mean)))
    return mean * (count / (count - ddof)) if ddof else mean


@_handles("std")
def _deviation(*args: Any, **options: Any) -> Any:
    return apply(np.sqrt, _variance(*args, **options))


@_handles("norm")
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if ord not in (None, 2, "fro"):
        return np.linalg.norm(plain(x), ord, plain(axis))
    x = to_traced(x)
    return apply(np.sqrt, reduce("sum", x * x, axis, keepdims))


@_handles("dot")
def _dot(a: Any, b: Any, out: Any = None) -> Any:
    return _into(out, matrix_product(a, b, "dot"))


@_handles("vdot")
def _vdot(a: Any, b: Any) -> Any:
    return matrix_product(to_traced(a).ravel(), to_traced(b).ravel(), "dot")


@_handles("inner")
def _inner(a: Any, b: Any) -> Any:
    return matrix_product(a, to_traced(b).T, "dot")


@_handles("outer")
def _outer(a: Any, b: Any, out: Any = None) -> Any:
    return to_traced(a).reshape(-1, 1) * to_traced(b).reshape(1, -1)


@_handles("matmul")
def _matmul(a: Any, b: Any, out: Any = None) -> Any:
    return _into(out, matrix_product(a, b, "matmul"))


@_handles("tensordot")
def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = to_traced(a), to_traced(b)
    if isinstance(axes, int):
        of_a, of_b = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        of_a, of_b = ([one] if isinstance(one, int) else list(one) for one in axes)
    of_a, of_b = [k % a.ndim for k in of_a], [k % b.ndim for k in of_b]
    rest_a = [k for k in range(a.ndim) if k not in of_a]
    rest_b = [k for k in range(b.ndim) if k not in of_b]
    shape = [a.shape[k] for k in rest_a] + [b.shape[k] for k in rest_b]
    inner = int(np.prod([a.shape[k] for k in of_a]))
    left = a.transpose(*rest_a, *of_a).reshape(-1, inner)
    right = b.transpose(*of_b, *rest_b).reshape(inner, -1)
    return matrix_product(left, right, "dot").reshape(shape)


@_handles("einsum")
def _einsum(subscripts: str, *arrays: Any, **_: Any) -> Any:
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    if not arrow:
        counts = Counter(inputs.replace(",", ""))
        output = "".join(sorted(letter for letter, times in counts.items() if times == 1))
    terms = inputs.split(",")
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
    return product.transpose(*(kept.index(letter) for letter in output)) if kept else product


@_handles("where")
def _where(condition: Any, x: Any = None, y: Any = None) -> Any:
    mask = np.asarray(plain(condition)).astype(bool)
    if x is None:
        return np.where(mask)
    return recorded("where", np.where(mask, plain(x), plain(y)), [x, y], mask)


@_handles("clip")
def _clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **_: Any) -> Any:
    value = np.asarray(plain(a))
    low = -np.inf if a_min is None else plain(a_min)
    clipped = np.clip(value, low, np.inf if a_max is None else plain(a_max))
    return _into(out, recorded("clip", clipped, [a], clipped == value))


@_handles("copyto")
def _copyto(target: Any, source: Any, **_: Any) -> None:
    target[...] = source


@_handles("expit")
def _expit(x: Any, **_: Any) -> Any:
    return 1 / (1 + apply(np.exp, apply(np.negative, x)))


@_handles("softmax")
def _softmax(x: Any, axis: Any = None) -> Any:
    e = apply(np.exp, x)
    return e / reduce("sum", e, axis, True)


@_handles("logsumexp")
def _logsumexp(x: Any, axis: Any = None, keepdims: Any = False, **_: Any) -> Any:
    return apply(np.log, reduce("sum", apply(np.exp, x), axis, keepdims))


def _add_like(name: str, filled: float | None) -> None:
    def handler(a: Any, *args: Any, dtype: Any = None, shape: Any = None, **_: Any) -> Any:
        kind = dtype or getattr(plain(a), "dtype", float)
        value = np.empty(np.shape(plain(a)) if shape is None else plain(shape), kind)
        value[...] = plain(args[0]) if filled is None else filled
        return leaf(value, is_scalar=False)

    HANDLERS[name] = handler


for _name, _filled in {"zeros_like": 0.0, "empty_like": 0.0, "ones_like": 1.0, "full_like": None}.items():
    _add_like(_name, _filled)


def _add_joining(name: str) -> None:
    count = {"append": 2, "insert": 3}.get(name, 1)

    def handler(*args: Any, **options: Any) -> Any:
        options.pop("dtype", None)
        rest, options = plain(tuple(args[count:])), plain(options)
        if count == 1:
            parts = [to_traced(one) for one in args[0]]
            join = getattr(np, name)
            return Traced(
                join([one.value for one in parts], *rest, **options),
                join([one.ids for one in parts], *rest, **options),
                False,
            )
        first, last = to_traced(args[0]), to_traced(args[count - 1])
        middle = () if count == 2 else (plain(args[1]),)

        def call(a: Any, b: Any) -> Any:
            return getattr(np, name)(a, *middle, b, *rest, **options)

        return Traced(call(first.value, last.value), call(first.ids, last.ids).astype(np.int64), False)

    HANDLERS[name] = handler


for _name in [
    "append",
    "insert",
    "concatenate",
    "vstack",
    "hstack",
    "stack",
    "column_stack",
    "dstack",
    "row_stack",
]:
    _add_joining(_name)


@_handles("pad")
def _pad(a: Any, width: Any, mode: str = "constant", **options: Any) -> Any:
    value = np.pad(a.value, plain(width), mode, **plain(options))  # type: ignore[call-overload]
    return with_ids(value, np.pad(a.ids, plain(width), mode if mode != "constant" else "constant"), False)  # type: ignore[call-overload]


@_handles("diag")
def _diag(a: Any, k: int = 0) -> Any:
    a = to_traced(a)
    return with_ids(np.diag(a.value, k), np.diag(a.ids, k), False)


@_handles("diagflat")
def _diagflat(a: Any, k: int = 0) -> Any:
    return _diag(to_traced(a).ravel(), k)


@_handles("trace")
def _trace(a: Any, *_: Any) -> Any:
    return reduce("sum", a.diagonal(), None, False)


@_handles("array_split", "split", "hsplit", "vsplit")
def _split(a: Any, sections: Any, axis: int = 0) -> Any:
    values, ids = np.array_split(a.value, plain(sections), axis), np.array_split(a.ids, plain(sections), axis)
    return [Traced(one, two, False) for one, two in zip(values, ids, strict=True)]


def _add_moving(name: str) -> None:
    def handler(a: Any, *args: Any, **options: Any) -> Any:
        traced, args, options = to_traced(a), plain(args), plain(options)
        move = getattr(np, name)
        value = np.asarray(move(traced.value, *args, **options))
        return Traced(
            value, np.asarray(move(traced.ids, *args, **options)), None if value.ndim == 0 else False
        )

    HANDLERS[name] = handler


for _name in [
    "reshape",
    "transpose",
    "ravel",
    "squeeze",
    "expand_dims",
    "swapaxes",
    "moveaxis",
    "rollaxis",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "delete",
    "repeat",
    "tile",
    "flip",
    "fliplr",
    "flipud",
    "rot90",
    "roll",
    "broadcast_to",
    "take",
    "diagonal",
    "copy",
]:
    _add_moving(_name)


def _add_reading(name: str) -> None:
    def handler(*args: Any, **options: Any) -> Any:
        return getattr(np, name)(*plain(args), **plain(options))

    HANDLERS[name] = handler


for _name in [
    "argmax",
    "argmin",
    "argsort",
    "any",
    "all",
    "shape",
    "ndim",
    "size",
    "isclose",
    "allclose",
    "array_equal",
    "unique",
    "bincount",
    "count_nonzero",
    "nonzero",
    "array2string",
    "array_repr",
    "array_str",
    "savetxt",
    "save",
    "savez",
    "round",
    "around",
    "histogram",
    "digitize",
    "median",
    "may_share_memory",
    "shares_memory",
    "argwhere",
    "flatnonzero",
    "result_type",
    "percentile",
    "quantile",
    "corrcoef",
]:
    _add_reading(_name)


def _unknown(function: Any, args: Any, options: Any) -> Any:
    """A function without a handler: it moves numbers if it does so with the ids; else its result is new."""
    result = function(*plain(tuple(args)), **plain(options))
    if not isinstance(result, np.ndarray) or result.dtype.kind not in "fiu":
        return result
    try:
        ids = function(*(one.ids if type(one) is Traced else one for one in args), **plain(options))
        first = next(one for one in args if has_traced(one))
        known = {0: 0.0, **dict(zip(first.ids.ravel().tolist(), first.value.ravel().tolist(), strict=True))}
        if [known[one] for one in np.ravel(ids).tolist()] == result.ravel().tolist():
            return with_ids(result, ids, False)
    except Exception:  # whatever it does with whole numbers, it is no move
        pass
    return recorded(
        f"opaque {getattr(function, '__name__', '')}", result, [one for one in args if has_traced(one)]
    )


PROTOCOLS.update(ufunc=call_ufunc, function=call_function)
