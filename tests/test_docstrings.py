"""Every module says what it is, its examples are true, and what it offers is there and documented."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import deltarule
from deltarule.nn.activations import ACTIVATIONS
from deltarule.nn.losses import LOSSES

MODULES = [
    "deltarule",
    *(
        found.name
        for found in pkgutil.walk_packages(deltarule.__path__, "deltarule.")
        if found.name.rpartition(".")[2] not in ("__main__", "kernels")  # one runs, one needs Numba
    ),
]


def room_of(name):
    """The package, or module, right below deltarule."""
    return ".".join(name.split(".")[:2])


@pytest.fixture(params=sorted(set(map(room_of, MODULES))))
def modules(request):
    """The modules of a room."""
    return [importlib.import_module(name) for name in MODULES if room_of(name) == request.param]


def test_examples_give_what_they_say(modules, monkeypatch):
    monkeypatch.setattr(ACTIVATIONS, "_makers", dict(ACTIVATIONS._makers))  # examples register one
    monkeypatch.setattr(LOSSES, "_makers", dict(LOSSES._makers))
    assert [module.__name__ for module in modules if doctest.testmod(module).failed] == []


def test_exports_are_sorted_and_there(modules):
    for module in modules:
        assert module.__doc__
        exports = getattr(module, "__all__", [])
        assert exports == sorted(exports, key=lambda name: (not name.isupper(), name[0].islower(), name))
        assert all(hasattr(module, name) for name in exports)


def test_functions_and_classes_without_an_underscore_are_documented(modules):
    bare = [
        f"{module.__name__}.{own}"
        for module in modules
        if "diagnosis.catalogue." not in module.__name__
        for own, item in vars(module).items()
        if (inspect.isfunction(item) or inspect.isclass(item))
        and not own.startswith("_")
        and item.__module__ == module.__name__
        and not item.__doc__
        and item.__qualname__ == own
    ]
    assert bare == []
