"""What importing costs: the package loads NumPy and the standard library, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

import deltarule

from .cases import SOURCE

SCRIPT = """
import sys
import numpy
before = {name.partition(".")[0] for name in sys.modules}
import deltarule
after = {name.partition(".")[0] for name in sys.modules}
print(*sorted(after - before - set(sys.stdlib_module_names) - {"deltarule"}))
print(*sorted(after & {"click", "rich", "tqdm", "pandas", "sklearn", "scipy", "safetensors", "matplotlib"}))
"""


def python(script, folder=None):
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={"PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_importing_loads_numpy_and_the_standard_library_only():
    assert python(SCRIPT).splitlines() == ["", ""]


@pytest.mark.parametrize(
    ("needed", "work"),
    [
        ("scipy", "dr.train(dr.Network([1, 1]), [[1.0]], [[1.0]], optimizer='lbfgs')"),
        ("matplotlib", "from deltarule.plotting import figure; figure(1)"),
        ("sklearn", "dr.datasets.load('iris')"),
        ("PIL", "dr.datasets.load('.')"),
    ],
)
def test_a_missing_extra_is_named_with_the_command_that_brings_it(needed, work, tmp_path):
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "1.png").touch()
    script = f"""
import sys
sys.modules["{needed}"] = None
import deltarule as dr
try:
    {work}
except dr.MissingExtraError as error:
    print(error)
"""
    assert f'{needed} is not installed: pip install "deltarule[' in python(script, tmp_path)


def test_training_loads_nothing_more():
    script = """
import sys
import deltarule as dr
dr.train(dr.Network([2, 3, 1]), [[1.0, 2.0]], [[1.0]], epochs=1)
print(*sorted({name.partition(".")[0] for name in sys.modules}
    & {"click", "rich", "tqdm", "pandas", "sklearn", "scipy", "matplotlib"}))
"""
    assert python(script) == "\n"


def test_every_public_name_is_there_once():
    assert len(set(deltarule.__all__)) == len(deltarule.__all__)
    for name in deltarule.__all__:
        assert hasattr(deltarule, name)
