"""Memory that a batch leaves is there for the next one: asking the system for it took a fifth of the time."""

from __future__ import annotations

import platform
import subprocess
import sys

import numpy as np
import pytest

from deltarule.arrays import Scaled
from deltarule.nn.engines.contract import Samples

PAGES = """
import resource
import numpy as np
import deltarule as dr

rng = np.random.default_rng(0)
X, Y = rng.random((2000, 64)), rng.integers(0, 10, 2000)
net = dr.Network([64, 100, 10], activation="relu", output="softmax", loss="cross_entropy", seed=0)

def pages(epochs):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    dr.train(net, X, Y, optimizer=dr.Adam(), epochs=epochs, batch_size=200, engine="reference")
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

pages(1)
print(pages(20))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="how glibc keeps memory")
def test_training_does_not_ask_the_system_for_memory_at_every_batch():
    done = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200  # one page for each of the 200 updates


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: Scaled(x, 0.25, 2.0)])
def test_samples_are_laid_out_by_rows_once_and_are_the_same_numbers(wrap):
    by_columns = np.asfortranarray(np.random.default_rng(0).random((20, 3)))
    given = wrap(by_columns)
    x = Samples(given, np.zeros((20, 1)), None).x
    assert getattr(x, "values", x).flags.c_contiguous
    np.testing.assert_array_equal(np.asarray(x), np.asarray(given))
    assert Samples(x, np.zeros((20, 1)), None).x is x
