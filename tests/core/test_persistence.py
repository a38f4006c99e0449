"""Model files: whole or refused, never executed, never half-written."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save as safetensors_save

from deltarule import files, persistence
from deltarule.activations import ACTIVATIONS, Activation
from deltarule.errors import InputError, ModelFileError
from deltarule.layers import BIAS_KINDS
from deltarule.losses import LOSSES
from deltarule.network import Network
from deltarule.persistence import read_model, write_model

from .cases import NAMES, PAIRS

GOLDEN = Path(__file__).parent / "golden"
X = np.array([[0.5, -1.0], [2.0, 0.25]])
not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may do anything")


def tiny(dtype="float64", **settings):
    net = Network([2, 2, 1], activation="tanh", dtype=dtype, **{"seed": 1} | settings)
    net.freeze("b1")
    return net


def assert_same(ours, theirs):
    np.testing.assert_array_equal(ours.parameters, theirs.parameters)
    np.testing.assert_array_equal(ours.frozen, theirs.frozen)
    assert ours.dtype == theirs.dtype
    assert ours.frozen.dtype == theirs.frozen.dtype
    assert repr(ours) == repr(theirs)
    assert ours.description() == theirs.description()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


# ---------------------------------------------------------------- round trip


@pytest.mark.parametrize(("output", "loss"), PAIRS)
def test_every_network_is_read_as_it_was_written(output, loss, path):
    for number, dtype in enumerate(("float64", "float32")):
        index = PAIRS.index((output, loss)) + number
        net = Network(
            [2, 3, 2],
            activation=NAMES[index % len(NAMES)],
            output=output,
            loss=loss,
            bias=BIAS_KINDS[index % 3],
            reduction=("mean", "sum")[index % 2],
            l1=0.1,
            l2=0.2,
            dropout=0.25,
            initializer="normal(0.5)",
            dtype=dtype,
        )
        net.freeze("W1[0,1]", "w7")
        net.save(path)
        again = Network.load(path)
        assert_same(again, net)
        np.testing.assert_array_equal(again.predict(X), net.predict(X))
        assert again.encoding is None


def test_parameters_of_records_survive(path):
    net = Network([2, 3, 2], activation="leaky_relu(0.3)", output="elu(alpha=2)", loss="huber(0.5)")
    net.save(path)
    again = Network.load(path)
    assert (again.loss.name, again.layers[0].activation.name) == ("huber(0.5)", "leaky_relu(0.3)")
    assert again.cost(X, X) == net.cost(X, X)


def test_read_network_can_be_trained_on_and_saved_again(path):
    net = tiny()
    net.save(path)
    first = path.read_bytes()
    again = Network.load(path)
    again.save(path)
    assert path.read_bytes() == first
    again.parameters += 1
    again.save(path)
    assert path.read_bytes() != first


def test_the_same_network_makes_the_same_bytes_in_any_process(path, tmp_path):
    code = (
        "import sys; from deltarule.network import Network\n"
        "net = Network([3, 4, 2], activation='gelu', output='softmax', seed=5, l2=0.1, dropout=0.5)\n"
        "net.freeze('b'); net.save(sys.argv[1])"
    )
    contents = set()
    for number, seed in enumerate(["0", "1", "random"]):
        target = tmp_path / f"{number}.safetensors"
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, target], check=True, env=environment, timeout=60)
        contents.add(target.read_bytes())
    net = Network([3, 4, 2], activation="gelu", output="softmax", seed=5, l2=0.1, dropout=0.5)
    net.freeze("b")
    net.save(path)
    assert contents == {path.read_bytes()}


def test_network_that_no_file_can_describe_is_not_saved(path):
    for settings in (
        {"activation": Activation("mine", np.tanh, lambda z, a: 1 - a**2, "", "")},
        {"loss": LOSSES.resolve("huber").__class__("own", lambda a, y: a, lambda a, y: a, "", "")},
    ):
        with pytest.raises(InputError, match="is not registered, so no file can name it"):
            Network([2, 2, 1], **settings).save(path)
    net = tiny()
    net.parameters[3] = np.nan
    with pytest.raises(InputError, match="parameters must hold finite numbers, got nan at row 3"):
        net.save(path)
    assert not path.exists()


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.safetensors")), ids=lambda path: path.stem)
def test_file_of_an_older_version_still_gives_its_predictions(golden):
    stored = json.loads(golden.with_suffix(".json").read_text())
    net = Network.load(golden)
    tolerance = 1e-12 if net.dtype == "float64" else 1e-6
    np.testing.assert_allclose(
        net.predict(stored["X"]), stored["predictions"], rtol=tolerance, atol=tolerance
    )
    assert net.cost(stored["X"], stored["Y"]) == pytest.approx(stored["cost"], rel=tolerance)
    assert net.description() == stored["description"]
    assert net.frozen.tolist() == stored["frozen"]


def test_a_golden_file_of_every_format_is_kept():
    assert len(list(GOLDEN.glob("format1-*.safetensors"))) == 2


# ---------------------------------------------------------------- what is not a model


def refused(path):
    begin = time.perf_counter()
    with pytest.raises(ModelFileError) as refusal:
        Network.load(path)
    assert time.perf_counter() - begin < 1
    assert str(path) in str(refusal.value)
    return str(refusal.value)


def raw(header, body=b""):
    if not isinstance(header, bytes):
        header = json.dumps(header).encode()
    return len(header).to_bytes(8, "little") + header + body


def entry(dtype="F64", shape=(1,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


NOT_OURS = {
    "empty": b"",
    "short": b"\1\2\3",
    "length only": (0).to_bytes(8, "little"),
    "header longer than the file": (10**6).to_bytes(8, "little") + b"{}",
    "header length overflows": b"\xff" * 8 + b"{}",
    "not JSON": raw(b"{what?}"),
    "not UTF-8": raw(b'{"\xff\xfe": 1}'),
    "JSON, but no object": raw([1]),
    "nothing in it": raw({}),
    "deep JSON": raw(b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "giant integer": raw(
        b'{"a":{"dtype":"F64","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,8]}}', b"\0" * 8
    ),
    "duplicate keys": raw(b'{"a":%b,"a":%b}' % ((json.dumps(entry()).encode(),) * 2), b"\0" * 8),
    "overlap": raw({"a": entry(), "b": entry()}, b"\0" * 8),
    "hole": raw({"a": entry(offsets=(8, 16))}, b"\0" * 16),
    "trailing byte": raw({"a": entry()}, b"\0" * 9),
    "negative offset": raw({"a": entry(offsets=(-8, 0))}, b"\0" * 8),
    "negative shape": raw({"a": entry(shape=(-1,))}, b"\0" * 8),
    "shape and bytes mismatch": raw({"a": entry(shape=(2,))}, b"\0" * 8),
    "overflowing shape": raw({"a": entry(shape=(2**62, 2**62))}, b"\0" * 8),
    "bad dtype": raw({"a": entry(dtype="F1024")}, b"\0" * 8),
    "unknown field of an array": raw({"a": entry() | {"x": 1}}, b"\0" * 8),
    "no metadata": safetensors_save({"parameters": np.zeros(2)}),
    "foreign metadata": safetensors_save({"parameters": np.zeros(2)}, {"format": "pt"}),
    "our metadata, not JSON": safetensors_save({"parameters": np.zeros(2)}, {"deltarule": "{"}),
    "our metadata, empty": safetensors_save({"parameters": np.zeros(2)}, {"deltarule": "{}"}),
    "our metadata, a list": safetensors_save({"parameters": np.zeros(2)}, {"deltarule": "[]"}),
    "our metadata, deep": safetensors_save({"parameters": np.zeros(2)}, {"deltarule": "[" * 50_000}),
    "text": b"weights = 1, 2, 3\n" * 100,
}


@pytest.mark.parametrize("kind", NOT_OURS)
def test_what_is_not_a_model_file_is_refused(kind, path):
    path.write_bytes(NOT_OURS[kind])
    refused(path)


def changed(**changes):
    return lambda description, arrays: ({**description, **changes}, arrays)


def in_layer(number, **changes):
    def change(description, arrays):
        description["layers"][number] |= changes
        return description, arrays

    return change


def without(field):
    return lambda description, arrays: ({k: v for k, v in description.items() if k != field}, arrays)


def with_arrays(**changes):
    return lambda description, arrays: (description, {**arrays, **changes})


def with_parameter(value):
    def change(description, arrays):
        parameters = arrays["parameters"].copy()
        parameters[2] = value
        return description, {**arrays, "parameters": parameters}

    return change


NOT_A_NETWORK = {
    "newer version": changed(format=2),
    "version as text": changed(format="1"),
    "no version": changed(format=None),
    "NaN weight": with_parameter(np.nan),
    "infinite weight": with_parameter(-np.inf),
    "unknown activation": in_layer(0, activation="tanhh"),
    "hostile activation": in_layer(0, activation="__import__('os')"),
    "activation is a number": in_layer(0, activation=1),
    "activation missing": in_layer(0, activation=None),
    "layers do not chain": in_layer(0, n_out=3),
    "no neurons": in_layer(0, n_out=0),
    "negative size": in_layer(0, n_in=-2),
    "size overflows": in_layer(0, n_in=10**30),
    "size is a text": in_layer(0, n_in="2"),
    "unknown bias": in_layer(0, bias="both"),
    "dropout of 2": in_layer(0, dropout=2),
    "unknown field of a layer": in_layer(0, colour="red"),
    "no layers": changed(layers=[]),
    "layers null": changed(layers=None),
    "layers a text": changed(layers="two"),
    "layer a number": changed(layers=[1, 2]),
    "layers missing": without("layers"),
    "loss missing": without("loss"),
    "objective missing": without("objective"),
    "encoding missing": without("encoding"),
    "unknown loss": changed(loss="hubris"),
    "loss null": changed(loss=None),
    "loss that does not fit": changed(loss="cross_entropy"),
    "unknown field of the objective": changed(objective={"l3": 1}),
    "negative penalty": changed(objective={"reduction": "mean", "l1": -1, "l2": 0}),
    "objective null": changed(objective=None),
    "encoding a number": changed(encoding=3),
    "encoding empty": changed(encoding={}),
    "unknown field": changed(colour="red"),
    "too few parameters": with_arrays(parameters=np.zeros(3)),
    "parameters in a matrix": with_arrays(parameters=np.zeros((9, 1))),
    "whole parameters": with_arrays(parameters=np.zeros(9, "int64")),
    "half parameters": with_arrays(parameters=np.zeros(9, "float16")),
    "frozen elsewhere": with_arrays(frozen=np.array([9])),
    "frozen negative": with_arrays(frozen=np.array([-1])),
    "frozen not whole": with_arrays(frozen=np.array([1.0])),
    "frozen a matrix": with_arrays(frozen=np.array([[1]])),
    "unknown array": with_arrays(surprise=np.zeros(2)),
    "parameters missing": lambda description, arrays: (description, {"frozen": arrays["frozen"]}),
}


@pytest.mark.parametrize("kind", NOT_A_NETWORK)
def test_sound_file_that_describes_no_network_is_refused(kind, path):
    net = tiny()
    description = json.loads(json.dumps(net.description()))
    write_model(path, *NOT_A_NETWORK[kind](description, net.arrays()))
    refused(path)


HEADER_EDITS = {
    "space added": lambda header: header + b"        ",
    "keys in another order": lambda header: json.dumps(dict(reversed(json.loads(header).items()))).encode(),
    "metadata added": lambda header: header.replace(b'{"deltarule":', b'{"x":"1","deltarule":', 1),
    "metadata twice": lambda header: header.replace(b'{"deltarule":', b'{"deltarule":"","deltarule":', 1),
}


@pytest.mark.parametrize("edit", HEADER_EDITS)
def test_edited_header_is_refused_although_it_says_the_same(edit, path):
    tiny().save(path)
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = HEADER_EDITS[edit](data[8:end])
    assert header != data[8:end]
    path.write_bytes(raw(header + b" " * (-len(header) % 8), data[end:]))
    refused(path)


def damage_cases(data, bits):
    yield from (data[:length] for length in range(len(data)))
    for bit in bits:
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def assert_damage_is_seen(path, bits_of):
    tiny().save(path)
    data, expected = path.read_bytes(), tiny()
    accepted = 0
    for damaged in damage_cases(data, bits_of(len(data) * 8)):
        path.write_bytes(damaged)
        try:
            assert_same(Network.load(path), expected)
            accepted += 1
        except ModelFileError:
            continue
    assert accepted == 0


def test_truncation_at_every_byte_and_flipped_bits_are_seen(path):
    assert_damage_is_seen(path, lambda n: np.random.default_rng(0).choice(n, 1000, replace=False))


@pytest.mark.slow
def test_every_flipped_bit_is_seen(path):
    assert_damage_is_seen(path, range)


def test_description_that_is_no_object_is_refused(path):
    for description in ([1], 1, None, "text"):
        path.write_bytes(persistence._to_bytes(description, tiny().arrays()))
        assert "not an object" in refused(path)


class Bomb:
    def __reduce__(self):
        return os.system, ("touch executed",)


def zip_bomb():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("parameters.npy", b"\0" * 100_000_000)
    return buffer.getvalue()


def test_pickle_and_zip_bomb_are_refused_and_nothing_is_executed(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for content in (pickle.dumps(Bomb()), pickle.dumps(Bomb(), protocol=0), zip_bomb()):
        path.write_bytes(content)
        refused(path)
    assert sorted(os.listdir()) == [path.name]


def test_what_is_no_regular_file_is_refused_without_waiting(path, tmp_path):
    tiny().save(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    assert "symbolic link" in refused(link)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert "not a regular file" in refused(fifo)
    assert "not a regular file" in refused(tmp_path)
    assert "not a regular file" in refused("/dev/zero")
    assert "No such file" in refused(tmp_path / "missing")
    assert "null byte" in refused("nul\0l")


def test_huge_foreign_file_is_refused_before_it_is_read(path):
    with open(path, "wb") as file:
        file.write(b"\x80\x04\x95 and so on")
        file.truncate(2**36)
    refused(path)


@not_as_root
def test_file_without_permission_is_refused(path):
    tiny().save(path)
    path.chmod(0)
    assert "Permission denied" in refused(path)


# ---------------------------------------------------------------- faults while writing


class Sabotage:
    """Counts the calls that touch the disk, and lets the n-th fail."""

    def __init__(self, monkeypatch, fail_at, error):
        self.calls, self.fail_at, self.error = [], fail_at, error
        for module, name in ((files.tempfile, "mkstemp"), (files.os, "fchmod"), (files.os, "fsync")):
            monkeypatch.setattr(module, name, self.watched(name, getattr(module, name)))
        monkeypatch.setattr(files.os, "replace", self.watched("replace", os.replace))
        monkeypatch.setattr(files.os, "open", self.watched("open", os.open))
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
def test_fault_at_any_write_leaves_the_old_file_and_no_temporary(error, overwrite, path, monkeypatch):
    old, new = tiny(seed=1), tiny(seed=2)
    new.save(path)
    whole = path.read_bytes()
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
from deltarule.network import Network

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


def test_description_and_arrays_come_back_as_they_went(path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([], dtype="int64"), "c": np.float32([[1]])}
    write_model(path, {"text": "é\u2028", "list": [1, None, 0.1]}, arrays)
    description, read = read_model(path)
    assert description == {"format": 1, "text": "é\u2028", "list": [1, None, 0.1]}
    assert sorted(read) == ["a", "b", "c"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype
        assert read[name].shape == array.shape


def test_registered_names_are_all_that_files_need():
    assert all(ACTIVATIONS.resolve(ACTIVATIONS.resolve(name).name).name for name in ACTIVATIONS)
