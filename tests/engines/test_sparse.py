"""Sparse inputs give the numbers of dense ones, by either engine, and are never written out as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltarule import (
    Dense,
    DivergenceError,
    InputError,
    Network,
    Scaled,
    check_gradients,
    evaluate,
    explain,
    explain_update,
    health,
    resume,
    train,
)
from deltarule.arrays import sparse as sparse_arrays
from deltarule.errors import ShapeError
from deltarule.nn.engines import compilation, threads, workspace
from deltarule.training import Checkpoint

sparse = pytest.importorskip("scipy.sparse")
pytest.importorskip("numba")

ENGINES = ("reference", "compiled")
CLASS_OF = {
    "csr_array": sparse.csr_array,
    "csr_matrix": sparse.csr_matrix,
    "csc_matrix": sparse.csc_matrix,
    "coo_array": sparse.coo_array,
    "dok_array": sparse.dok_array,
}


def table(n=60, k=40, density=0.1, seed=0, dtype=np.float64):
    """A csr_array with an empty row and an empty column."""
    rng = np.random.default_rng(seed)
    dense = rng.integers(1, 9, (n, k)) * (rng.random((n, k)) < density)
    dense[n // 2], dense[:, k // 2] = 0, 0
    return sparse.csr_array(dense.astype(dtype))


def untidy(X, rng, index=np.int32):
    """The same matrix with every value in two parts, in no order, and with zeros that are stored."""
    coo = X.tocoo()
    rows, columns = np.tile(coo.row, 2), np.tile(coo.col, 2)
    values = np.concatenate([coo.data - 1, np.ones_like(coo.data)])
    rows, columns, values = (
        np.append(a, b) for a, b in ((rows, [0, 1]), (columns, [0, 2]), (values, [0, 0]))
    )
    shuffled = rng.permutation(len(rows))
    order = shuffled[np.argsort(rows[shuffled], kind="stable")]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=X.shape[0]))])
    parts = values[order].astype(X.dtype), columns[order].astype(index), indptr.astype(index)
    return sparse.csr_array(parts, shape=X.shape)


def copies(X):
    return [array.copy() for array in (X.data, X.indices, X.indptr)]


def outcome(net, X, Y, **options):
    """Everything that training and asking give, as arrays; the network is left alone."""
    net, engine = net.copy(), options["engine"]
    history = train(net, X, Y, **options)
    found = evaluate(net, X, Y, metrics=["accuracy"])
    history = {name: np.array(column) for name, column in history.items()}
    return history | {"net": net.parameters, "a": net.predict(X, engine=engine)} | found


def assert_same(ours, theirs, rtol=1e-12):
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=rtol, atol=rtol, err_msg=name)


@settings(max_examples=25, deadline=None)
@given(
    engine=st.sampled_from(ENGINES),
    kind=st.sampled_from(list(CLASS_OF)),
    density=st.sampled_from([0.0, 0.03, 0.3, 1.0]),
    n=st.integers(2, 40),
    size=st.sampled_from([1, 7, 16, None]),
    dropout=st.sampled_from([0.0, 0.4]),
    validation=st.sampled_from([None, 0.3]),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
)
def test_training_and_asking_give_the_numbers_of_dense_inputs(
    engine, kind, density, n, size, dropout, validation, weighted, seed
):
    rng = np.random.default_rng(seed)
    X = CLASS_OF[kind](table(n, 12, density, seed))
    net = Network([12, 5, 3], output="softmax", dropout=[dropout, 0.2], l2=0.01, seed=seed)
    options = {
        "epochs": 3,
        "batch_size": size,
        "validation": validation if n > 3 else None,
        "sample_weight": rng.random(n) + 0.1 if weighted else None,
        "metrics": ["accuracy"],
        "optimizer": rng.choice(["sgd(0.1)", "momentum(0.05)", "adam(0.01)"]).item(),
        "seed": seed,
        "engine": engine,
    }
    Y = rng.integers(0, 3, n)
    assert_same(
        outcome(net, X, Y, **options), outcome(net, X.toarray(), Y, **options | {"engine": "reference"})
    )


@settings(max_examples=10, deadline=None)
@given(engine=st.sampled_from(ENGINES), index=st.sampled_from([np.int32, np.int64]), seed=st.integers(0, 99))
def test_untidy_matrices_are_tidied_in_a_copy(engine, index, seed):
    rng = np.random.default_rng(seed)
    X, net, Y = table(seed=seed), Network([40, 5, 3], output="softmax"), rng.integers(0, 3, 60)
    wild = untidy(X, rng, index)
    assert not wild.has_canonical_format
    before = copies(wild)
    options = {"epochs": 2, "engine": engine}
    assert_same(outcome(net, wild, Y, **options), outcome(net, X.toarray(), Y, **options))
    for now, then in zip(copies(wild), before, strict=True):
        assert now.dtype == then.dtype
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("method", ["forward", "backward", "cost"])
def test_the_network_itself_takes_them(method):
    X, Y, net = table(), np.arange(60) % 3, Network([40, 5, 3], output="softmax", dropout=0.2)
    trace, dense = net.forward(X), net.forward(X.toarray())
    if method == "forward":
        assert trace[0].x.shape == (60, 40)
        assert sparse.issparse(trace[0].x)
        np.testing.assert_allclose(trace.output, dense.output, rtol=1e-13)
    elif method == "backward":
        np.testing.assert_allclose(net.backward(trace, Y).flat, net.backward(dense, Y).flat, atol=1e-14)
    else:
        np.testing.assert_allclose(net.cost(X, Y), net.cost(X.toarray(), Y), rtol=1e-13)


NARROW = [
    ("float32", np.float32),
    pytest.param("float32", np.uint8, marks=pytest.mark.slow),
    pytest.param("float64", np.float32, marks=pytest.mark.slow),
    pytest.param("float64", np.uint8, marks=pytest.mark.slow),
    pytest.param("float64", np.int64, marks=pytest.mark.slow),
    pytest.param("float64", bool, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("dtype", "number"), NARROW)
def test_narrow_number_types_are_widened_batch_by_batch(dtype, number):
    X, Y = table(dtype=number), np.arange(60) % 3
    net = Network([40, 5, 3], output="softmax", dtype=dtype)
    kept = net.inputs(X).values.dtype
    assert kept == (number if np.dtype(number).itemsize < net.dtype.itemsize else net.dtype)
    for engine in ENGINES:
        ours = outcome(net, X, Y, engine=engine, epochs=2)
        theirs = outcome(net, X.toarray(), Y, engine="reference", epochs=2)
        assert ours["a"].dtype == dtype
        assert_same(ours, theirs, 1e-12 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_scaled_without_a_shift_stays_sparse(engine):
    X, Y, scale = table(), np.arange(60) % 3, np.arange(1.0, 41)
    net = Network([40, 5, 3], output="softmax")
    for factor in (255, scale):
        options = {"engine": engine, "epochs": 3, "validation": 0.2}
        theirs = outcome(net, X.toarray() / factor, Y, **options)
        assert_same(outcome(net, Scaled(X, scale=factor), Y, **options), theirs)
    assert Scaled(X, 0.0, scale).is_sparse


def test_a_shift_of_sparse_values_is_refused():
    with pytest.raises(
        InputError, match=r"shift must be 0 for sparse values.*got 0.5 in column 7; scale alone"
    ):
        Scaled(table(), np.where(np.arange(40) == 7, 0.5, 0))
    np.testing.assert_array_equal(Scaled(table(), scale=2).astype("float64"), table().toarray() / 2)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("n_shares", [2, 3])
def test_batches_divided_among_threads(monkeypatch, n_shares, dropout):
    monkeypatch.setattr(threads, "THREAD_PRODUCTS", 1)
    monkeypatch.setenv("NUMBA_NUM_THREADS", str(n_shares))
    X, Y = table(n=200), np.arange(200) % 3
    net = Network([Dense(40, 5, "tanh", dropout=dropout), Dense(5, 3, "softmax")], loss="cross_entropy")
    assert threads.is_divided(workspace.count_products(net, net.inputs(X), 64))
    options = {"epochs": 3, "batch_size": 64}
    ours = outcome(net, X, Y, engine="compiled", **options)
    assert_same(ours, outcome(net, X.toarray(), Y, engine="reference", **options))
    for _ in range(3):
        assert_same(outcome(net, X, Y, engine="compiled", **options), ours, 0)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n", [1, 2, 3000])
def test_predictions(engine, n):
    net, X = Network([40, 5, 3], output="softmax", dropout=0.5), table(n)
    np.testing.assert_allclose(net.predict(X, engine=engine), net.predict(X.toarray()), rtol=1e-13)


def test_lbfgs_takes_the_same_steps():
    X, Y = table(), np.arange(60) % 3
    nets = [Network([40, 4, 3], activation="tanh", output="softmax", l2=0.1) for _ in range(2)]
    ours, theirs = (
        train(net, x, Y, optimizer="lbfgs", epochs=8) for net, x in zip(nets, (X, X.toarray()), strict=True)
    )
    np.testing.assert_allclose(ours["loss"], theirs["loss"], rtol=1e-12)
    np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_resumes_to_the_identical_end_from_any_form_of_the_same_matrix(engine, tmp_path):
    X, Y, path = table(), np.arange(60) % 3, tmp_path / "checkpoint"
    whole, halved = (Network([40, 5, 3], output="softmax", dropout=0.1) for _ in range(2))
    options = {"engine": engine, "validation": 0.2}
    history = train(whole, X, Y, epochs=9, **options)
    train(halved, X, Y, epochs=4, checkpoint=Checkpoint(path), **options)
    values, columns, rows = X.copy(), X.copy(), X.copy()
    values.data[5] += 1
    columns.indices[columns.indptr[1] - 1] -= 1  # of the last value in row 0
    rows.indptr[30] -= 1  # row 30, which is empty, gets the last value of row 29
    for others in (values, columns, rows):
        assert (others != X).nnz
        with pytest.raises(InputError, match="was trained on other samples"):
            resume(path, others, Y, epochs=9)
    wide = untidy(X, np.random.default_rng(0), np.int64)
    wide.sum_duplicates()
    wide.eliminate_zeros()
    for form in (sparse.csc_matrix(X), wide):
        rest, longer = resume(path, form, Y, epochs=9, checkpoint=Checkpoint(tmp_path / "other"))
        np.testing.assert_array_equal(rest.parameters, whole.parameters)
        assert dict(longer) == dict(history)


def test_arrays_that_cannot_be_written_to_need_no_other_kernels():
    X, Y, net = table(), np.arange(60) % 3, Network([40, 5, 3], output="softmax")
    theirs = outcome(net, X, Y, engine="compiled", epochs=2)
    known = set(compilation._loaded)
    for array in (X.data, X.indices, X.indptr):
        array.flags.writeable = False
    assert_same(outcome(net, X, Y, engine="compiled", epochs=2), theirs, 0)
    assert known == set(compilation._loaded)


def test_the_kernels_run_uncompiled_too():
    code = (
        "import numpy as np, tests.engines.test_sparse as t; from deltarule import Network\n"
        "net, Y = Network([12, 5, 3], output='softmax', dropout=0.2), np.arange(9) % 3\n"
        "ours, theirs = (t.outcome(net, t.table(9, 12), Y, engine=e, epochs=2) for e in t.ENGINES)\n"
        "t.assert_same(ours, theirs)"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=100)


def spoiled(value, place=3):
    X = table()
    X.data[place] = value
    return X, tuple(np.argwhere(X.toarray() != table().toarray())[0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 30, -1])
def test_number_that_is_not_finite_is_named_by_row_and_column(value, place):
    X, (row, column) = spoiled(value, place)
    net = Network([40, 3], output="softmax")
    found = rf"X must hold finite numbers, got {value} at row {row}, column {column}$"
    for X_ in (X, sparse.csc_array(X)):
        with pytest.raises(InputError, match=found):
            net.predict(X_)
    with pytest.raises(InputError, match="values must hold finite numbers"):
        Scaled(X)
    wild = sparse.csr_array((np.array([1.0, value]), np.array([2, 1]), np.array([0, 0, 2])), shape=(2, 40))
    with pytest.raises(InputError, match=r"at row 1, column 1$"):
        net.predict(wild)


def test_number_too_great_for_float32_is_refused():
    X, (row, column) = spoiled(1e300)
    with pytest.raises(InputError, match=f"X as float32 must hold finite .* row {row}, column {column}$"):
        Network([40, 3], dtype="float32").predict(X)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (sparse.csr_array((0, 40)), ShapeError, r"at least one row and one column, got shape \(0, 40\)"),
        (sparse.csr_array((3, 0)), ShapeError, r"at least one row and one column, got shape \(3, 0\)"),
        (sparse.coo_array(np.ones(40)), ShapeError, r"two dimensions.*got shape \(40,\); one sample is X\["),
        (sparse.csr_array((3, 4)), ShapeError, r"expects inputs of shape \(batch, 40\), got \(3, 4\)"),
        (sparse.csr_array(np.eye(40) * 1j), InputError, "X must hold real numbers, got complex128"),
    ],
)
def test_what_is_not_a_table_of_numbers_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        Network([40, 3]).predict(wrong)


@pytest.mark.parametrize(("indices", "indptr"), [([40], [0, 1]), ([-1], [0, 1]), ([3, 4], [0, 2])])
def test_indices_that_lead_out_of_the_matrix_are_refused(indices, indptr):
    X = sparse.csr_array((np.ones(len(indices)), indices, indptr), shape=(1, 40))
    if len(indices) == 2:
        X.indptr[:] = [1, 2]
    with pytest.raises(InputError, match="X is not a valid sparse matrix: "):
        Network([40, 3]).predict(X, engine="compiled")


def test_explanations_have_dense_numbers():
    X, Y = table(), np.arange(60) % 3
    nets = [Network([40, 4, 3], activation="tanh", output="softmax", dropout=0.2) for _ in range(2)]
    pages = []
    for net, x in zip(nets, (X, X.toarray()), strict=True):
        history = train(net, x, Y, epochs=2)
        pages.append(
            [
                explain(net, x, Y, "W1[3,2]", sample=7, digits=6).text(),
                explain(net, x, Y, "layer1", digits=6).text(),
                explain_update(history, 3, "W1[3,2]", digits=6).text(),
                str(health(net, x, Y, history)),
            ]
        )
        assert check_gradients(net, x, Y).passed
    assert pages[0] == pages[1]


def test_dense_numbers_of_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(sparse_arrays, "DENSE_BYTES", 40 * 8 * 10)
    X, Y, net = table(), np.arange(60) % 3, Network([40, 3], output="softmax")
    with pytest.raises(
        InputError, match=r"shape \(60, 40\) would take .* GB as dense numbers: take fewer rows"
    ):
        explain(net, X, Y, "W1[3,2]")
    assert explain(net, X[:10], Y[:10], "W1[3,2]").text()
    train(net, X, Y, epochs=1)


def test_divergence_names_the_greatest_input():
    X = table()
    with pytest.raises(DivergenceError, match=r"largest \|X\|: 8\)"):
        train(Network([40, 3]), X, np.ones((60, 3)), optimizer="sgd(1e200)", epochs=3)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_epoch_takes_a_tenth_of_what_dense_inputs_would(engine, tmp_path):
    """20,000 by 20,000 numbers are 3.2 GB; 0.05 % of them are not 0."""
    n, rng = 20_000, np.random.default_rng(0)
    rows, columns = rng.integers(0, n, (2, n * n // 2000))
    X = sparse.coo_array((rng.random(len(rows)), (rows, columns)), shape=(n, n)).tocsr()
    Y, net = rng.integers(0, 3, n), Network([n, 20, 3], output="softmax")
    train(net.copy(), X[:8], Y[:8], epochs=1, engine=engine)  # compiles
    options = {"validation": 0.1, "metrics": ["accuracy"], "checkpoint": Checkpoint(tmp_path / "c")}
    tracemalloc.start()
    for size in (200, None):
        train(net, X, Y, epochs=1, batch_size=size, engine=engine, **options)
    net.predict(X, engine=engine)
    evaluate(net, X, Y)
    net.backward(net.forward(X), Y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6
