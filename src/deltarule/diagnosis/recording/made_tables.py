"""Tables of pandas that a program reads and that are not there, made up."""

from __future__ import annotations

import ast
import importlib
import sys
from functools import lru_cache, partial
from typing import Any

import numpy as np

from deltarule.diagnosis.recording.data_use import column_of_classes
from deltarule.diagnosis.recording.made_data import has_pictures, note, numbers
from deltarule.diagnosis.recording.source import read_source
from deltarule.diagnosis.recording.traced import asking, has_traced, leaf, plain


def wrap_pandas(name: str, found: Any) -> Any:
    """A function of pandas, which makes up the tables that are not there."""
    if name == "get_dummies":
        return partial(_dummies, found)
    if not name.startswith("read_"):
        return found

    def read(file: Any, *args: Any, **options: Any) -> Any:
        if asking((file,)) is None:
            try:
                return found(file, *args, **options)
            except (OSError, ImportError):  # openpyxl, say, is another package
                pass
            note(f"{file} is missing: made-up numbers were used")
        return made_frame(file, options, read_source(sys._getframe(1).f_code.co_filename).tree)

    return read


def _dummies(found: Any, data: Any, *args: Any, **options: Any) -> Any:
    """Columns of 0 and 1 for each class, as pandas gave them before they became those of truth values."""
    pandas = importlib.import_module("pandas")
    made = found(plain(data), *args, **{"dtype": int, **options})
    return _asking_frames(pandas)(made)


def made_frame(file: Any, options: dict[str, Any], program: ast.AST) -> Any:
    """A table with the columns that a program asks for, when it asks for them."""
    names, used = options.get("names"), options.get("usecols")
    wanted = names if names is not None else used
    table = numbers(file, len(wanted) if isinstance(wanted, list) else 0)
    pandas = importlib.import_module("pandas")
    first = 0 if has_pictures(file) else table.shape[1] - 1
    columns: list[Any] = [f"column {k}" for k in range(table.shape[1])]
    if isinstance(wanted, list) and all(isinstance(one, str) for one in wanted):
        columns = wanted
    elif options.get("header", 0) is None:
        columns = list(range(table.shape[1]))
    frame = _asking_frames(pandas)(table, columns=columns)
    frame = frame.astype({columns[first]: int})
    frame.attrs.update(classes=column_of_classes(program), unnamed=first)
    return frame


def _supply(table: Any, keys: Any) -> None:
    """Let a table have the columns that are asked for."""
    wanted = [keys] if isinstance(keys, str | int) else keys if isinstance(keys, list | tuple) else []
    for one in wanted:
        if type(one) in (str, int) and one not in table.columns:
            _give_name(table, one)


def _give_name(table: Any, key: Any) -> None:
    """Give a name that is asked for to a column that has none, the classes' to theirs; or add a column."""
    if isinstance(key, int):
        if not any(isinstance(one, str) for one in table.columns):
            for k in range(len(table.columns), key + 1):
                table.insert(k - 1, k, np.random.RandomState(k).rand(len(table)))
            table.columns = range(len(table.columns))
        return
    free = [one for one in table.columns if str(one).startswith("column ")]
    own = f"column {table.attrs.get('unnamed')}"
    is_class = key == table.attrs.get("classes") and own in free
    taken = own if is_class else next((one for one in free if one != own), None)
    if taken is None:
        table.insert(0, key, np.random.RandomState(len(key)).rand(len(table)))
    else:
        table.columns = [key if one == taken else one for one in table.columns]


@lru_cache(maxsize=1)
def _asking_frames(pandas: Any) -> Any:
    """Tables that get the columns that are asked for; what is made of one is one, too."""

    class Series(pandas.Series):  # type: ignore[misc]
        _constructor = property(lambda self: Series)
        _constructor_expanddim = property(lambda self: Table)
        values = property(lambda self: leaf(pandas.Series.values.fget(self), is_scalar=False))

        def to_numpy(self, *args: Any, **options: Any) -> Any:
            return leaf(super().to_numpy(*args, **options), is_scalar=False)

        as_matrix = to_numpy  # before pandas 1

        def map(self, arg: Any, *args: Any, **options: Any) -> Any:
            return super().map(_fitting(self, arg), *args, **options)

        def replace(self, arg: Any = None, *args: Any, **options: Any) -> Any:
            arg = _fitting(self, arg)
            return super().replace(arg, *args, **options)

    class Table(pandas.DataFrame):  # type: ignore[misc]
        _constructor = property(lambda self: Table)
        _constructor_sliced = property(lambda self: Series)
        loc = property(lambda self: _places(pandas)("loc", self))
        values = property(lambda self: leaf(pandas.DataFrame.values.fget(self), is_scalar=False))

        def to_numpy(self, *args: Any, **options: Any) -> Any:
            return leaf(super().to_numpy(*args, **options), is_scalar=False)

        as_matrix = to_numpy  # before pandas 1

        def __getitem__(self, key: Any) -> Any:
            _supply(self, key)
            return super().__getitem__(key)

        def __getattr__(self, key: str) -> Any:
            if key == self.attrs.get("classes") and not key.startswith("_"):
                _supply(self, key)
            return super().__getattr__(key)

        def drop(self, labels: Any = None, *args: Any, columns: Any = None, **options: Any) -> Any:
            wanted = labels if columns is None else columns
            names = wanted if isinstance(wanted, list) else [wanted]
            if any(isinstance(one, str) for one in names):
                _supply(self, wanted)
            return super().drop(labels, *args, columns=columns, **options)

        def pop(self, item: Any) -> Any:
            _supply(self, item)
            return super().pop(item)

    return Table


@lru_cache(maxsize=1)
def _places(pandas: Any) -> Any:
    """What sets parts of a table, where whole numbers make way for others, as before pandas 3."""

    class Places(type(pandas.DataFrame().loc)):  # type: ignore[misc]
        def __setitem__(self, key: Any, x: Any) -> None:
            try:
                super().__setitem__(key, x)
            except TypeError:
                whole = self.obj.select_dtypes("integer").columns
                self.obj[whole] = self.obj[whole].astype(float)
                super().__setitem__(key, x)

    return Places


def _fitting(column: Any, meant: Any) -> Any:
    """What words are to become, for a column that has none: its first value what the first word would."""
    if not isinstance(meant, dict) or set(column.unique()) & set(meant):
        return meant
    wanted = list(meant.values())
    return {value: wanted[k % len(wanted)] for k, value in enumerate(sorted(column.unique()))}


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
