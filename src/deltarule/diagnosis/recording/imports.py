"""What surrounds a recorded program: its builtins, and what it gets for its imports."""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import re
import sys
import types
from collections.abc import Callable
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

from deltarule.diagnosis.recording import missing
from deltarule.diagnosis.recording.demands import demanded, type_of
from deltarule.diagnosis.recording.made_data import note, wrap_datasets
from deltarule.diagnosis.recording.made_tables import wrap_pandas
from deltarule.diagnosis.recording.opening import of_matlab, opened, opened_compressed
from deltarule.diagnosis.recording.source import ProgramSource, read_source
from deltarule.diagnosis.recording.substitutes import (
    Substitute,
    own,
    product,
    repeated,
    replaced_functions,
    substitutes,
    traced_float,
)
from deltarule.diagnosis.recording.traced import leaf


def surroundings(path: str, siblings: frozenset[str], is_python_2: bool = False) -> dict[str, Any]:
    """The names that a program starts with; ``siblings`` are the modules beside it."""
    names: dict[str, Any] = {
        "__name__": "__main__",
        "__file__": path,
        "__leaf__": lambda x: leaf(x, is_scalar=True),
        "__own__": own,
        "__dot__": product,
        "__float__": traced_float,
        "__repeated__": repeated,
        "__demanded__": demanded,
        "__type__": type_of,
    }
    replaced = {
        "open": opened,
        "input": _answer(),
        "raw_input": _answer(),
        "xrange": range,
        "exit": _leave,
        "quit": _leave,
        "help": lambda *_: None,
        "breakpoint": lambda: None,
        "__import__": Importing(siblings, names),
    }
    if is_python_2:
        replaced.update({one.__name__: _listing(one) for one in (map, filter, zip)})
    names["__builtins__"] = {**vars(builtins), **replaced}
    return names


def _listing(function: Any) -> Any:
    """A function that returned a list in Python 2."""
    return lambda *args: list(function(*args))


class _Itself(types.ModuleType):
    """The program in place of a module whose text stands in it, too: ``ops.add`` is its ``add``."""

    def __init__(self, name: str, names: dict[str, Any]) -> None:
        super().__init__(name)
        self.__dict__["_names"] = names

    def __getattr__(self, name: str) -> Any:
        if name in self._names:
            return self._names[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


#: Modules that programs use under these names, and under their own.
_USUAL = {
    "np": "numpy", "plt": "matplotlib.pyplot", "pd": "pandas",
    **{name: name for name in ("numpy", "math", "random", "time", "sys", "os", "copy", "json", "pickle")},
}  # fmt: skip


def supply_modules(source: ProgramSource, siblings: frozenset[str], names: dict[str, Any]) -> None:
    """Give a program the modules that it uses and never imports, where it is plain which ones."""
    bound, used = _bound(source.nodes), dict[str, set[str]]()
    _supply_starred(source, siblings, names, bound)
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.setdefault(node.value.id, set()).add(node.attr)
    if "*" in bound:
        return
    defined = {one.name for one in source.tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    for name, attrs in used.items():
        if name in bound or name in names["__builtins__"]:
            continue
        if name in _USUAL:
            names[name] = _usual(name, names)
        elif attrs <= defined:
            names[name] = _Itself(name, names)
    bases = [one for node in source.nodes if isinstance(node, ast.ClassDef) for one in node.bases]
    for base in bases:
        if isinstance(base, ast.Name) and base.id not in bound and base.id not in names["__builtins__"]:
            names[base.id] = type(base.id, (), {})
            note(f"the class {base.id} is not defined: an empty one was put in its place")


def _bound(nodes: list[ast.AST]) -> set[str]:
    """The names that a program gives to something, anywhere."""
    bound = {one.arg for one in nodes if isinstance(one, ast.arg)}
    for node in nodes:
        match node:
            case ast.Name(name, ast.Store()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.Import() | ast.ImportFrom():
                bound |= {(one.asname or one.name).partition(".")[0] for one in node.names}
    return bound


def _supply_starred(
    source: ProgramSource, siblings: frozenset[str], names: dict[str, Any], bound: set[str]
) -> None:
    """Give a program what it uses of ``from tkinter import *``, or of pylab, which has NumPy's names, too.

    What it uses of a module that is not there may be data, too.
    """
    starred = [
        one.module
        for one in source.nodes
        if isinstance(one, ast.ImportFrom) and one.module and not one.level and one.names[0].name == "*"
    ]
    beside = {Path(one).stem for one in siblings}
    absent = [one for one in starred if one.partition(".")[0] not in beside and not _is_there(one)]
    shown = {one.partition(".")[0] for one in starred} & missing.SHOWING
    if "pylab" in shown:
        exec("from numpy import *\nfrom numpy.random import *\nimport numpy as np", names)
    given = missing.stand_in("tkinter" if shown else absent[0]) if shown or absent else None
    known = bound | set(names) | set(names["__builtins__"])
    read = [one.id for one in source.nodes if isinstance(one, ast.Name) and one.id not in known]
    for name in read if given is not None else ():
        names[name] = given if shown else _usual(name, names) or missing.Unknown(name)


def _usual(name: str, names: dict[str, Any]) -> Any:
    """The module that a name usually stands for; None for other names."""
    if name not in _USUAL:
        return None
    note(f"{_USUAL[name]} is never imported: {name} was assumed to mean it")
    return names["__builtins__"]["__import__"](_USUAL[name], fromlist=("it",))


def _is_there(module: str) -> bool:
    """Whether a module can be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


@lru_cache(maxsize=32)
def _alternatives(path: str) -> frozenset[int]:
    """The lines of imports in whose place a program does something else if they fail."""
    try:
        tree = read_source(path).tree
    except (OSError, SyntaxError):
        return frozenset()
    other = ast.Import | ast.ImportFrom | ast.Assign
    lines: set[int] = set()
    for one in ast.walk(tree):
        if isinstance(one, ast.Try) and any(isinstance(x, other) for each in one.handlers for x in each.body):
            lines.update(line for each in one.body for line in range(each.lineno, (each.end_lineno or 0) + 1))
    return frozenset(lines)


#: What a question of a program is answered, by what it asks for.
_ANSWERS = (
    (r"rate|alpha|alfa|\beta\b|\blr\b|step|tas[as]|taux|taxa|скорость|学习", "0.1"),
    (r"hidden|neuron|node|unit|layer|size|epoch|iter|how many|number|count|batch|sample|capa|couche", "3"),
    (r"y/n|yes", "y"),
)
_MOST_ANSWERS = 200


def _answer() -> Callable[..., str]:
    """``input`` that answers by itself, but not for ever."""
    asked = iter(range(_MOST_ANSWERS))

    def answer(question: Any = "") -> str:
        if next(asked, None) is None:
            raise EOFError("nobody answers")
        said = next((said for word, said in _ANSWERS if re.search(word, str(question), re.I)), "")
        example = re.search(r"[(（\[][^)）\]]*?(\d+(\.\d+)?)", str(question))  # (for example 0.001)
        return said or (example.group(1) if example and float(example.group(1)) else "1")

    return answer


def _leave(*_: Any) -> None:
    raise SystemExit


def _of_before(name: str, found: Any) -> Any:
    """A class of scikit-learn's that knows an argument by the name that it had before."""
    if name != "OneHotEncoder":
        return found
    return lambda *args, **options: found(
        *args, **{"sparse_output" if key == "sparse" else key: one for key, one in options.items()}
    )


class Importing:
    """The ``import`` of a recorded program: substitutes, the modules beside it, stand-ins."""

    def __init__(self, siblings: frozenset[str], names: dict[str, Any]) -> None:
        self.replaced = substitutes()
        self._names = names
        self._beside = {Path(one).stem: one for one in siblings}
        self._loaded: dict[str, types.ModuleType] = {}

    @cached_property
    def functions(self) -> dict[int, Any]:
        """By the identity of a function of a substituted module, what stands in its place."""
        return replaced_functions(self.replaced)

    def _load(self, name: str) -> types.ModuleType:
        if name not in self._loaded:
            module = self._loaded[name] = types.ModuleType(name)
            module.__dict__.update(self._names, __name__=name, __file__=self._beside[name])
            exec(read_source(self._beside[name]).recordable(), module.__dict__)
        return self._loaded[name]

    def _scipy(self, name: str, fromlist: Any) -> types.ModuleType | None:
        """``scipy`` with substitutes for some of its parts; None where others are imported from it."""
        parts = {one[6:]: module for one, module in self.replaced.items() if one.startswith("scipy.")}
        if not parts.keys() >= set(fromlist or ()) or (name != "scipy" and name not in self.replaced):
            return None
        whole = types.ModuleType("scipy")
        whole.__dict__.update(parts, __getattr__=lambda part: importlib.import_module(f"scipy.{part}"))
        return whole

    def __call__(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        name = {"cPickle": "pickle", "_pickle": "pickle"}.get(name, name)  # of Python 2
        root = name.partition(".")[0]
        if root in self._beside:
            return self._load(root)
        if root in missing.SHOWING | missing.HASTENING:
            return missing.stand_in(name)
        if root in missing.LIKE_NUMPY:
            more = {"asnumpy": lambda x: x, "cuda": missing.stand_in("tkinter")}
            return Substitute(self.replaced["numpy"], more, lambda _, found: found)
        if name in self.replaced and fromlist:
            return self.replaced[name]
        if root == "scipy" and (whole := self._scipy(name, fromlist)) is not None:
            return whole
        try:
            module = builtins.__import__(name, globals, locals, fromlist, level)
        except ImportError:
            caller = sys._getframe(1)
            if caller.f_lineno in _alternatives(caller.f_code.co_filename):
                raise
            return missing.stand_in(name)
        if module.__name__ == "argparse":
            return Substitute(module, {"ArgumentParser": missing.Arguments}, lambda _, found: found)
        if module.__name__ in ("gzip", "bz2", "lzma"):
            return Substitute(
                module, {"open": partial(opened_compressed, module.open)}, lambda _, found: found
            )
        if module.__name__ in ("scipy", "scipy.io") and name == "scipy.io":
            files = Substitute(importlib.import_module(name), {}, of_matlab)
            return files if fromlist else Substitute(module, {"io": files}, lambda _, found: found)
        if root in missing.SAVING:
            return Substitute(module, {}, missing.wrap_saving)
        if module.__name__ == "sklearn.preprocessing":
            return Substitute(module, {}, _of_before)
        if module.__name__ == "sklearn.datasets":
            return Substitute(module, {}, wrap_datasets)
        if module.__name__ == "pandas":
            return Substitute(module, {}, wrap_pandas)
        return self.replaced.get(module.__name__, module)
