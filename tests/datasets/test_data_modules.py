"""The data modules: light to import, complete in what they export, true in their examples."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import deltarule.datasets
import deltarule.encoding

MODULES = [
    found.name
    for package in (deltarule.datasets, deltarule.encoding)
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
]
OPTIONAL = ("pandas", "pyarrow", "PIL", "pooch", "sklearn", "scipy", "requests", "numba")


@pytest.mark.parametrize("module", ["deltarule.datasets", "deltarule.encoding"])
def test_importing_loads_numpy_alone(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {OPTIONAL} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["deltarule.datasets", "deltarule.encoding", *MODULES])
def test_exports_are_sorted_and_exist(name: str) -> None:
    module = importlib.import_module(name)
    upper = sorted(export for export in module.__all__ if export.isupper())
    types = sorted(export for export in module.__all__ if export[0].isupper() and not export.isupper())
    others = sorted(export for export in module.__all__ if export[0].islower())
    assert module.__all__ == upper + types + others
    assert all(hasattr(module, export) for export in module.__all__)
    assert module.__doc__


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("missing", ["pandas", "PIL.Image", "pooch", "sklearn.datasets"])
def test_a_missing_package_is_named_with_its_extra(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltarule.errors import MissingExtraError
    from deltarule.registry import import_extra

    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match="pip install"):
        import_extra(missing, "data")
