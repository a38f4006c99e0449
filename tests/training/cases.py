"""Small networks and samples to train them on, and what the tests of training share."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

import deltarule
from deltarule import LBFGS, OPTIMIZERS, SCHEDULES, Network

__all__ = [
    "GRADIENT_STEPS",
    "OPTIMIZER_NAMES",
    "SCHEDULE_NAMES",
    "digest",
    "python",
    "samples",
    "small",
    "softmax",
    "start",
]

SOURCE = str(Path(deltarule.__file__).parents[1])
OPTIMIZER_NAMES = list(OPTIMIZERS)
GRADIENT_STEPS = [name for name in OPTIMIZERS if not isinstance(OPTIMIZERS.resolve(name), LBFGS)]
SCHEDULE_NAMES = list(SCHEDULES)


def samples(n=24, n_features=3, n_classes=2, seed=0):
    """``X`` (n, n_features) and one-hot ``Y`` (n, n_classes) that depends on X."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_features))
    return X, np.eye(n_classes)[(X.sum(axis=1) > 0).astype(int) % n_classes]


def small(**settings):
    """3 inputs, 4 tanh neurons, 2 softmax outputs."""
    return Network([3, 4, 2], **{"activation": "tanh", "output": "softmax", "seed": 1} | settings)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def start(script, *arguments, folder=None, env=None, **options):
    """A script in a fresh interpreter, in which Ctrl-C works as in a terminal."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": SOURCE, **(env or {})},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        text=True,
        **options,
    )


def python(script, *arguments, check=True, **options):
    """Run a script in a fresh interpreter to its end; returns (exit status, output)."""
    pipe = subprocess.PIPE
    with start(script, *arguments, stdout=pipe, stderr=pipe, **options) as process:
        out, err = process.communicate(timeout=120)
    assert not check or process.returncode == 0, err
    return process.returncode, out
