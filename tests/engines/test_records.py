"""Records of named tuples, by which the kernels find their arrays."""

from __future__ import annotations

import gc
import weakref
from typing import NamedTuple

import numpy as np

from deltarule.arrays import Array
from deltarule.nn.engines.records import array_at, record_of


class Fields(NamedTuple):
    count: int
    numbers: Array


def test_a_record_keeps_its_arrays_as_long_as_it_is_there():
    fields = Fields(3, np.arange(1000.0))
    alive = weakref.ref(fields.numbers)
    record = record_of(fields)
    del fields
    gc.collect()
    assert alive() is not None
    assert record[0].count == 3
    np.testing.assert_array_equal(array_at(record[0].numbers), np.arange(1000.0))
    del record
    gc.collect()
    assert alive() is None
