"""The process around an observation: it ends, and its reply is data."""

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
