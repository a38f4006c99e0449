"""The house stays in order: no import circles, no name with two meanings, nothing too long to be read."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from pathlib import Path

import grimp

import deltarule
from deltarule.nn.activations import ACTIVATIONS

SOURCE = Path(deltarule.__file__).parent
FILES = {str(path.relative_to(SOURCE)): path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
LONG = "nn/engines/kernels.py"  # Numba inlines by hand where a call would cost


@cache
def tree_of(name):
    """The syntax tree of a file, made where a test needs it, not when tests are collected."""
    return ast.parse(FILES[name])


def circle_in(arrows):
    """The modules of a circle, or None; the package itself names its parts for type checkers only."""
    inner = {module: found - {"deltarule"} for module, found in arrows.items() if module != "deltarule"}
    try:
        TopologicalSorter(inner).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_no_modules_import_each_other_in_a_circle():
    graph = grimp.build_graph("deltarule", cache_dir=None)
    assert (
        circle_in({module: graph.find_modules_directly_imported_by(module) for module in graph.modules})
        is None
    )


def test_a_circle_would_be_found():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}) is not None


def test_a_class_name_means_one_thing():
    homes = defaultdict(set)
    for name in FILES:
        tree = tree_of(name)
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(name)
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def too_long(name):
    """What of a file is too long: itself, or the bodies of functions."""
    if FILES[name].count("\n") > 450:
        yield name
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.FunctionDef):
            documented = isinstance(node.body[0], ast.Expr) and ast.get_docstring(node) is not None
            first = node.body[0].end_lineno if documented else node.lineno - 1
            if node.end_lineno - first > 50:
                yield f"{name}: {node.name}"


def test_files_and_functions_can_be_read():
    assert list(chain.from_iterable(map(too_long, sorted(FILES.keys() - {LONG})))) == []


def test_what_is_too_long_would_be_found():
    assert LONG in too_long(LONG)


def silent(name):
    """Whether a package does not say what it is for, or in which order it is read."""
    said = ast.get_docstring(tree_of(name)) or ""
    inner = {path.stem for path in (SOURCE / name).parent.iterdir()} - {"__init__", "__pycache__", "assets"}
    return not said or (len(inner) > 2 and "examples" not in inner and "Reading order:" not in said)


def test_packages_say_what_they_are_for_and_in_which_order_to_read_them():
    assert [name for name in sorted(FILES) if name.endswith("/__init__.py") and silent(name)] == []


def test_dir_shows_the_public_names_and_nothing_else():
    assert dir(deltarule) == sorted(deltarule.__all__)


def test_registries_print_their_names():
    assert all(name in repr(ACTIVATIONS) for name in chain(["activation"], ACTIVATIONS))
