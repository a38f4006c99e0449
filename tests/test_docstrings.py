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


def test_exports_are_sorted_documented_and_there(module):
    assert module.__doc__
    exports = getattr(module, "__all__", None)
    if exports is None:
        exports = [name for name, offered in vars(module).items() if is_defined_in(module, name, offered)]
    else:
        assert exports == sorted(exports, key=lambda name: (not name.isupper(), name[0].islower(), name))
    for name in exports:
        offered = getattr(module, name)
        documented = inspect.isfunction(offered) or inspect.isclass(offered)
        documented = documented and not module.__name__.startswith("deltarule.diagnosis.catalogue.")
        assert not documented or offered.__doc__, name


def is_defined_in(module, name, offered):
    """Whether a module without ``__all__`` offers what it calls by this name."""
    return not name.startswith("_") and getattr(offered, "__module__", None) == module.__name__
