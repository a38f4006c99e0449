"""Stand-ins for what a program asks for and is not there: packages for plots, files of data."""

from __future__ import annotations

import argparse
import importlib.machinery
import io
import types
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.tape import current_tape
from deltarule.diagnosis.recording.traced import leaf, plain

#: Packages that show something; a recorded program shows nothing.
SHOWING = frozenset([
    "matplotlib", "seaborn", "IPython", "mpl_toolkits", "plotly", "pylab", "pygame", "graphviz", "tkinter",
    "turtle", "tqdm",
])  # fmt: skip
#: Packages that train by themselves.
FRAMEWORKS = frozenset(["torch", "tensorflow", "keras", "jax", "mxnet", "theano"])


class StandIn(types.ModuleType):
    """A module, a function and an object of any kind: what is asked of it is another."""

    def __init__(self, name: str = "stand_in") -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__spec__ = importlib.machinery.ModuleSpec(name, None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn(name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], types.FunctionType):
            return args[0]  # a decorator
        return StandIn("result")

    def __iter__(self) -> Any:
        return iter([StandIn("first"), StandIn("second")])

    def __getitem__(self, key: Any) -> Any:
        return StandIn("item")

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
        return (object,)


def stand_in(name: str) -> StandIn:
    """Return a module in place of one that is missing, or that would open a window."""
    module = StandIn(name)
    root = name.partition(".")[0]
    if root == "tqdm":
        module.__dict__.update(tqdm=_Progress, trange=_counted, notebook=module, auto=module)
    elif root in FRAMEWORKS:
        note(f"the package {root} is not installed: what it computes could not be observed")
        module.__dict__.update(load_data=_pictures, to_categorical=_one_hot)
        module.__dict__.update(mnist=module, fashion_mnist=module, datasets=module, utils=module)
        module.__dict__.update(keras=module, np_utils=module)
    elif root == "pandas":
        note("the package pandas is not installed: made-up tables were used")
        module.__dict__.update(read_csv=lambda *args, **options: Frame(_numbers(args[0])))
    elif root not in SHOWING:
        note(f"the package {root} is not installed: what it computes could not be observed")
    return module


def note(text: str) -> None:
    """Tell what was made up."""
    tape = current_tape()
    if tape is not None:
        tape.note("missing", text)


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

    def __init__(self, x: Any = (), *args: Any, **options: Any) -> None:
        self._x = x

    def __iter__(self) -> Any:
        return iter(self._x)

    def __len__(self) -> int:
        return len(self._x)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: None


def _counted(*sizes: Any, **options: Any) -> Any:
    return _Progress(range(*sizes))


def _numbers(name: Any) -> Any:
    """Made-up data: classes first for pictures, last for other tables."""
    rng = np.random.RandomState(3)
    if any(word in str(name).lower() for word in ("mnist", "digit", "fashion")):
        return np.concatenate([np.arange(40).reshape(-1, 1) % 10, rng.randint(0, 256, (40, 784))], axis=1)
    table = rng.rand(24, 4)
    table[:, -1] = np.arange(24) % 2
    return table


def table(name: Any) -> Any:
    """Made-up numbers in place of a file that is not there."""
    note(f"{name} is missing: made-up numbers were used")
    return leaf(_numbers(name), is_scalar=False)


def wrap_pandas(name: str, found: Any) -> Any:
    """A function of pandas, which makes up the tables that are not there."""
    if not name.startswith("read_"):
        return found

    def read(*args: Any, **options: Any) -> Any:
        try:
            return found(*args, **options)
        except OSError:
            note(f"{args[0]} is missing: made-up numbers were used")
            return Frame(_numbers(args[0]))

    return read


class _Bunch(dict[str, Any]):
    """A data set as scikit-learn gives it."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def wrap_datasets(name: str, found: Any) -> Any:
    """A function of scikit-learn's that fetches data, which makes up what cannot be fetched."""
    if not name.startswith("fetch_"):
        return found

    def fetch(*args: Any, return_X_y: bool = False, **options: Any) -> Any:
        try:
            return found(*args, return_X_y=return_X_y, **options)
        except OSError:
            named = str(args[0]) if args else name
            note(f"{named} cannot be downloaded: made-up numbers were used")
            made = _numbers(named)
            made = made if made.shape[1] > 9 else np.roll(made, 1, axis=1)  # classes first
            data, target = made[:, 1:].astype(float), made[:, 0].astype(int)
            labels = target.astype(str) if name == "fetch_openml" else target
            return (data, labels) if return_X_y else _Bunch(data=data, target=labels)

    return fetch


def text_file(name: Any, separator: str = ",") -> io.StringIO:
    """A made-up file of numbers, separated as the program splits its lines."""
    note(f"{name} is missing: made-up numbers were used")
    lines = [separator.join(f"{x:g}" for x in row) for row in _numbers(name)]
    return io.StringIO("\n".join(lines) + "\n")


def _pictures(*args: Any, **options: Any) -> Any:
    rng = np.random.RandomState(3)
    train, test = (
        (leaf(rng.randint(0, 256, (n, 28, 28)), is_scalar=False), leaf(np.arange(n) % 10, is_scalar=False))
        for n in (200, 20)
    )
    return train, test


def _one_hot(y: Any, classes: Any = None, *args: Any, **options: Any) -> Any:
    numbers = np.asarray(plain(y)).astype(int).ravel()
    return leaf(np.eye(int(plain(classes) or numbers.max() + 1))[numbers], is_scalar=False)


class Frame:
    """A made-up table in place of one of pandas."""

    def __init__(self, numbers: Any) -> None:
        self._numbers = numbers

    @property
    def values(self) -> Any:
        return leaf(self._numbers, is_scalar=False)

    @property
    def shape(self) -> Any:
        return self._numbers.shape

    @property
    def iloc(self) -> Any:
        return self.values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._numbers, dtype)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, key: Any) -> Any:
        return leaf(self._numbers[:, 0], is_scalar=False)

    def to_numpy(self, *args: Any, **options: Any) -> Any:
        return self.values

    def drop(self, *args: Any, **options: Any) -> Any:
        return Frame(self._numbers[:, 1:])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **options: self
