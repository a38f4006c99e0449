"""The examples in the docstrings of the tutorials are true, and every module names what it offers."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import deltarule.tutorials

MODULES = sorted(found.name for found in pkgutil.iter_modules(deltarule.tutorials.__path__))


@pytest.fixture(params=["", *MODULES])
def module(request):
    return importlib.import_module(f"deltarule.tutorials.{request.param}".rstrip("."))


def test_examples_give_what_they_say(module):
    assert doctest.testmod(module).failed == 0


def test_exports_are_sorted_documented_and_there(module):
    assert module.__doc__
    assert module.__all__ == sorted(
        module.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
    for name in module.__all__:
        offered = getattr(module, name)
        assert not callable(offered) or offered.__doc__
