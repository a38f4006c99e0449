"""Names for records: ``"tanh"``, ``"leaky_relu(0.2)"``, ``"adam(cosine(0.01), beta1=0.8)"``.

A registry maps a name to what makes the record. Files, the command line and constructors all find
their records here, so a name means one thing everywhere, and reading one never runs code.
"""

from __future__ import annotations

import ast
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from numbers import Real
from types import ModuleType
from typing import Any, Generic, TypeVar, dataclass_transform

from deltarule.errors import InputError, MissingExtraError

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """A frozen dataclass that is compared, hashed and printed by its fields.

    All records share the three methods: ``dataclass`` would compile them for each class, at every import.

    Examples
    --------
    >>> @record
    ... class Point:
    ...     x: float
    ...     y: float = 0.0
    >>> Point(1.0), Point(1.0) == Point(1.0, 0.0)
    (Point(x=1.0, y=0.0), True)
    """
    for name, method in (("__eq__", _equal), ("__hash__", _hash), ("__repr__", _repr)):
        setattr(cls, name, method)
    return dataclass(frozen=True, eq=False, repr=False)(cls)


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, item.name) for item in fields(self) if item.compare)


def _equal(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    values = (f"{item.name}={getattr(self, item.name)!r}" for item in fields(self))
    return f"{type(self).__qualname__}({', '.join(values)})"


#: The registry of each class of records.
_REGISTRIES: dict[type, Registry[Any]] = {}


class Registry(Generic[T]):
    """The known records of one kind, by name.

    ``kind`` is what the records are, as error messages say it: ``"activation"``; ``type_`` is their
    class.

    Examples
    --------
    >>> from deltarule.nn.activations import ACTIVATIONS
    >>> ACTIVATIONS.resolve("leaky_relu(0.2)").name
    'leaky_relu(0.2)'
    >>> from deltarule.nn.schedules import SCHEDULES
    >>> SCHEDULES
    Registry of schedule names: constant, step, exponential, inverse_scaling, cosine, one_cycle, warm_up
    """

    def __init__(self, kind: str, type_: type[T]) -> None:
        self.kind = kind
        self._type = type_
        _REGISTRIES.setdefault(type_, self)
        self._makers: dict[str, Callable[..., T]] = {}

    def register(self, name: str, maker: Callable[..., T]) -> None:
        """Let ``name`` stand for what ``maker`` returns; its arguments may be given, as in ``name(0.2)``."""
        if name in self._makers:
            raise InputError(f"{self.kind} {name!r} is already registered")
        self._makers[name] = maker

    def add(self, name: str, record: T) -> T:
        """Let ``name`` stand for ``record``, and return the record."""
        self.register(name, lambda: record)
        return record

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {self.kind} names: {', '.join(self._makers)}"

    def maker(self, name: str) -> Callable[..., T]:
        """Return what makes the record called ``name``."""
        if name not in self._makers:
            raise InputError(f"unknown {self.kind} {name[:60]!r}{did_you_mean(name, self._makers)}")
        return self._makers[name]

    def is_registered(self, record: Any) -> bool:
        """Return whether the record's name stands for this record, and not for nothing or for another."""
        try:
            return bool(self.resolve(record.name).formula == record.formula)  # type: ignore[attr-defined]
        except InputError:
            return False

    def resolve(self, spec: str | T) -> T:
        """Return the record that ``spec`` names; a record passes through.

        Raises InputError if the name is unknown or the arguments do not fit.
        """
        if isinstance(spec, self._type):
            return spec
        if not isinstance(spec, str):
            raise InputError(
                f"{self.kind} must be a name or {self._type.__name__}, got {type(spec).__name__}"
                f"; names: {', '.join(self._makers)}"
            )
        name, args, kwargs = _parse(spec, self.kind)
        try:
            return self.maker(name)(*args, **kwargs)
        except TypeError as error:
            reason = str(error).partition("__init__() ")[2] or str(error)
            raise InputError(f"{self.kind} {spec[:60]!r}: {reason}") from None


def pickled_by_name(record: Any) -> tuple[Any, ...]:
    """Return what pickle and copies make a record of: its name where it is registered, or else its fields."""
    if _REGISTRIES[type(record)].is_registered(record):
        return _resolved, (type(record), record.name)
    return object.__new__, (type(record),), vars(record)


def _resolved(type_: type[T], name: str) -> T:
    found: T = _REGISTRIES[type_].resolve(name)
    return found


def _parse(spec: str, kind: str) -> tuple[str, list[Any], dict[str, Any]]:
    """``name(1, b=2)`` as name, positional and named arguments; an inner ``f(…)`` stays text."""
    if spec.isidentifier():
        return spec, [], {}
    try:
        node = ast.parse(spec.strip(), mode="eval").body
        if isinstance(node, ast.Name):
            return node.id, [], {}
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            raise ValueError
        named = {str(keyword.arg): _argument(keyword.value) for keyword in node.keywords}
        if len(named) < len(node.keywords):
            raise ValueError
        return node.func.id, [_argument(arg) for arg in node.args], named
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InputError(f"{kind} {spec[:60]!r} is not a name or a call such as name(0.1, key=2)") from None


def _argument(node: ast.expr) -> Any:
    if isinstance(node, ast.Call | ast.Name):
        return ast.unparse(node)
    return ast.literal_eval(node)


def spec_of(name: str, record: Any) -> str:
    """The call that makes ``record`` again, with all its fields: ``sgd(learning_rate=0.5, …)``."""
    values = ((field.name, getattr(record, field.name)) for field in fields(record) if field.init)
    return f"{name}({', '.join(f'{key}={_argument_text(value)}' for key, value in values)})"


def _argument_text(value: Any) -> str:
    if hasattr(value, "spec"):
        return str(value.spec)
    if isinstance(value, Real) and not isinstance(value, int):
        return repr(float(value))  # NumPy's numbers print as a call
    return repr(value)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``; did you mean 'tanh'?`` or, where nothing is near, ``; choose from: …``."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; choose from: {', '.join(names)}"


def shown_by(view: str) -> Callable[[Any], str]:
    """Make a ``_repr_html_``: how an object shows itself in a notebook stands above it in the house.

    ``view`` names a function of the object that returns HTML, as in
    ``"deltarule.notebook_views:network"``; its module is imported when an object is first shown.
    """
    module, _, function = view.partition(":")

    def show(self: Any) -> str:
        made: str = getattr(import_module(module), function)(self)
        return made

    return show


@contextmanager
def signals_wait() -> Iterator[None]:
    """Let Ctrl-C and its like wait for the end of a block.

    While modules load, an exception may get lost: Cython's, such as those of ``numpy.random``, swallow any,
    and Python loses those in the callback that forgets a module's lock.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[tuple[int, Any]] = []
    found: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}
    try:
        for number in handlers:
            signal.signal(number, lambda *arguments: waiting.append(arguments))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in waiting[:1]:
            handlers[number](number, frame)


@cache
def is_there(module: str) -> bool:
    """Return whether a package is installed; looking for one that is not loaded takes 30 µs, so once."""
    return find_spec(module) is not None


def import_extra(module: str, extra: str) -> ModuleType:
    """Import an optional package, or say which extra of deltarule brings it.

    Raises
    ------
    MissingExtraError
        ``pandas is not installed: pip install "deltarule[data]"``
    """
    try:
        with nullcontext() if module in sys.modules else signals_wait():
            return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        package = module.partition(".")[0]
        raise MissingExtraError(f'{package} is not installed: pip install "deltarule[{extra}]"') from None
