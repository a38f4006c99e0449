"""What surrounds a recorded program: its builtins, and what it gets for its imports."""

from __future__ import annotations

import ast
import builtins
import io
import re
import sys
import types
from functools import cached_property
from pathlib import Path
from typing import Any

from deltarule.diagnosis.recording import missing
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


def surroundings(path: str, siblings: frozenset[str]) -> dict[str, Any]:
    """The names that a program starts with; ``siblings`` are the modules beside it."""
    names: dict[str, Any] = {
        "__name__": "__main__",
        "__file__": path,
        "__leaf__": lambda x: leaf(x, is_scalar=True),
        "__own__": own,
        "__dot__": product,
        "__float__": traced_float,
        "__repeated__": repeated,
    }
    replaced = {
        "open": _open,
        "input": lambda *_: "1",
        "raw_input": lambda *_: "1",
        "xrange": range,
        "exit": _leave,
        "quit": _leave,
        "help": lambda *_: None,
        "breakpoint": lambda: None,
        "__import__": Importing(siblings, names),
    }
    names["__builtins__"] = {**vars(builtins), **replaced}
    return names


class _Itself(types.ModuleType):
    """The program in place of a module whose text stands in it, too: ``ops.add`` is its ``add``."""

    def __init__(self, name: str, names: dict[str, Any]) -> None:
        super().__init__(name)
        self.__dict__["_names"] = names

    def __getattr__(self, name: str) -> Any:
        if name in self._names:
            return self._names[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


#: Modules that programs use under these names.
_USUAL = {"np": "numpy", "numpy": "numpy", "math": "math", "random": "random", "plt": "matplotlib.pyplot"}


def supply_modules(source: ProgramSource, names: dict[str, Any]) -> None:
    """Give a program the modules that it uses and never imports, where it is plain which ones."""
    used: dict[str, set[str]] = {}
    bound = {one.arg for one in ast.walk(source.tree) if isinstance(one, ast.arg)}
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(value=ast.Name(name), attr=attr):
                used.setdefault(name, set()).add(attr)
            case ast.Name(name, ast.Store()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.Import() | ast.ImportFrom():
                bound |= {(one.asname or one.name).partition(".")[0] for one in node.names}
    if "*" in bound:
        return
    defined = {one.name for one in source.tree.body if isinstance(one, ast.FunctionDef | ast.ClassDef)}
    for name, attrs in used.items():
        if name in bound or name in names["__builtins__"]:
            continue
        if name in _USUAL:
            names[name] = names["__builtins__"]["__import__"](_USUAL[name], fromlist=("it",))
            missing.note(f"{_USUAL[name]} is never imported: {name} was assumed to mean it")
        elif attrs <= defined:
            names[name] = _Itself(name, names)


def _leave(*_: Any) -> None:
    raise SystemExit


def _open(name: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
    """``open`` that writes to memory, and makes up the tables that are not there."""
    if any(letter in mode for letter in "wax+"):
        return io.BytesIO() if "b" in mode else io.StringIO()
    try:
        return open(name, mode, *args, **options)
    except FileNotFoundError:
        if "b" in mode or not str(name).endswith((".csv", ".txt", ".data")):
            raise
        return missing.text_file(name, _separator(sys._getframe(1).f_code.co_filename))


def _separator(path: str) -> str:
    """What a program splits its lines at."""
    try:
        found = re.search(r"""split\(\s*(['"])([^'"]+)\1""", Path(path).read_text(errors="replace"))
    except OSError:
        return ","
    return found.group(2).replace("\\t", "\t").replace("\\n", ",") if found else ","


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

    def __call__(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        root = name.partition(".")[0]
        if root in self._beside:
            return self._load(root)
        if root in missing.SHOWING:
            return missing.stand_in(name)
        if name in self.replaced and fromlist:
            return self.replaced[name]
        try:
            module = builtins.__import__(name, globals, locals, fromlist, level)
        except ImportError:
            return missing.stand_in(name)
        if module.__name__ == "argparse":
            return Substitute(module, {"ArgumentParser": missing.Arguments}, lambda _, found: found)
        if module.__name__ == "sklearn.datasets":
            return Substitute(module, {}, missing.wrap_datasets)
        if module.__name__ == "pandas":
            return Substitute(module, {}, missing.wrap_pandas)
        return self.replaced.get(module.__name__, module)
