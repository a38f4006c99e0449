"""How the tests run the command line, and the small files they run it on."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
from click.testing import CliRunner

import deltarule
from deltarule.cli import cli

__all__ = [
    "SOURCE",
    "classes_csv",
    "images",
    "invoke",
    "numbers_csv",
    "process",
    "read_rows",
    "refused",
    "report_of",
    "run",
    "start",
    "write_idx",
]

SOURCE = str(Path(deltarule.__file__).parents[1])


def invoke(*arguments):
    """Run a sub-command in this process."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def run(*arguments):
    """What a sub-command that must succeed prints."""
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def report_of(*arguments):
    """The JSON object that a sub-command prints, which is all it prints."""
    found = json.loads(run(*arguments, "--json"))
    assert isinstance(found, dict)
    return found


def refused(*arguments):
    """What a sub-command says to refuse its input: one line ``deltarule: …``, exit status 2."""
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("deltarule: ")
    return result.stderr.removeprefix("deltarule: ").rstrip("\n")


def start(*arguments, folder=None, env=None, clean=False, **options):
    """``python -m deltarule`` as a process, in which Ctrl-C works as in a terminal."""
    inherited = {} if clean else {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return subprocess.Popen(
        [sys.executable, "-m", "deltarule", *map(str, arguments)],
        cwd=folder,
        env={**inherited, "PYTHONPATH": SOURCE, **(env or {})},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        text=True,
        encoding="utf-8",
        errors="replace",
        **options,
    )


def process(*arguments, **options):
    """Run a process to its end: (exit status, standard output, standard error)."""
    pipe = subprocess.PIPE
    with start(*arguments, **({"stdout": pipe, "stderr": pipe} | options)) as one:
        out, err = one.communicate(timeout=120)
    return one.returncode, out, err


def read_rows(text):
    """The rows of a CSV text as dictionaries."""
    return list(csv.DictReader(io.StringIO(text)))


# ---------------------------------------------------------------- files


def classes_csv(path, n=60, labels=("ash", "beech", "cedar")):
    """Numbers, a category and a label that follows from them."""
    rng = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["height", "colour", "kind"])
        for row in range(n):
            k = row % len(labels)
            colour = ("red", "green", "blue")[k % 3] if rng.random() < 0.8 else "red"
            writer.writerow([f"{k + rng.normal(0, 0.1):.4f}", colour, labels[k]])
    return path


def numbers_csv(path, n=60):
    """Two targets that are sums of two inputs."""
    rng = np.random.default_rng(1)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "total", "excess"])
        for a, b in rng.uniform(-1, 1, (n, 2)):
            writer.writerow([repr(float(v)) for v in (a, b, 100 + 30 * (a + b), a - b)])
    return path


def bars(n, rng):
    """8 × 8 images of a bright column (class 0) or row (class 1), and their classes."""
    pictures = rng.integers(0, 60, (n, 8, 8))
    labels = np.arange(n) % 2
    for picture, label in zip(pictures, labels, strict=True):
        place = int(rng.integers(8))
        (picture.T if label == 0 else picture)[place] = 250
    return pictures.astype(np.uint8), labels.astype(np.uint8)


def images(folder, n=40):
    """train/ and test/ with a folder of images for each class."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for part, count in (("train", n), ("test", n // 2)):
        for number, (picture, label) in enumerate(zip(*bars(count, rng), strict=True)):
            target = folder / part / ("column", "row")[label] / f"{number:03}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(target)
    return folder


def write_idx(folder, n=40):
    """The four files of MNIST's format, hand-packed."""
    rng = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for part, count in (("train", n), ("t10k", n // 2)):
        pictures, labels = bars(count, rng)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(
            struct.pack(">IIII", 2051, count, 8, 8) + pictures.tobytes()
        )
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, count) + labels.tobytes())
    return folder
