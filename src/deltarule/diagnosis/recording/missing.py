"""Stand-ins for packages that a program asks for and that are not there, or would open a window."""

from __future__ import annotations

import argparse
import dis
import importlib.machinery
import operator
import random
import re
import sys
import types
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.instructions import unpacked, unpacked_next
from deltarule.diagnosis.recording.made_data import (
    OF_TARGETS,
    coloured_pictures,
    file_of_numbers,
    note,
    numbers,
    one_hot,
    pictures,
)
from deltarule.diagnosis.recording.made_tables import Frame
from deltarule.diagnosis.recording.tape import current_tape
from deltarule.diagnosis.recording.traced import asking, has_traced, leaf, plain
from deltarule.diagnosis.recording.usual_activation import (
    UsualActivation,
    is_derived,
    usual_kind,
    usual_softmax,
)

#: Packages that show something; a recorded program shows nothing.
SHOWING = frozenset([
    "matplotlib", "seaborn", "IPython", "mpl_toolkits", "plotly", "pylab", "pygame", "graphviz", "tkinter",
    "turtle", "tqdm",
])  # fmt: skip
#: Packages that train by themselves.
FRAMEWORKS = frozenset(["torch", "tensorflow", "keras", "jax", "mxnet", "theano"])
#: Packages that make functions faster: a recorded program runs them as they are written.
HASTENING = frozenset(["numba", "line_profiler", "memory_profiler"])
#: Packages that compute as NumPy does, on other hardware.
LIKE_NUMPY = frozenset(["cupy", "minpy", "bottleneck"])
#: Packages that write objects to files; a recorded program writes none.
SAVING = frozenset(["pickle", "joblib", "dill", "cloudpickle", "json"])
#: How many pictures of an animation are drawn: as many as parameters change before recording ends.
_FRAMES = 5
#: What is said of data that a package would give that is not there.
FROM_PACKAGE = "comes from a package that is not installed"
#: Names of data.
_OF_DATA = re.compile(
    r"([XYxyt]|((train|test)_|[xy]_?)?(data|features?|images?|inputs?|samples?|labels?|targets?))"
    r"(_?(train|test|valid?|all|one_?hot))?$",
    re.I,
)


class Base:
    """A class to inherit from that is not there: it may be told anything."""

    def __init__(self, *args: Any, **options: Any) -> None:
        pass


class StandIn(types.ModuleType):
    """A module, a function and an object of any kind: what is asked of it is another."""

    def __init__(self, name: Any = "stand_in", *args: Any, **options: Any) -> None:
        if not isinstance(name, str):  # as a base class, it is told of an object
            return
        super().__init__(name)
        self.__path__: list[str] = []
        self.__spec__ = importlib.machinery.ModuleSpec(name, None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(self)(name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], types.FunctionType | type):
            return args[0]  # a decorator
        return type(self)("result")

    def __iter__(self) -> Any:
        """As many as are unpacked, as in ``line, = ax.plot(…)``; two elsewhere."""
        frame = sys._getframe(1)
        at, code = frame.f_lasti, frame.f_code.co_code
        wanted = code[at + 1] if dis.opname[code[at]] == "UNPACK_SEQUENCE" else 2
        return iter([StandIn("item") for _ in range(wanted)])

    def __getitem__(self, key: Any) -> Any:
        return StandIn("item")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:  # else NumPy asks for items of items
        return np.zeros(2, dtype)

    def __setitem__(self, key: Any, x: Any) -> None:
        pass

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __len__(self) -> int:
        return 2

    def __mul__(self, other: Any) -> Any:
        return self

    __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __truediv__ = __mul__

    def __mro_entries__(self, bases: Any) -> Any:
        return (Base,)


class Unknown(StandIn):
    """What a package that is not there gives: where it is taken apart into data, made-up numbers."""

    def __getattr__(self, name: str) -> Any:
        return _made_up(name) if _OF_DATA.match(name) else super().__getattr__(name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Numbers, where a file is read, or numbers of classes become vectors; else another.

        Random numbers where a shape is passed, as to what initializes parameters; of numbers, what the usual
        activation of that name gives.
        """
        if has_traced(args) or asking(args) is not None:
            activated = _activated(self.__name__, args, options)
            if activated is not None:
                is_cached = len(unpacked_next(sys._getframe(1))) == 2 and not isinstance(activated, tuple)
                return (activated, args[0]) if is_cached else activated
        is_path = len(args) == 1 and isinstance(args[0], str) and re.search(r"\w[./\\]\w", args[0])
        if is_path and self.__name__.islower() and not unpacked_next(sys._getframe(1)):
            return leaf(file_of_numbers(args[0]), is_scalar=False)
        if (shape := _shape_of([*args, *options.values()])) is not None:
            note("what makes arrays is in a package that is not installed: random numbers were used")
            return leaf(np.random.default_rng(random.getrandbits(32)).normal(size=shape), is_scalar=False)
        if args and "hot" in self.__name__ and np.ndim(plain(args[0])) == 1:
            return one_hot(*args)
        return super().__call__(*args, **options)

    def __mul__(self, other: Any) -> Any:
        """A number that is not known, as a rate, is taken for 1 where something is multiplied by it."""
        return other if has_traced(other) or asking((other,)) is not None else self

    __rmul__ = __rtruediv__ = __mul__

    def __iter__(self) -> Any:
        names = unpacked(sys._getframe(1))
        if len(names) == 2 and not any(map(_OF_DATA.match, names)):
            names = ("inputs", "targets")
        return iter([_made_up(name) for name in names]) if names else super().__iter__()


def _activated(name: str, args: Any, options: Any) -> Any:
    """What the usual activation of a name gives, or its derivative; None for other names."""
    tape, kind = current_tape(), usual_kind(name)
    if tape is None or kind is None:
        return None
    note(f"{name} is in a package that is not installed: the usual function of that name was assumed")
    if kind == "softmax":
        return None if is_derived(name) else usual_softmax(args[0], options.get("axis"))
    usual = tape.activations.setdefault(kind, UsualActivation("", kind))
    return (usual.derivative if is_derived(name) else usual.function)(*args, **options)


def _shape_of(passed: list[Any]) -> tuple[int, ...] | None:
    """The shape among things that are passed; None where there is none, or anything but sizes beside it."""
    shapes = [one for one in passed if isinstance(one, tuple | list)]
    sizes = [one for one in passed if not isinstance(one, tuple | list)]
    sizes += [each for one in shapes for each in one]
    if len(shapes) != 1 or not shapes[0] or not all(map(_is_size, sizes)):
        return None
    made = tuple(operator.index(one) for one in shapes[0])  # what is not known yet is asked
    return made if min(made) > 0 else None


def _is_size(one: Any) -> bool:
    return type(one) is int or asking((one,)) is not None


def _made_up(name: str) -> Any:
    """Inputs, or one target for each sample, by their name."""
    note(f"{name} {FROM_PACKAGE}: made-up numbers were used")
    table, tape = numbers(""), current_tape()
    if tape is not None and tape.made.in_columns:
        return leaf(table.T[-1:] if OF_TARGETS.match(name) else table.T[:-1], is_scalar=False)
    return leaf(table[:, -1].astype(int) if OF_TARGETS.match(name) else table[:, :-1], is_scalar=False)


def stand_in(name: str) -> StandIn:
    """Return a module in place of one that is missing, or that would open a window."""
    module = StandIn(name)
    root = name.partition(".")[0]
    if name == "matplotlib.animation":
        module.__dict__.update(FuncAnimation=_animate)
    elif root == "tqdm":
        module.__dict__.update(trange=lambda *sizes, **options: _Progress(range(*sizes)))
        module.__dict__.update(tqdm=_Progress, notebook=module, auto=module)
    elif root in FRAMEWORKS:
        note(f"the package {root} is not installed: what it computes could not be observed")
        module.__dict__.update(load_data=pictures, to_categorical=one_hot)
        module.__dict__.update(mnist=module, fashion_mnist=module, datasets=module, utils=module)
        module.__dict__.update(keras=module, np_utils=module)
        coloured = StandIn("cifar10")
        coloured.__dict__.update(load_data=coloured_pictures)
        module.__dict__.update(cifar10=coloured)
    elif root == "pandas":
        note("the package pandas is not installed: made-up tables were used")
        module.__dict__.update(read_csv=lambda *args, **options: Frame(numbers(args[0])))
    elif root in HASTENING:
        module.__dict__.update(prange=range)
    elif root not in SHOWING:
        module = Unknown(name)
        note(f"the package {root} is not installed: what it computes could not be observed")
    return module


class Arguments(argparse.ArgumentParser):
    """A parser of arguments that makes up those that are needed and not given."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        for one in self._actions:
            if not one.required:
                continue
            usual = {int: 5, float: 0.1}.get(one.type, f"{one.dest}.csv")  # type: ignore[call-overload]
            one.required, one.default = False, next(iter(one.choices)) if one.choices else usual
            if not one.option_strings:
                one.nargs = "?"
            note(f"the argument {one.dest} is not given: {one.default} was assumed")
        return super().parse_known_args(args, namespace)


class _Progress:
    """What is gone through, with a bar to be written on."""

    def __init__(self, iterable: Any = (), *args: Any, **options: Any) -> None:
        self._whole = iterable

    def __iter__(self) -> Any:
        return iter(self._whole)

    def __len__(self) -> int:
        return len(self._whole)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: None


def _animate(figure: Any, function: Any, *args: Any, fargs: Any = (), **options: Any) -> StandIn:
    """Draw the first frames of an animation, which may train between them."""
    for frame in range(_FRAMES):
        function(frame, *(fargs or ()))
    return StandIn("animation")


def wrap_saving(name: str, found: Any) -> Any:
    """A function that writes an object to a file, which does nothing."""
    return (lambda *args, **options: None) if name == "dump" else found
