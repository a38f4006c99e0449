"""The bytes of tensor files are those of the safetensors package, and nothing else is read."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load, save

from deltarule.nn.tensor_files import pack, unpack

RNG = np.random.default_rng(0)
TYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1"]


@pytest.mark.parametrize("count", [0, 1, 2, 12])
def test_the_bytes_are_those_of_the_package(count):
    arrays = {
        f"é {type_} {number}": (RNG.random((number, 3)) * 2).astype(type_)
        for number, type_ in enumerate([*TYPES, *TYPES][:count])
    }
    arrays["scalar"] = np.array(2.5)
    packed = pack(arrays, {"a": 'two\n"words" ∂'})
    assert packed == save(arrays, {"a": 'two\n"words" ∂'})
    ours, metadata = unpack(packed)
    theirs = load(packed)
    assert metadata == {"a": 'two\n"words" ∂'}
    assert ours.keys() == theirs.keys() == arrays.keys()
    for name, array in arrays.items():
        assert ours[name].dtype == array.dtype
        np.testing.assert_array_equal(ours[name], array)


def with_header(text, data=b""):
    return len(text).to_bytes(8, "little") + text.encode() + data


@pytest.mark.parametrize(
    "content",
    [
        b"", b"1234567", with_header("{}", b"x"), with_header("[]"), with_header("{"), with_header("3"),
        (2**63).to_bytes(8, "little"), with_header('{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}'),
        with_header('{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}}', b"12345678"),
        with_header('{"a":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}', b"12345678" * 2),
        with_header('{"a":{"dtype":"F64","shape":[-1],"data_offsets":[0,8]}}', b"12345678"),
        with_header('{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}', b"12"),
        with_header('{"a":{"dtype":"F64","shape":[999999999,999999999],"data_offsets":[0,8]}}', b"12345678"),
        with_header('{"__metadata__":{"a":1}}'), with_header('{"a":3}'),
    ],
)  # fmt: skip
def test_anything_else_is_refused(content):
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        unpack(content)
