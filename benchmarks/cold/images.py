"""What the MNIST scripts share: reading the files, and saying what was reached."""

from __future__ import annotations

import gzip
import json
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["WANTED", "read", "report"]

WANTED = 0.9792  # of the test part, right


def read(folder: str) -> list[np.ndarray[Any, Any]]:
    """Training images and labels, test images and labels, as bytes: (n, 784) and (n,)."""
    arrays = []
    for name, head in (
        ("train-images-idx3-ubyte", 16),
        ("train-labels-idx1-ubyte", 8),
        ("t10k-images-idx3-ubyte", 16),
        ("t10k-labels-idx1-ubyte", 8),
    ):
        path = Path(folder, name)
        content = path.read_bytes() if path.exists() else gzip.decompress(Path(f"{path}.gz").read_bytes())
        array = np.frombuffer(content, np.uint8, offset=head)
        arrays.append(array.reshape(-1, 784) if "images" in name else array)
    return arrays


def report(epochs: int, accuracy: float) -> None:
    """One line of JSON, with the most memory that was in use, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    print(json.dumps({"epochs": epochs, "accuracy": accuracy, "peak": peak}))
