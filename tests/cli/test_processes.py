"""The command line as a process: signals, streams, surroundings, exit statuses."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import deltarule
from deltarule import resume
from deltarule.data import names
from deltarule.nn.model_files import read_model

from .cases import SOURCE, classes_csv, process, read_rows, report_of, run, start

PIPE = subprocess.PIPE
LONG = ["--test-size", 0, "--epochs", 100_000, "--schedule", "constant"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wait_for(path, one):
    """Until a process has written a file."""
    while not path.exists():
        assert one.poll() is None, one.communicate()
        time.sleep(0.005)


def signalled(number, *arguments, after="c"):
    """Start, send a signal when a file is there; (exit status, standard output, standard error)."""
    with start(*arguments, stdout=PIPE, stderr=PIPE) as one:
        try:
            wait_for(Path(after), one)
            one.send_signal(number)
            out, err = one.communicate(timeout=60)
        finally:
            one.kill()
    return one.returncode, out, err


# ---------------------------------------------------------------- signals


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_ends_training_with_a_checkpoint_that_is_named_and_whole(number, status, folder):
    arguments = ["train", "iris", *LONG, "--quiet", "--checkpoint", "c", "--save", "m", "--history", "h.csv"]
    code, out, err = signalled(number, *arguments)
    assert code == status
    found = re.fullmatch(r"interrupted after epoch (\d+); the last checkpoint stands: c\n", err)
    assert found, err
    assert "interrupted" in out
    assert len((folder / "h.csv").read_text().splitlines()) == int(found[1]) + 1
    assert deltarule.load("m").sizes == deltarule.load("c").sizes
    epochs = int(found[1]) + 2
    again = report_of("train", "iris", *LONG[:3], epochs, "--quiet", "--resume", "c")
    assert (again["epochs"], again["stopped"]) == (epochs, "finished")
    assert sorted(entry.name for entry in folder.iterdir()) == ["c", "h.csv", "m"]


@pytest.mark.slow
def test_a_signal_leaves_one_json_object(folder):
    code, out, err = signalled(signal.SIGINT, "train", "iris", *LONG, "--json", "--checkpoint", "c")
    assert code == 130
    assert json.loads(out)["stopped"] == "interrupted"
    assert json.loads(out)["test"] is None
    assert err.count("\n") == 1


@pytest.mark.slow
def test_a_signal_without_a_checkpoint_names_none(folder):
    slow = ["--epochs", 2000, "--batch-size", 1, "--test-size", 0]  # a line every 100 epochs
    with start("train", "iris", *slow, stdout=PIPE, stderr=PIPE) as one:
        assert one.stderr.readline().startswith("epoch ")
        one.send_signal(signal.SIGTERM)
        _, err = one.communicate(timeout=60)
    assert one.returncode == 143
    assert re.fullmatch(r"interrupted after epoch \d+", err.splitlines()[-1])


@pytest.mark.slow
def test_a_signal_during_the_test_keeps_the_network_that_is_trained(folder):
    """Small sets are tested in five folds after training: none of them may go on half-trained."""
    script = """
import os, signal
from deltarule.cli import main
from deltarule.experiments import fitting, running
fit, calls = fitting.fit, []
def pressed(*arguments, **options):
    calls.append(1)
    if len(calls) == 3:
        callback = lambda run: os.kill(os.getpid(), signal.SIGINT)
        train = fitting.train
        fitting.train = lambda *a, **k: train(*a, callbacks=[callback], **k)
    assert len(calls) < 4, "a fold was trained after the signal"
    return fit(*arguments, **options)
fitting.fit = running.fit = pressed
import sys
sys.argv = ["deltarule", "train", "iris", "--epochs", "5", "--quiet", "--save", "m", "--json"]
main()
"""
    one = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        timeout=60,
        check=False,
    )
    assert one.returncode == 130, one.stderr
    assert one.stderr == "interrupted before the test was done\n"
    report = json.loads(one.stdout)
    assert (report["epochs"], report["stopped"], report["test"]) == (5, "finished", None)
    assert deltarule.load("m").sizes == [4, 64, 3]


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_model_history_and_checkpoint(folder):
    """kill −9 in the middle of training; the end is the end of a run that nobody killed."""
    arguments = ["train", "iris", "--test-size", 0, "--validation", 0.2, "--dropout", 0.2, "--epochs", 400]
    arguments += ["--patience", 1000, "--quiet"]

    def files(name):
        return ["--save", f"{name}.model", "--history", f"{name}.csv"]

    run(*arguments, *files("whole"), "--checkpoint", "whole")
    code, out, _ = signalled(signal.SIGKILL, *arguments, *files("part"), "--checkpoint", "part", after="part")
    assert (code, out) == (-signal.SIGKILL, "")
    assert not (folder / "part.model").exists()
    before = epochs_in("part")
    assert 1 <= before < 400
    run(*arguments, *files("part"), "--resume", "part")
    for suffix in ("", ".model", ".csv"):
        assert (folder / f"part{suffix}").read_bytes() == (folder / f"whole{suffix}").read_bytes()
    leftovers = [entry.name for entry in folder.iterdir() if not entry.name.startswith(("whole", "part"))]
    assert all(name.startswith(".part.") and name.endswith(".tmp") for name in leftovers)
    assert len(leftovers) <= 1  # of the write that was killed


def epochs_in(path):
    return len(read_model(path)[1]["history"])


def test_a_resumed_run_can_be_planned_longer(folder):
    arguments = ["train", "moons(60)", "--test-size", 0, "--quiet", "--schedule", "constant"]
    run(*arguments, "--epochs", 30, "--save", "whole")
    run(*arguments, "--epochs", 10, "--checkpoint", "c")
    run(*arguments, "--epochs", 30, "--resume", "c", "--save", "resumed")
    assert (folder / "whole").read_bytes() == (folder / "resumed").read_bytes()


# ---------------------------------------------------------------- streams


def test_a_reader_that_leaves_early_is_no_reason_to_complain(folder):
    for arguments in (["data", "list"], ["inspect", "T1"], ["train", "xor", "--epochs", "1", "--quiet"]):
        read, write = os.pipe()
        with start(*arguments, stdout=write, stderr=PIPE) as one:
            os.close(write)
            os.close(read)  # as `| true` does
            _, err = one.communicate(timeout=60)
        assert err == ""
        assert one.returncode in (0, 1)


def test_the_first_line_can_be_read_alone(folder):
    with start("data", "show", "iris", stdout=PIPE, stderr=PIPE) as one:
        assert one.stdout.readline().startswith("150 iris flowers")
        one.stdout.close()
        err = one.stderr.read()
    assert err == ""
    assert one.returncode in (0, 1)


@pytest.mark.parametrize("closed", ["0", "1", "2", "012"])
def test_closed_streams_do_not_keep_a_model_from_being_trained(closed, folder):
    closing = " ".join(f"{number}{'<' if number == '0' else '>'}&-" for number in closed)
    command = f'"$PYTHON" -m deltarule train xor --epochs 3 --save m {closing}'
    env = {**os.environ, "PYTHONPATH": SOURCE, "PYTHON": sys.executable}
    done = subprocess.run(["sh", "-c", command], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert deltarule.load("m").sizes == [2, 32, 32, 1]
    # nothing that was meant for a stream has gone into the file that took its number
    assert (folder / "m").read_bytes() == _model_bytes(folder)


def _model_bytes(folder):
    run("train", "xor", "--epochs", 3, "--quiet", "--save", "again")
    return (folder / "again").read_bytes()


def test_a_full_output_is_bad_news_in_one_line(folder):
    with open("/dev/full", "w") as full:
        code, _, err = process("data", "list", stdout=full)
    assert code == 2
    assert err.count("\n") == 1
    assert "No space left on device" in err


# ---------------------------------------------------------------- surroundings


def test_a_bare_environment_in_a_read_only_folder_is_enough(folder):
    """No HOME, locale C, no terminal, nowhere to write but where asked to."""
    classes_csv(folder / "bäume.csv", labels=("Ahorn", "Büche"))
    (folder / "out").mkdir()
    folder.chmod(0o555)
    try:
        code, out, err = process(
            "train",
            "bäume.csv",
            "--epochs",
            3,
            "--quiet",
            "--plot",
            "out/p.png",
            "--save",
            "out/m",
            clean=True,
            env={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
        )
    finally:
        folder.chmod(0o755)
    assert (code, err) == (0, "")
    assert "accuracy" in out
    assert deltarule.load("out/m").encoding.target.classes == ("Ahorn", "Büche")
    assert sorted(entry.name for entry in (folder / "out").iterdir()) == ["m", "p.png"]


def test_labels_come_back_whole_in_any_locale(folder):
    classes_csv(folder / "t.csv", labels=("Ahorn", "Büche"))
    run("train", "t.csv", "--epochs", 30, "--test-size", 0, "--quiet", "--save", "m")
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code, out, err = process("predict", "m", "t.csv", env=env)
    assert (code, err) == (0, "")
    assert {row["kind"] for row in read_rows(out)} == {"Ahorn", "Büche"}


def test_a_name_that_is_no_text_is_a_name(folder):
    """A file system takes any bytes."""
    strange = os.fsdecode(b"b\xe4ume.csv")
    classes_csv(folder / strange)
    code, out, err = process("train", strange, "--epochs", 2, "--quiet", "--plot", "p.png", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["epochs"] == 2
    assert (folder / "p.png").exists()


@pytest.mark.parametrize("arguments", [["inspect", "T1"], ["train", "xor", "--epochs", 3], ["data", "list"]])
def test_no_colours_and_no_control_characters_go_into_a_pipe(arguments):
    code, out, err = process(*arguments, env={"TERM": "xterm-256color"})
    assert code == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out + err)


def test_tables_are_neither_cut_nor_broken_to_a_width_in_a_pipe():
    _, out, _ = process("data", "list")
    for description in names().values():
        assert description in out


def test_signs_that_the_locale_cannot_print_are_no_reason_to_stop():
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for arguments in (["inspect", "T1"], ["data", "list"], ["train", "xor", "--epochs", 1]):
        code, out, err = process(*arguments, env=env)
        assert (code, "Traceback" in err) == (0, False)
        assert out


def test_a_terminal_gets_bold_heads():
    leader, follower = pty.openpty()
    with start("data", "list", stdout=follower, env={"TERM": "xterm", "COLUMNS": "100"}) as one:
        os.close(follower)
        shown = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
    os.close(leader)
    assert one.returncode == 0
    assert b"\x1b[1m" in shown
    assert b"iris" in shown


# ---------------------------------------------------------------- exit statuses


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--version"], 0),
        (["data", "list"], 0),
        (["train", "irsi"], 2),
        (["train", "missing.csv"], 2),
        (["train"], 2),
        (["trian"], 2),
        (["predict", "missing", "missing.csv"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_processes_end_as_documented(arguments, status):
    code, out, err = process(*arguments)
    assert code == status
    assert (out == "") == (status != 0)
    assert (err == "") == (status == 0)
    assert "Traceback" not in err


def test_the_version_is_the_packages():
    assert process("--version")[1] == f"deltarule, version {deltarule.__version__}\n"


def test_the_same_model_is_saved_by_fresh_processes_under_any_hash_seed(folder):
    classes_csv(folder / "t.csv")
    for seed in ("0", "1"):
        arguments = [
            "train",
            "t.csv",
            "--epochs",
            5,
            "--quiet",
            "--save",
            f"m{seed}",
            "--checkpoint",
            f"c{seed}",
        ]
        code, _, err = process(*arguments, "--history", f"h{seed}.csv", env={"PYTHONHASHSEED": seed})
        assert code == 0, err
    for name in ("m{}", "c{}", "h{}.csv"):
        assert (folder / name.format(0)).read_bytes() == (folder / name.format(1)).read_bytes()


def test_a_checkpoint_of_the_command_line_resumes_in_the_library(folder):
    run("train", "xor", "--epochs", 4, "--quiet", "--checkpoint", "c", "--schedule", "constant")
    run("train", "xor", "--epochs", 9, "--quiet", "--save", "m", "--schedule", "constant")
    net, history = resume("c", [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], epochs=9)
    assert history.epochs == 9
    assert (net.parameters == deltarule.load("m").parameters).all()
