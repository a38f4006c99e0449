"""Every module says what it is, its examples are true, and what it offers is there and documented."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import deltarule
from deltarule.nn.activations import ACTIVATIONS

MODULES = [
    "deltarule",
    *(
        found.name
        for found in pkgutil.walk_packages(deltarule.__path__, "deltarule.")
        if found.name.rpartition(".")[2] not in ("__main__", "kernels")  # one runs, one needs Numba
    ),
]


@pytest.fixture(params=MODULES)
def module(request):
    return importlib.import_module(request.param)


def test_examples_give_what_they_say(module, monkeypatch):
    monkeypatch.setattr(ACTIVATIONS, "_makers", dict(ACTIVATIONS._makers))  # an example registers one
    assert doctest.testmod(module).failed == 0


def test_exports_are_sorted_and_there(module):
    assert module.__doc__
    exports = getattr(module, "__all__", [])
    assert exports == sorted(exports, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(hasattr(module, name) for name in exports)


@pytest.mark.parametrize("name", [name for name in MODULES if "diagnosis.catalogue." not in name])
def test_functions_and_classes_without_an_underscore_are_documented(name):
    module = importlib.import_module(name)
    for own, item in vars(module).items():
        public = inspect.isfunction(item) or inspect.isclass(item)
        if public and not own.startswith("_") and item.__module__ == module.__name__:
            assert item.__doc__ or item.__qualname__ != own, own
