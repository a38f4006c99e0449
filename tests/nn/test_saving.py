"""Saving: whatever fails, whoever kills it, the old file or the new one stands whole."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys

import pytest

from deltarule import files
from deltarule.errors import InputError
from deltarule.nn.network import Network

from .models import assert_same, not_as_root, tiny


class Sabotage:
    """Counts the calls that touch the disk, and lets the n-th fail."""

    def __init__(self, monkeypatch, fail_at, error):
        self.calls, self.fail_at, self.error = [], fail_at, error
        for name in ("open", "fchmod", "fsync", "link", "replace"):
            monkeypatch.setattr(files.os, name, self.watched(name, getattr(os, name)))
        fdopen = os.fdopen
        monkeypatch.setattr(files.os, "fdopen", lambda *args: self.file(fdopen(*args)))

    def watched(self, name, function):
        def call(*args, **kwargs):
            self.calls.append(name)
            if len(self.calls) == self.fail_at:
                raise self.error
            return function(*args, **kwargs)

        return call

    def file(self, file):
        sabotage = self

        class File:
            write = staticmethod(sabotage.watched("write", file.write))
            flush = staticmethod(sabotage.watched("flush", file.flush))
            fileno = staticmethod(file.fileno)

            def __enter__(self):
                return self

            def __exit__(self, *reason):
                file.close()

        return File()


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), OSError(errno.EIO, "broken"), KeyboardInterrupt()], ids=repr
)
@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_fault_at_any_write_leaves_the_old_file_and_no_temporary(error, overwrite, named, path, monkeypatch):
    if named:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    old, new = tiny(seed=1), tiny(seed=2)
    new.save(path)
    whole = path.read_bytes()
    if not overwrite:
        path.unlink()
    with monkeypatch.context() as patch:
        names = Sabotage(patch, None, error).calls
        new.save(path)
    assert names.index("write") < names.index("flush") < names.index("fsync") < names.index("replace")
    for fail_at, name in enumerate(names, start=1):
        path.unlink()
        if overwrite:
            old.save(path)
        with monkeypatch.context() as patch:
            sabotage = Sabotage(patch, fail_at, error)
            with pytest.raises(type(error)) as surfaced:
                new.save(path)
        assert surfaced.value is error
        assert sabotage.calls[-1] == name or sabotage.calls[fail_at - 1] == name
        if fail_at > names.index("replace") + 1:
            assert path.read_bytes() == whole
        elif overwrite:
            assert_same(Network.load(path), old)
        else:
            assert not path.exists()
        assert os.listdir(path.parent) == [path.name] * path.exists()
        new.save(path)
        assert path.read_bytes() == whole


DRIVER = """
import os, random, signal, sys, time
from deltarule.nn.network import Network

path, rounds, writers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
nets = [Network([2, 40, 2], seed=seed) for seed in (1, 2)]
nets[0].save(path)
contents = []
for net in nets:
    net.save(path)
    contents.append(open(path, "rb").read())

def write_for_ever(turn):
    while True:
        nets[turn % 2].save(path)
        turn += writers != 2   # two writers: one network each

random.seed(0)
for _ in range(rounds):
    children = []
    for turn in range(writers):
        pid = os.fork()
        if pid == 0:
            write_for_ever(turn)
        children.append(pid)
    time.sleep(random.uniform(0.001, 0.02))
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert open(path, "rb").read() in contents
    Network.load(path)
print("whole")
"""


def run_driver(path, rounds, writers):
    command = [sys.executable, "-c", DRIVER, path, str(rounds), str(writers)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.stdout == "whole\n", result.stderr


@pytest.mark.parametrize("rounds", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_kill_9_while_saving_always_leaves_a_whole_version(rounds, path):
    run_driver(path, rounds, writers=1)


@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_two_processes_saving_to_one_path_leave_one_of_the_two(rounds, path):
    run_driver(path, rounds, writers=2)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere every file has a name")
def test_who_is_killed_while_writing_leaves_no_file(tmp_path):
    program = "import os, sys; from deltarule import files\n"
    program += (
        "with files.open_atomically(sys.argv[1]) as file: file.write(b'half'); file.flush(); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "m"])
    assert (done.returncode, os.listdir(tmp_path)) == (9, [])


def test_path_that_cannot_be_written_is_refused_and_nothing_changes(path, tmp_path):
    net = tiny()
    for place, reason in (
        (tmp_path, "it is a folder"),
        (tmp_path / "missing" / "model", "there is no folder"),
        (path / "below a file", "there is no folder"),
        (tmp_path / "nul\0l", "null byte"),
    ):
        path.write_bytes(b"old")
        with pytest.raises(InputError, match=reason):
            net.save(place)
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(path)
    with pytest.raises(InputError, match="not a file"):
        net.save(fifo)
    with pytest.raises(InputError, match="symbolic link"):
        net.save(link)
    assert path.read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["fifo", "link", path.name]


@not_as_root
def test_read_only_folder_is_refused(path, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="is read-only"):
            tiny().save(path)
    finally:
        tmp_path.chmod(0o700)


def test_permissions_are_those_of_the_old_file_or_of_any_new_one(path):
    mask = os.umask(0o027)
    try:
        tiny().save(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        tiny().save(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(mask)


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path):
    with files.new_folder(tmp_path / "made") as working:
        (working / "a").write_text("1")
        assert not (tmp_path / "made").exists()
    assert (tmp_path / "made" / "a").read_text() == "1"
    with pytest.raises(IsADirectoryError), files.new_folder(tmp_path / "broken") as working:
        working.write_text("1")
    with pytest.raises(InputError, match="the folder is not empty"), files.new_folder(tmp_path / "made"):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["made"]


@pytest.mark.parametrize(
    ("name", "format"), [("a.PDF", "pdf"), ("b.mjs", "javascript"), ("c", None), ("pdf", None), (".js", None)]
)
def test_the_ending_of_a_name_says_the_format(name, format):
    assert files.format_of(name, {"pdf": ".pdf", "javascript": (".js", ".mjs")}) == format


def test_what_a_killed_save_left_behind_is_removed_after_an_hour(tmp_path):
    old, fresh, foreign = (tmp_path / name for name in (f".m.{'0' * 16}.tmp", f".m.{'1' * 16}.tmp", ".m.tmp"))
    for path in (old, fresh, foreign):
        path.write_text("half a file")
    for path in (old, foreign):
        os.utime(path, (1, 1))
    tiny().save(tmp_path / "m")
    assert sorted(tmp_path.iterdir()) == sorted([fresh, foreign, tmp_path / "m"])


def test_equal_layers_of_a_file_are_made_once(tmp_path):
    Network([1] * 30).save(tmp_path / "deep")
    layers = Network.load(tmp_path / "deep").layers
    assert layers[1].dense is layers[-2].dense


def test_weights_that_overflow_are_named_when_they_answer(tmp_path):
    net = Network([2, 3, 1])
    net.parameters[:] = 1e308
    net.save(tmp_path / "m")
    with pytest.raises(InputError, match=r"outputs for row 1 are not finite.* W1\[0,0\] = 1e\+308"):
        Network.load(tmp_path / "m").predict([[0, 0], [1, 1]])
