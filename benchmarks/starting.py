"""``python -m benchmarks.starting``: reading MNIST and pictures; compiling, and loading compiled code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import click
import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.cold import images
from deltarule.data import load
from deltarule.data.mnist import data_home

__all__ = ["main"]

Readers = dict[str, Callable[[], Any]]

_FIRST_TRAINING = """
import json, time
import numpy as np, deltarule as dr
net = dr.Network([784, 20, 10], output="softmax", dtype="float32")
X, y = np.ones((50, 784), np.float32), np.arange(50) % 10
start, processor = time.perf_counter(), time.process_time()
dr.train(net, X, y, epochs=1, engine="compiled")
net.predict(X, engine="compiled")
print(json.dumps([time.perf_counter() - start, time.process_time() - processor]))
"""


def _idx(folder: Path) -> Readers:
    """Training and test part, images and labels."""
    return {"deltarule": lambda: load(folder), "NumPy by hand": lambda: images.read(str(folder))}


def _pictures(folder: Path) -> Readers:
    """All pictures of a folder, in grey, as one array of bytes."""
    files = sorted(folder.rglob("*.png"))

    def pixels(file: Path) -> Any:
        with Image.open(file) as image:
            return np.asarray(image.convert("L"))

    def by_threads() -> Any:
        with ThreadPoolExecutor() as threads:
            return np.stack(list(threads.map(pixels, files)))

    readers: Readers = {
        "deltarule": lambda: load(folder),
        "Pillow": lambda: np.stack([pixels(file) for file in files]),
        "Pillow in threads": by_threads,
    }
    if find_spec("torchvision"):
        from torchvision.io import ImageReadMode, read_image

        readers["torchvision"] = lambda: [read_image(str(file), ImageReadMode.GRAY) for file in files]
    return readers


def _seconds(read: Callable[[], Any]) -> float:
    started = time.perf_counter()
    read()
    return time.perf_counter() - started


def _first_training(cache: str) -> tuple[float, float]:
    """Seconds of a process's first training and prediction, and its processor's seconds in them."""
    environment = os.environ | {"NUMBA_CACHE_DIR": cache}
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_TRAINING], env=environment, check=True, capture_output=True, text=True
    )
    wall, processor = json.loads(done.stdout)
    return wall, processor


def _starts(rounds: int) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {"compiled for the first time": [], "with a warm cache": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            for seconds in found.values():
                seconds.append(_first_training(cache))
    return found


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Of each, at most.")
def main(rounds: int) -> None:
    """Time reading in turns, medians; then a process's first training, compiled and loaded."""
    table = Table("what", "who", "median", "÷ the fastest other")
    kinds = {"MNIST's files": ("mnist", _idx), "a folder of pictures": ("mnist-images", _pictures)}
    for what, (name, readers_of) in kinds.items():
        readers = readers_of(data_home() / name)
        times: dict[str, list[float]] = {who: [] for who in readers}
        for number in range(-1, rounds):
            for who, read in readers.items():
                seconds = _seconds(read)
                if number >= 0:
                    times[who].append(seconds)
        medians = {who: median(each) for who, each in times.items()}
        fastest = min(seconds for who, seconds in medians.items() if who != "deltarule")
        for who, seconds in medians.items():
            table.add_row(what, who, f"{1e3 * seconds:.0f} ms", f"{seconds / fastest:.2f}")
    for what, pairs in _starts(min(rounds, 3)).items():
        wall, processor = (median(each) for each in zip(*pairs, strict=True))
        table.add_row("the first training", what, f"{wall:.2f} s", f"{processor:.2f} s of processor time")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
