"""The examples in the docstrings of formulas, derivations, diagnosis and worksheets are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

PACKAGES = ["formula", "derivations", "diagnosis", "worksheets"]


def modules():
    for name in PACKAGES:
        package = importlib.import_module(f"deltarule.{name}")
        yield package.__name__
        yield from (found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))


@pytest.mark.parametrize("name", list(modules()))
def test_a_module_says_what_it_is_and_its_examples_are_true(name):
    module = importlib.import_module(name)
    assert module.__doc__
    for offered in getattr(module, "__all__", []):
        assert hasattr(module, offered)
    assert doctest.testmod(module).failed == 0
