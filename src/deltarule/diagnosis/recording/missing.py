"""Stand-ins for what a program asks for and is not there: packages for plots, files of data."""

from __future__ import annotations

import argparse
import ast
import dis
import importlib.machinery
import io
import json
import pickle
import re
import sys
import types
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.instructions import unpacked
from deltarule.diagnosis.recording.tape import MadeTable, current_tape
from deltarule.diagnosis.recording.traced import has_traced, leaf, plain

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
#: How many made-up pictures there are at least, and how large a table becomes that is made up.
_PICTURES, _LARGEST = 40, 10_000_000
#: Names of data.
_OF_DATA = re.compile(
    r"([XYxyt]|((train|test)_|[xy]_?)?(data|features?|images?|inputs?|samples?|labels?|targets?))"
    r"(_?(train|test|valid?|all|one_?hot))?$",
    re.I,
)
#: Names under which a file keeps what a network should give.
_OF_TARGETS = re.compile(r"y|t$|.*(label|target|class|output|expected|answer|desired|etiq|ziel|sortie)", re.I)


class StandIn(types.ModuleType):
    """A module, a function and an object of any kind: what is asked of it is another."""

    def __init__(self, name: str = "stand_in") -> None:
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
        return (object,)


class Unknown(StandIn):
    """What a package that is not there gives: where it is taken apart into data, made-up numbers."""

    def __getattr__(self, name: str) -> Any:
        return _made_up(name) if _OF_DATA.match(name) else super().__getattr__(name)

    def __iter__(self) -> Any:
        names = unpacked(sys._getframe(1))
        if len(names) == 2 and not any(map(_OF_DATA.match, names)):
            names = ("inputs", "targets")
        return iter([_made_up(name) for name in names]) if names else super().__iter__()


def _made_up(name: str) -> Any:
    """Inputs, or one target for each sample, by their name."""
    note(f"{name} comes from a package that is not installed: made-up numbers were used")
    table = _numbers("")
    return leaf(table[:, -1].astype(int) if _OF_TARGETS.match(name) else table[:, :-1], is_scalar=False)


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
        module.__dict__.update(load_data=_pictures, to_categorical=_one_hot)
        module.__dict__.update(mnist=module, fashion_mnist=module, datasets=module, utils=module)
        module.__dict__.update(keras=module, np_utils=module)
    elif root == "pandas":
        note("the package pandas is not installed: made-up tables were used")
        module.__dict__.update(read_csv=lambda *args, **options: Frame(_numbers(args[0])))
    elif root in HASTENING:
        module.__dict__.update(prange=range)
    elif root not in SHOWING:
        module = Unknown(name)
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


def _numbers(name: Any, columns: int = 0) -> Any:
    """Made-up data: classes first for pictures, last for other tables."""
    rng, tape = np.random.RandomState(3), current_tape()
    made = tape.made if tape is not None else MadeTable()
    if any(word in str(name).lower() for word in ("mnist", "digit", "fashion")):
        count = max(_PICTURES, min(made.rows, _LARGEST // 784))
        return np.concatenate(
            [np.arange(count).reshape(-1, 1) % 10, rng.randint(0, 256, (count, 784))], axis=1
        )
    table = rng.rand(made.rows, columns or made.columns)
    table = np.rint(3 * table) if made.is_whole else table
    table[:, -1] = np.arange(made.rows) % 2
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


def wrap_saving(name: str, found: Any) -> Any:
    """A function that writes an object to a file, which does nothing."""
    return (lambda *args, **options: None) if name == "dump" else found


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


def text_file(name: Any, separator: str = ",", columns: int = 0) -> io.StringIO:
    """A made-up file of numbers, separated as the program splits its lines."""
    note(f"{name} is missing: made-up numbers were used")
    lines = [separator.join(f"{x:g}" for x in row) for row in _numbers(name, columns)]
    return io.StringIO("\n".join(lines) + "\n")


def packed_file(name: Any, program: ast.AST, is_binary: bool) -> io.BytesIO | io.StringIO:
    """A made-up file of JSON or a pickle, with the parts that the program takes it apart into."""
    content = packed_content(name, program)
    if str(name).endswith(".json"):
        is_named = isinstance(content, dict)
        named = {_text(key): part.tolist() for key, part in content.items()} if is_named else {}
        text = json.dumps(named if is_named else _numbers(name).tolist())
        return io.BytesIO(text.encode()) if is_binary else io.StringIO(text)
    return io.BytesIO(pickle.dumps(content))


def packed_content(name: Any, program: ast.AST) -> Any:
    """What a made-up file holds, with the parts that the program takes it apart into."""
    note(f"{name} is missing: made-up numbers were used")
    table = _numbers(name)
    table = np.roll(table, -1, axis=1) if table.shape[1] > 9 else table  # classes last
    inputs, targets = table[:, :-1], table[:, -1].astype(int)
    keys, n_parts = _parts_of(program)
    content: Any = {key: targets if _OF_TARGETS.match(_text(key)) else inputs for key in keys}
    if not keys:
        content = (inputs, targets) if n_parts < 3 else [(inputs, targets)] * n_parts
    return content


def _parts_of(program: ast.AST) -> tuple[list[str | bytes], int]:
    """The names by which a program takes data apart, and how many parts of a file it unpacks."""
    keys, n_parts = dict[str | bytes, None](), 0
    for node in ast.walk(program):
        match node:
            case ast.Subscript(slice=ast.Constant(str() | bytes() as key), ctx=ast.Load()):
                keys[key] = None
            case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Call(func=ast.Attribute(attr="load"))):
                n_parts = len(parts)
    return list(keys) if not n_parts else [], n_parts


def _text(key: str | bytes) -> str:
    return key if isinstance(key, str) else key.decode("latin-1")


def _pictures(*args: Any, **options: Any) -> Any:
    rng = np.random.RandomState(3)
    sets = [(rng.randint(0, 256, (n, 28, 28)), np.arange(n) % 10) for n in (200, 20)]
    return tuple(tuple(leaf(one, is_scalar=False) for one in pair) for pair in sets)


def _one_hot(y: Any, classes: Any = None, *args: Any, **options: Any) -> Any:
    numbers = np.asarray(plain(y)).astype(int).ravel()
    return leaf(np.eye(int(plain(classes) or numbers.max() + 1))[numbers], is_scalar=False)


class Frame:
    """A made-up table in place of one of pandas."""

    def __init__(self, numbers: Any) -> None:
        self._numbers = np.asarray(numbers)

    @property
    def values(self) -> Any:
        return leaf(self._numbers, is_scalar=False)

    @property
    def shape(self) -> Any:
        return self._numbers.shape

    @property
    def index(self) -> Any:
        return np.arange(len(self._numbers))

    @property
    def columns(self) -> Any:
        return [f"column {k}" for k in range(self._numbers.shape[-1])]

    iloc = values

    @property
    def T(self) -> Frame:
        return Frame(self._numbers.T)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self._numbers, dtype)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Any:
        return iter(self.columns if self._numbers.ndim > 1 else self.values)

    def __getitem__(self, key: Any) -> Any:
        """Some columns, the last for one name; rows where they are chosen otherwise."""
        if isinstance(key, list) and key and isinstance(key[0], str):
            return Frame(self._numbers[:, : len(key)])
        return Frame(self._numbers[:, -1]) if isinstance(key, str) else self.values

    def __setitem__(self, key: Any, x: Any) -> None:
        pass

    def to_numpy(self, *args: Any, **options: Any) -> Any:
        return self.values

    def iterrows(self) -> Any:
        return enumerate(self.values)

    def drop(self, labels: Any = None, *args: Any, **options: Any) -> Any:
        """Without columns; rows that are dropped stay."""
        named = labels if isinstance(labels, str | list) else options.get("columns")
        return Frame(self._numbers[:, :-1]) if named is not None else self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("mean", "std", "min", "max", "sum"):
            return lambda *args, **options: Frame(getattr(self._numbers, name)(axis=0))
        return lambda *args, **options: self


def _add_arithmetic(name: str) -> None:
    def combine(self: Frame, other: Any) -> Frame:
        if has_traced(other):
            return getattr(self.values, name)(other)
        return Frame(getattr(self._numbers, name)(np.asarray(other)))

    setattr(Frame, name, combine)


for _name in ("add", "sub", "mul", "truediv", "radd", "rsub", "rmul", "rtruediv"):
    _add_arithmetic(f"__{_name}__")
