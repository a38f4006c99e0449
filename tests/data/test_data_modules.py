"""The data modules are light to import, and say which extra brings what is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

OPTIONAL = ("pandas", "pyarrow", "PIL", "pooch", "sklearn", "scipy", "requests", "numba")


@pytest.mark.parametrize("module", ["deltarule.data", "deltarule.data.encoding"])
def test_importing_loads_numpy_alone(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {OPTIONAL} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("missing", ["pandas", "PIL.Image", "pooch", "sklearn.datasets"])
def test_a_missing_package_is_named_with_its_extra(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltarule.errors import MissingExtraError
    from deltarule.registry import import_extra

    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match="pip install"):
        import_extra(missing, "data")
