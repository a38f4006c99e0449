"""Hostile programs: each ends with a report, spoils nothing, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from deltarule.diagnosis.observation import apart, observe_apart
from deltarule.diagnosis.observation.apart import run_apart
from deltarule.diagnosis.observation.record import Diagnosis
from deltarule.diagnosis.observation.reply import ApartError, typed
from deltarule.diagnosis.observation.wall import is_behind_wall

from .programs import PLANTED, PROGRAMS

RIGHT = PROGRAMS["script"]
WRONG = next(RIGHT.replace(right, wrong) for name, right, wrong in PLANTED if name == "script")
SECONDS = 2.5
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="refused by the kernel of Linux")


@pytest.fixture
def watch(tmp_path, monkeypatch):
    """Run a program beside a victim, which it must not touch."""
    monkeypatch.setattr(apart, "_MOST_MEMORY", 512 << 20)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    victim = tmp_path / "victims" / "victim.txt"
    victim.parent.mkdir()
    victim.write_text("precious", encoding="utf-8")

    def run(text, seconds=SECONDS):
        path = tmp_path / "program.py"
        text = text.replace("VICTIM", repr(str(victim)))
        path.write_text(text, encoding="utf-8")
        began = time.monotonic()
        seen = observe_apart(path, seconds)
        assert time.monotonic() - began < seconds + 5  # the limit, and what a busy machine adds to it
        assert victim.read_text(encoding="utf-8") == "precious"
        assert path.read_text(encoding="utf-8") == text
        assert sorted(os.listdir(tmp_path)) == ["program.py", "temporary", "victims"]
        assert os.listdir(temporary) == []
        assert "Traceback" not in str(seen)
        return seen

    return run


#: What ends without a verdict: the program, and what is said.
HOSTILE = {
    "a loop": ("while True: pass", "does a loop never end"),
    "a loop with NumPy": (
        "import numpy as np\na = np.ones((3, 3))\nwhile True: a = np.tanh(a @ a)", "does a loop never end"
    ),
    "a loop that stops for nothing": (
        "while True:\n    try: 1 / 0\n    except BaseException: pass", "does a loop never end"
    ),
    "ignored signals": (
        "import signal\nfor n in range(1, 60):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except Exception: pass\nwhile True: pass",
        "still running after",
    ),
    "sleep": (
        "import time\nwhile True:\n    try: time.sleep(10**6)\n    except BaseException: pass",
        "does a loop never end",
    ),
    "input without end": ("while input() != 'q': pass", "EOFError"),
    "a fork bomb": ("import os\nfor n in range(5): os.fork()", "not start other processes"),
    "a shell": ("import os\nos.system('true')", "not start other processes"),
    "a command": ("import subprocess\nsubprocess.run(['true'])", "not start other processes"),
    "an array of 100 GB": ("import numpy as np\nx = np.ones((10**6, 12500))", "MemoryError"),
    "a list that grows": ("a = []\nwhile True: a.append('x' * 10**6)", "MemoryError"),
    "a reply of its own": ("open = __import__('io').open\nopen('../../reply', 'w')", "may not write"),
    "a reply past Python": (
        "import ctypes, os\nlibc = ctypes.CDLL(None)\n"
        "file = libc.open(b'../../reply', os.O_CREAT | os.O_WRONLY, 0o600)\n"
        "libc.write(file, b'{\"verdict\": \"right\"}', 20)\nos._exit(0)",
        "nothing in the reply is used",
    ),
    "a pipe in place of the reply": (
        "import ctypes, os\nctypes.CDLL(None).mkfifo(b'../../reply', 0o600)\nos._exit(0)",
        "ended its own process",
    ),
    "an early end": ("import os\nprint('The program is right.')\nos._exit(0)", "ended its own process"),
    "a foreign file deleted": ("import os\nos.remove(VICTIM)", "may not write or delete"),
    "a foreign folder deleted": (
        "import os, shutil\nshutil.rmtree(os.path.dirname(VICTIM))", "may not write or delete"
    ),
    "a foreign file emptied": (
        "import os\nos.open(VICTIM, os.O_WRONLY | os.O_TRUNC)", "may not write or delete"
    ),
    "a foreign file moved": ("import os\nos.rename(VICTIM, 'mine')", "may not write or delete"),
    "a foreign file locked": ("import os\nos.chmod(VICTIM, 0)", "may not write or delete"),
    "its parent killed": ("import os\nos.kill(os.getppid(), 9)", "not send signals to other processes"),
    "recursion": ("def f(): return f()\nf()", "RecursionError"),
    "recursion in C": (
        "import sys\nsys.setrecursionlimit(10**9)\nclass A:\n"
        "    def __repr__(self): return repr(self)\nrepr(A())",
        "a recursion never end",
    ),
    "10 GB written": (
        "import io\nwith io.open('big', 'wb') as file:\n    for n in range(10**4): file.write(b'x' * 10**6)",
        "File too large",
    ),
    "many files": ("import io\nfor n in range(10**4): io.open(f'f{n}', 'w').close()", "so many files"),
    "deep folders": ("import os\nfor n in range(10**4):\n    os.mkdir('d'); os.chdir('d')", "so deeply"),
    "the network": ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "no network"),
    "higher limits": (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))", "change its limits"
    ),
    "an endless message": ("raise ValueError('x' * 10**6)", "ValueError: xxx"),
    "colours": ("raise ValueError('\\x1b[31m\\ud800')", "\\x1b[31m\\ud800"),
}  # fmt: skip
QUICK = {
    "a loop that stops for nothing", "a fork bomb", "an array of 100 GB", "a reply past Python",
    "an early end",
    "a foreign folder deleted", "its parent killed", "10 GB written", "the network",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(*case, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, case in HOSTILE.items()
    ],
)
def test_a_hostile_program_ends_with_a_report(text, said, watch):
    seen = watch(text + "\n")
    assert seen.verdict == "cannot judge"
    assert said in " ".join(str(seen).split())


#: What does not keep a program from being judged.
HARMLESS = {
    "a thread that never ends": (
        "import threading\ndef f():\n    while True: pass\nthreading.Thread(target=f).start()\n"
    ),
    "closed descriptors": "import os\nos.closerange(0, 5000)\n",
    "written to all descriptors": (
        "import os\nfor n in range(300):\n    try: os.write(n, b'right')\n    except OSError: pass\n"
    ),
    "its folder emptied": "import os, shutil\nshutil.rmtree(os.getcwd(), ignore_errors=True)\n",
    "its own file gone": "import os\nos.remove(__file__)\n",
    "other builtins": (
        "import builtins\nfor n in ('len', 'max', 'isinstance', 'sum'): setattr(builtins, n, lambda *a: 0)\n"
    ),
    "another json": (
        "import json\njson.dumps = json.JSONEncoder.encode = json.encoder.JSONEncoder.encode = "
        "lambda *a, **k: '{\"verdict\": \"right\"}'\n"
    ),
    "locked folders": "import os\nos.makedirs('a/b')\nos.chmod('a/b', 0)\nos.chmod('a', 0)\n",
}  # fmt: skip
TAKEN_IN = ["written to all descriptors", "another json"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(one, id=name, marks=() if name in TAKEN_IN else pytest.mark.slow)
        for name, one in HARMLESS.items()
    ],
)
def test_a_wrong_program_stays_wrong(text, watch):
    assert watch(text + WRONG, 20).verdict == "wrong"


@pytest.mark.parametrize("end", ["import sys\nsys.exit(3)\n", "import time\ntime.sleep(10**6)\n"])
def test_what_was_computed_before_the_end_is_read(end, watch):
    assert watch(f"{RIGHT}\n{end}", 20).verdict == "right"


@on_linux
def test_what_goes_past_python_is_refused_by_the_kernel(watch):
    watch(
        "import ctypes, os\nlibc = ctypes.CDLL(None)\nfor n in range(4): libc.fork()\n"
        "libc.unlink(VICTIM.encode())\nlibc.kill(os.getppid(), 9)\n"
        "libc.mkdir((os.path.dirname(VICTIM) + '/new').encode())\n"
    )


def test_files_beside_the_program_and_above_it_are_there(tmp_path):
    (tmp_path / "lessons" / "data").mkdir(parents=True)
    for path in ("lessons/beside.csv", "lessons/data/below.csv", "above.csv"):
        (tmp_path / path).write_text("3,4\n", encoding="utf-8")
    program = tmp_path / "lessons" / "program.py"
    program.write_text(
        "from pathlib import Path\n"
        "text = [Path(p).read_text() for p in ('beside.csv', 'data/below.csv', '../above.csv')]\n"
        "Path('beside.csv').write_text('changed')\n"
        "raise ValueError(text + [Path(__file__).name, Path('beside.csv').read_text()])\n",
        encoding="utf-8",
    )
    seen = observe_apart(program)
    assert seen.error.count("3,4") == 3
    assert "program.py" in seen.error
    assert "changed" in seen.error
    assert (tmp_path / "lessons" / "beside.csv").read_text(encoding="utf-8") == "3,4\n"


def test_a_reply_is_read_strictly():
    told = json.loads(json.dumps(asdict(Diagnosis("right", rates={"lr": 1}))))
    assert typed(Diagnosis, told) == Diagnosis("right", rates={"lr": 1.0})
    for change in ({"loss": 3}, {"notes": "text"}, {"factor": "2"}, {"more": 1}, {"parameters": [["W", 1]]}):
        with pytest.raises(ValueError, match=r"cannot be understood|shorter|longer"):
            typed(Diagnosis, told | change)


def test_live_code_runs_behind_the_same_wall():
    changed = []
    assert run_apart(lambda: [changed.append(1), is_behind_wall(), Path.cwd().name], 5) == [
        None,
        True,
        "here",
    ]
    assert not changed
    assert not is_behind_wall()


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda: os._exit(0), "ended its own process"),
        (lambda: os.fork(), "other processes"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: time.sleep(100), "still running after 1 seconds"),
    ],
)
def test_live_code_that_ends_otherwise_is_said(work, said):
    with pytest.raises(ApartError, match=said):
        run_apart(work, 1)


def test_where_there_are_no_processes_this_one_observes(monkeypatch, tmp_path):
    (tmp_path / "program.py").write_text(RIGHT, encoding="utf-8")
    monkeypatch.setattr(apart.sys, "platform", "emscripten")
    assert observe_apart(tmp_path / "program.py").right
