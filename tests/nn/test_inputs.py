"""What users pass in: every kind of table, every kind of mistake."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from deltarule.errors import InputError, ShapeError
from deltarule.nn.network import Network

X = np.random.default_rng(0).integers(-4, 5, (6, 3)) / 2.0
Y = np.random.default_rng(1).integers(-4, 5, (6, 2)) / 2.0


def strided(array):
    wide = np.full((2 * len(array), 3 * array.shape[1]), np.nan)
    wide[::2, ::3] = array
    return wide[::2, ::3]


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


FORMS = {
    "lists": lambda array: array.tolist(),
    "tuples": lambda array: tuple(map(tuple, array)),
    "float16": lambda array: array.astype("float16"),
    "float32": lambda array: array.astype("float32"),
    "longdouble": lambda array: array.astype("longdouble"),
    "big-endian": lambda array: array.astype(">f8"),
    "Fortran": np.asfortranarray,
    "strided": strided,
    "reversed": lambda array: array[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": read_only,
    "objects": lambda array: array.astype(object),
    "DataFrame": pd.DataFrame,
    "mixed DataFrame": lambda array: pd.DataFrame(array).astype({0: "float32"}),
    "CSR": sparse.csr_array,
    "CSC matrix": sparse.csc_matrix,
}


@pytest.fixture(params=["float64", "float32"])
def net(request):
    return Network([3, 4, 2], activation="tanh", dtype=request.param, l2=0.1)


def results(net, X, Y):
    trace = net.forward(X)
    return net.predict(X), net.cost(X, Y), net.backward(trace, Y).flat


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_table_gives_the_same_numbers(net, form):
    for ours, expected in zip(results(net, FORMS[form](X), FORMS[form](Y)), results(net, X, Y), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-6 if net.dtype == "float32" else 1e-14)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int64", "uint8", "uint64", "bool"])
def test_whole_numbers_and_booleans_are_numbers(net, dtype):
    whole = np.abs(X).astype(dtype)
    np.testing.assert_array_equal(net.predict(whole), net.predict(whole.astype(float)))


def test_memory_map_is_read_and_not_modified(net, tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(net.predict(mapped), net.predict(X))


def test_computing_modifies_neither_data_nor_parameters_nor_trace(net):
    x, y, weight = X.copy(), Y.copy(), np.arange(1.0, 7)
    parameters = net.parameters.copy()
    trace = net.forward(x)
    kept = [[array.copy() for array in step[:3]] for step in trace]
    first = net.backward(trace, y, weight).flat.copy()
    np.testing.assert_array_equal(net.backward(trace, y, weight).flat, first)
    net.cost(x, y, weight)
    net.predict(x)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)
    np.testing.assert_array_equal(weight, np.arange(1.0, 7))
    np.testing.assert_array_equal(net.parameters, parameters)
    for before, step in zip(kept, trace, strict=True):
        for array, now in zip(before, step[:3], strict=True):
            np.testing.assert_array_equal(array, now)


def test_all_numbers_are_of_the_networks_dtype(net):
    trace = net.forward(X)
    grads = net.backward(trace, Y, np.ones(6))
    arrays = [array for step in trace for array in step[:3]] + [array for g in grads for array in g]
    assert {array.dtype for array in [*arrays, net.predict(X), grads.flat]} == {net.dtype}


@pytest.mark.parametrize("rows", [1, 2, 8192, 8193, 20_000])
def test_prediction_in_chunks_is_the_forward_pass(rows):
    net = Network([2, 3, 2], output="softmax")
    x = np.random.default_rng(0).normal(size=(rows, 2))
    np.testing.assert_allclose(net.predict(x), net.forward(x).output, rtol=1e-14)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_number_that_is_not_finite_is_named_by_row_and_column(net, value):
    x = X.copy()
    x[4, 1] = value
    y = Y.copy()
    y[3, 0] = value
    for compute in (net.predict, net.forward, lambda x: net.cost(x, Y)):
        with pytest.raises(InputError, match=rf"X must hold finite numbers, got {value} at row 4, column 1"):
            compute(x)
    with pytest.raises(InputError, match=rf"Y must hold finite numbers, got {value} at row 3, column 0"):
        net.cost(X, y)
    with pytest.raises(InputError, match="row 4, column 1"):
        net.predict(sparse.csr_array(x))


@pytest.mark.parametrize("lay_out", [np.ascontiguousarray, np.asfortranarray, strided])
@pytest.mark.parametrize("rows", [1, 2730, 2731, 90_000])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_number_that_is_not_finite_is_found_among_few_and_many(value, rows, lay_out):
    wrong = np.full((rows, 3), 1e200)  # whose squares are infinite
    Network([3, 2]).inputs(lay_out(wrong))
    wrong[-1, 1] = value
    with pytest.raises(InputError, match=rf"got {value} at row {rows - 1}, column 1$"):
        Network([3, 2]).inputs(lay_out(wrong))


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (np.empty((0, 3)), ShapeError, r"X must have at least one row and one column, got shape \(0, 3\)"),
        (np.empty((3, 0)), ShapeError, r"X must have at least one row and one column, got shape \(3, 0\)"),
        ([], ShapeError, "X must have two dimensions"),
        ([1.0, 2.0, 3.0], ShapeError, r"got shape \(3,\); one sample is X\[None, :\]"),
        (np.ones((2, 3, 1)), ShapeError, r"X must have two dimensions.* got shape \(2, 3, 1\)"),
        (1.0, ShapeError, r"X must have two dimensions.* got shape \(\)"),
        ([[1, 2, 3], [1, 2]], ShapeError, "X is ragged"),
        ([[1, 2, "a"]], InputError, "X must hold real numbers, got .*'a'.* at row 0, column 2"),
        ([["1", "2", "3"]], InputError, "X must hold real numbers, got .*'1'"),
        ([[1, 2, None]], InputError, "X must hold real numbers, got None at row 0, column 2"),
        ([[1, 2, 10**400]], InputError, "X must hold real numbers"),
        ([[1, 2, {}]], InputError, "X must hold real numbers, got a dict at row 0, column 2"),
        ([[1, 2, 3j]], InputError, "X must hold real numbers, got complex128"),
        (np.zeros((1, 3), "M8[s]"), InputError, "X must hold real numbers, got datetime64"),
        (None, InputError, "X must hold real numbers, got None"),
        ({"a": [1]}, InputError, "X must hold real numbers, got a dict"),
        (np.ones((2, 4)), ShapeError, r"layer 1 \(Dense 3 → 4, tanh\) expects inputs of shape \(batch, 3\)"),
    ],
)
def test_what_is_not_a_table_of_numbers_is_refused(net, wrong, error, message):
    for compute in (net.predict, net.forward):
        with pytest.raises(error, match=message):
            compute(wrong)


def test_number_too_great_for_float32_is_refused():
    net = Network([1, 1], dtype="float32")
    for compute in (lambda: net.predict([[1e300]]), lambda: net.cost([[1.0]], [[1e300]])):
        with pytest.raises(InputError, match="float32 must hold finite numbers"):
            compute()


def test_targets_of_another_number_of_rows_are_refused(net):
    with pytest.raises(ShapeError, match=r"Y must have shape \(6, 2\).* got \(5, 2\)"):
        net.cost(X, Y[:5])
    with pytest.raises(ShapeError, match=r"Y must have shape \(5, 2\).* got \(6, 2\)"):
        net.backward(net.forward(X[:5]), Y)
