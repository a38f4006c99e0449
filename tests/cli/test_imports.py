"""What importing costs: nothing before a name is asked for, then NumPy and the standard library only."""

from __future__ import annotations

import ast
import pickle
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import deltarule

from .cases import SOURCE

SCRIPT = """
import sys
import numpy.random
before = {name.partition(".")[0] for name in sys.modules}
from deltarule import *
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


def test_all_names_need_numpy_and_the_standard_library_only():
    assert python(SCRIPT).splitlines() == ["", ""]


def test_importing_loads_no_module_before_a_name_is_asked_for():
    script = """
import sys
import deltarule
print(*sorted(name for name in sys.modules if name.startswith(("deltarule.", "numpy"))))
"""
    assert python(script) == "\n"


def test_network_and_train_load_what_they_need_and_no_more():
    script = """
import sys
import numpy
before = set(sys.modules)
import deltarule as dr
dr.Network, dr.train
print(*set(sys.modules) - before)
"""
    loaded = set(python(script).split())
    assert {"deltarule.nn.network", "deltarule.training"} <= loaded
    others = {"check", "cli", "datasets", "derivations", "diagnosis", "encoding", "plotting", "tutorials"}
    assert not loaded & {f"deltarule.{name}" for name in others}
    assert not loaded & {"csv", "difflib", "hashlib", "json", "pathlib", "secrets", "tempfile"}


@pytest.mark.parametrize(
    ("needed", "work"),
    [
        ("scipy", "dr.train(dr.Network([1, 1]), [[1.0]], [[1.0]], optimizer='lbfgs')"),
        ("matplotlib", "from deltarule.plotting import figure; figure(1)"),
        ("sklearn", "dr.datasets.load('wine')"),
        ("PIL", "dr.datasets.load('.')"),
    ],
)
def test_a_missing_extra_is_named_with_the_command_that_brings_it(needed, work, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(b"\x89PNG")
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


def test_the_table_of_names_type_checkers_and_the_public_names_agree():
    tree = ast.parse(Path(deltarule.__file__).read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name))
    imported = {
        alias.name: node.module.removeprefix("deltarule.")
        for node in ast.walk(checked)
        if isinstance(node, ast.ImportFrom) and node.module.startswith("deltarule.")
        for alias in node.names
    }
    assert imported == deltarule._MODULE_OF
    asked_for_by_name = {name for name, module in imported.items() if module == "estimators"}
    assert {*imported, "datasets", "load"} - asked_for_by_name == set(deltarule.__all__)


def test_names_are_seen_before_they_are_loaded():
    script = """
import deltarule
assert "Network" not in vars(deltarule)
print(set(deltarule.__all__) - set(dir(deltarule)))
from deltarule import *
print(set(deltarule.__all__) - set(globals()))
"""
    assert python(script).splitlines() == ["set()", "set()"]
    assert "class Network" in pydoc.render_doc(deltarule, renderer=pydoc.plaintext)


def test_a_name_that_is_not_there_is_refused():
    with pytest.raises(AttributeError, match="module 'deltarule' has no attribute 'Netwrok'"):
        deltarule.Netwrok


def test_what_the_names_stand_for_is_pickled_as_ever():
    adam = deltarule.Adam("cosine(0.1)", beta1=0.5)
    assert pickle.loads(pickle.dumps(adam)) == adam
    assert pickle.loads(pickle.dumps(deltarule.train)) is deltarule.train


def test_the_command_line_leaves_the_generator_of_random_where_it_was():
    code = "import random; state = random.getstate(); import deltarule.cli; print(random.getstate() == state)"
    assert python(code).strip() == "True"
