"""An argument that asks: what is done with it first tells what it should be, and how large."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from deltarule.diagnosis.driving.demanded import kind_of
from deltarule.diagnosis.driving.layouts import ArgumentLayout
from deltarule.diagnosis.driving.origins import (
    PRODUCTS,
    are_columns,
    depends_on_parameters,
    goes_forward,
    is_logarithm,
    is_start,
)
from deltarule.diagnosis.driving.wants import SHARE, WIDTH, OpenShape, OpenSize, Path, Shape, Want
from deltarule.diagnosis.recording import instructions
from deltarule.diagnosis.recording.tape import current_tape
from deltarule.diagnosis.recording.traced import Traced, plain

_OF_DICTIONARIES = frozenset({"keys", "items", "values", "get", "update", "setdefault"})
_OF_TABLES = frozenset({"iloc", "loc", "drop", "iterrows", "itertuples", "dropna"})
_OF_WORDS = frozenset({"lower", "upper", "strip", "title"})
_OF_LISTS = frozenset({"append", "extend", "insert", "pop", "index", "remove", "reverse"})
#: What moves the numbers of an array about, so that it can be asked afterwards.
_MOVES = frozenset({
    "reshape", "ravel", "flatten", "transpose", "squeeze", "astype", "copy", "array", "asarray", "max", "min",
    "atleast_1d", "atleast_2d", "expand_dims", "append", "insert", "hstack", "concatenate", "column_stack",
    "vstack", "clip", "asmatrix", "to_numpy", "asanyarray", "ascontiguousarray", "negative", "sqrt", "exp",
    "absolute", "tanh", "mean", "sum", "zeros_like", "ones_like", "empty_like",
})  # fmt: skip
_TERMS = frozenset({"add", "subtract"})
_SUBSCRIPTS = frozenset({"BINARY_SUBSCR", "STORE_SUBSCR", "BINARY_SLICE", "STORE_SLICE"})


class OpenArgument:
    """An argument of which nothing is known: whatever is done with it raises ``Want``.

    What is only moved about (transposed, scaled by a number) asks later, when something meets it whose shape
    is known: ``_moves`` does the same to an array.
    """

    #: What has columns is left alone by traced arrays, so that it is asked itself.
    columns = None
    __array_priority__ = 2e6

    def __init__(
        self,
        path: Path,
        layout: ArgumentLayout,
        shapes: Callable[[], tuple[Shape, ...]] = tuple,
        moves: tuple[Callable[[Any], Any], ...] = (),
        columns: int = 0,
        is_maker: bool = False,
        is_weight: bool = False,
        is_changed: bool = False,
        is_ahead: bool = False,
        is_share: bool = False,
    ) -> None:
        object.__setattr__(self, "_path", path)
        object.__setattr__(self, "_layout", layout)
        #: The shapes of what was passed or computed by the time that it asks.
        object.__setattr__(self, "_likely", shapes)
        object.__setattr__(self, "_moves", moves)
        #: Of what may be a parameter, how many columns it would have; 0 where nothing may.
        object.__setattr__(self, "_columns", columns)
        #: Whether it is a parameter rather than data, as far as its name or its changes say.
        object.__setattr__(self, "_is_weight", is_weight)
        #: Whether something is added to it, or subtracted.
        object.__setattr__(self, "_is_changed", is_changed)
        #: Whether it is a probability: its logarithm is taken, or it is kept from 0.
        object.__setattr__(self, "_is_share", is_share)
        #: Whether it is passed to a method that another follows, as the one that goes back.
        object.__setattr__(self, "_is_ahead", is_ahead)
        #: Whether it is passed to what makes an object.
        object.__setattr__(self, "_is_maker", is_maker)

    def _want(self, kind: str, detail: Any = None) -> NoReturn:
        if kind in ("array", "factor") and self._is_share and self._is_ahead:
            kind, detail = "output", SHARE
        raise Want(self._path, kind, detail)

    def _moved(self, move: Callable[[Any], Any], is_share: bool = False) -> OpenArgument:
        return OpenArgument(
            self._path, self._layout, self._likely, (*self._moves, move), self._columns,
            self._is_maker, self._is_weight, self._is_changed, self._is_ahead, self._is_share or is_share,
        )  # fmt: skip

    @property
    def path(self) -> Path:
        """Where it stands."""
        return self._path

    def be_array(self) -> NoReturn:
        """Say that it should be an array, however large."""
        self._want("array")

    def be_of(self, types: tuple[Any, ...]) -> Any:
        """Say that it should be of one of these types; what an array meets first tells how large it is."""
        kind, detail = kind_of(types)
        if kind == "array":
            return np.zeros(1)
        return self._want(kind, detail) if kind else self

    def ask(self, name: str, xs: tuple[Any, ...]) -> Any:
        """Say what it should be to stand among the operands of an operation."""
        others = [x for x in xs if x is not self]
        other = others[0] if others else None
        if isinstance(other, OpenArgument) and name == "subtract" and other._path != self._path:
            raise Want(xs[self._layout.order]._path, "pair", xs[1 - self._layout.order]._path)
        if not others or type(other) in (int, float) or (isinstance(other, OpenArgument) and len(xs) == 2):
            if name in PRODUCTS:
                asked = [x for x in xs if isinstance(x, OpenArgument)]
                data = (
                    [x for x in asked if not x._is_weight] or [x for x in asked if not x._is_changed] or asked
                )
                data[-1 if self._layout.order and len(data) > 1 else 0]._want("array")
            ufunc, mine = getattr(np, name), self
            if name == "multiply" and isinstance(xs[1], OpenArgument) and not self._moves:
                mine = xs[1]  # a number is written before what it scales
            is_share = name in ("log", "log2", "log10")
            return mine._moved(lambda a: ufunc(*(a if x is mine else _number(x) for x in xs)), is_share)
        shape = np.shape(plain(other)) if type(other) is Traced or not callable(other) else ()
        is_learned = bool(self._columns) and (name in PRODUCTS or name == "add") and goes_forward(other)
        if name in PRODUCTS:
            product = np.matmul if name == "matmul" else np.dot
            rest = np.zeros(shape)
            if is_logarithm(other):
                self._want("target", shape[::-1])
            fitting = self._fitting(
                shape, lambda a: product(*(a if x is self else rest for x in xs)), None, is_learned
            )
            self._want("parameter" if is_learned else "array", fitting)
        kind = "term" if name in _TERMS else "factor"
        kind = "number" if name == "divide" and xs[0] is not self else kind
        if is_learned and type(other) is Traced and depends_on_parameters(other):
            self._want("parameter", self._beside(other))
        fitting = self._fitting(shape, lambda a: a + np.zeros(shape), shape)
        kind = "parameter" if self._is_changed else kind
        is_divided = name == "divide" and xs[0] is self and bool(shape) and goes_forward(other)
        is_met = kind == "term" and not is_start(other)
        is_target = (is_met or is_divided or is_logarithm(other)) and depends_on_parameters(other)
        return self._want("target" if is_target else kind, fitting)

    def _beside(self, sums: Traced) -> Shape | None:
        """The shape of biases that are added to sums: as many as there are units."""
        shape = np.shape(sums)
        if len(shape) < 2 or not are_columns(sums):
            return self._fitting(shape, lambda a: a + np.zeros(shape), shape[-1:]) or shape[-1:]
        return shape[0], 1

    def _fitting(
        self,
        other: Shape,
        meet: Callable[[Any], Any],
        wanted: Shape | None = None,
        is_learned: bool = False,
    ) -> Shape | None:
        """The first of the usual shapes that goes together with what it meets."""
        flat: Shape | None = None
        for shape in self._shapes(other, wanted, is_learned):
            try:
                made = np.zeros(shape)
                for move in self._moves:
                    made = move(made)
                fits = np.shape(meet(made)) == wanted or wanted is None
            except Exception:  # whatever NumPy says: it does not fit
                continue
            if fits and (
                np.ndim(made) > 1 or wanted is not None or self._layout.data not in ("rows", "columns")
            ):
                return shape
            flat = flat or (shape if fits else None)
        return flat

    def _shapes(self, other: Shape, wanted: Shape | None, is_learned: bool) -> Iterator[Shape]:
        if wanted is not None:
            yield from (wanted, wanted[:1], wanted[::-1], wanted[1:])
            return
        if is_learned:
            yield from (one for k in other for one in ((k, self._columns), (self._columns, k)))
        yield from self._likely() if self._moves else self._likely()[::-1]
        n, data = self._layout.samples, self._layout.data
        sizes = list(dict.fromkeys([*other, *(one - 1 for one in other if one > 2)]))
        sizes.sort(key=lambda one: one == n)
        flat, single = [(k,) for k in sizes], [one for k in sizes for one in ((1, k), (k, 1))]
        if data == "series":
            yield from ((2, n, k) for k in sizes)
        if data in ("rows", "columns"):
            yield from (one for k in sizes for one in ((n, k), (k, n)))
        yield from (*flat, *single) if data == "vector" else (*single, *flat)
        yield from ((n, 4, k) for k in sizes)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("T", "real"):
            return self._moved(lambda a: getattr(a, name))
        if name == "shape" and instructions.is_taken_apart(sys._getframe(1)):
            return OpenShape(self)
        if name == "size":
            return OpenSize(self)
        if name in _MOVES:
            return lambda *args, **options: self._moved(
                lambda a: getattr(np.asarray(a), name.replace("to_numpy", "copy"))(*args, **options),
                name == "clip" and _is_from_zero(*args, **options),
            )
        if name == "dot":
            return lambda other: self.ask("dot", (self, other))
        if name in _OF_TABLES or (name == "values" and not instructions.is_called(sys._getframe(1))):
            self._want("table", ())
        if name in _OF_DICTIONARIES:
            self._want("keys", ())
        if name in _OF_LISTS:
            self._want("list", 0)
        if name in _OF_WORDS:
            self._want("word")
        if name == "shape":
            OpenShape(self).wanted()
        return self._want(*(("array",) if hasattr(np.ndarray, name) else ("attribute", name)))

    def __setattr__(self, name: str, x: Any) -> None:
        self._want("attribute", name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        self._want("function")

    def __iter__(self) -> Iterator[Any]:
        frame = sys._getframe(1)
        if (each := instructions.parts_of_each(frame)) and len(set(each)) > 1:
            self._want("tuples", each)
        names = instructions.unpacked(frame)
        self._want("tuple" if names else "list", names or instructions.length_beside(frame))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            self._want("keys", (key,))
        if isinstance(key, OpenArgument) and self._is_weight and self._columns:  # rows are looked up in it
            self._want("parameter", (self._columns, self._columns))
        if isinstance(key, list) and key and all(isinstance(one, str) for one in key):
            self._want("table", (tuple(key),))
        if isinstance(key, tuple) and any(one is None for one in key):
            return self._moved(lambda a: a[key])
        if type(key) is int and key >= 0 and instructions.is_written(sys._getframe(1)):
            self._want("parts", (key,))
        if type(key) is int:
            self._want("list", max(2, key + 1 if key >= 0 else -key))
        if isinstance(key, tuple) and len(key) > 1:
            self._want("array", next((one for one in self._likely()[::-1] if len(one) == len(key)), None))
        is_list = isinstance(key, slice) or (hasattr(key, "__index__") and not hasattr(key, "shape"))
        return self._want("list" if is_list else "array", 0 if is_list else None)

    def __setitem__(self, key: Any, x: Any) -> None:
        if isinstance(key, str):
            self._want("keys", (key,))
        is_mask = getattr(key, "dtype", np.dtype(int)).kind == "b"
        self._want("array", self._fitting(key.shape, lambda a: a, key.shape) if is_mask else None)

    def __len__(self) -> int:
        if self._moves:  # something was computed with it
            self.be_array()
        is_part = type(self._path[-1]) is int
        if self._layout.data in ("rows", "row") and not is_part and not self._is_maker:
            return self._layout.samples if self._layout.data == "rows" else 1
        return self._want("list", 0)

    def __reversed__(self) -> Any:
        self._want("list", 0)

    def __index__(self) -> int:
        self._want("index" if _is_key(sys._getframe(1)) else "size")

    __int__ = __index__

    def __float__(self) -> float:
        self._want(*(("size", WIDTH) if self._is_width() else ("number",)))

    def _is_width(self) -> bool:
        """Whether it says, computed from the number of units, how wide start values are."""
        return bool(self._moves) and self._is_maker and "[]" not in self._path

    def __bool__(self) -> bool:
        self._want("flag")

    def __hash__(self) -> int:
        self._want("word")

    def __fspath__(self) -> str:
        self._want("word", "data.txt")

    def __contains__(self, key: Any) -> bool:
        self._want("keys" if isinstance(key, str) else "list", (key,) if isinstance(key, str) else 0)

    def __eq__(self, other: object) -> bool:
        if other is None:
            return False
        if isinstance(other, str):
            self._want("word", other)
        if isinstance(other, OpenArgument):
            self._want("number")
        if type(other) in (int, float) and not instructions.is_decided(sys._getframe(1)):
            self._want("target")  # each of a class
        return bool(self._want("member" if hasattr(type(other), "__members__") else "number", other))

    def __array__(self, *args: Any, **options: Any) -> Any:
        frame = sys._getframe(1)
        if _is_key(frame):
            kind, count = _of_key(frame, self._layout, self._is_ahead)
            self._want("labels" if self._moves else kind, count)  # what is moved about is an array
        held = frame.f_locals.get("x")
        if isinstance(held, list) and getattr(held, "is_open_table", False):
            raise Want(self._path[:2], "whole")
        is_held = isinstance(held, list) and len(self._path) > 3  # of one sample, say
        if is_held or (frame.f_code.co_name == "__setitem__" and isinstance(frame.f_locals["x"], list)):
            self._want("number")
        if frame.f_code.co_name == "__setitem__":
            room = np.shape(frame.f_locals["self"].value[frame.f_locals["key"]])
            self._want("array", self._fitting(room, lambda a: a, room))
        self._want(*(("size", WIDTH) if self._is_width() else ("array",)))

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        name = function.__name__
        if name in PRODUCTS:
            return self.ask(name, args)
        if name in ("shape", "size") and args[0] is self:
            return OpenShape(self) if name == "shape" else OpenSize(self)
        if name == "shape":
            return np.shape(args[0])  # of a list, which knows how long it is
        if name == "reshape" and args[0] is not self:
            self._want("size")
        if name in _MOVES:
            is_share = name == "clip" and _is_from_zero(*args[1:], **options)
            return self._moved(lambda a: function(*_with(args, self, a), **options), is_share)
        vectors = [one for one in self._likely() if len(one) == 1]
        vectors.insert(0, (self._layout.samples if self._layout.data == "rows" else self._layout.inputs,))
        return self._want("array", vectors[-1] if name == "outer" else None)

    def __array_ufunc__(self, ufunc: Any, method: str, *xs: Any, **options: Any) -> Any:
        return self.ask(ufunc.__name__, xs)


def _is_from_zero(*bounds: Any, **options: Any) -> bool:
    """Whether numbers are kept from 0, or from just above it."""
    least: Any = bounds[0] if bounds else options.get("min", options.get("a_min"))
    return type(least) in (int, float) and bool(0 <= least < 0.1)


def _number(x: Any) -> Any:
    return 1.0 if isinstance(x, OpenArgument) else x


def _with(args: Any, mine: OpenArgument, array: Any) -> Any:
    """Arguments with an array in the place of one that asks."""
    if isinstance(args, list | tuple):
        return type(args)(_with(one, mine, array) for one in args)
    return array if isinstance(args, OpenArgument) else plain(args)


def _of_key(frame: FrameType | None, layout: ArgumentLayout, is_ahead: bool) -> tuple[str, int | None]:
    """One place, or that of each sample, and how many places there are.

    What only goes ahead looks up a row of its parameters for each sample.
    """
    while frame is not None and frame.f_code.co_name not in ("__getitem__", "__setitem__"):
        frame = frame.f_back
    if frame is None:
        return "index", None
    key, shape = frame.f_locals["key"], np.shape(getattr(frame.f_locals["self"], "value", 0.0))
    if isinstance(key, tuple) and len(key) == len(shape):
        at = next(k for k, one in enumerate(key) if isinstance(one, OpenArgument))
        return "labels" if any(
            hasattr(one, "__len__") for one in key if not isinstance(one, OpenArgument)
        ) else "index", shape[at]
    held, tape = frame.f_locals["self"], current_tape()
    is_learned = type(held) is Traced and tape is not None and bool(tape.leaves(held.ids))
    is_several = layout.data == "rows" or (is_ahead and layout.data == "columns")
    is_each = len(shape) > 1 and is_several and (is_ahead or not is_learned)
    return "labels" if is_each else "index", shape[0] if shape else None


def _is_key(frame: FrameType | None) -> bool:
    """Whether something is indexed: by the learner's instruction, or by an array's method that it called."""
    for _ in range(4):
        if frame is None:
            return False
        if frame.f_code.co_name in ("__getitem__", "__setitem__"):
            key = frame.f_locals.get("key")
            return any(
                isinstance(one, OpenArgument) for one in (key if isinstance(key, tuple | list) else (key,))
            )
        if frame.f_code.co_name in ("call_function", "apply"):
            return False
        if "/deltarule/" not in frame.f_code.co_filename:
            break
        frame = frame.f_back
    here = instructions.reached(frame) if frame is not None else None
    return here is not None and here.opname in _SUBSCRIPTS


def _add_operators() -> None:
    names = {
        "mul": "multiply", "truediv": "divide", "add": "add", "sub": "subtract", "matmul": "matmul",
        "pow": "power", "floordiv": "floor_divide", "mod": "remainder",
    }  # fmt: skip

    def operator(name: str, is_reflected: bool) -> Any:
        def method(self: OpenArgument, other: Any) -> Any:
            if isinstance(other, list) and name in ("add", "multiply"):
                self._want(*(("list", 0) if name == "add" else ("size",)))
            return self.ask(name, (other, self) if is_reflected else (self, other))

        return method

    for name, ufunc in names.items():
        setattr(OpenArgument, f"__{name}__", operator(ufunc, False))
        setattr(OpenArgument, f"__r{name}__", operator(ufunc, True))

    def compare(self: OpenArgument, other: Any) -> Any:
        if type(other) is Traced and other.ndim and is_start(other):  # random numbers
            self._want("number", SHARE)
        if type(other) not in (int, float):
            self._want("factor", None)
        self._want("number" if instructions.is_decided(sys._getframe(1)) else "array")

    for name in ("lt", "le", "gt", "ge"):
        setattr(OpenArgument, f"__{name}__", compare)

    def negated(self: OpenArgument) -> OpenArgument:
        return self._moved(np.negative)

    def without_sign(self: OpenArgument) -> OpenArgument:
        return self._moved(np.abs)

    setattr(OpenArgument, "__neg__", negated)  # noqa: B010
    setattr(OpenArgument, "__abs__", without_sign)  # noqa: B010


_add_operators()
