"""The process around an observation: it ends, and its reply is data."""

import inspect
import linecache
import sys
import threading

import numpy as np
import pytest

import deltarule as dr
from deltarule.diagnosis.observation import observe_apart

from .programs import PLANTED, PROGRAMS


@pytest.fixture
def watch(tmp_path):
    def run(text, seconds=20.0):
        path = tmp_path / "program.py"
        path.write_text(text, encoding="utf-8")
        return observe_apart(path, seconds)

    return run


def test_the_reply_is_what_observe_says(watch):
    assert watch(PROGRAMS["script"]).verdict == "right"
    name, right, wrong = PLANTED[0]
    seen = watch(PROGRAMS[name].replace(right, wrong))
    assert seen.verdict == "wrong"
    assert set(seen.faults[0].parameters) == {"W1", "b1"}
    assert "Wrong: one mistake." in str(seen)


@pytest.mark.parametrize(
    "loop", ["while True: pass", "while True:\n    try: 1 / 0\n    except BaseException: pass"]
)
def test_a_loop_without_end_is_ended_and_said(loop, watch):
    seen = watch(loop + "\n", seconds=3.0)
    assert seen.verdict == "cannot judge"
    assert "loop never end" in seen.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos._exit(0)\n",
        "import os\nfor n in range(3, 50):\n    try: os.write(n, b'Right.')\n    except OSError: pass\n",
        "import os\nfor n in range(3, 50):\n    try: os.close(n)\n    except OSError: pass\n",
        "import numpy as np\nx = np.ones((10**6, 10**5))\n",
        pytest.param("import sys\nsys.setrecursionlimit(10**7)\ndef f(): f()\nf()\n", marks=pytest.mark.slow),
    ],
)
def test_a_hostile_program_ends_with_a_report(text, watch):
    seen = watch(text, seconds=10.0)
    assert seen.verdict == "cannot judge"
    assert seen.notes or seen.obstacle


def test_a_program_of_a_framework_is_shown_the_way(watch):
    seen = watch("import torch.nn as nn\nmodel = nn.Linear(2, 1)\nnn.MSELoss()(model(1), 2).backward()\n")
    assert seen.verdict == "cannot judge"
    assert "PyTorch does the training here" in seen.obstacle
    assert "dr.compare" in seen.paste
    assert "dr.health" in seen.paste
    assert callable(dr.compare)
    assert callable(dr.health)


def two_layers(W1, b1, W2, b2, X, Y, factor=1.0):
    A1 = np.tanh(X @ W1 + b1)
    delta2 = (A1 @ W2 + b2 - Y) / len(X)
    delta1 = factor * (delta2 @ W2.T) * (1 - A1**2)
    return X.T @ delta1, delta1.sum(0), A1.T @ delta2, delta2.sum(0)


def closure_of(factor):
    def gradients(W1, b1, W2, b2, X, Y):
        return two_layers(W1, b1, W2, b2, X, Y, factor)

    return gradients


class Net:
    """It refers to itself, to its base by ``super``, and to functions of its module."""

    rate = 0.1

    def __init__(self, factor):
        super().__init__()
        rng = np.random.default_rng(1)
        self.factor, self.itself = factor, self
        self.W1, self.b1 = rng.normal(size=(6, 4)), np.zeros(4)
        self.W2, self.b2 = rng.normal(size=(4, 3)), np.zeros(3)

    @property
    def parameters(self):
        return [self.W1, self.b1, self.W2, self.b2]

    def train(self, X, Y):
        for one, slope in zip(self.parameters, two_layers(*self.parameters, X, Y, self.factor), strict=True):
            one -= Net.rate * slope


@pytest.fixture
def drawing():
    """Another thread that holds the lock of NumPy's generator nearly all the time."""
    is_over = threading.Event()

    def draw():
        while not is_over.is_set():
            np.random.standard_normal(2_000_000)  # noqa: NPY002 the one whose lock all share

    thread = threading.Thread(target=draw)
    thread.start()
    yield
    is_over.set()
    thread.join()


@pytest.mark.parametrize("make", [closure_of, Net])
def test_live_code_does_not_wait_for_what_another_thread_has_locked(make, drawing):
    assert observe_apart(make(1.0)).verdict == "right"
    seen = observe_apart(make(2.0))
    assert seen.verdict == "wrong"
    assert "two_layers" in str(seen) or seen.faults[0].line == two_layers.__code__.co_firstlineno + 3


@pytest.mark.usefixtures("drawing")
def test_live_code_of_a_notebook_is_passed_to_a_new_process():
    text = inspect.getsource(two_layers).replace("two_layers", "cell").replace("1 - A1", "1 + A1")
    path = "<ipython-input-1-0123456789ab>"
    linecache.cache[path] = (len(text), None, text.splitlines(True), path)
    names = {"__name__": "__main__", "np": np}
    exec(compile(text, path, "exec"), names)
    seen = observe_apart(names["cell"])
    assert seen.verdict == "wrong"
    assert seen.faults[0].line == 4


def test_what_cannot_be_passed_is_forked(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "_current_frames", lambda: {1: None, 2: None})
    with (tmp_path / "open").open("w") as file:
        net = Net(1.0)
        net.log = file
        assert observe_apart(net).verdict == "right"
