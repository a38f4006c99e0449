"""The examples in the docstrings are true, and every module names what it offers."""

from __future__ import annotations

import doctest
import importlib

import pytest

from deltarule.activations import ACTIVATIONS

MODULES = [
    "activations",
    "architecture",
    "arrays",
    "check",
    "check.course",
    "check.data",
    "check.findings",
    "check.gradients",
    "check.health",
    "check.report",
    "check.rules",
    "check.signs",
    "check.slopes",
    "check.units",
    "description",
    "engines.reference",
    "errors",
    "files",
    "initializers",
    "layers",
    "losses",
    "naming",
    "network",
    "optimizers",
    "persistence",
    "registry",
    "schedules",
]


@pytest.fixture(params=MODULES)
def module(request):
    return importlib.import_module(f"deltarule.{request.param}")


def test_examples_give_what_they_say(module, monkeypatch):
    monkeypatch.setattr(ACTIVATIONS, "_makers", dict(ACTIVATIONS._makers))  # an example registers one
    assert doctest.testmod(module).failed == 0


def test_exports_are_sorted_documented_and_there(module):
    assert module.__doc__
    classes_last = sorted(module.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert module.__all__ == classes_last
    for name in module.__all__:
        offered = getattr(module, name)
        assert not callable(offered) or offered.__doc__
