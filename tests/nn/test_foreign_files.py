"""What is not a whole and sound model is refused: one error, at once, and nothing is executed."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save as safetensors_save

from deltarule.errors import ModelFileError
from deltarule.nn import model_files
from deltarule.nn.model_files import write_model
from deltarule.nn.network import Network

from .models import assert_same, not_as_root, refused, tiny


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


def test_more_layers_than_parameters_are_refused_before_a_layer_is_made(path, monkeypatch):
    net = tiny()
    written = net.description()
    layers = [written["layers"][0] | {"activation": f"leaky_relu(0.{i:06})"} for i in range(1, 1001)]
    write_model(path, written | {"layers": layers}, net.arrays())
    monkeypatch.setattr("deltarule.nn.description.Dense", None)
    with pytest.raises(ModelFileError, match="parameters for 1000 layers"):
        Network.load(path)


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
        path.write_bytes(model_files._to_bytes(description, tiny().arrays()))
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
