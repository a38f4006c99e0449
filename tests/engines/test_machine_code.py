"""Compiled kernels on disk: whatever happens to the files, training goes on and says so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

import deltarule
from deltarule import Network, train
from deltarule.nn.engines import compilation, jobs, machine_code, records, workspace

SOURCE = str(Path(deltarule.__file__).parents[1])
MADE = machine_code.MachineCode("f", ("exp", "deltarule_dgemm"), bytes(range(256)))


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A file in which machine code is kept."""
    monkeypatch.setattr(machine_code, "_SAID", [])
    path = tmp_path / "cache" / "f.o"
    assert machine_code.write_code(path, MADE)
    return path


def test_what_was_compiled_is_found_again(path):
    assert machine_code.read_code(path) == MADE
    assert [each.name for each in path.parent.iterdir()] == ["f.o"]


DAMAGES = {
    "empty": lambda data: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "one byte short": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "first bit": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "a bit of the content": lambda data: data[:40] + bytes([data[40] ^ 4]) + data[41:],
    "last bit": lambda data: data[:-1] + bytes([data[-1] ^ 128]),
    "zeros": lambda data: b"\0" * len(data),
    "a bit of a name": lambda data: data[:35] + bytes([data[35] ^ 1]) + data[36:],
    "without a checksum": lambda data: data[32:],
    "twice": lambda data: data + data,
    "the checksum of nothing": lambda data: sha256(b"").digest() + data[32:],
    "two parts exchanged": lambda data: data[100:] + data[:100],
    "text": lambda data: b"not machine code\n",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_counts_as_absent_and_says_so_once(path, damage, capfd):
    path.write_bytes(damage(path.read_bytes()))
    assert machine_code.read_code(path) is None
    assert machine_code.read_code(path) is None
    assert capfd.readouterr().err == f"{path} is damaged: its kernel is compiled again\n"
    assert machine_code.write_code(path, MADE)
    assert machine_code.read_code(path) == MADE


def test_a_file_that_others_could_have_written_is_not_read(path):
    path.chmod(0o666)
    assert machine_code.read_code(path) is None
    path.chmod(0o600)
    path.parent.chmod(0o777)
    assert machine_code.read_code(path) is None


def test_where_there_is_no_place_for_a_file_none_is_written(path, monkeypatch):
    assert not machine_code.write_code(path / "below a file.o", MADE)
    assert machine_code.read_code(path / "below a file.o") is None
    assert machine_code.read_code(path.parent) is None  # a folder
    assert machine_code.read_code(path.with_name("missing.o")) is None


def test_machine_code_of_other_sources_types_or_settings_is_not_taken(tmp_path, monkeypatch):
    """Each has a file of its own."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    written, compiled = [], import_module("deltarule.nn.engines.kernel_compiler")
    monkeypatch.setattr(compiled, "compile_kernel", lambda *_: written.append(1) or MADE)
    types = [np.dtype([("x", "f8")])]
    for count, change in enumerate((
        lambda: None,
        lambda: types.append(np.dtype([("x", "f4")])),
        lambda: monkeypatch.setenv("NUMBA_CPU_NAME", "generic"),
        lambda: monkeypatch.setattr(machine_code, "_SOURCES", ("jobs.py",)),
    ), start=1):  # fmt: skip
        change()
        machine_code._stamp.cache_clear()
        for _ in range(2):
            assert machine_code.find_code("predict", types, 2) == MADE
        assert len(written) == count
        assert len(list(tmp_path.iterdir())) == count
    machine_code._stamp.cache_clear()


def test_the_folder_of_machine_code_is_the_one_named_or_the_packages_or_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert machine_code._folders() == [tmp_path]
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    beside, users = machine_code._folders()
    assert beside == Path(machine_code.__file__).parent / "__pycache__"
    assert users == tmp_path / "deltarule"


def test_threads_that_predict_first_load_the_kernel_once(tmp_path):
    """In a fresh process, whose first prediction is divided among threads."""
    net, X = Network([40, 9, 2], seed=0), np.random.default_rng(0).normal(size=(900, 40))
    expected = net.predict(X, engine="compiled")  # whoever was first has compiled it
    code = (
        "import numpy as np; from deltarule import Network\n"
        "from deltarule.nn.engines import threads\n"
        "threads.RANGE_PRODUCTS = 1\n"
        "net, X = Network([40, 9, 2], seed=0), np.random.default_rng(0).normal(size=(900, 40))\n"
        "print(net.predict(X, engine='compiled').tolist())"
    )
    environment = os.environ | {"PYTHONPATH": SOURCE, "NUMBA_NUM_THREADS": "8"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(json.loads(done.stdout), expected, rtol=1e-12)


def test_numba_is_not_imported_where_its_work_was_done(tmp_path):
    net = Network([3, 4, 2], seed=0)
    train(net, [[1, 2, 3]], [[0, 1]], epochs=1, engine="compiled")  # whoever was first has compiled it
    code = (
        "import sys; from deltarule import Network, train\n"
        "net = Network([3, 4, 2], seed=0)\n"
        "train(net, [[1, 2, 3]], [[0, 1]], epochs=1, engine='compiled')\n"
        "print('numba' in sys.modules, net.parameters.tolist())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": SOURCE}, capture_output=True, text=True
    )
    assert done.stdout == f"False {net.parameters.tolist()}\n", done.stderr


@pytest.mark.slow
def test_training_goes_on_with_a_damaged_cache(tmp_path):
    """The whole command, with the kernels themselves, which other tests may have compiled."""
    known, cache = Path(os.environ["NUMBA_CACHE_DIR"]), tmp_path / "cache"
    if known.exists():
        shutil.copytree(known, cache)
    environment = {**os.environ, "PYTHONPATH": SOURCE, "NUMBA_CACHE_DIR": str(cache)}
    command = [sys.executable, "-m", "deltarule", "train", "xor", "--engine", "compiled", "--epochs", "3"]

    def run():
        return subprocess.run(
            [*command, "--quiet"], env=environment, capture_output=True, text=True, timeout=300, check=True
        )

    first = run()
    for path in cache.rglob("*.o"):
        content = bytearray(path.read_bytes())
        content[np.random.default_rng(0).integers(len(content))] ^= 1
        path.write_bytes(content)
    damaged = run()
    assert "is damaged: its kernel is compiled again" in damaged.stderr
    assert "Traceback" not in damaged.stderr
    assert damaged.stdout.splitlines()[0] == first.stdout.splitlines()[0]


@pytest.mark.slow
def test_a_process_that_compiles_gives_the_bits_of_one_that_reads_what_was_compiled(tmp_path):
    code = (
        "import hashlib, numpy as np\n"
        "from deltarule import Network, train\n"
        "X, Y = np.random.default_rng(0).normal(size=(300, 70)), np.arange(300) % 3\n"
        "for activation in ('tanh', 'silu', 'elu'):\n"
        "    net = Network([70, 40, 3], activation=activation, output='softmax', l1=1e-4, l2=1e-3, seed=0)\n"
        "    train(net, X, Y, optimizer='adam(0.01, clip_norm=1)', epochs=3, engine='compiled')\n"
        "    print(hashlib.sha256(net.parameters.tobytes()).hexdigest())\n"
    )
    environment = os.environ | {"PYTHONPATH": SOURCE, "NUMBA_CACHE_DIR": str(tmp_path)}
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert len(outputs[0].split()) == 3
    assert outputs[0] == outputs[1]


def test_no_record_is_described_where_a_kernel_gets_its_records():
    """NumPy does so in Python, and swallows whatever is raised meanwhile, as by Ctrl-C."""
    net, x, none = Network([3, 4, 2], seed=0), np.zeros((1, 3)), np.empty(0)
    lists = workspace.make_lists(x.dtype, 3, 1, 0)
    layout = workspace.plan_layout(net, 1)
    layers = jobs.Layers(net.parameters, layout.table, layout.layer_numbers)
    plan = jobs.Prediction(
        layers, workspace.make_scratch(layout, net, lists), x, none, none, np.empty(2), layout.n_rows
    )
    record, called = records.record_of(plan), []
    compilation.load_kernel("predict", record)
    sys.setprofile(lambda frame, event, _: called.append(frame.f_code.co_name) if event == "call" else None)
    try:
        compilation.load_kernel("predict", record)
    finally:
        sys.setprofile(None)
    assert "load_kernel" in called
    assert "_array_descr" not in called
