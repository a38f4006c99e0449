"""A traced array: values, and for each scalar the id by which the tape knows it.

It is no subclass of ``ndarray`` but behaves as one: what moves numbers (views, transposes, indexing, writing)
moves their ids along, what computes numbers is recorded. Scalars are arrays without dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.tape import Ids, Values, current_tape

_COMPARISONS = frozenset([
    "greater", "less", "greater_equal", "less_equal", "equal", "not_equal", "logical_and", "logical_or",
    "logical_not", "logical_xor", "isnan", "isfinite", "isinf", "bitwise_and", "bitwise_or", "bitwise_xor",
    "invert", "signbit",
])  # fmt: skip
_SAME = {"float_power": "power", "conjugate": "positive", "fabs": "absolute", "true_divide": "divide"}
#: What NumPy's functions do with traced arrays; the module ``functions`` fills it.
PROTOCOLS: dict[str, Callable[..., Any]] = {}
_LARGEST_LEAF = 3_000_000


class Traced:
    """An array whose numbers remember where they came from."""

    __slots__ = ("__weakref__", "ids", "is_matrix", "is_scalar", "value")
    __array_priority__ = 1e6

    def __init__(self, value: Any, ids: Ids, is_scalar: bool | None = None) -> None:
        self.is_matrix = type(value) is np.matrix
        self.value = np.asarray(value)
        self.ids = np.asarray(ids)
        self.is_scalar = self.value.ndim == 0 if is_scalar is None else is_scalar

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # isinstance(x, np.ndarray) and isinstance(x, float) hold
        if not self.is_scalar:
            return np.ndarray
        return float if self.value.dtype.kind == "f" else int

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.value, dtype=dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *xs: Any, **options: Any) -> Any:
        return PROTOCOLS["ufunc"](ufunc, method, xs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return PROTOCOLS["function"](function, args, options)

    def _moved(self, move: Callable[[Any], Any]) -> Traced:
        """Do to the ids what is done to the numbers."""
        values, ids = self.arrays
        value = move(values)
        is_scalar = not isinstance(value, np.ndarray) or (self.is_scalar and value.ndim == 0)
        return Traced(value, move(ids), is_scalar)

    @property
    def arrays(self) -> tuple[Any, Any]:
        """Its numbers and their ids; of a matrix as matrices, which NumPy moves in ways of their own."""
        return (np.asmatrix(self.value), np.asmatrix(self.ids)) if self.is_matrix else (self.value, self.ids)

    A = property(lambda self: Traced(self.value, self.ids))
    A1 = property(lambda self: self.A.ravel())

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        self.value, self.ids = self.value.reshape(plain(shape)), self.ids.reshape(plain(shape))

    @property
    def T(self) -> Traced:
        return self._moved(np.transpose)

    @property
    def flat(self) -> Any:
        can_be_written = self.value.flags.c_contiguous and self.ids.flags.c_contiguous
        return self.ravel() if can_be_written else iter(self.ravel())

    real = property(lambda self: self)

    def to_numpy(self, *args: Any, **options: Any) -> Traced:  # as data of pandas have it
        return self

    values = property(lambda self: self)

    def copy(self, *order: Any, **options: Any) -> Traced:
        return self._moved(lambda a: a.copy())

    __copy__ = __deepcopy__ = copy

    def __reduce_ex__(self, protocol: Any) -> Any:  # what is saved is the numbers
        return np.array, (self.value,)

    def astype(self, dtype: Any, *args: Any, **options: Any) -> Any:
        kind, value = np.dtype(dtype).kind, self.arrays[0].astype(dtype)
        if kind == "f" or (kind in "iu" and (value == self.value).all()):
            return _noting_precision(Traced(value, self.ids.copy(), self.is_scalar))
        return value

    def tolist(self) -> Any:
        return [one.tolist() for one in self.A] if self.value.ndim else self.copy().as_scalar()

    def as_scalar(self) -> Traced:
        self.is_scalar = True
        return self

    def item(self, *index: Any) -> Any:
        if index:
            return self.ravel()[index[0]] if len(index) == 1 else self[index]
        return self.reshape(()).copy().as_scalar()

    def fill(self, x: Any) -> None:
        self[...] = x

    def __getattr__(self, name: str) -> Any:  # size, ndim, dtype, nbytes, strides, argmax, argsort, nonzero …
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"no attribute {name!r}")
        found = getattr(self.value, name)
        if not callable(found):
            return found
        return lambda *args, **options: found(*plain(args), **plain(options))

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self.value)))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            raise IndexError(key)
        key = plain(key)
        return self._moved(lambda a: a[key])

    def __setitem__(self, key: Any, x: Any) -> None:
        key = plain(key)
        if not has_traced(x):
            self.value[key] = x
            written = np.asarray(self.value[key], float)
            tape = current_tape()
            if written.size and tape is not None:
                self.ids[key] = tape.leaf(written, data=not (written == written.flat[0]).all())
            return
        x = to_traced(x)
        if x.value.shape != np.shape(self.value[key]) and x.value.size == 1:
            x = x.reshape(())
        if (several := self._several_starts(key, x)) is not None:
            self.value[key], self.ids[key] = x.value, several
            return
        if self.value.dtype.kind != "f" and x.value.dtype.kind == "f" and (tape := current_tape()):
            text = "numbers were truncated to integers when they were written into an integer array"
            tape.note("truncated", text)
        values, ids = self.arrays
        values[key], ids[key] = x.value, x.ids

    def _several_starts(self, key: Any, x: Traced) -> Ids | None:
        """Ids for one number that is written to several start values, which are then learned apart."""
        tape, shape = current_tape(), np.shape(self.value[key])
        if tape is None or x.size > 1 or np.prod(shape) < 2:
            return None
        made = [tape.operations[one] for one in (*tape.producers(x.ids), *tape.producers(self.ids))]
        is_start = all(op.is_leaf and op.is_data for op in made)
        return tape.leaf(np.broadcast_to(x.value.reshape(()), shape)) if is_start else None

    def __float__(self) -> float:
        return float(self.value.reshape(()) if self.value.size == 1 else self.value)

    def __int__(self) -> int:
        return int(self.value.reshape(()))

    def __index__(self) -> int:
        if self.value.dtype.kind not in "iu" or self.value.size != 1:
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return int(self.value.reshape(()))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __format__(self, how: str) -> str:
        return format(self.value[()] if self.value.ndim == 0 else self.value, how)

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        return repr(self.value[()] if self.is_scalar else self.value)

    def __hash__(self) -> int:
        return hash(self.value[()]) if self.is_scalar else id(self)

    def __contains__(self, x: Any) -> bool:
        return bool((self.value == plain(x)).any())

    # Arithmetic that is not made below
    def __matmul__(self, other: Any) -> Any:
        return matrix_product(self, other, "matmul")

    def __rmatmul__(self, other: Any) -> Any:
        return matrix_product(other, self, "matmul")

    def __imatmul__(self, other: Any) -> Traced:
        return self._write(matrix_product(self, other, "matmul"))

    def __neg__(self) -> Any:
        return apply(np.negative, self)

    def __pos__(self) -> Traced:
        return self

    def __abs__(self) -> Any:
        return apply(np.absolute, self)

    def _write(self, result: Any) -> Traced:
        """Write a result over this array, as ``x += y`` does; views of it see the change."""
        result = to_traced(result)
        if result.shape != self.shape:
            raise ValueError(
                f"non-broadcastable output operand with shape {self.shape} doesn't match the broadcast shape "
                f"{result.shape}"
            )
        if self.value.dtype.kind != "f" and result.value.dtype.kind == "f":
            raise TypeError("Cannot cast ufunc output from dtype('float64') to dtype('int64')")
        self.value[...], self.ids[...] = result.value, result.ids
        return self


def _noting_precision(x: Traced) -> Traced:
    """Remember that some numbers have few digits: comparisons must allow for it."""
    tape = current_tape()
    if tape is not None and x.value.dtype.kind == "f" and x.value.dtype.itemsize < 8:
        tape.note("single", "single-precision numbers")
    return x


def has_traced(x: Any, depth: int = 0) -> bool:
    """Whether a traced array is in it."""
    kind = type(x)
    if kind is Traced:
        return True
    if kind is np.ndarray:
        return x.dtype == object and any(type(one) is Traced for one in x.flat)
    if isinstance(x, list | tuple) and depth < 6:
        return any(has_traced(one, depth + 1) for one in x)
    return False


def plain(x: Any) -> Any:
    """The numbers without their ids."""
    kind = type(x)
    if kind is Traced:
        return x.value if x.value.ndim else x.value[()]
    if kind is list:
        return [plain(one) for one in x]
    if isinstance(x, tuple):
        return tuple(plain(one) for one in x) if kind is tuple else kind(*(plain(one) for one in x))
    if kind is dict:
        return {key: plain(one) for key, one in x.items()}
    if kind is slice:
        return slice(plain(x.start), plain(x.stop), plain(x.step))
    return x


def _ids_in(x: Any) -> Any:
    if type(x) is Traced:
        return x.ids
    if isinstance(x, list | tuple):
        return [_ids_in(one) for one in x]
    return np.zeros(np.shape(x), np.int64)


def leaf(value: Any, *, data: bool = True, is_scalar: bool | None = None) -> Any:
    """Return a start value as a traced array; what holds no numbers stays as it is."""
    tape = current_tape()
    array = np.array(value, subok=True)
    if tape is None or type(value) is Traced or array.dtype.kind not in "fiu" or array.size > _LARGEST_LEAF:
        return value
    return _noting_precision(Traced(array, tape.leaf(array, data=data), is_scalar))


def given(value: Any, *, is_scalar: bool = False) -> Any:
    """Return data that is passed as an argument: no start value, and nothing that is made of it is one."""
    made, tape = leaf(value, data=False, is_scalar=is_scalar), current_tape()
    if tape is not None and type(made) is Traced:
        tape.operations[-1].initial, tape.operations[-1].is_data = False, True
    return made


def with_ids(value: Any, ids: Ids, is_scalar: bool | None = None) -> Traced:
    """A traced array of which some scalars (id 0) are constants that have no id yet."""
    missing = ids == 0
    tape = current_tape()
    if tape is not None and missing.any():
        ids = np.array(ids)
        ids[missing] = tape.leaf(np.asarray(value)[missing], data=False).ravel()
    return Traced(value, ids, is_scalar)


def to_traced(x: Any) -> Any:
    """Return numbers, or lists of numbers and traced arrays, as one traced array."""
    if type(x) is Traced:
        return x
    if has_traced(x):
        x = x.tolist() if isinstance(x, np.ndarray) else x
        value = np.array(plain(x))
        ids = np.array(_ids_in(x), dtype=np.int64)
        return with_ids(value, np.array(np.broadcast_to(ids, value.shape)), False)
    tape = current_tape()
    value = np.array(x)
    ids = tape.leaf(value, data=False) if tape else np.zeros(value.shape, np.int64)
    return Traced(value, ids, False)


def _operand(x: Any) -> tuple[Ids | None, Any]:
    if has_traced(x):
        x = to_traced(x)
        return x.ids, x.arrays[0]
    return None, np.asarray(x)


def _weak(x: Any, value: Any) -> Any:
    """A Python number does not widen arrays of single precision."""
    if type(x) in (int, float, bool):
        return x
    return value.item() if type(x) is Traced and x.is_scalar and value.dtype.kind == "f" else value


def _recorded(name: str, value: Values, operands: list[tuple[Ids | None, Any]], detail: Any = None) -> Any:
    tape = current_tape()
    if tape is None:
        return value if value.ndim else value[()]
    return Traced(value, tape.record(name, value, operands, detail))


def asking(xs: Any) -> Any:
    """The first argument that asks what it should be; None for none."""
    return next((x for x in xs if type(x) is not Traced and hasattr(type(x), "ask")), None)


def apply(ufunc: Any, *xs: Any) -> Any:
    """Return a function of NumPy's of arrays, element by element, and record it."""
    if (open_one := asking(xs)) is not None:
        return open_one.ask(ufunc.__name__, xs)
    operands = [_operand(x) for x in xs]
    with np.errstate(all="ignore"):
        out = ufunc(*(_weak(x, value) for x, (_, value) in zip(xs, operands, strict=True)))
    if ufunc.__name__ in _COMPARISONS or out.dtype.kind not in "fiu":
        return out if np.ndim(out) else out[()]
    return _recorded(_SAME.get(ufunc.__name__, ufunc.__name__), np.asanyarray(out), operands)


def reduce(name: str, x: Any, axis: Any, keepdims: Any) -> Any:
    """Return a sum, mean, product, largest or smallest element along axes, and record it."""
    ids, value = _operand(x)
    axis = plain(axis)
    axis = tuple(axis) if isinstance(axis, list) else axis
    is_matrix = type(value) is np.matrix and axis is not None
    keepdims = bool(keepdims) or is_matrix
    out = getattr(np, name)(np.asarray(value), axis=axis, keepdims=keepdims)
    return _recorded(
        name, np.asmatrix(out) if is_matrix else np.asarray(out), [(ids, value)], (axis, keepdims)
    )


def matrix_product(a: Any, b: Any, name: str) -> Any:
    """Return ``a @ b`` or ``np.dot(a, b)``, and record it."""
    if (open_one := asking((a, b))) is not None:
        return open_one.ask(name, (a, b))
    operands = [_operand(a), _operand(b)]
    (_, x), (_, y) = operands
    if x.ndim == 0 or y.ndim == 0:
        return apply(np.multiply, a, b)
    simple = y.ndim <= 2 and (x.ndim <= 2 or name == "dot" or y.ndim == 2)
    if not simple and y.ndim == 1:  # a column beside a stack of matrices, …
        return matrix_product(a, to_traced(b).reshape(-1, 1), name)[..., 0]
    if not simple and x.ndim == 1:  # … or a row
        return matrix_product(to_traced(a).reshape(1, -1), b, name)[..., 0, :]
    out = np.asanyarray((np.matmul if name == "matmul" else np.dot)(x, y))
    return _recorded("dot" if simple else "matmul", out, operands)


def recorded(name: str, value: Any, operands: list[Any], detail: Any = None) -> Any:
    """Record an operation that was computed elsewhere."""
    return _recorded(name, np.asarray(value), [_operand(x) for x in operands], detail)
