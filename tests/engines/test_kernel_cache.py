"""Compiled kernels on disk: whatever happens to the files, training goes on and says so."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from numba import njit

import deltarule
from deltarule.nn.engines import kernel_cache

SOURCE = str(Path(deltarule.__file__).parents[1])


def double(x):
    return 2 * x


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The folder in which a small function is kept, and how to make it again as a new process would."""
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(kernel_cache, "_SAID", [])

    def fresh():
        compiled = njit(double)
        compiled._cache = kernel_cache.KernelCache(double)
        return compiled

    function = fresh()
    assert function(1.5) == 3.0
    return Path(function._cache.cache_path), fresh


def hits(function):
    assert function(1.5) == 3.0
    return sum(function.stats.cache_hits.values())


def test_what_was_compiled_is_found_again(files):
    folder, fresh = files
    assert hits(fresh()) == 1
    assert {path.suffix for path in folder.iterdir()} == {".nbi", ".nbc"}


DAMAGES = {
    "empty": lambda data: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "one byte short": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "first bit": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "a bit of the content": lambda data: data[:40] + bytes([data[40] ^ 4]) + data[41:],
    "last bit": lambda data: data[:-1] + bytes([data[-1] ^ 128]),
    "zeros": lambda data: b"\0" * len(data),
    "another pickle": lambda data: pickle.dumps("something else"),
    "text": lambda data: b"not a pickle\n",
}


@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_counts_as_absent_and_is_written_anew(files, ending, damage, capfd):
    folder, fresh = files
    (path,) = folder.glob(f"*{ending}")
    path.write_bytes(damage(path.read_bytes()))
    assert hits(fresh()) == 0
    assert capfd.readouterr().err == f"{path} is damaged: its kernels are compiled again\n"
    assert hits(fresh()) == 1


def test_a_file_that_others_could_have_written_is_not_read(files):
    folder, fresh = files
    (path,) = folder.glob("*.nbc")
    path.chmod(0o666)
    assert hits(fresh()) == 0
    assert hits(fresh()) == 1  # it was written anew
    folder.chmod(0o777)
    assert hits(fresh()) == 0


def test_a_missing_file_is_compiled_anew(files):
    folder, fresh = files
    for path in folder.glob("*.nbc"):
        path.unlink()
    assert hits(fresh()) == 0
    shutil.rmtree(folder)
    assert hits(fresh()) == 0


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
    for path in cache.rglob("*.nbc"):
        content = bytearray(path.read_bytes())
        content[np.random.default_rng(0).integers(len(content))] ^= 1
        path.write_bytes(content)
    damaged = run()
    assert "is damaged: its kernels are compiled again" in damaged.stderr
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
