"""A small network in a file, and what tests ask of it."""

from __future__ import annotations

import os

import numpy as np
import pytest

from deltarule.errors import ModelFileError
from deltarule.nn.network import Network

__all__ = ["assert_same", "not_as_root", "refused", "tiny"]

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


def refused(path):
    with pytest.raises(ModelFileError) as refusal:
        Network.load(path)
    assert str(path) in str(refusal.value)
    return str(refusal.value)
