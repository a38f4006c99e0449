"""Progress: a bar in a terminal, plain lines elsewhere, and no harm where there is nobody to read it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from deltarule import Checkpoint, resume, train

from .cases import python, samples, small, start

X, Y = samples()

SCRIPT = """
import numpy as np
import deltarule as dr
history = dr.train(dr.Network([2, 3, 1]), np.ones((4, 2)), np.ones(4), epochs=30, progress=True)
assert history.epochs == 30
print("done")
"""


@pytest.mark.parametrize(
    ("epochs", "n_lines"), [(1, 1), (7, 7), (10, 10), (11, 6), (100, 10), (101, 10), (2050, 10)]
)
def test_a_run_prints_plain_lines_that_end_with_its_last_epoch(epochs, n_lines, capsys):
    train(small(), X, Y, epochs=epochs, batch_size=None, metrics=["accuracy"], progress=True)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert len(lines) == n_lines
    assert lines[-1].startswith(f"epoch {epochs}/{epochs}  loss ")
    for line in lines:
        assert re.fullmatch(rf"epoch \d+/{epochs}  loss [\d.e+-]+  accuracy [\d.]+", line)


def test_silence_is_the_default(capsys):
    train(small(), X, Y, epochs=3)
    assert capsys.readouterr() == ("", "")


def test_a_resumed_run_goes_on_counting(tmp_path, capsys):
    train(small(), X, Y, epochs=2, checkpoint=Checkpoint(tmp_path / "c"))
    resume(tmp_path / "c", X, Y, epochs=4, progress=True)
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == ["3/4", "4/4"]


def test_lines_hold_no_control_characters(capsys):
    train(small(), X, Y, epochs=3, progress=True)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", capsys.readouterr().err)


def test_a_terminal_shows_a_bar_and_clears_it():
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with start(SCRIPT, stderr=follower, stdout=subprocess.PIPE) as process:
        os.close(follower)
        out, _ = process.communicate(timeout=60)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(leader)
    text = shown.decode()
    assert process.returncode == 0
    assert out == "done\n"
    assert "\r" in text
    assert "/30" in text
    assert "epoch 1/30" not in text
    assert text.rsplit("\r", maxsplit=2)[-1].strip() == ""


@pytest.mark.parametrize(
    "prelude",
    [
        "import sys; sys.stderr = None",
        "import sys; sys.stderr.close()",
        "import os; os.close(2)",
        "import sys; sys.stderr = open('/dev/full', 'w')",
        "import sys, os; r, w = os.pipe(); os.close(r); sys.stderr = open(w, 'w')",
    ],
    ids=["none", "closed", "closed-below", "full", "broken-pipe"],
)
def test_a_standard_error_that_takes_nothing_is_no_reason_to_stop(prelude):
    script = f"{prelude}\n{SCRIPT}\nimport os\nos._exit(0)"
    assert python(script.replace('print("done")', 'print("done", flush=True)')) == (0, "done\n")
